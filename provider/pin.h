// Where a token's PIN comes from, in this order: the URI's pin-value, its pin-source, the settings,
// $TALLYSTICK_PIN, and who calls openssl (-passin, or a prompt).
#pragma once

#include <openssl/core.h>

#include <optional>
#include <string>

#include "core/base/secret.h"
#include "pkcs11/client/uri.h"
#include "provider/failure.h"
#include "provider/settings.h"

namespace tallystick::provider {

class PinSource {
 public:
  PinSource(const client::Uri& uri, const Settings& settings, OSSL_PASSPHRASE_CALLBACK* ask,
            void* ask_argument)
      : uri_(uri), settings_(settings), ask_(ask), ask_argument_(ask_argument) {}

  // Without asking anybody; nothing where no place has one.
  [[nodiscard]] Outcome<std::optional<core::Secret>> given() const;
  // Asks who calls; nothing where nobody answers.
  [[nodiscard]] std::optional<core::Secret> asked(const std::string& token) const;

 private:
  const client::Uri& uri_;
  const Settings& settings_;
  OSSL_PASSPHRASE_CALLBACK* ask_;
  void* ask_argument_;
};

}  // namespace tallystick::provider
