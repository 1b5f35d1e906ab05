// The Tallystick token's own mechanisms, through C_* alone: what docs/pkcs11.md says, and nothing
// that a third party's program could not do as well.
#pragma once

#include <optional>

#include "core/ts1/family.h"
#include "core/ts1/generated_asset.h"
#include "core/ts1/package.h"
#include "tools/cli/pkcs11/session.h"

namespace tallystick::cli {

struct DeviceKey {
  Handle public_key = 0;
  core::DeviceId id{};
  core::Bytes xy;     // 64 bytes
  core::Bytes nonce;  // for the next consent
};

struct FamilyInfo {
  Handle handle = 0;
  core::FamilyId id{};
  CK_ULONG role = 0;
  CK_ULONG flags = 0;
  CK_ULONG software_version = 0;
  core::Bytes icm_public_key;  // 96 bytes
};

struct ShareInfo {
  Handle handle = 0;
  core::Context context;
  CK_ULONG role = 0;
};

class TokenClient {
 public:
  TokenClient(const core::Crypto& crypto, Session session)
      : crypto_(&crypto), session_(std::move(session)) {}
  [[nodiscard]] Session& session() { return session_; }

  // The token's identity; readable before login.
  Outcome<DeviceKey> device_key();
  Outcome<std::vector<FamilyInfo>> families();
  // The family named, or the only one.
  Outcome<FamilyInfo> family(const std::optional<core::FamilyId>& id);

  // ICM
  Outcome<FamilyInfo> generate_family(const core::FamilyId& id, std::uint8_t flags,
                                      std::uint8_t further_shares, core::ByteView icm_public_key);
  // `value` is the import form "TSFM".
  Outcome<FamilyInfo> import_family(core::ByteView value);
  // The family blob without its signature, for a device whose certificate is given.
  Outcome<core::Bytes> wrap_family(const FamilyInfo& family, core::FamilyRole role,
                                   core::ByteView recipient_xy, core::ByteView certificate);

  // Any device
  Outcome<FamilyInfo> unwrap_family(core::ByteView signed_blob,
                                    const core::ByteArray<32>& fingerprint);
  Done install_software(core::ByteView image);
  Done add_certificate(core::ByteView der, const std::string& label);

  // OEM
  Outcome<ShareInfo> make_share(const core::FamilyId& family, const core::OemId& oem,
                                std::uint32_t sw_floor, core::ByteView rnd_input,
                                const std::string& label);
  Outcome<ShareInfo> share(const core::ShareId& id);
  Outcome<core::Bytes> give_share(const ShareInfo& share, core::Suite suite);
  Outcome<core::Bytes> give_master_share(const ShareInfo& share, core::Suite suite);
  Outcome<ShareInfo> regenerate(const FamilyInfo& family, core::ByteView blob,
                                core::ByteView oem_public_key, core::ByteView consent,
                                const std::string& label);
  // `parameter` as CKM_TS_SHARE_FOR_DEVICE takes it.
  Outcome<core::Bytes> share_for_device(const ShareInfo& share, core::ByteView parameter,
                                        core::ByteView recipient_xy, core::ByteView certificate);
  Done destroy_share(const ShareInfo& share) { return session_.destroy(share.handle); }

  // Session keys derived from a share; an asset key with a name stays in the token.
  Outcome<Handle> master_key(const ShareInfo& share);
  Outcome<Handle> asset_key(Handle master_key, core::Suite suite, std::string_view label,
                            std::string_view name = {});
  Outcome<Handle> generated_asset(const ShareInfo& share, const core::GeneratedAsset& asset);

 private:
  Outcome<FamilyInfo> family_info(Handle handle);
  Outcome<ShareInfo> share_info(Handle handle);
  // Public key and certificate as session objects, for the time of `work`.
  Outcome<core::Bytes> with_recipient(core::ByteView xy, core::ByteView certificate,
                                      const std::function<Outcome<core::Bytes>(Handle)>& work);
  Outcome<Handle> private_device_key();
  Outcome<Handle> create_certificate(core::ByteView der, const std::string& label, bool on_token);

  const core::Crypto* crypto_;
  Session session_;
};

}  // namespace tallystick::cli
