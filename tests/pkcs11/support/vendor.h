// The vendor mechanisms as tests use them: parameters as flat bytes, and the steps of a
// provisioning run, each through C_* functions.
#pragma once

#include "core/ts1/share_blob.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::test {

// ---- Parameters ----
Mechanism family_gen(core::ByteView family_id, unsigned flags, unsigned further_shares,
                     core::ByteView icm_public_key);
Mechanism share_gen(core::ByteView family_id, core::ByteView oem_id, std::uint32_t sw_floor,
                    core::ByteView rnd_input);
Mechanism with_byte(CK_MECHANISM_TYPE type, unsigned byte);
Mechanism asset_key_derive(core::Suite suite, std::string_view label);
Mechanism asset_generate(unsigned type, std::string_view name, std::uint32_t index = 0,
                         std::uint32_t length = 0);
// CKM_TS_SHARE_FOR_DEVICE with a grant of `oem_key` for the minter X ‖ Y.
Mechanism share_for_device(const core::Crypto& crypto, const core::Context& context,
                           const core::EcPrivateKey& oem_key, core::ByteView minter,
                           std::uint64_t number = 1, std::uint64_t limit = 10,
                           core::Suite suite = core::Suite::kGcm);
// CKM_TS_MASTER_SHARE_WRAP for C_UnwrapKey: the OEM's key and its consent.
Mechanism regenerate(const core::Crypto& crypto, const core::EcPrivateKey& oem_key,
                     core::ByteView device_id, core::ByteView nonce, core::ByteView blob);
Mechanism seal(core::ByteView context);
Mechanism open(core::ByteView context);

// ---- Steps ----
CK_OBJECT_HANDLE device_key(const Session& session, CK_OBJECT_CLASS object_class);
core::Bytes device_xy(const Session& session);
core::Bytes device_id(const Session& session);
core::Bytes device_nonce(const Session& session);
CK_OBJECT_HANDLE family_key(const Session& session, core::ByteView family_id);
// Takes in a family blob for this token's device key.
Answer<CK_OBJECT_HANDLE> take_family(Session& session, const World& world, core::FamilyRole role);
// A family by its value, as an ICM moves one in that it has already.
core::Bytes import_form(const core::Family& family);
Answer<CK_OBJECT_HANDLE> import_family(Session& session, core::ByteView form);
Answer<CK_OBJECT_HANDLE> install(Session& session, core::ByteView image);
// Another device's public key and its certificate as token objects.
CK_OBJECT_HANDLE import_device(Session& session, core::ByteView xy, core::ByteView certificate,
                               bool with_certificate = true);
core::Context context_of(const Session& session, CK_OBJECT_HANDLE share);
CK_OBJECT_HANDLE master_key(Session& session, CK_OBJECT_HANDLE share);
CK_OBJECT_HANDLE asset_key(Session& session, CK_OBJECT_HANDLE share, std::string_view label,
                           core::Suite suite = core::Suite::kGcm);
// All objects' CKA_UNIQUE_ID: to show that a refused call left nothing behind.
std::size_t object_count(const Session& session);

struct FamilyOptions {
  core::FamilyRole role = core::FamilyRole::kProvisioning;
  WorldOptions world;
  std::vector<core::PermissionRecord> permissions = all_permissions();
  bool software = true;
};

// A token with a family of a test world and its software, and an OEM that has a signing key.
class FamilyToken : public TestToken {
 public:
  explicit FamilyToken(const FamilyOptions& options = {});

  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] const core::Crypto& crypto() const { return world_.crypto(); }
  [[nodiscard]] const core::EcPrivateKey& oem_key() const { return oem_key_; }
  [[nodiscard]] core::OemId oem_id() const;
  [[nodiscard]] CK_OBJECT_HANDLE family();
  Answer<CK_OBJECT_HANDLE> make_share(std::uint32_t sw_floor = 1, const Attributes& more = {});
  // A share of role target, from a blob that another device of the family made.
  Answer<CK_OBJECT_HANDLE> take_share(const OemDesk& desk);

 private:
  World world_;
  core::EcPrivateKey oem_key_;
};

// What an OEM's desk of tests needs to make a package on a token.
SealingDevice sealing_device(Session& session, CK_OBJECT_HANDLE share, core::Suite suite);

}  // namespace tallystick::test
