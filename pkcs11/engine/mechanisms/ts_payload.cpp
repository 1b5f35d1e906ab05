#include "pkcs11/engine/mechanisms/ts_payload.h"

#include <array>

#include "core/base/reader.h"

namespace tallystick::token {
namespace {

using core::kSecretSize;

Fault damaged() { return storage_failed("a stored object does not decode"); }

// Puts the parts of a secret value behind each other.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t size) : out_(size) {}
  SecretWriter& u8(std::uint8_t value) { return bytes(core::ByteArray<1>{value}); }
  SecretWriter& bytes(core::ByteView part) {
    for (const auto byte : part) out_.span()[at_++] = byte;
    return *this;
  }
  core::Secret take() { return std::move(out_); }

 private:
  core::Secret out_;
  std::size_t at_ = 0;
};

// u8 form ‖ u8 n ‖ u8 has master ‖ shares ‖ K_OEM_SHARE ‖ K_OEM_MASTER_SHARE?
core::Secret encode_family(const core::Family& family) {
  const auto secrets = family.shares.size() + 1 + (family.k_oem_master_share ? 1U : 0U);
  SecretWriter out(3 + secrets * kSecretSize);
  out.u8(1).u8(static_cast<std::uint8_t>(family.shares.size()));
  out.u8(family.k_oem_master_share ? 1 : 0);
  for (const auto& share : family.shares) out.bytes(share.view());
  out.bytes(family.k_oem_share.view());
  if (family.k_oem_master_share) out.bytes(family.k_oem_master_share->view());
  return out.take();
}

Outcome<std::shared_ptr<const FamilyPayload>> decode_family(const Object& object) {
  const auto& attributes = object.attributes();
  const auto id = attributes.bytes(CKA_TS_FAMILY_ID);
  const auto icm = attributes.bytes(CKA_TS_ICM_PUBLIC_KEY);
  const auto role = attributes.number(CKA_TS_ROLE).value_or(0);
  core::Reader in(object.value());
  const auto form = in.u8();
  const std::size_t count = in.u8();
  const auto has_master = in.u8();
  if (id.size() != 16 || icm.size() != core::kIcmKeySize || role < CK_TS_ROLE_ICM ||
      role > CK_TS_ROLE_PART || form != 1 || count > core::kMostShares || has_master > 1) {
    return damaged();
  }
  core::Family family;
  family.id = core::array_of<16>(id);
  family.flags =
      static_cast<std::uint8_t>(attributes.number(CKA_TS_FAMILY_FLAGS).value_or(0) & 0xFFU);
  family.role = static_cast<core::FamilyRole>(role);
  family.icm_public_key = core::array_of<core::kIcmKeySize>(icm);
  for (std::size_t i = 0; i < count; ++i) {
    family.shares.push_back(core::Secret::copy_of(in.take(kSecretSize)));
  }
  family.k_oem_share = core::Secret::copy_of(in.take(kSecretSize));
  if (has_master == 1) {
    family.k_oem_master_share = core::Secret::copy_of(in.take(kSecretSize));
  }
  if (!in.done()) return damaged();
  return std::make_shared<const FamilyPayload>(std::move(family));
}

// u8 form ‖ OEM_SHARE ‖ (RND_SHARE ‖ OEM_RND_INPUT)?
core::Secret encode_share(const core::OemShare& share) {
  const auto origin = share.origin ? kSecretSize + share.origin->oem_rnd_input.size() : 0;
  SecretWriter out(1 + kSecretSize + origin);
  out.u8(1).bytes(share.oem_share.view());
  if (share.origin) {
    out.bytes(share.origin->rnd_share.view()).bytes(share.origin->oem_rnd_input.view());
  }
  return out.take();
}

struct Held {
  core::Context context;
  core::HolderRole role;
};

Outcome<Held> held_by(const AttributeSet& attributes) {
  const auto family_id = attributes.bytes(CKA_TS_FAMILY_ID);
  const auto oem_id = attributes.bytes(CKA_TS_OEM_ID);
  const auto share_id = attributes.bytes(CKA_TS_SHARE_ID);
  const auto floor = attributes.number(CKA_TS_SW_FLOOR).value_or(CK_UNAVAILABLE_INFORMATION);
  const auto role = attributes.number(CKA_TS_ROLE).value_or(0);
  if (family_id.size() != 16 || oem_id.size() != 32 || share_id.size() != 16 ||
      floor > UINT32_MAX || (role != CK_TS_ROLE_OEM && role != CK_TS_ROLE_TARGET)) {
    return damaged();
  }
  Held held{};
  held.context.family_id = core::array_of<16>(family_id);
  held.context.oem_id = core::array_of<32>(oem_id);
  held.context.share_id = core::array_of<16>(share_id);
  held.context.sw_floor = static_cast<std::uint32_t>(floor);
  held.role = role == CK_TS_ROLE_OEM ? core::HolderRole::kOem : core::HolderRole::kTarget;
  return held;
}

Outcome<std::shared_ptr<const SharePayload>> decode_share(const Object& object) {
  auto held = held_by(object.attributes());
  if (!held) return std::move(held).error();
  core::Reader in(object.value());
  const auto form = in.u8();
  core::OemShare share;
  share.context = held->context;
  share.role = held->role;
  share.oem_share = core::Secret::copy_of(in.take(kSecretSize));
  if (!in.ok() || form != 1) return damaged();
  if (!in.rest().empty()) {
    core::ShareOrigin origin;
    origin.rnd_share = core::Secret::copy_of(in.take(kSecretSize));
    origin.oem_rnd_input = core::Secret::copy_of(in.rest());
    const auto size = origin.oem_rnd_input.size();
    if (!in.ok() || size < core::kLeastRndInput || size > core::kMostRndInput) return damaged();
    share.origin = std::move(origin);
  }
  return std::make_shared<const SharePayload>(std::move(share));
}

// What kind of key stands behind a label, and the one thing that it is for. A table, because the
// whole of "one mechanism per use" for derived keys is in it.
struct AssetKeyKind {
  std::string_view label;
  CK_KEY_TYPE key_type;
  CK_MECHANISM_TYPE oem_mechanism;
  CK_ATTRIBUTE_TYPE oem_usage;
  CK_MECHANISM_TYPE target_mechanism;
  CK_ATTRIBUTE_TYPE target_usage;
};
constexpr std::array<AssetKeyKind, 4> kAssetKeyKinds = {{
    {core::kLabelEncKey, CKK_TS_ASSET_KEY, CKM_TS_SEAL, CKA_WRAP, CKM_TS_OPEN, CKA_UNWRAP},
    {core::kLabelAuth, CKK_AES, CKM_AES_CMAC, CKA_SIGN, CKM_AES_CMAC, CKA_VERIFY},
    {core::kLabelProof, CKK_GENERIC_SECRET, CKM_SHA384_HMAC, CKA_VERIFY, CKM_SHA384_HMAC,
     CKA_VERIFY},
    // K_ENCD, and K_X of every name.
    {{}, CKK_TS_ASSET_KEY, CKM_TS_SEAL, CKA_ENCRYPT, CKM_TS_OPEN, CKA_DECRYPT},
}};

const AssetKeyKind& kind_of(std::string_view label) {
  for (const auto& kind : kAssetKeyKinds) {
    if (kind.label == label) return kind;
  }
  return kAssetKeyKinds.back();
}

}  // namespace

AttributeSet managed_attributes(CK_KEY_TYPE key_type, std::span<const CK_ULONG> mechanisms) {
  AttributeSet attributes;
  attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_number(CKA_KEY_TYPE, key_type);
  attributes.set_flag(CKA_PRIVATE, true).set_flag(CKA_SENSITIVE, true);
  attributes.set_flag(CKA_EXTRACTABLE, false).set_flag(CKA_MODIFIABLE, false);
  attributes.set_flag(CKA_COPYABLE, false).set_flag(CKA_DESTROYABLE, true);
  attributes.set_numbers(CKA_ALLOWED_MECHANISMS, mechanisms);
  return attributes;
}

void set_context(AttributeSet& attributes, const core::Context& context, core::HolderRole role) {
  attributes.set(CKA_TS_FAMILY_ID, context.family_id).set(CKA_TS_OEM_ID, context.oem_id);
  attributes.set(CKA_TS_SHARE_ID, context.share_id);
  attributes.set_number(CKA_TS_SW_FLOOR, context.sw_floor);
  attributes.set_number(CKA_TS_ROLE, static_cast<CK_ULONG>(role));
}

Draft family_draft(core::Family family) {
  static constexpr std::array<CK_ULONG, 3> kMechanisms = {CKM_TS_FAMILY_WRAP, CKM_TS_OEM_SHARE_WRAP,
                                                          CKM_TS_MASTER_SHARE_WRAP};
  Draft draft;
  draft.managed = true;
  draft.immutable = true;
  draft.attributes = managed_attributes(CKK_TS_FAMILY, kMechanisms);
  auto& attributes = draft.attributes;
  attributes.set_flag(CKA_TOKEN, true).set_flag(CKA_DESTROYABLE, false);
  attributes.set_flag(CKA_WRAP, true).set_flag(CKA_UNWRAP, true);
  attributes.set(CKA_TS_FAMILY_ID, family.id);
  attributes.set_number(CKA_TS_FAMILY_FLAGS, family.flags);
  attributes.set_number(CKA_TS_ROLE, static_cast<CK_ULONG>(family.role));
  attributes.set(CKA_TS_ICM_PUBLIC_KEY, family.icm_public_key);
  attributes.set_number(CKA_TS_SW_VERSION, 0);
  draft.value = share(encode_family(family));
  draft.payload = std::make_shared<const FamilyPayload>(std::move(family));
  return draft;
}

Draft share_draft(core::OemShare made) {
  static constexpr std::array<CK_ULONG, 5> kMechanisms = {
      CKM_TS_MASTER_KEY_DERIVE, CKM_TS_ASSET_GENERATE, CKM_TS_OEM_SHARE_WRAP,
      CKM_TS_MASTER_SHARE_WRAP, CKM_TS_SHARE_FOR_DEVICE};
  Draft draft;
  draft.managed = true;
  draft.attributes = managed_attributes(CKK_TS_OEM_SHARE, kMechanisms);
  // Extractable only into the share blobs; the policy knows no other way for this key type.
  draft.attributes.set_flag(CKA_EXTRACTABLE, made.role == core::HolderRole::kOem);
  draft.attributes.set_flag(CKA_DERIVE, true);
  set_context(draft.attributes, made.context, made.role);
  draft.value = share(encode_share(made));
  draft.payload = std::make_shared<const SharePayload>(std::move(made));
  return draft;
}

Draft master_key_draft(core::MasterKey key) {
  static constexpr std::array<CK_ULONG, 1> kMechanisms = {CKM_TS_ASSET_KEY_DERIVE};
  Draft draft;
  draft.managed = true;
  draft.attributes = managed_attributes(CKK_TS_MASTER_KEY, kMechanisms);
  draft.attributes.set_flag(CKA_DERIVE, true);
  set_context(draft.attributes, key.context, key.role);
  draft.value = share(key.value.clone());
  draft.payload = std::make_shared<const MasterKeyPayload>(std::move(key));
  return draft;
}

Draft asset_key_draft(core::AssetKey key) {
  const bool oem = key.role == core::HolderRole::kOem;
  const auto& kind = kind_of(key.label);
  const std::array<CK_ULONG, 1> mechanisms = {oem ? kind.oem_mechanism : kind.target_mechanism};
  Draft draft;
  draft.managed = true;
  draft.attributes = managed_attributes(kind.key_type, mechanisms);
  auto& attributes = draft.attributes;
  attributes.set_flag(oem ? kind.oem_usage : kind.target_usage, true);
  attributes.set_number(CKA_VALUE_LEN, key.value.size());
  attributes.set_number(CKA_TS_SUITE, static_cast<CK_ULONG>(key.suite));
  attributes.set_text(CKA_TS_LABEL, key.label);
  set_context(attributes, key.context, key.role);
  draft.value = share(key.value.clone());
  draft.payload = std::make_shared<const AssetKeyPayload>(std::move(key));
  return draft;
}

Outcome<std::shared_ptr<const FamilyPayload>> family_of(const Object& object) {
  if (!object.managed() || object.key_type() != CKK_TS_FAMILY) {
    return wrong_key_type("the key is not a family");
  }
  return object.payload<FamilyPayload>([&object] { return decode_family(object); });
}

Outcome<std::shared_ptr<const SharePayload>> share_of(const Object& object) {
  if (!object.managed() || object.key_type() != CKK_TS_OEM_SHARE) {
    return wrong_key_type("the key is not an OEM_SHARE");
  }
  return object.payload<SharePayload>([&object] { return decode_share(object); });
}

Outcome<std::shared_ptr<const MasterKeyPayload>> master_key_of(const Object& object) {
  if (!object.managed() || object.key_type() != CKK_TS_MASTER_KEY) {
    return wrong_key_type("the key is not a master key");
  }
  return object.payload<MasterKeyPayload>(
      [&object]() -> Outcome<std::shared_ptr<const MasterKeyPayload>> {
        auto held = held_by(object.attributes());
        if (!held) return std::move(held).error();
        if (object.value().size() != kSecretSize) return damaged();
        return std::make_shared<const MasterKeyPayload>(
            core::MasterKey{held->context, held->role, core::Secret::copy_of(object.value())});
      });
}

Outcome<std::shared_ptr<const AssetKeyPayload>> asset_key_of(const Object& object) {
  const auto label = core::text_of(object.attributes().bytes(CKA_TS_LABEL));
  if (!object.managed() || !core::valid_label(label)) {
    return wrong_key_type("the key is not an asset key");
  }
  return object.payload<AssetKeyPayload>(
      [&object, label]() -> Outcome<std::shared_ptr<const AssetKeyPayload>> {
        auto held = held_by(object.attributes());
        if (!held) return std::move(held).error();
        const auto suite = object.attributes().number(CKA_TS_SUITE).value_or(0);
        if (object.value().size() != kSecretSize || suite < 1 || suite > 2) return damaged();
        return std::make_shared<const AssetKeyPayload>(
            core::AssetKey{held->context, held->role, static_cast<core::Suite>(suite),
                           std::string(label), core::Secret::copy_of(object.value())});
      });
}

Outcome<std::shared_ptr<const DeviceKeyPayload>> device_key_of(const core::Crypto& crypto,
                                                               const Object& object) {
  if (!object.managed() || object.object_class() != CKO_PRIVATE_KEY ||
      !object.attributes().has(CKA_TS_DEVICE_ID)) {
    return wrong_key_type("the key is not the device key");
  }
  return object.payload<DeviceKeyPayload>(
      [&object, &crypto]() -> Outcome<std::shared_ptr<const DeviceKeyPayload>> {
        auto key = core::EcPrivateKey::from_scalar(crypto, core::Curve::kP256, object.value());
        if (!key) return from_core(key.error(), CKR_DEVICE_ERROR);
        return std::make_shared<const DeviceKeyPayload>(*std::move(key));
      });
}

}  // namespace tallystick::token
