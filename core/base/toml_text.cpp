#include "core/base/toml_text.h"

#include <algorithm>

namespace tallystick::core {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kComment = "#";
constexpr std::string_view kBasic = R"(""")";
constexpr std::string_view kLiteral = "'''";
constexpr std::size_t kLongestEnd = 5;  // of """: two quotes of the text, and three that end it

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// How many quotes of this kind `text` begins with.
std::size_t quotes(std::string_view text, char quote) {
  return std::min(text.find_first_not_of(quote), text.size());
}

// Goes over the text once. What is open: nothing, a comment, or quotes as they began.
class Walk {
 public:
  explicit Walk(std::string_view text) : rest_(text) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  std::optional<TomlObjection> objection() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (is_control(c)) return TomlObjection{line_, "a control character"};
      if (!is_ascii(c) && (open_.empty() || over_lines())) {
        return TomlObjection{
            line_,
            "a character outside ASCII, which only comments and texts in quotes on "
            "one line may have"};
      }
      step(c);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool over_lines() const { return open_.size() == kBasic.size(); }

  void step(char c) {
    if (c == '\n') {
      ++line_;
      if (!over_lines()) open_ = {};
      rest_.remove_prefix(1);
    } else if (open_.empty()) {
      rest_.remove_prefix(open(c));
    } else if (c == open_.front() && open_ != kComment) {
      rest_.remove_prefix(close(c));
    } else {
      const bool escape = c == '\\' && open_.front() == '"' && rest_.size() > 1 &&
                          (rest_[1] == '"' || rest_[1] == '\\');
      rest_.remove_prefix(escape ? 2 : 1);
    }
  }

  // Both give how many characters that takes.
  std::size_t open(char c) {
    if (c == '#') {
      open_ = kComment;
    } else if (c == '"' || c == '\'') {
      const auto& three = c == '"' ? kBasic : kLiteral;
      open_ = three.substr(0, rest_.starts_with(three) ? three.size() : 1);
      return open_.size();
    }
    return 1;
  }

  std::size_t close(char c) {
    const auto there = quotes(rest_, c);
    if (!over_lines()) {
      open_ = {};
      return 1;
    }
    if (there >= open_.size()) open_ = {};
    return std::min(there, kLongestEnd);
  }

  std::string_view rest_;
  std::string_view open_;
  std::uint32_t line_ = 1;
};

}  // namespace

std::optional<TomlObjection> objection_to_toml(std::string_view text) {
  return Walk(text).objection();
}

}  // namespace tallystick::core
