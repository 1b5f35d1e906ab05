#include "tools/cli/output.h"

#include <ostream>

#include <nlohmann/json.hpp>

#include "tools/cli/failure.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string scalar_text(const Json& value) {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_null()) return "none";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump();
}

void print(std::ostream& out, const Json& value, const std::string& indent) {
  for (const auto& [key, item] : value.items()) {
    const std::string name = value.is_array() ? "-" : printable(key) + ":";
    if (!item.is_structured()) {
      out << indent << name << ' ' << scalar_text(item) << '\n';
    } else if (item.empty()) {
      out << indent << name << " none\n";
    } else {
      out << indent << name << '\n';
      print(out, item, indent + "  ");
    }
  }
}

}  // namespace

void Output::say(std::string_view line) {
  if (!json_ && !quiet_) *out_ << printable(line) << '\n' << std::flush;
}

void Output::data(const Json& document) {
  if (json_) {
    // Names from files were checked to be UTF-8; what else is not is replaced, never passed on.
    *out_ << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (!quiet_) {
    print(*out_, document, "");
  }
  out_->flush();
}

void Output::value(std::string_view key, std::string_view text) {
  if (json_) {
    data(Json{{std::string(key), std::string(text)}});
  } else {
    *out_ << printable(text) << '\n' << std::flush;
  }
}

void Output::raw(std::string_view text) { *out_ << text << std::flush; }

void Output::complain(std::string_view line) { *err_ << printable(line) << '\n' << std::flush; }

}  // namespace tallystick::cli
