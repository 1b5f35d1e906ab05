#include "tools/cli/formats/json_file.h"

#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

constexpr int kDeepest = 8;

}  // namespace

nlohmann::json parse_json(core::ByteView text) {
  bool too_deep = false;
  const auto shallow = [&too_deep](int depth, nlohmann::json::parse_event_t /*event*/,
                                   nlohmann::json& /*value*/) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), shallow, false);
  if (too_deep) return nlohmann::json(nlohmann::json::value_t::discarded);
  return document;
}

std::string text_member(const nlohmann::json& document, std::string_view key) {
  if (!document.is_object()) return "";
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<std::uint64_t> number_member(const nlohmann::json& document, std::string_view key,
                                           std::uint64_t most) {
  if (!document.is_object()) return std::nullopt;
  const auto found = document.find(key);
  if (found == document.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto number = found->get<std::uint64_t>();
  return number <= most ? std::optional(number) : std::nullopt;
}

Outcome<nlohmann::json> read_json_file(const std::string& path, std::string_view format) {
  auto bytes = read_file(path);
  if (!bytes) return std::move(bytes).error();
  nlohmann::json document = parse_json(*bytes);
  if (!document.is_object()) return file_failure(path, "not a JSON object");
  if (text_member(document, "format") != format) {
    return file_failure(path, "not a file of the format " + std::string(format));
  }
  return document;
}

}  // namespace tallystick::cli
