#include "tools/cli/formats/challenge.h"

#include "tools/cli/file_io.h"
#include "tools/cli/text.h"

namespace tallystick::cli {

Outcome<core::ByteArray<core::kChallengeSize>> parse_challenge(const std::string& text) {
  constexpr std::string_view kFile = "file:";
  const Failure wrong = usage_failure("--challenge",
                                      "it is 32 bytes: 64 hexadecimal digits or "
                                      "file:PATH");
  if (!text.starts_with(kFile)) {
    const auto bytes = array_from_hex<core::kChallengeSize>(text);
    if (!bytes) return wrong;
    return *bytes;
  }
  auto bytes = read_file(text.substr(kFile.size()), 128);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() == core::kChallengeSize) return core::array_of<core::kChallengeSize>(*bytes);
  std::string_view digits = core::text_of(*bytes);
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == '\r')) {
    digits.remove_suffix(1);
  }
  const auto decoded = array_from_hex<core::kChallengeSize>(digits);
  if (!decoded) return wrong;
  return *decoded;
}

}  // namespace tallystick::cli
