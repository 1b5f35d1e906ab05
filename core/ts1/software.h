// Provisioning software images "TSSW" (section 7 of docs/formats.md): what a device may do while
// this software runs, signed by the ICM.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "core/ts1/family.h"
#include "core/ts1/generated_asset.h"
#include "core/ts1/share_blob.h"

namespace tallystick::core {

enum class Operation : std::uint16_t {
  kMakeShares = 1,
  kRegenerate = 2,
  kGiveBlobs = 3,   // mask of blob roles
  kTakeBlobs = 4,   // mask of blob roles
  kSealAssets = 5,  // mask of suites: derive asset keys, seal and tag
  kOpenAssets = 6,  // mask of suites: derive asset keys, check and open
  kFurtherTypes = 7,
  kGenerate = 8,  // mask of generated types, aes128 = bit 0
  kInstall = 9,
  kProve = 10,
  kMoveLifeCycle = 11,  // from × 256 + to
  kNxpCommands = 12,
};

struct PermissionRecord {
  std::uint16_t operation = 0;
  std::uint32_t argument = 0;
  bool operator==(const PermissionRecord&) const = default;
  // As the records' bytes compare.
  bool operator<(const PermissionRecord& other) const {
    return std::tie(operation, argument) < std::tie(other.operation, other.argument);
  }
};

// What a verified image permits.
class Permissions {
 public:
  // Check 7: the payload's form and meaning.
  static Result<Permissions> parse(ByteView payload);
  // The payload for a list in any order; kInvalidArgument when parse() would refuse it.
  static Result<Bytes> encode(std::vector<PermissionRecord> records);

  [[nodiscard]] bool allows(Operation operation) const;
  [[nodiscard]] bool gives(BlobRole role) const;
  [[nodiscard]] bool takes(BlobRole role) const;
  [[nodiscard]] bool seals(Suite suite) const;
  [[nodiscard]] bool opens(Suite suite) const;
  [[nodiscard]] bool generates(GeneratedType type) const;
  [[nodiscard]] bool moves(std::uint8_t from, std::uint8_t to) const;
  [[nodiscard]] const std::vector<PermissionRecord>& records() const { return records_; }

 private:
  [[nodiscard]] bool has_bit(Operation operation, unsigned bit) const;
  std::vector<PermissionRecord> records_;
};

constexpr std::size_t kSoftwareHeaderSize = 128;
constexpr std::size_t kSoftwareSignatureSize = 96;
constexpr std::size_t kSoftwarePrefix = kSoftwareHeaderSize + kSoftwareSignatureSize;
// Readers need not take more: no list of permissions makes an image larger.
constexpr std::size_t kMostSoftware = 4096;

struct SoftwareHeader {
  std::uint16_t role_mask = 0;  // bit r: family role r (2 provisioning, 3 station, 4 part)
  std::uint32_t version = 0;
  FamilyId family_id{};
  std::string name;  // UTF-8, up to 32 bytes
};

// An image that passed the checks.
struct Software {
  SoftwareHeader header;
  Permissions permissions;
};

// The 128 bytes to be signed with ECDSA P-384 / SHA-384 under K_PRK_ICM_PROV, for a payload that
// Permissions::encode made. kInvalidArgument for a name or mask that would be refused.
Result<Bytes> software_header(const Crypto& crypto, const SoftwareHeader& header, ByteView payload);
// header ‖ signature ‖ payload.
Result<Bytes> assemble_software(ByteView header, ByteView signature, ByteView payload);

// The checks of section 7 in order (Error::check 1 to 7). `role` is the device's own role,
// `minimum_version` the highest version it has run.
Result<Software> verify_software(const Crypto& crypto, ByteView image, ByteView icm_public_key,
                                 const FamilyId& family_id, FamilyRole role,
                                 std::uint32_t minimum_version);
// The same for someone who is no device (claim 11: anyone with the key can verify): all checks but
// family, role and minimum version.
Result<Software> verify_software_signature(const Crypto& crypto, ByteView image,
                                           ByteView icm_public_key);

}  // namespace tallystick::core
