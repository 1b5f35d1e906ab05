#include "core/ts1/family_blob.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/ts1/agreement.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kMagic = "TSFB";
constexpr std::size_t kSignatureSize = 96;

Error refuse(ErrorCode code, std::uint8_t check, const char* what) { return {code, what, check}; }

bool carries_master_share(FamilyRole role, std::uint8_t flags) {
  return role == FamilyRole::kProvisioning ||
         (role == FamilyRole::kPart && (flags & kFamilyUniform) != 0);
}

Result<Secret> blob_key(const Crypto& crypto, ByteView z, ByteView header, ByteView recipient_xy) {
  Writer info;
  info.bytes(header).bytes(recipient_xy);
  return hkdf(crypto, Hash::kSha256, bytes_of("TS1/FAMILY"), z, info.view(), kSecretSize);
}

Bytes encode_header(const FamilyBlobHeader& header) {
  Writer out;
  out.text(kMagic).u16(1).u8(static_cast<std::uint8_t>(header.role)).u8(header.flags);
  out.bytes(header.family_id).bytes(header.recipient_id).bytes(header.ephemeral);
  out.bytes(header.icm_public_key);
  return out.take();
}

// u8(n) ‖ S_1 … S_n ‖ K_OEM_SHARE ‖ maybe K_OEM_MASTER_SHARE
Secret encode_payload(const Family& family, bool with_master) {
  const auto secrets = family.shares.size() + 1 + (with_master ? 1U : 0U);
  Secret out(1 + secrets * kSecretSize);
  std::size_t at = 0;
  out.span()[at++] = static_cast<std::uint8_t>(family.shares.size());
  const auto put = [&out, &at](const Secret& secret) {
    for (const auto byte : secret.view()) out.span()[at++] = byte;
  };
  for (const auto& share : family.shares) put(share);
  put(family.k_oem_share);
  if (with_master) put(*family.k_oem_master_share);
  return out;
}

// False when the lengths do not fit exactly.
bool decode_payload(ByteView payload, bool with_master, Family& family) {
  Reader in(payload);
  const std::size_t count = in.u8();
  if (count < kLeastShares || count > kMostShares) return false;
  for (std::size_t i = 0; i < count; ++i) {
    family.shares.push_back(Secret::copy_of(in.take(kSecretSize)));
  }
  family.k_oem_share = Secret::copy_of(in.take(kSecretSize));
  if (with_master) family.k_oem_master_share = Secret::copy_of(in.take(kSecretSize));
  return in.done();
}

}  // namespace

Result<Bytes> seal_family_blob(const Crypto& crypto, const Family& family, FamilyRole role,
                               const EcPublicKey& recipient, const FixedFamilyBlob& fixed) {
  if (family.role != FamilyRole::kIcm || !family.k_oem_master_share) {
    return Error{ErrorCode::kNotPermitted, "only the ICM's family gives out family blobs", 0};
  }
  if (role != FamilyRole::kProvisioning && role != FamilyRole::kStation &&
      role != FamilyRole::kPart) {
    return Error{ErrorCode::kInvalidArgument, "a family blob is for role 2, 3 or 4", 0};
  }
  const auto agreed = agree_with(crypto, recipient, fixed.ephemeral);
  if (!agreed) return agreed.error();

  const auto header = encode_header({role, family.flags, family.id, agreed->recipient_id,
                                     agreed->ephemeral, family.icm_public_key});
  auto key = blob_key(crypto, agreed->z.view(), header, recipient.xy());
  if (!key) return std::move(key).error();
  const auto payload = encode_payload(family, carries_master_share(role, family.flags));
  auto sealed = seal(crypto, Suite::kGcm, key->view(), header, payload.view(), fixed.salt);
  if (!sealed) return sealed;
  Writer out;
  out.bytes(header).bytes(*sealed);
  return out.take();
}

Result<FamilyBlobHeader> parse_family_blob(ByteView blob) {
  Reader in(blob);
  const auto magic = in.take(kMagic.size());
  const auto version = in.u16();
  const auto role = in.u8();
  FamilyBlobHeader out;
  out.flags = in.u8();
  out.family_id = in.array<16>();
  out.recipient_id = in.array<32>();
  out.ephemeral = in.array<64>();
  out.icm_public_key = in.array<kIcmKeySize>();
  if (blob.size() < kLeastFamilyBlobSize || text_of(magic) != kMagic || version != 1 || role < 2 ||
      role > 4 || out.flags > 2) {
    return refuse(ErrorCode::kMalformed, 1, "not a family blob of the profile");
  }
  out.role = static_cast<FamilyRole>(role);
  return out;
}

Result<Family> open_family_blob(const Crypto& crypto, ByteView blob,
                                const ByteArray<32>& expected_fingerprint,
                                const EcPrivateKey& device_key,
                                const std::function<bool(const FamilyId&)>& present) {
  const auto header = parse_family_blob(blob);
  if (!header) return header.error();
  const auto fingerprint = icm_fingerprint(crypto, header->icm_public_key);
  if (!fingerprint) return fingerprint.error();
  if (!equal_in_constant_time(*fingerprint, expected_fingerprint)) {
    return refuse(ErrorCode::kWrongOwner, 2,
                  "the ICM's key does not have the expected fingerprint");
  }
  const auto icm_key = EcPublicKey::from_xy(crypto, Curve::kP384, header->icm_public_key);
  const auto signed_part = blob.first(blob.size() - kSignatureSize);
  if (!icm_key || !icm_key->verify(crypto, {signed_part}, blob.last(kSignatureSize))) {
    return refuse(ErrorCode::kBadSignature, 3, "the ICM's signature does not verify");
  }
  const auto own_id = sha256(crypto, {device_key.public_xy()});
  if (!own_id) return own_id.error();
  if (!equal_in_constant_time(*own_id, header->recipient_id)) {
    return refuse(ErrorCode::kWrongRecipient, 4, "the family blob is for another device");
  }
  if (present(header->family_id)) {
    return refuse(ErrorCode::kAlreadyPresent, 5, "the family is here already");
  }

  const auto failed = refuse(ErrorCode::kOpenFailed, 6, "the family blob does not open");
  const auto authenticated = signed_part.first(kFamilyBlobHeaderSize);
  const auto ephemeral = EcPublicKey::from_xy(crypto, Curve::kP256, header->ephemeral);
  if (!ephemeral) return failed;
  const auto z = device_key.ecdh(crypto, *ephemeral);
  if (!z) return failed;
  const auto key = blob_key(crypto, z->view(), authenticated, device_key.public_xy());
  if (!key) return failed;
  const auto payload = open(crypto, Suite::kGcm, key->view(), authenticated,
                            signed_part.subspan(kFamilyBlobHeaderSize));
  if (!payload) return failed;
  Family family;
  family.id = header->family_id;
  family.flags = header->flags;
  family.role = header->role;
  family.icm_public_key = header->icm_public_key;
  if (!decode_payload(payload->view(), carries_master_share(family.role, family.flags), family)) {
    return failed;
  }
  return family;
}

}  // namespace tallystick::core
