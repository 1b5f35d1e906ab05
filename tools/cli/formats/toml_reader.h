// TOML files that people write, read strictly: every key is known, every value of its type and in
// range; an error names the file, the line and the key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/failure.h"

namespace toml {
inline namespace v3 {
class table;
}
}  // namespace toml

namespace tallystick::cli {

// One table of a file. Each get notes that the key is known; finish() refuses all others and tells
// the first error, so that a list of fields is read in one go and asked once.
class TomlTable {
 public:
  std::optional<std::string> text(const std::string& key);
  std::optional<std::uint64_t> number(const std::string& key, std::uint64_t most);
  std::optional<bool> boolean(const std::string& key);
  // A list of texts; one text alone counts as a list of one.
  std::optional<std::vector<std::string>> texts(const std::string& key);
  // A list of numbers.
  std::optional<std::vector<std::uint64_t>> numbers(const std::string& key, std::uint64_t most);
  // The tables of [[key]].
  std::vector<TomlTable> tables(const std::string& key);
  // The table [key], if there.
  std::optional<TomlTable> table(const std::string& key);

  std::string required_text(const std::string& key);
  std::uint64_t required_number(const std::string& key, std::uint64_t most);

  // Notes an error about a key, if it is the first.
  void complain(const std::string& key, const std::string& why);
  [[nodiscard]] std::string file() const { return file_; }
  Done finish();

 private:
  friend class TomlFile;
  TomlTable(std::string file, const toml::table* table) : file_(std::move(file)), table_(table) {}

  std::string file_;
  const toml::table* table_;
  std::vector<std::string> known_;
  std::optional<Failure> error_;
};

class TomlFile {
 public:
  static Outcome<TomlFile> read(const std::string& path);
  // `name` stands for the file in messages.
  static Outcome<TomlFile> parse(const std::string& name, std::string_view text);
  TomlFile(TomlFile&&) noexcept;
  TomlFile& operator=(TomlFile&&) = delete;
  TomlFile(const TomlFile&) = delete;
  TomlFile& operator=(const TomlFile&) = delete;
  ~TomlFile();

  [[nodiscard]] TomlTable root() const;

 private:
  TomlFile(std::string name, std::unique_ptr<toml::table> table);
  std::string name_;
  std::unique_ptr<toml::table> table_;
};

}  // namespace tallystick::cli
