#include "core/provisioning/provisioning_software.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/crypto/mac.h"

namespace tallystick::core {
namespace {

constexpr std::size_t kLeastTagged =
    kPackageHeaderSize + kPackageEntrySize + kPackageTrailerSize - 16;

Error not_permitted(const char* what) {
  return {ErrorCode::kNotPermitted,
          std::string("the provisioning software does not permit: ") + what, 0};
}

Error invalid(const char* what) { return {ErrorCode::kInvalidArgument, what, 0}; }

// The number of the check that refused, for blobs that come in.
Error at_check(Error error, std::uint8_t check) {
  error.check = check;
  return error;
}

bool fits(const AssetKey& key, const AssetContext& asset) {
  return asset.header.context == key.context && asset.header.suite == key.suite &&
         label_for(asset.entry.kind, asset.entry.name) == key.label;
}

}  // namespace

OemShare OemShare::clone() const {
  OemShare copy;
  copy.context = context;
  copy.role = role;
  copy.oem_share = oem_share.clone();
  if (origin) copy.origin = origin->clone();
  return copy;
}

Status ProvisioningSoftware::needs(bool permitted, const char* what) const {
  if (!permitted) return not_permitted(what);
  return {};
}

Status ProvisioningSoftware::permits_label(std::string_view label) const {
  return needs(
      !label.starts_with(kLabelFurtherPrefix) || permissions().allows(Operation::kFurtherTypes),
      "further data types");
}

Status ProvisioningSoftware::admits(const Context& context) const {
  if (context.family_id != family_->id) {
    return Error{ErrorCode::kWrongFamily, "the share set is for another family", 0};
  }
  if (context.sw_floor > version()) {
    return Error{ErrorCode::kSoftwareTooOld,
                 "the share set asks for newer provisioning software than runs here", 0};
  }
  return {};
}

Result<OemShare> ProvisioningSoftware::make_share(const OemId& oem_id, std::uint32_t sw_floor,
                                                  ByteView oem_rnd_input) const {
  if (auto allowed = needs(permissions().allows(Operation::kMakeShares), "make OEM shares");
      !allowed) {
    return std::move(allowed).error();
  }
  if (!family_->k_oem_master_share) {
    return Error{ErrorCode::kNotPermitted, "this device is not a provisioning device", 0};
  }
  OemShare share;
  share.role = HolderRole::kOem;
  share.context.family_id = family_->id;
  share.context.oem_id = oem_id;
  share.context.sw_floor = sw_floor;
  if (auto admitted = admits(share.context); !admitted) return std::move(admitted).error();
  if (auto filled = crypto_->random(share.context.share_id); !filled) {
    return std::move(filled).error();
  }
  auto rnd_share = crypto_->random_secret(kSecretSize);
  if (!rnd_share) return std::move(rnd_share).error();
  auto oem_share = derive_oem_share(*crypto_, share.context, rnd_share->view(), oem_rnd_input);
  if (!oem_share) return std::move(oem_share).error();
  share.oem_share = *std::move(oem_share);
  share.origin = ShareOrigin{*std::move(rnd_share), Secret::copy_of(oem_rnd_input)};
  return share;
}

Result<Bytes> ProvisioningSoftware::give_share(const OemShare& share, Suite suite) const {
  auto allowed = needs(permissions().gives(BlobRole::kShare) && share.role == HolderRole::kOem,
                       "give out share blobs of role 1");
  if (allowed && family_->counted()) {
    allowed = Error{ErrorCode::kCountedFamily, "a counted family has no share blobs of role 1", 0};
  }
  if (allowed) allowed = admits(share.context);
  if (!allowed) return std::move(allowed).error();
  return seal_share_blob(*crypto_, suite, share.context, family_->k_oem_share.view(),
                         share.oem_share.view());
}

Result<Bytes> ProvisioningSoftware::give_master(const OemShare& share, Suite suite) const {
  auto allowed = needs(permissions().gives(BlobRole::kMaster) && share.role == HolderRole::kOem &&
                           share.origin && family_->k_oem_master_share,
                       "give out share blobs of role 2");
  if (allowed) allowed = admits(share.context);
  if (!allowed) return std::move(allowed).error();
  return seal_master_blob(*crypto_, suite, share.context, family_->k_oem_master_share->view(),
                          *share.origin);
}

Result<Bytes> ProvisioningSoftware::give_for_device(const OemShare& share, Suite suite,
                                                    const DeviceBlobRequest& request,
                                                    const EcPrivateKey& own_device_key,
                                                    const EcPublicKey& recipient) const {
  auto allowed = needs(permissions().gives(BlobRole::kDevice) && share.role == HolderRole::kOem,
                       "give out share blobs of role 3");
  if (allowed) allowed = admits(share.context);
  if (!allowed) return std::move(allowed).error();
  return seal_device_blob(*crypto_, suite, share.context, family_->k_oem_share.view(),
                          share.oem_share.view(), request, own_device_key, recipient);
}

Result<OemShare> ProvisioningSoftware::take_share(ByteView blob,
                                                  const EcPrivateKey* device_key) const {
  const auto parsed = parse_share_blob(blob);
  if (!parsed) return parsed.error();
  const auto role = parsed->header.role;
  if (role == BlobRole::kMaster) {
    return Error{ErrorCode::kMalformed, "a share blob of role 2 is for regeneration only", 1};
  }
  auto allowed = admits(parsed->header.context);
  if (allowed) allowed = needs(permissions().takes(role), "take in share blobs of this role");
  if (allowed && role == BlobRole::kShare && family_->counted()) {
    allowed = Error{ErrorCode::kCountedFamily, "a counted family takes no share blob of role 1", 0};
  }
  if (!allowed) return at_check(std::move(allowed).error(), 2);

  OemShare share;
  share.context = parsed->header.context;
  share.role = HolderRole::kTarget;
  if (role == BlobRole::kShare) {
    auto opened = open_share_blob(*crypto_, *parsed, family_->k_oem_share.view());
    if (!opened) return std::move(opened).error();
    share.oem_share = *std::move(opened);
    return share;
  }
  if (device_key == nullptr) {
    return Error{ErrorCode::kWrongRecipient, "this device has no device key", 3};
  }
  const auto own_id = sha256(*crypto_, {device_key->public_xy()});
  if (!own_id) return own_id.error();
  if (auto checked = check_device_blob(*crypto_, *parsed, *own_id); !checked) {
    return std::move(checked).error();
  }
  auto opened = open_device_blob(*crypto_, *parsed, family_->k_oem_share.view(), *device_key);
  if (!opened) return std::move(opened).error();
  share.oem_share = *std::move(opened);
  return share;
}

Result<OemShare> ProvisioningSoftware::regenerate(ByteView blob, const DeviceId& device_id,
                                                  ByteView nonce, ByteView oem_public_key,
                                                  ByteView consent) const {
  const auto parsed = parse_share_blob(blob);
  if (!parsed) return parsed.error();
  if (parsed->header.role != BlobRole::kMaster) {
    return Error{ErrorCode::kMalformed, "shares are regenerated from a blob of role 2", 1};
  }
  auto allowed = admits(parsed->header.context);
  if (allowed) {
    allowed = needs(permissions().allows(Operation::kRegenerate) &&
                        permissions().takes(BlobRole::kMaster) && family_->k_oem_master_share,
                    "regenerate OEM shares");
  }
  if (!allowed) return at_check(std::move(allowed).error(), 2);
  if (auto consented = check_consent(*crypto_, device_id, nonce, blob, oem_public_key, consent);
      !consented) {
    return std::move(consented).error();
  }
  auto origin = open_master_blob(*crypto_, *parsed, family_->k_oem_master_share->view());
  if (!origin) return std::move(origin).error();
  OemShare share;
  share.context = parsed->header.context;
  share.role = HolderRole::kOem;
  auto oem_share = derive_oem_share(*crypto_, share.context, origin->rnd_share.view(),
                                    origin->oem_rnd_input.view());
  if (!oem_share) return std::move(oem_share).error();
  share.oem_share = *std::move(oem_share);
  share.origin = *std::move(origin);
  return share;
}

Result<MasterKey> ProvisioningSoftware::derive_master_key(const OemShare& share) const {
  if (auto admitted = admits(share.context); !admitted) return std::move(admitted).error();
  auto value =
      core::derive_master_key(*crypto_, share.context, family_->shares, share.oem_share.view());
  if (!value) return std::move(value).error();
  return MasterKey{share.context, share.role, *std::move(value)};
}

Result<AssetKey> ProvisioningSoftware::derive_asset_key(const MasterKey& key, Suite suite,
                                                        std::string_view label) const {
  const bool oem = key.role == HolderRole::kOem;
  auto allowed = needs(oem ? permissions().seals(suite) : permissions().opens(suite),
                       "asset keys of this suite");
  if (allowed) allowed = permits_label(label);
  // K_PROOF would let a target test guesses of short secrets.
  if (allowed && label == kLabelProof) allowed = needs(oem, "K_PROOF outside the OEM's token");
  if (allowed) allowed = admits(key.context);
  if (!allowed) return std::move(allowed).error();
  auto value = core::derive_asset_key(*crypto_, key.context, key.value.view(), suite, label);
  if (!value) return std::move(value).error();
  return AssetKey{key.context, key.role, suite, std::string(label), *std::move(value)};
}

Result<Secret> ProvisioningSoftware::derive_proof_key(const MasterKey& key, Suite suite) const {
  auto allowed = needs(permissions().allows(Operation::kProve), "proofs");
  if (allowed) allowed = admits(key.context);
  if (!allowed) return std::move(allowed).error();
  return core::derive_asset_key(*crypto_, key.context, key.value.view(), suite, kLabelProof);
}

Result<Secret> ProvisioningSoftware::generate(const OemShare& share,
                                              const GeneratedAsset& asset) const {
  auto allowed = needs(permissions().generates(asset.type) && share.role == HolderRole::kOem &&
                           share.origin.has_value(),
                       "generated assets of this type");
  if (allowed) allowed = admits(share.context);
  if (!allowed) return std::move(allowed).error();
  auto seed = derive_seed(*crypto_, share.context, share.origin->rnd_share.view(),
                          share.origin->oem_rnd_input.view());
  if (!seed) return seed;
  return generate_asset(*crypto_, share.context, seed->view(), asset);
}

Result<AssetContext> ProvisioningSoftware::asset_for(Status allowed, const AssetKey& key,
                                                     ByteView context) const {
  if (allowed) allowed = permits_label(key.label);
  if (allowed) allowed = admits(key.context);
  if (!allowed) return std::move(allowed).error();
  auto asset = parse_asset_context(context);
  if (!asset) return asset;
  if (!fits(key, *asset)) return invalid("the asset's context does not fit the key");
  return asset;
}

Result<AssetSealer> ProvisioningSoftware::seal_asset(const AssetKey& key, ByteView context) const {
  auto asset = asset_for(needs(permissions().seals(key.suite) && key.role == HolderRole::kOem,
                               "sealing assets in this suite"),
                         key, context);
  if (!asset) return std::move(asset).error();
  auto stream = Sealer::create(*crypto_, key.suite, key.value.view(), context);
  if (!stream) return std::move(stream).error();
  return AssetSealer{*std::move(asset), *std::move(stream)};
}

Result<AssetOpener> ProvisioningSoftware::open_asset(const AssetKey& key, ByteView context) const {
  auto asset = asset_for(needs(permissions().opens(key.suite) && key.role == HolderRole::kTarget,
                               "opening assets in this suite"),
                         key, context);
  if (!asset) return std::move(asset).error();
  auto stream = Opener::create(*crypto_, key.suite, key.value.view(), context);
  if (!stream) return std::move(stream).error();
  return AssetOpener{*std::move(asset), *std::move(stream)};
}

Result<ByteArray<16>> ProvisioningSoftware::tag_package(const AssetKey& k_auth,
                                                        ByteView tagged) const {
  auto allowed = needs(permissions().seals(k_auth.suite) && k_auth.role == HolderRole::kOem,
                       "tagging packages in this suite");
  if (allowed) allowed = admits(k_auth.context);
  if (!allowed) return std::move(allowed).error();
  if (k_auth.label != kLabelAuth) return invalid("packages are tagged with K_AUTH");
  if (tagged.size() < kLeastTagged) {
    return Error{ErrorCode::kMalformed, "not the head of a package", 0};
  }
  // The same checks that a part makes, on the head with its tag still missing.
  Bytes head(tagged.begin(), tagged.end());
  head.resize(head.size() + 16);
  Reader body_length(tagged.subspan(88, 8));
  const auto body = body_length.u64();
  if (body > UINT64_MAX - head.size()) {
    return Error{ErrorCode::kMalformed, "not the head of a package", 0};
  }
  auto parsed = parse_package_head(head, head.size() + body);
  if (!parsed) return std::move(parsed).error();
  if (parsed->header.context != k_auth.context || parsed->header.suite != k_auth.suite) {
    return Error{ErrorCode::kInconsistent, "the package is not of this share set and suite", 0};
  }
  if (auto checked = check_package_signature(*crypto_, *parsed); !checked) {
    return std::move(checked).error();
  }
  if (auto checked = check_package_entries(*parsed); !checked) return std::move(checked).error();
  return cmac(*crypto_, k_auth.value.view(), {tagged});
}

Status ProvisioningSoftware::check_package_tag(const AssetKey& k_auth, ByteView tagged,
                                               ByteView tag) const {
  auto allowed = needs(permissions().opens(k_auth.suite) && k_auth.role == HolderRole::kTarget,
                       "checking packages in this suite");
  if (allowed) allowed = admits(k_auth.context);
  if (!allowed) return allowed;
  if (k_auth.label != kLabelAuth) return invalid("packages are tagged with K_AUTH");
  const auto expected = cmac(*crypto_, k_auth.value.view(), {tagged});
  if (!expected) return expected.error();
  if (!equal_in_constant_time(*expected, tag)) {
    return Error{ErrorCode::kTagMismatch, "the package's tag does not hold", 5};
  }
  return {};
}

}  // namespace tallystick::core
