// What runs on the token for a family: the family, the installed provisioning software, and core's
// gate over both. Every vendor mechanism but the two of the ICM starts here.
#pragma once

#include <optional>

#include "core/certificate/device_certificate.h"
#include "pkcs11/engine/mechanisms/ts_payload.h"

namespace tallystick::token {

class Running {
 public:
  // CKR_KEY_FUNCTION_NOT_PERMITTED when the family is not in the token or no provisioning software
  // is installed for it.
  static Outcome<Running> find(const Context& context, core::ByteView family_id);

  [[nodiscard]] const core::ProvisioningSoftware& software() const { return gate_; }
  [[nodiscard]] const core::Family& family() const { return family_->family; }

 private:
  Running(const core::Crypto& crypto, std::shared_ptr<const FamilyPayload> family,
          std::shared_ptr<const SoftwarePayload> software)
      : family_(std::move(family)),
        software_(std::move(software)),
        gate_(crypto, family_->family, software_->software) {}

  std::shared_ptr<const FamilyPayload> family_;
  std::shared_ptr<const SoftwarePayload> software_;
  core::ProvisioningSoftware gate_;
};

// The token's own device key. CKR_TOKEN_NOT_PRESENT in a slot without one.
Outcome<std::shared_ptr<const DeviceKeyPayload>> own_device_key(const Context& context);

// The key behind a device public key object, if a certificate for it, issued under
// `icm_public_key`, is in the token; else CKR_WRAPPING_KEY_HANDLE_INVALID. With a `kind`, only a
// certificate for such a device counts.
Outcome<core::EcPublicKey> certified_device(const Context& context, const Object& public_key,
                                            core::ByteView icm_public_key,
                                            std::optional<core::DeviceKind> kind = std::nullopt);

}  // namespace tallystick::token
