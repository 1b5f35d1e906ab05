#include "tools/cli/failure.h"

#include <array>
#include <system_error>

#include "core/ts1/text.h"

namespace tallystick::cli {
namespace {

using core::ErrorCode;

std::string escaped_byte(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
}

std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

// C0, DEL, C1, line and paragraph separators, bidirectional controls.
bool harmless(std::string_view sequence) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return at(0) >= 0x20 && at(0) != 0x7F;
  if (sequence.size() == 2) return at(0) != 0xC2 || at(1) >= 0xA0;
  if (sequence.size() != 3 || at(0) != 0xE2) return true;
  if (at(1) == 0x80) return at(2) < 0x8E || (at(2) > 0x8F && at(2) < 0xA8) || at(2) > 0xAE;
  return at(1) != 0x81 || at(2) < 0xA6 || at(2) > 0xA9;
}

Exit exit_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return Exit::kUsage;
    case ErrorCode::kStorage:
      return Exit::kFile;
    case ErrorCode::kCrypto:
      return Exit::kInternal;
    default:
      return Exit::kRefused;
  }
}

}  // namespace

Failure from_core(std::string what, const core::Error& error, std::string advice) {
  std::string why = error.message.empty() ? "failed" : error.message;
  if (error.check != 0) why += ", at check " + std::to_string(error.check);
  return {exit_for(error.code), std::move(what), std::move(why), std::move(advice)};
}

Failure from_errno(std::string what, int error_number, std::string advice) {
  return file_failure(std::move(what), std::generic_category().message(error_number),
                      std::move(advice));
}

Failure with_advice(Failure failure, const std::string& more) {
  if (!failure.advice.empty()) failure.advice += "; ";
  failure.advice += more;
  return failure;
}

std::string line_of(const Failure& failure) {
  std::string line = "tallystick: " + printable(failure.what) + ": " + printable(failure.why);
  if (!failure.advice.empty()) line += " (" + printable(failure.advice) + ")";
  return line;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = sequence_length(first);
    const std::string_view sequence = text.substr(0, length);
    if (length != 0 && sequence.size() == length && core::valid_utf8(core::bytes_of(sequence)) &&
        harmless(sequence)) {
      out += sequence;
      text.remove_prefix(length);
    } else if (length > 1 && sequence.size() == length &&
               core::valid_utf8(core::bytes_of(sequence))) {
      for (const char c : sequence) out += escaped_byte(static_cast<unsigned char>(c));
      text.remove_prefix(length);
    } else {
      out += escaped_byte(first);
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace tallystick::cli
