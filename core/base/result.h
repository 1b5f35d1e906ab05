// Result<T>: a value or a typed error. Nothing in core throws across a function's edge. Rooms with
// an error type of their own use Result<T, TheirError>.
//
// An error says what failed (code), which numbered check of the profile refused (check; 0 where
// there is none) and a message for people. Messages never hold secrets, tags or key material.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tallystick::core {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // the caller's fault: a size, a range, a state
  kMalformed,        // bytes from outside that are not of the form they claim
  kWrongFamily,      // a family_id that is not the device's
  kSoftwareTooOld,   // sw_floor above the running provisioning software
  kNotPermitted,     // the installed provisioning software does not permit it
  kCountedFamily,    // a role 1 share blob where parts are counted
  kWrongRecipient,   // addressed to another device
  kGrantRefused,     // the OEM's grant, the count or the minter's signature does not hold
  kShareRefused,     // the share blob does not match the package
  kConsentRefused,   // regeneration without the OEM's consent
  kTagMismatch,      // the package tag under K_AUTH
  kWrongOwner,       // an OEM that does not own the part, or a key that is not oem_id
  kBadSignature,     // a signature that does not verify
  kInconsistent,     // well formed and signed, but contradictory: ids, ranges, names
  kWrongProduct,     // for another product
  kRollback,         // older than a minimum version
  kOpenFailed,       // sealed bytes that do not open; one error for every cause
  kAlreadyPresent,   // a family that is there already
  kProofRefused,     // a proof that does not hold
  kLifeCycle,        // not in this state of the life cycle
  kStorage,          // a read, write or sync failed
  kCrypto,           // libcrypto failed where it should not
};

struct Error {
  ErrorCode code = ErrorCode::kCrypto;
  std::string message;
  std::uint8_t check = 0;
};

// Adds libcrypto's own reason to the message, and forgets its errors.
Error crypto_error(std::string_view what);
// Forgets what libcrypto has queued since the last mark (ERR_set_mark), or all where there is none:
// in a module that others load, the errors before the mark are theirs. Throws std::bad_alloc when
// the latest is that there was no memory.
void forget_crypto_errors();

template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  using Value = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // The value; only after ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  // The error; only after !ok().
  [[nodiscard]] const E& error() const& { return *std::get_if<1>(&state_); }
  E&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, E> state_;
};

template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  using Value = void;
  Result() = default;
  Result(E error) : error_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const E& error() const& { return *error_; }
  E&& error() && { return std::move(*error_); }

 private:
  std::optional<E> error_;
};

using Status = Result<void>;

}  // namespace tallystick::core
