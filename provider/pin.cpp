#include "provider/pin.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace tallystick::provider {
namespace {

constexpr std::size_t kMostPinBytes = 256;
constexpr std::string_view kFilePrefix = "file:";
constexpr const char* kVariable = "TALLYSTICK_PIN";

// One line end at the end of the file is not part of the PIN.
Outcome<core::Secret> pin_of_file(const std::string& path) {
  const auto failed = [&path](int error) {
    return fail(Reason::kPin, "PIN file " + path + ": " + std::generic_category().message(error));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed(errno);
  // Two bytes for a line end, and one so that a longer file shows.
  core::Secret pin(kMostPinBytes + 3);
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(file, pin.span().data() + size, pin.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  } while ((got > 0 && size < pin.size()) || (got < 0 && errno == EINTR));
  const int error = errno;
  ::close(file);
  if (got < 0) return failed(error);
  if (size > 0 && pin.view()[size - 1] == '\n') --size;
  if (size > 0 && pin.view()[size - 1] == '\r') --size;
  if (size == 0 || size > kMostPinBytes) {
    return fail(Reason::kPin, "PIN file " + path + ": it holds no PIN of 1 to 256 bytes");
  }
  pin.truncate(size);
  return pin;
}

std::string path_of(const std::string& source) {
  return source.starts_with(kFilePrefix) ? source.substr(kFilePrefix.size()) : source;
}

}  // namespace

Outcome<std::optional<core::Secret>> PinSource::given() const {
  using Answer = std::optional<core::Secret>;
  const auto of_file = [](const std::string& source) -> Outcome<Answer> {
    auto pin = pin_of_file(path_of(source));
    if (!pin) return std::move(pin).error();
    return Answer(*std::move(pin));
  };
  if (const auto value = uri_.pin_value()) {
    return Answer(core::Secret::copy_of(core::bytes_of(*value)));
  }
  if (const std::string source = uri_.pin_source(); !source.empty()) {
    if (source.front() == '|') {
      return fail(Reason::kPin, "pin-source=" + source + ": programs are not started, name a file");
    }
    return of_file(source);
  }
  if (settings_.pin.starts_with(kFilePrefix)) return of_file(settings_.pin);
  if (!settings_.pin.empty()) return Answer(core::Secret::copy_of(core::bytes_of(settings_.pin)));
  if (const char* value = ::secure_getenv(kVariable)) {
    return Answer(core::Secret::copy_of(core::bytes_of(value)));
  }
  return Answer();
}

std::optional<core::Secret> PinSource::asked(const std::string& token) const {
  if (ask_ == nullptr) return std::nullopt;
  std::string info = "PIN of " + token;
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_PASSPHRASE_PARAM_INFO, info.data(), 0),
      OSSL_PARAM_construct_end()};
  core::Secret pin(kMostPinBytes);
  std::size_t size = 0;
  if (ask_(reinterpret_cast<char*>(pin.span().data()), pin.size(), &size, params.data(),
           ask_argument_) == 0 ||
      size == 0 || size > pin.size()) {
    return std::nullopt;
  }
  pin.truncate(size);
  return pin;
}

}  // namespace tallystick::provider
