// Derivation: K_MK from OEM_SHARE, asset keys from K_MK, generated assets from OEM_SHARE
// (CKM_TS_MASTER_KEY_DERIVE, _ASSET_KEY_DERIVE, _ASSET_GENERATE).
#include "core/base/reader.h"
#include "core/crypto/pkcs8.h"
#include "pkcs11/engine/keys/ec_key.h"
#include "pkcs11/engine/keys/ecx_key.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"

namespace tallystick::token {
namespace {

Outcome<Produced> derive_master_key(const DeriveInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto share = share_of(*input.base_key);
  if (!share) return std::move(share).error();
  auto running = Running::find(input.context, (*share)->share.context.family_id);
  if (!running) return std::move(running).error();
  auto key = running->software().derive_master_key((*share)->share);
  if (!key) return from_core(key.error(), CKR_FUNCTION_FAILED);
  return Produced{master_key_draft(*std::move(key)), {}, nullptr};
}

Outcome<Produced> derive_asset_key(const DeriveInput& input) {
  core::Reader in(input.parameter.bytes());
  const auto suite = core::suite_from(in.u8());
  const auto label = core::text_of(in.rest());
  if (!suite) return bad_parameter("CKM_TS_ASSET_KEY_DERIVE takes a suite and a label");
  auto master = master_key_of(*input.base_key);
  if (!master) return std::move(master).error();
  auto running = Running::find(input.context, (*master)->key.context.family_id);
  if (!running) return std::move(running).error();
  auto key = running->software().derive_asset_key((*master)->key, *suite, label);
  if (!key) return from_core(key.error(), CKR_MECHANISM_PARAM_INVALID);
  return Produced{asset_key_draft(*std::move(key)), {}, nullptr};
}

Outcome<core::GeneratedAsset> asset_parameter(core::ByteView bytes) {
  core::Reader in(bytes);
  const auto type = in.u8();
  core::GeneratedAsset asset;
  asset.index = in.u32();
  asset.length = in.u32();
  asset.name = core::text_of(in.rest());
  if (!in.ok() || type < CK_TS_ASSET_AES128 || type > CK_TS_ASSET_BYTES) {
    return bad_parameter("CKM_TS_ASSET_GENERATE takes a type, an index, a length and a name");
  }
  asset.type = static_cast<core::GeneratedType>(type);
  return asset;
}

CK_KEY_TYPE key_type_of(core::GeneratedType type) {
  switch (type) {
    case core::GeneratedType::kAes128:
    case core::GeneratedType::kAes256:
      return CKK_AES;
    case core::GeneratedType::kHmac256:
      return CKK_SHA256_HMAC;
    case core::GeneratedType::kP256:
    case core::GeneratedType::kP384:
      return CKK_EC;
    case core::GeneratedType::kEd25519:
      return CKK_EC_EDWARDS;
    case core::GeneratedType::kBytes:
      break;
  }
  return CKK_GENERIC_SECRET;
}

// What a private key's object says of its public half.
Outcome<Draft> private_half(const core::Crypto& crypto, core::GeneratedType type,
                            core::ByteView value) {
  auto pkcs8 = core::package_form(crypto, type, value);
  if (!pkcs8) return from_core(pkcs8.error(), CKR_FUNCTION_FAILED);
  auto key = core::parse_pkcs8(crypto, pkcs8->view());
  if (!key) return from_core(key.error(), CKR_FUNCTION_FAILED);
  const auto shared = share(*std::move(key));
  return type == core::GeneratedType::kEd25519 ? ecx_private_draft(CKK_EC_EDWARDS, shared)
                                               : ec_private_draft(shared);
}

Outcome<Produced> generate_asset(const DeriveInput& input) {
  auto asset = asset_parameter(input.parameter.bytes());
  if (!asset) return std::move(asset).error();
  auto share = share_of(*input.base_key);
  if (!share) return std::move(share).error();
  auto running = Running::find(input.context, (*share)->share.context.family_id);
  if (!running) return std::move(running).error();
  auto value = running->software().generate((*share)->share, *asset);
  if (!value) return from_core(value.error(), CKR_MECHANISM_PARAM_INVALID);

  Produced produced;
  auto& draft = produced.object;
  const auto key_type = key_type_of(asset->type);
  const bool pair = key_type == CKK_EC || key_type == CKK_EC_EDWARDS;
  draft.managed = true;
  // It has no use here: it is made to be sealed into a package.
  draft.attributes = managed_attributes(key_type, {});
  auto& attributes = draft.attributes;
  attributes.set_flag(CKA_EXTRACTABLE, true).set_text(CKA_LABEL, asset->name);
  set_context(attributes, (*share)->share.context, (*share)->share.role);
  if (pair) {
    attributes.set_number(CKA_CLASS, CKO_PRIVATE_KEY);
    const auto half = private_half(input.context.crypto, asset->type, value->view());
    if (!half) return half.error();
    for (const CK_ATTRIBUTE_TYPE known : {CKA_EC_PARAMS, CKA_PUBLIC_KEY_INFO}) {
      attributes.set(known, half->attributes.bytes(known));
    }
  } else {
    attributes.set_number(CKA_VALUE_LEN, value->size());
  }
  draft.value = token::share(*std::move(value));
  return produced;
}

Mechanism derivation(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type,
                     Outcome<Produced> (*derive)(const DeriveInput&)) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.key_types = {key_type};
  mechanism.for_managed = true;
  mechanism.derive = derive;
  return mechanism;
}

}  // namespace

void register_ts_keys(MechanismTable& table) {
  table.add(derivation(CKM_TS_MASTER_KEY_DERIVE, CKK_TS_OEM_SHARE, derive_master_key));
  table.add(derivation(CKM_TS_ASSET_KEY_DERIVE, CKK_TS_MASTER_KEY, derive_asset_key));
  table.add(derivation(CKM_TS_ASSET_GENERATE, CKK_TS_OEM_SHARE, generate_asset));
}

}  // namespace tallystick::token
