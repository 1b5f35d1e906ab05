#include "core/ts1/software.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/ts1/text.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kMagic = "TSSW";
constexpr std::size_t kMostRecords = 256;
constexpr std::size_t kRecordSize = 8;
constexpr std::uint16_t kKnownRoles = 1U << 2U | 1U << 3U | 1U << 4U;

Error refuse(std::uint8_t check, ErrorCode code, const char* what) { return {code, what, check}; }

bool mask_within(std::uint32_t mask, std::uint32_t known) {
  return mask != 0 && (mask & ~known) == 0;
}

bool life_cycle_move(std::uint32_t argument) {
  const auto from = argument >> 8U;
  const auto to = argument & 0xFFU;
  return from < to && to <= 3;
}

// The meaning of one record: the table of section 7.
bool known_record(const PermissionRecord& record) {
  constexpr std::uint32_t kBlobRoles = 1U << 1U | 1U << 2U | 1U << 3U;
  constexpr std::uint32_t kSuites = 1U << 1U | 1U << 2U;
  constexpr std::uint32_t kTypes = (1U << kGeneratedTypes) - 1;
  switch (static_cast<Operation>(record.operation)) {
    case Operation::kMakeShares:
    case Operation::kRegenerate:
    case Operation::kFurtherTypes:
    case Operation::kInstall:
    case Operation::kProve:
    case Operation::kNxpCommands:
      return record.argument == 0;
    case Operation::kGiveBlobs:
    case Operation::kTakeBlobs:
      return mask_within(record.argument, kBlobRoles);
    case Operation::kSealAssets:
    case Operation::kOpenAssets:
      return mask_within(record.argument, kSuites);
    case Operation::kGenerate:
      return mask_within(record.argument, kTypes);
    case Operation::kMoveLifeCycle:
      return life_cycle_move(record.argument);
  }
  return false;
}

bool acceptable(const std::vector<PermissionRecord>& records) {
  const bool ascending =
      std::adjacent_find(records.begin(), records.end(),
                         [](const auto& a, const auto& b) { return !(a < b); }) == records.end();
  return !records.empty() && records.size() <= kMostRecords && ascending &&
         std::all_of(records.begin(), records.end(), known_record);
}

struct ParsedHeader {
  std::uint16_t format = 0;
  std::uint32_t payload_length = 0;
  ByteView payload_digest;
  ByteView name;
  ByteView reserved;
  SoftwareHeader fields;
};

ParsedHeader parse_header(ByteView header) {
  Reader in(header.subspan(kMagic.size()));
  ParsedHeader out;
  out.format = in.u16();
  out.fields.role_mask = in.u16();
  out.fields.version = in.u32();
  out.payload_length = in.u32();
  out.fields.family_id = in.array<16>();
  out.payload_digest = in.take(48);
  out.name = in.take(kNameSize);
  out.reserved = in.rest();
  return out;
}

// The device's view; empty for someone who is none.
struct Device {
  FamilyId family_id;
  FamilyRole role;
  std::uint32_t minimum_version;
};

Result<Software> verify(const Crypto& crypto, ByteView image, ByteView icm_public_key,
                        const std::optional<Device>& device) {
  if (image.size() < kSoftwarePrefix || text_of(image.first(kMagic.size())) != kMagic) {
    return refuse(1, ErrorCode::kMalformed, "not a provisioning software image");
  }
  const auto header_bytes = image.first(kSoftwareHeaderSize);
  auto header = parse_header(header_bytes);
  if (image.size() != kSoftwarePrefix + std::uint64_t{header.payload_length}) {
    return refuse(1, ErrorCode::kMalformed, "the software image is cut or too long");
  }
  const auto signature = image.subspan(kSoftwareHeaderSize, kSoftwareSignatureSize);
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, icm_public_key);
  if (!key || !key->verify(crypto, {header_bytes}, signature)) {
    return refuse(2, ErrorCode::kBadSignature,
                  "the ICM's signature of the software does not verify");
  }
  auto name = name_from_field(header.name);
  if (header.format != 1 || !all_zero(header.reserved) || !name ||
      !mask_within(header.fields.role_mask, kKnownRoles)) {
    return refuse(3, ErrorCode::kMalformed, "the software's header is not of format 1");
  }
  header.fields.name = *std::move(name);
  if (device) {
    if (header.fields.family_id != device->family_id) {
      return refuse(4, ErrorCode::kWrongFamily, "the software is for another family");
    }
    if ((header.fields.role_mask & (1U << static_cast<unsigned>(device->role))) == 0) {
      return refuse(4, ErrorCode::kNotPermitted, "the software is not for devices of this role");
    }
    if (header.fields.version < device->minimum_version) {
      return refuse(5, ErrorCode::kRollback, "the software is older than one that ran here");
    }
  }
  const auto payload = image.subspan(kSoftwarePrefix);
  const auto digest = sha384(crypto, {payload});
  if (!digest) return digest.error();
  if (!equal_in_constant_time(*digest, header.payload_digest)) {
    return refuse(6, ErrorCode::kBadSignature, "the software's payload is not the signed one");
  }
  auto permissions = Permissions::parse(payload);
  if (!permissions) return std::move(permissions).error();
  return Software{std::move(header.fields), *std::move(permissions)};
}

}  // namespace

Result<Permissions> Permissions::parse(ByteView payload) {
  const auto refused = refuse(7, ErrorCode::kMalformed, "the software's permissions are not valid");
  Reader in(payload);
  const std::size_t count = in.u16();
  if (count == 0 || count > kMostRecords || payload.size() != 2 + count * kRecordSize) {
    return refused;
  }
  Permissions out;
  for (std::size_t i = 0; i < count; ++i) {
    PermissionRecord record;
    record.operation = in.u16();
    const auto filler = in.u16();
    record.argument = in.u32();
    if (filler != 0) return refused;
    out.records_.push_back(record);
  }
  if (!acceptable(out.records_)) return refused;
  return out;
}

Result<Bytes> Permissions::encode(std::vector<PermissionRecord> records) {
  std::sort(records.begin(), records.end());
  if (!acceptable(records)) {
    return Error{ErrorCode::kInvalidArgument, "a list of permissions that no device would take", 0};
  }
  Writer out;
  out.u16(static_cast<std::uint16_t>(records.size()));
  for (const auto& record : records) {
    out.u16(record.operation).u16(0).u32(record.argument);
  }
  return out.take();
}

bool Permissions::allows(Operation operation) const {
  return std::any_of(records_.begin(), records_.end(), [operation](const auto& record) {
    return record.operation == static_cast<std::uint16_t>(operation);
  });
}

bool Permissions::has_bit(Operation operation, unsigned bit) const {
  if (bit >= 32) return false;
  return std::any_of(records_.begin(), records_.end(), [operation, bit](const auto& record) {
    return record.operation == static_cast<std::uint16_t>(operation) &&
           (record.argument >> bit & 1U) != 0;
  });
}

bool Permissions::gives(BlobRole role) const {
  return has_bit(Operation::kGiveBlobs, static_cast<unsigned>(role));
}
bool Permissions::takes(BlobRole role) const {
  return has_bit(Operation::kTakeBlobs, static_cast<unsigned>(role));
}
bool Permissions::seals(Suite suite) const {
  return has_bit(Operation::kSealAssets, static_cast<unsigned>(suite));
}
bool Permissions::opens(Suite suite) const {
  return has_bit(Operation::kOpenAssets, static_cast<unsigned>(suite));
}
bool Permissions::generates(GeneratedType type) const {
  return has_bit(Operation::kGenerate, static_cast<unsigned>(type) - 1);
}

bool Permissions::moves(std::uint8_t from, std::uint8_t to) const {
  const PermissionRecord wanted{static_cast<std::uint16_t>(Operation::kMoveLifeCycle),
                                std::uint32_t{from} * 256 + to};
  return std::find(records_.begin(), records_.end(), wanted) != records_.end();
}

Result<Bytes> software_header(const Crypto& crypto, const SoftwareHeader& header,
                              ByteView payload) {
  auto name = field_from_name(header.name);
  if (!name) return std::move(name).error();
  if (!mask_within(header.role_mask, kKnownRoles)) {
    return Error{ErrorCode::kInvalidArgument, "software is for roles 2, 3 and 4", 0};
  }
  if (auto checked = Permissions::parse(payload); !checked) return std::move(checked).error();
  auto digest = sha384(crypto, {payload});
  if (!digest) return std::move(digest).error();
  Writer out;
  out.text(kMagic).u16(1).u16(header.role_mask).u32(header.version);
  out.u32(static_cast<std::uint32_t>(payload.size())).bytes(header.family_id).bytes(*digest);
  out.bytes(*name).zeros(16);
  return out.take();
}

Result<Bytes> assemble_software(ByteView header, ByteView signature, ByteView payload) {
  if (header.size() != kSoftwareHeaderSize || signature.size() != kSoftwareSignatureSize) {
    return Error{ErrorCode::kInvalidArgument, "sizes of a software header or signature", 0};
  }
  Writer out;
  out.bytes(header).bytes(signature).bytes(payload);
  return out.take();
}

Result<Software> verify_software(const Crypto& crypto, ByteView image, ByteView icm_public_key,
                                 const FamilyId& family_id, FamilyRole role,
                                 std::uint32_t minimum_version) {
  return verify(crypto, image, icm_public_key, Device{family_id, role, minimum_version});
}

Result<Software> verify_software_signature(const Crypto& crypto, ByteView image,
                                           ByteView icm_public_key) {
  return verify(crypto, image, icm_public_key, std::nullopt);
}

}  // namespace tallystick::core
