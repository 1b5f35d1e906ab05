// What a command says when it succeeds: text for people, or one JSON document (--json).
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tallystick::cli {

class Output {
 public:
  Output(std::ostream& out, std::ostream& err) : out_(&out), err_(&err) {}

  void use_json(bool on) { json_ = on; }
  void be_quiet(bool on) { quiet_ = on; }
  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool quiet() const { return quiet_; }

  // A line for people; nothing with --json or --quiet. The text is made printable.
  void say(std::string_view line);
  // The command's data: with --json as one document, else as "key: value" lines, lists indented.
  void data(const nlohmann::ordered_json& document);
  // A single value as plain text that a script reads, or {"<key>": value} with --json.
  void value(std::string_view key, std::string_view text);
  // Bytes as they are, for completion scripts and the like.
  void raw(std::string_view text);
  // On the error stream, printable, whatever the mode.
  void complain(std::string_view line);

 private:
  std::ostream* out_;
  std::ostream* err_;
  bool json_ = false;
  bool quiet_ = false;
};

}  // namespace tallystick::cli
