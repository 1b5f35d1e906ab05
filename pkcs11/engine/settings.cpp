#include "pkcs11/engine/settings.h"

// Compiled in and without exceptions: the module must load where there is no libtomlplusplus.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
// It asserts what it then checks: a key that begins with no key's character would end the process.
#define TOML_ASSERT(what) static_assert(true)
#include <algorithm>
#include <cstdlib>
#include <variant>
#include <vector>

#include <toml++/toml.h>

#include "core/base/toml_text.h"
#include "pkcs11/engine/files.h"

namespace tallystick::token {
namespace {

constexpr const char* kSystemFile = "/etc/tallystick/tallystick.toml";
constexpr std::string_view kUserFile = "/tallystick/tallystick.toml";
constexpr std::size_t kMostBytes = 64UL << 10;

// Where a value goes; the kind of the member says what the value must be. A text is an absolute
// path or one of the words.
struct Path {
  std::string Settings::*member;
  std::string_view word;
};
using Target = std::variant<bool Settings::*, Path>;

struct Key {
  std::string_view table;
  std::string_view key;
  Target target;
};

constexpr auto kKeys = std::to_array<Key>({
    {"token", "directory", Path{&Settings::directory, {}}},
    {"log", "file", Path{&Settings::log, "stderr"}},
    {"mechanisms", "rsa_pkcs1_decrypt", &Settings::rsa_pkcs1_decrypt},
    {"mechanisms", "rsa_raw", &Settings::rsa_raw},
    {"mechanisms", "pkcs5_pbkd2", &Settings::pkcs5_pbkd2},
});

Fault wrong(const std::string& name, const toml::source_region& where, std::string_view what) {
  const auto place = where.begin ? ", line " + std::to_string(where.begin.line) : std::string();
  return fault(CKR_GENERAL_ERROR, name + place + ": " + std::string(what));
}

// Nothing, or what is wrong with the value.
std::string_view take(Settings& settings, bool Settings::*member, const toml::node& value) {
  const auto* const boolean = value.as_boolean();
  if (boolean == nullptr) return "must be true or false";
  settings.*member = boolean->get();
  return {};
}

std::string_view take(Settings& settings, const Path& path, const toml::node& value) {
  const auto* const text = value.as_string();
  const bool good = text != nullptr && text->get().find('\0') == std::string::npos &&
                    (text->get().starts_with('/') || (!path.word.empty() && *text == path.word));
  if (!good) {
    return path.word.empty() ? "must be an absolute path in quotes"
                             : "must be an absolute path or \"stderr\" in quotes";
  }
  settings.*path.member = text->get();
  return {};
}

Outcome<void> take_key(const std::string& name, std::string_view table, std::string_view key,
                       const toml::node& value, Settings& settings) {
  const auto written = std::string(table) + "." + std::string(key) + " ";
  const auto* const known = std::ranges::find_if(
      kKeys, [&](const Key& one) { return one.table == table && one.key == key; });
  if (known == kKeys.end()) return wrong(name, value.source(), written + "is not a setting");
  const auto bad =
      std::visit([&](const auto& target) { return take(settings, target, value); }, known->target);
  if (!bad.empty()) return wrong(name, value.source(), written + std::string(bad));
  return {};
}

// The first file that is there, with its text; nothing when there is none.
struct Found {
  std::string path;
  core::Bytes text;
};
Outcome<std::optional<Found>> find_file() {
  if (const char* const given = secure_getenv("TALLYSTICK_CONF"); given != nullptr && *given != 0) {
    auto text = read_trusted_file(given, kMostBytes);
    if (!text) return std::move(text).error();
    if (!*text) return fault(CKR_GENERAL_ERROR, std::string(given) + ": there is no such file");
    return std::optional<Found>({given, **std::move(text)});
  }
  std::vector<std::string> places;
  if (auto own = config_directory()) places.push_back(*std::move(own) + std::string(kUserFile));
  places.emplace_back(kSystemFile);
  for (auto& path : places) {
    auto text = read_trusted_file(path, kMostBytes);
    if (!text) return std::move(text).error();
    if (*text) return std::optional<Found>({std::move(path), **std::move(text)});
  }
  return std::optional<Found>();
}

}  // namespace

Outcome<Settings> parse_settings(const std::string& name, std::string_view text) {
  if (const auto objection = core::objection_to_toml(text)) {
    return wrong(name, {.begin = {objection->line, 1}, .end = {}, .path = {}}, objection->what);
  }
  const auto parsed = toml::parse(text);
  if (!parsed) {
    return wrong(name, parsed.error().source(), std::string(parsed.error().description()));
  }
  Settings settings;
  for (const auto& [table_name, content] : parsed.table()) {
    const auto* const table = content.as_table();
    if (table == nullptr) {
      return wrong(name, content.source(), std::string(table_name.str()) + " is not a setting");
    }
    const bool known = std::ranges::find(kKeys, table_name.str(), &Key::table) != kKeys.end();
    if (!known) {
      return wrong(name, content.source(),
                   "[" + std::string(table_name.str()) + "] is not a group of settings");
    }
    for (const auto& [key, value] : *table) {
      if (auto taken = take_key(name, table_name.str(), key.str(), value, settings); !taken) {
        return std::move(taken).error();
      }
    }
  }
  return settings;
}

Outcome<Settings> read_settings() {
  auto found = find_file();
  if (!found) return fault(CKR_GENERAL_ERROR, found.error().message);
  if (!*found) return Settings{};
  return parse_settings((*found)->path, core::text_of((*found)->text));
}

}  // namespace tallystick::token
