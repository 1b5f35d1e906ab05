// RootKey: what a token's objects outside the PINs stand under: the family, the device key, public
// objects. The secret itself stays inside, so that a TPM, an HSM or a passphrase can stand behind
// the same interface.
#pragma once

#include <string>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class RootKey {
 public:
  RootKey() = default;
  RootKey(const RootKey&) = delete;
  RootKey& operator=(const RootKey&) = delete;
  virtual ~RootKey() = default;

  // A 32-byte key for one purpose; `context` keeps tokens apart.
  [[nodiscard]] virtual Outcome<core::Secret> derive(std::string_view purpose,
                                                     core::ByteView context) const = 0;
};

// Purposes of the keys that tell a database of this root key. Those that were made before rows were
// sealed as a set have the older one, until their rows are: a database with the newer one and
// without a set was tampered with.
constexpr std::string_view kRootCheck = "check 2";
constexpr std::string_view kUnsealedRootCheck = "check";

// The secret in a file of mode 0600. Whoever copies the token's folder has it.
Outcome<void> create_key_file(const core::Crypto& crypto, const std::string& path);
Outcome<std::unique_ptr<RootKey>> open_key_file(std::shared_ptr<const core::Crypto> crypto,
                                                const std::string& path);

}  // namespace tallystick::token
