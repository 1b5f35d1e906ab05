// The managed objects of the profile: how each is put together as a draft, and how it is read back
// into core's types. Attributes carry what is public (ids, floor, role, suite, label); the secret
// value carries the rest. Each is decoded once and then hangs on its object.
#pragma once

#include "core/provisioning/provisioning_software.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

struct FamilyPayload : Payload {
  explicit FamilyPayload(core::Family of) : family(std::move(of)) {}
  const core::Family family;
};
struct SharePayload : Payload {
  explicit SharePayload(core::OemShare of) : share(std::move(of)) {}
  const core::OemShare share;
};
struct MasterKeyPayload : Payload {
  explicit MasterKeyPayload(core::MasterKey of) : key(std::move(of)) {}
  const core::MasterKey key;
};
struct AssetKeyPayload : Payload {
  explicit AssetKeyPayload(core::AssetKey of) : key(std::move(of)) {}
  const core::AssetKey key;
};
struct SoftwarePayload : Payload {
  explicit SoftwarePayload(core::Software of) : software(std::move(of)) {}
  const core::Software software;
};
struct DeviceKeyPayload : Payload {
  explicit DeviceKeyPayload(core::EcPrivateKey of) : key(std::move(of)) {}
  const core::EcPrivateKey key;
};

Draft family_draft(core::Family family);
Draft share_draft(core::OemShare made);
Draft master_key_draft(core::MasterKey key);
// K_ENCK, K_ENCD, K_X, K_AUTH or K_PROOF, each with the one mechanism that it is for.
Draft asset_key_draft(core::AssetKey key);

// CKR_KEY_TYPE_INCONSISTENT (CKR_WRAPPING_… and the like are the callers' to choose) for an object
// of another kind; CKR_DEVICE_ERROR for a stored value that does not decode.
Outcome<std::shared_ptr<const FamilyPayload>> family_of(const Object& object);
Outcome<std::shared_ptr<const SharePayload>> share_of(const Object& object);
Outcome<std::shared_ptr<const MasterKeyPayload>> master_key_of(const Object& object);
Outcome<std::shared_ptr<const AssetKeyPayload>> asset_key_of(const Object& object);
// The device key's private half.
Outcome<std::shared_ptr<const DeviceKeyPayload>> device_key_of(const core::Crypto& crypto,
                                                               const Object& object);

// The attributes that every managed secret key has: private, sensitive, neither copyable nor
// modifiable, allowed for `mechanisms` only.
AttributeSet managed_attributes(CK_KEY_TYPE key_type, std::span<const CK_ULONG> mechanisms);
// Adds CKA_TS_FAMILY_ID, _OEM_ID, _SHARE_ID, _SW_FLOOR and _ROLE.
void set_context(AttributeSet& attributes, const core::Context& context, core::HolderRole role);

}  // namespace tallystick::token
