#include "pkcs11/engine/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tallystick::token {
namespace {

// The answers to questions: how long is it, is it there, has it been done?
bool is_normal(std::string_view where, CK_RV rv) {
  switch (rv) {
    case CKR_BUFFER_TOO_SMALL:
    case CKR_CRYPTOKI_ALREADY_INITIALIZED:
    case CKR_USER_ALREADY_LOGGED_IN:
    case CKR_NO_EVENT:
      return true;
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_SENSITIVE:
      return where == "C_GetAttributeValue";
    case CKR_MECHANISM_INVALID:
      return where == "C_GetMechanismInfo";
    default:
      return false;
  }
}

}  // namespace

Log::Log(const std::string& configured) {
  const char* const given = secure_getenv("TALLYSTICK_LOG");
  const std::string target = given != nullptr && *given != 0 ? given : configured;
  if (target.empty()) return;
  if (target == "stderr") {
    fd_ = kStandardError;
    return;
  }
  fd_ = open(target.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  owned_ = fd_ >= 0;
}

Log::~Log() {
  if (owned_) (void)close(fd_);
}

void Log::failure(std::string_view where, const Fault& fault) const {
  if (fd_ < 0 || is_normal(where, fault.rv)) return;
  std::array<char, 24> code{};
  (void)std::snprintf(code.data(), code.size(), "0x%08lx", fault.rv);
  const auto line = "tallystick[" + std::to_string(getpid()) + "] " + std::string(where) + ": " +
                    code.data() + " " + escaped(fault.message) + "\n";
  // One write, so that lines of several processes stay whole. A log that cannot be written is lost.
  [[maybe_unused]] const auto written = write(fd_, line.data(), line.size());
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      out += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace tallystick::token
