#include "tools/cli/pin.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "tools/cli/file_io.h"
#include "tools/cli/terminal.h"

namespace tallystick::cli {
namespace {

constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kEnvironmentPrefix = "env:";

std::string advice_for(const PinKind& kind) {
  return "give " + std::string(kind.option) + " file:PATH or env:NAME, or set " + kind.variable;
}

Outcome<core::Secret> checked(core::Secret pin, const std::string& where, const PinKind& kind) {
  if (pin.empty()) return token_failure(where, "the PIN is empty", advice_for(kind));
  if (pin.size() > kMostPinBytes) return token_failure(where, "the PIN is too long");
  return pin;
}

Outcome<core::Secret> pin_from_environment(const std::string& name, const PinKind& kind) {
  const char* value = ::secure_getenv(name.c_str());
  if (value == nullptr) return token_failure("PIN", "$" + name + " is not set", advice_for(kind));
  return checked(core::Secret::copy_of(core::bytes_of(value)), "$" + name, kind);
}

Outcome<core::Secret> ask_for_pin(const std::string& prompt, const PinKind& kind) {
  const FileHandle terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.open()) {
    return token_failure(prompt, "no PIN, and no terminal to ask on", advice_for(kind));
  }
  // One byte more than a PIN may have, so that a longer one shows.
  auto line = ask_unseen(terminal.get(), prompt, kMostPinBytes + 1);
  if (!line) return line;
  return checked(*std::move(line), prompt, kind);
}

// Nothing where neither a source nor the variable is given.
std::optional<Outcome<core::Secret>> pin_without_asking(const std::string& source,
                                                        const PinKind& kind) {
  if (!source.empty()) return pin_from_source(source, kind);
  if (::secure_getenv(kind.variable) != nullptr) return pin_from_environment(kind.variable, kind);
  return std::nullopt;
}

}  // namespace

Outcome<core::Secret> pin_from_source(const std::string& source, const PinKind& kind) {
  if (source.starts_with(kEnvironmentPrefix)) {
    return pin_from_environment(source.substr(kEnvironmentPrefix.size()), kind);
  }
  const std::string path =
      source.starts_with(kFilePrefix) ? source.substr(kFilePrefix.size()) : source;
  if (path.empty() || path.front() == '|') {
    return usage_failure("PIN source " + source, "neither file:PATH nor env:NAME");
  }
  auto pin = read_secret_file(path, kMostPinBytes + 2);
  if (!pin) return std::move(pin).error();
  std::size_t size = pin->size();
  if (size > 0 && pin->view()[size - 1] == '\n') --size;
  if (size > 0 && size < pin->size() && pin->view()[size - 1] == '\r') --size;
  pin->truncate(size);
  return checked(*std::move(pin), path, kind);
}

Outcome<core::Secret> find_pin(const std::string& source, const PinKind& kind,
                               const std::string& prompt) {
  if (auto given = pin_without_asking(source, kind)) return *std::move(given);
  return ask_for_pin(prompt, kind);
}

Outcome<core::Secret> find_new_pin(const std::string& source, const PinKind& kind,
                                   const std::string& prompt) {
  if (auto given = pin_without_asking(source, kind)) return *std::move(given);
  auto pin = ask_for_pin(prompt, kind);
  if (!pin) return pin;
  const auto again = ask_for_pin(prompt + ", again", kind);
  if (!again) return again.error();
  if (!core::equal_in_constant_time(pin->view(), again->view())) {
    return token_failure(prompt, "the two are not the same", "nothing was changed; try again");
  }
  return pin;
}

}  // namespace tallystick::cli
