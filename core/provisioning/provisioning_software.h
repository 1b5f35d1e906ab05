// ProvisioningSoftware: the operations that a device offers while a signed image runs on it. Tokens
// and parts alike go through this class and nothing else, so that what the image does not permit,
// neither can do (section 7 of docs/formats.md; [0014], [0034] of US 2023/0063743 A1).
//
// It holds references: to a family, an image and a Crypto that outlive it. It keeps no state, so
// one object may serve several threads.
#pragma once

#include <span>

#include "core/ts1/family.h"
#include "core/ts1/generated_asset.h"
#include "core/ts1/package.h"
#include "core/ts1/share_blob.h"
#include "core/ts1/software.h"

namespace tallystick::core {

// Who holds a share set, inherited along derivation and never changed: the OEM who made or
// regenerated it, or a target that took it in.
enum class HolderRole : std::uint8_t { kOem = 5, kTarget = 6 };

struct OemShare {
  Context context;
  HolderRole role = HolderRole::kTarget;
  Secret oem_share;
  std::optional<ShareOrigin> origin;  // role kOem only
  [[nodiscard]] OemShare clone() const;
};

struct MasterKey {
  Context context;
  HolderRole role = HolderRole::kTarget;
  Secret value;
};

struct AssetKey {
  Context context;
  HolderRole role = HolderRole::kTarget;
  Suite suite{};
  std::string label;
  Secret value;
};

// An asset context that was found to fit a key, and the stream to use.
struct AssetSealer {
  AssetContext asset;
  Sealer stream;
};
struct AssetOpener {
  AssetContext asset;
  Opener stream;
};

class ProvisioningSoftware {
 public:
  ProvisioningSoftware(const Crypto& crypto, const Family& family, const Software& software)
      : crypto_(&crypto), family_(&family), software_(&software) {}

  [[nodiscard]] const Family& family() const { return *family_; }
  [[nodiscard]] const Software& software() const { return *software_; }
  [[nodiscard]] const Permissions& permissions() const { return software_->permissions; }
  [[nodiscard]] std::uint32_t version() const { return software_->header.version; }

  // kWrongFamily, kSoftwareTooOld.
  [[nodiscard]] Status admits(const Context& context) const;

  // F (FIG. 2): a new share set, role OEM. RND_SHARE and share_id come from the generator.
  // `oem_rnd_input` of 16 to 64 bytes. Needs operation 1; kNotPermitted for a device without
  // K_OEM_MASTER_SHARE.
  [[nodiscard]] Result<OemShare> make_share(const OemId& oem_id, std::uint32_t sw_floor,
                                            ByteView oem_rnd_input) const;

  // Blobs out: operation 3 and role OEM. Role 1 never in a counted family.
  [[nodiscard]] Result<Bytes> give_share(const OemShare& share, Suite suite) const;
  [[nodiscard]] Result<Bytes> give_master(const OemShare& share, Suite suite) const;
  [[nodiscard]] Result<Bytes> give_for_device(const OemShare& share, Suite suite,
                                              const DeviceBlobRequest& request,
                                              const EcPrivateKey& own_device_key,
                                              const EcPublicKey& recipient) const;

  // Blobs in: operation 4. Role 1 or 3, checks 1 to 4 in order (Error::check). `device_key` is
  // needed for role 3 only.
  [[nodiscard]] Result<OemShare> take_share(ByteView blob, const EcPrivateKey* device_key) const;

  // FIG. 4: a share set made again from its role 2 blob, with the OEM's consent. Operations 2
  // and 4. The caller spends the nonce whatever comes out.
  [[nodiscard]] Result<OemShare> regenerate(ByteView blob, const DeviceId& device_id,
                                            ByteView nonce, ByteView oem_public_key,
                                            ByteView consent) const;

  // G: K_MK.
  [[nodiscard]] Result<MasterKey> derive_master_key(const OemShare& share) const;
  // KDF: role OEM needs operation 5, role target operation 6 for the suite; TS1/X/ labels operation
  // 7. TS1/PROOF for a target is given to parts only: use derive_proof_key.
  [[nodiscard]] Result<AssetKey> derive_asset_key(const MasterKey& key, Suite suite,
                                                  std::string_view label) const;
  // K_PROOF inside a part: operation 10.
  [[nodiscard]] Result<Secret> derive_proof_key(const MasterKey& key, Suite suite) const;

  // H: the value as generate_asset() gives it. Operation 8, role OEM.
  [[nodiscard]] Result<Secret> generate(const OemShare& share, const GeneratedAsset& asset) const;

  // One asset of a package under `key`, whose label must be that of the asset's kind. The context
  // is parsed and must fit the key: family, OEM, share, floor, suite. kInvalidArgument if not.
  [[nodiscard]] Result<AssetSealer> seal_asset(const AssetKey& key, ByteView context) const;
  [[nodiscard]] Result<AssetOpener> open_asset(const AssetKey& key, ByteView context) const;

  // The package tag with K_AUTH. Role OEM tags only header ‖ entries ‖ public key ‖ signature of
  // its own share set whose signature verifies; kMalformed, kInconsistent, kWrongOwner or
  // kBadSignature say what is wrong.
  [[nodiscard]] Result<ByteArray<16>> tag_package(const AssetKey& k_auth, ByteView tagged) const;
  // kTagMismatch when it does not hold.
  [[nodiscard]] Status check_package_tag(const AssetKey& k_auth, ByteView tagged,
                                         ByteView tag) const;

 private:
  [[nodiscard]] Status needs(bool permitted, const char* what) const;
  // Operation 7, where the label asks for it.
  [[nodiscard]] Status permits_label(std::string_view label) const;
  // The asset that a context names, where `allowed` and the key say yes.
  [[nodiscard]] Result<AssetContext> asset_for(Status allowed, const AssetKey& key,
                                               ByteView context) const;

  const Crypto* crypto_;
  const Family* family_;
  const Software* software_;
};

}  // namespace tallystick::core
