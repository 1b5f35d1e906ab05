#include "tools/cli/formats/toml_reader.h"

#include <algorithm>

#include <toml++/toml.h>

#include "core/base/toml_text.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kMostToml = 256UL * 1024;

std::string place(const std::string& file, const toml::source_region& where) {
  return where.begin ? file + ", line " + std::to_string(where.begin.line) : file;
}

}  // namespace

void TomlTable::complain(const std::string& key, const std::string& why) {
  if (error_) return;
  const toml::node* node = table_->get(key);
  const auto& where = node == nullptr ? table_->source() : node->source();
  error_ = file_failure(place(file_, where), key + " " + why);
}

std::optional<std::string> TomlTable::text(const std::string& key) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string()) return value->get();
  complain(key, "must be a text in quotes");
  return std::nullopt;
}

std::optional<std::uint64_t> TomlTable::number(const std::string& key, std::uint64_t most) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= 0 && static_cast<std::uint64_t>(value->get()) <= most) {
    return static_cast<std::uint64_t>(value->get());
  }
  complain(key, "must be a number from 0 to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> TomlTable::boolean(const std::string& key) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  complain(key, "must be true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TomlTable::texts(const std::string& key) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  std::vector<std::string> out;
  if (const auto* single = node->as_string()) {
    out.push_back(single->get());
    return out;
  }
  const auto* list = node->as_array();
  bool good = list != nullptr;
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    const auto* item = (*list)[i].as_string();
    good = item != nullptr;
    if (good) out.push_back(item->get());
  }
  if (good) return out;
  complain(key, "must be a list of texts in quotes");
  return std::nullopt;
}

std::optional<std::vector<std::uint64_t>> TomlTable::numbers(const std::string& key,
                                                             std::uint64_t most) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  std::vector<std::uint64_t> out;
  const auto* list = node->as_array();
  bool good = list != nullptr;
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    const auto* item = (*list)[i].as_integer();
    good = item != nullptr && item->get() >= 0 && static_cast<std::uint64_t>(item->get()) <= most;
    if (good) out.push_back(static_cast<std::uint64_t>(item->get()));
  }
  if (good) return out;
  complain(key, "must be a list of numbers from 0 to " + std::to_string(most));
  return std::nullopt;
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  std::vector<TomlTable> out;
  if (node == nullptr) return out;
  const auto* list = node->as_array();
  bool good = list != nullptr;
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    const auto* item = (*list)[i].as_table();
    good = item != nullptr;
    if (good) out.push_back(TomlTable(file_, item));
  }
  if (!good) complain(key, "must be written as [[" + key + "]]");
  return out;
}

std::optional<TomlTable> TomlTable::table(const std::string& key) {
  known_.push_back(key);
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* found = node->as_table()) return TomlTable(file_, found);
  complain(key, "must be written as [" + key + "]");
  return std::nullopt;
}

std::string TomlTable::required_text(const std::string& key) {
  auto value = text(key);
  if (!value) complain(key, "is missing");
  return value.value_or("");
}

std::uint64_t TomlTable::required_number(const std::string& key, std::uint64_t most) {
  const auto value = number(key, most);
  if (!value) complain(key, "is missing");
  return value.value_or(0);
}

Done TomlTable::finish() {
  for (const auto& [key, node] : *table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      complain(name, "is not known here");
    }
  }
  if (error_) return *error_;
  return {};
}

TomlFile::TomlFile(std::string name, std::unique_ptr<toml::table> table)
    : name_(std::move(name)), table_(std::move(table)) {}
TomlFile::TomlFile(TomlFile&&) noexcept = default;
TomlFile::~TomlFile() = default;

Outcome<TomlFile> TomlFile::read(const std::string& path) {
  auto bytes = read_file(path, kMostToml);
  if (!bytes) return std::move(bytes).error();
  return parse(path, core::text_of(*bytes));
}

Outcome<TomlFile> TomlFile::parse(const std::string& name, std::string_view text) {
  if (const auto objection = core::objection_to_toml(text)) {
    return file_failure(place(name, {.begin = {objection->line, 1}, .end = {}, .path = {}}),
                        std::string(objection->what));
  }
  try {
    return TomlFile(name, std::make_unique<toml::table>(toml::parse(text, name)));
  } catch (const toml::parse_error& error) {
    return file_failure(place(name, error.source()), std::string(error.description()));
  }
}

TomlTable TomlFile::root() const { return TomlTable(name_, table_.get()); }

}  // namespace tallystick::cli
