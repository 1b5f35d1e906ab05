// The provider's settings: our names, and those of pkcs11-provider for who comes from there.
#pragma once

#include <optional>
#include <string>

#include "provider/core_calls.h"

namespace tallystick::provider {

struct Settings {
  // The module; empty: the environment's, else all that p11-kit has registered.
  std::string module_path;
  // What C_Initialize gets beside its flags; some modules take their own settings so.
  std::string init_args;
  // A PIN, or "file:PATH", for tokens whose URI names none.
  std::string pin;
  // The URI of the token that makes random numbers and digests, and in which keys are named by
  // their labels alone. Empty: none does.
  std::string token;
  enum class Login { kWhenNeeded, kAlways, kNever };
  Login login = Login::kWhenNeeded;
  bool load_early = false;
  // Where a private key is to be written as PEM, a token's is written as its URI.
  bool encode_uri = true;

  // A value that no setting takes, by the setting's name. Libcrypto passes over a provider of
  // openssl.cnf that refuses to load, and says nothing: so this is said when a token is wanted.
  std::optional<Failure> wrong;

  static Settings read(const CoreCalls& core);
};

}  // namespace tallystick::provider
