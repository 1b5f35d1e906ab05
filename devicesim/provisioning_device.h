// A part of a uniform family as the OEM's provisioning device: it carries K_OEM_MASTER_SHARE, and
// where its software permits, it makes shares, gives blobs, seals assets and tags packages that
// tokens and other parts of the family accept. The same core as in a token does all of it.
//
// It holds one share set at a time, inside, until the part is reset or the object goes away. Once
// the part is locked, everything is refused with kLifeCycle. The part outlives it.
#pragma once

#include "core/provisioning/provisioning_software.h"

namespace tallystick::device {

class Part;

class ProvisioningDevice {
 public:
  // kNotPermitted unless software runs and the part has K_OEM_MASTER_SHARE; kLifeCycle when locked.
  static core::Result<ProvisioningDevice> on(Part& part);

  // FIG. 2: a new share set. OEM_RND_INPUT has 16 to 64 bytes.
  core::Status make_share(const core::OemId& oem_id, std::uint32_t sw_floor,
                          core::ByteView oem_rnd_input);
  // FIG. 4: a share set made again. The OEM signs regeneration_message() for this part's id and the
  // nonce; a nonce serves one attempt, whatever comes of it.
  core::Result<core::ByteArray<32>> consent_nonce();
  core::Status regenerate(core::ByteView master_blob, core::ByteView oem_public_key,
                          core::ByteView consent);

  // What names the share set in public; kInvalidArgument while there is none, as from all below.
  [[nodiscard]] core::Result<core::Context> context() const;
  [[nodiscard]] core::Result<core::Bytes> give_share(core::Suite suite) const;
  [[nodiscard]] core::Result<core::Bytes> give_master(core::Suite suite) const;

  // A stream that seals one asset under its context (PackageBuilder::seal_context).
  [[nodiscard]] core::Result<core::Sealer> seal_asset(core::ByteView context) const;
  // H: the value is made and sealed inside. The entry's plaintext length must fit.
  [[nodiscard]] core::Result<core::Bytes> seal_generated(core::ByteView context,
                                                         const core::GeneratedAsset& asset) const;
  // header ‖ entries ‖ public key ‖ signature.
  [[nodiscard]] core::Result<core::ByteArray<16>> tag_package(core::ByteView tagged) const;

 private:
  explicit ProvisioningDevice(Part& part);
  // The software that runs, if it is still the one of the last reset and the part is not locked.
  [[nodiscard]] core::Result<const core::ProvisioningSoftware*> software() const;
  [[nodiscard]] core::Result<const core::ProvisioningSoftware*> software_with_share() const;
  [[nodiscard]] core::Result<core::AssetKey> asset_key(core::Suite suite,
                                                       std::string_view label) const;

  Part* part_;
  std::uint64_t reset_;  // shares do not outlive it
  std::optional<core::OemShare> share_;
  std::optional<core::ByteArray<32>> nonce_;
};

}  // namespace tallystick::device
