#include "core/ts1/share_blob.h"

#include <algorithm>
#include <cstring>

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/ts1/agreement.h"

namespace tallystick::core {
namespace {

constexpr std::size_t kDeviceAuthenticated = 464;  // A
constexpr std::size_t kMinterSignature = 64;
constexpr std::array<std::string_view, 3> kMagics = {"TSOS", "TSMS", "TSOP"};

std::string_view magic_of(BlobRole role) { return kMagics[static_cast<std::size_t>(role) - 1]; }

Error malformed() { return {ErrorCode::kMalformed, "not a share blob of the profile", 1}; }

Error grant_refused(const char* what) { return {ErrorCode::kGrantRefused, what, 3}; }

// Check 4 tells nobody what exactly was wrong.
Error open_failed() { return {ErrorCode::kOpenFailed, "the share blob does not open", 4}; }

bool size_fits(BlobRole role, std::size_t size) {
  switch (role) {
    case BlobRole::kShare:
      return size == kShareBlobSize;
    case BlobRole::kMaster:
      return size >= kLeastMasterBlobSize && size <= kMostMasterBlobSize;
    case BlobRole::kDevice:
      return size == kDeviceBlobSize;
  }
  return false;
}

Result<Bytes> seal_behind_header(const Crypto& crypto, const ShareBlobHeader& header, ByteView key,
                                 ByteView plaintext, ByteView fixed_salt) {
  const auto head = header.encode();
  auto sealed = seal(crypto, header.suite, key, head, plaintext, fixed_salt);
  if (!sealed) return sealed;
  Writer out;
  out.bytes(head).bytes(*sealed);
  return out.take();
}

// lv(OEM_RND_INPUT) ‖ lv(RND_SHARE), both secret.
Secret encode_origin(const ShareOrigin& origin) {
  Secret out(4 + origin.oem_rnd_input.size() + 4 + origin.rnd_share.size());
  std::size_t at = 0;
  for (const auto part : {origin.oem_rnd_input.view(), origin.rnd_share.view()}) {
    for (const auto byte : be32(static_cast<std::uint32_t>(part.size()))) out.span()[at++] = byte;
    for (const auto byte : part) out.span()[at++] = byte;
  }
  return out;
}

Bytes inner_context(ByteView authenticated) {
  Writer out;
  out.text("TS1/INNER").u8(0).bytes(authenticated);
  return out.take();
}

// K of a role 3 blob, from Z and A ‖ R.
Result<Secret> device_blob_key(const Crypto& crypto, ByteView z, ByteView authenticated,
                               ByteView recipient_xy) {
  Writer info;
  info.bytes(authenticated).bytes(recipient_xy);
  return hkdf(crypto, Hash::kSha256, bytes_of("TS1/PART"), z, info.view(), kSecretSize);
}

// oem_id = SHA-256(OEM X ‖ Y), the grant, 1 ≤ number ≤ limit: the same for minter and recipient.
Status check_grant(const Crypto& crypto, const Context& context, const JobId& job_id,
                   std::uint64_t number, std::uint64_t limit, ByteView minter, ByteView oem_key,
                   ByteView grant) {
  auto id = sha256(crypto, {oem_key});
  if (!id) return std::move(id).error();
  if (!equal_in_constant_time(*id, context.oem_id)) {
    return grant_refused("the granting key is not the OEM's");
  }
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, oem_key);
  auto message = grant_message(crypto, context, job_id, limit, minter);
  if (!message) return std::move(message).error();
  if (!key || !key->verify(crypto, {*message}, grant)) {
    return grant_refused("the grant does not hold for this minter and job");
  }
  if (number < 1 || number > limit) return grant_refused("the count is not within the grant");
  return {};
}

}  // namespace

ByteArray<ShareBlobHeader::kSize> ShareBlobHeader::encode() const {
  Writer out;
  out.text(magic_of(role)).u16(1).u8(static_cast<std::uint8_t>(role));
  out.u8(static_cast<std::uint8_t>(suite)).u32(context.sw_floor).u32(0);
  out.bytes(context.family_id).bytes(context.oem_id).bytes(context.share_id);
  return array_of<kSize>(out.view());
}

ShareOrigin ShareOrigin::clone() const { return {rnd_share.clone(), oem_rnd_input.clone()}; }

Result<ParsedShareBlob> parse_share_blob(ByteView blob) {
  Reader in(blob);
  const auto magic = in.take(4);
  const auto version = in.u16();
  const auto role = in.u8();
  const auto suite = suite_from(in.u8());
  ParsedShareBlob out;
  out.header.context.sw_floor = in.u32();
  const auto reserved = in.u32();
  out.header.context.family_id = in.array<16>();
  out.header.context.oem_id = in.array<32>();
  out.header.context.share_id = in.array<16>();
  if (!in.ok() || version != 1 || role < 1 || role > 3 || !suite || reserved != 0) {
    return malformed();
  }
  out.header.role = static_cast<BlobRole>(role);
  out.header.suite = *suite;
  if (text_of(magic) != magic_of(out.header.role) || !size_fits(out.header.role, blob.size())) {
    return malformed();
  }
  if (out.header.role != BlobRole::kDevice) {
    out.authenticated = blob.first(ShareBlobHeader::kSize);
    out.sealed = in.rest();
    return out;
  }
  auto& device = out.device.emplace();
  device.recipient_id = in.array<32>();
  device.job_id = in.array<16>();
  device.number = in.u64();
  device.limit = in.u64();
  device.ephemeral = in.array<64>();
  device.minter = in.array<64>();
  device.oem_public_key = in.array<96>();
  device.grant = in.array<96>();
  out.authenticated = blob.first(kDeviceAuthenticated);
  out.signature = blob.last(kMinterSignature);
  out.sealed = in.rest().first(in.rest().size() - kMinterSignature);
  return out;
}

Result<Bytes> seal_share_blob(const Crypto& crypto, Suite suite, const Context& context,
                              ByteView k_oem_share, ByteView oem_share, const FixedSalts& fixed) {
  return seal_behind_header(crypto, {BlobRole::kShare, suite, context}, k_oem_share, oem_share,
                            fixed.outer);
}

Result<Bytes> seal_master_blob(const Crypto& crypto, Suite suite, const Context& context,
                               ByteView k_oem_master_share, const ShareOrigin& origin,
                               const FixedSalts& fixed) {
  return seal_behind_header(crypto, {BlobRole::kMaster, suite, context}, k_oem_master_share,
                            encode_origin(origin).view(), fixed.outer);
}

Result<Bytes> grant_message(const Crypto& crypto, const Context& context, const JobId& job_id,
                            std::uint64_t limit, ByteView minter_public_key) {
  auto minter_id = sha256(crypto, {minter_public_key});
  if (!minter_id) return std::move(minter_id).error();
  Writer out;
  out.text("TS1/GRANT").u8(0).bytes(context.family_id).bytes(context.oem_id);
  out.bytes(context.share_id).bytes(job_id).u64(limit).bytes(*minter_id);
  return out.take();
}

Result<Bytes> seal_device_blob(const Crypto& crypto, Suite suite, const Context& context,
                               ByteView k_oem_share, ByteView oem_share,
                               const DeviceBlobRequest& request, const EcPrivateKey& minter,
                               const EcPublicKey& recipient, const FixedSalts& fixed) {
  if (auto granted = check_grant(crypto, context, request.job_id, request.number, request.limit,
                                 minter.public_xy(), request.oem_public_key, request.grant);
      !granted) {
    return std::move(granted).error();
  }
  const auto agreed = agree_with(crypto, recipient, fixed.ephemeral);
  if (!agreed) return agreed.error();

  Writer out;
  out.bytes(ShareBlobHeader{BlobRole::kDevice, suite, context}.encode())
      .bytes(agreed->recipient_id);
  out.bytes(request.job_id).u64(request.number).u64(request.limit).bytes(agreed->ephemeral);
  out.bytes(minter.public_xy()).bytes(request.oem_public_key).bytes(request.grant);
  const Bytes authenticated(out.view().begin(), out.view().end());

  auto key = device_blob_key(crypto, agreed->z.view(), authenticated, recipient.xy());
  if (!key) return std::move(key).error();
  auto inner =
      seal(crypto, suite, k_oem_share, inner_context(authenticated), oem_share, fixed.inner);
  if (!inner) return inner;
  auto sealed = seal(crypto, suite, key->view(), authenticated, *inner, fixed.outer);
  if (!sealed) return sealed;
  auto signature = minter.sign(crypto, {authenticated, *sealed});
  if (!signature) return signature;
  out.bytes(*sealed).bytes(*signature);
  return out.take();
}

Status check_device_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                         const DeviceId& own_device_id) {
  if (!blob.device) return malformed();
  const auto& device = *blob.device;
  if (!equal_in_constant_time(device.recipient_id, own_device_id)) {
    return Error{ErrorCode::kWrongRecipient, "the share blob is for another device", 3};
  }
  if (auto granted = check_grant(crypto, blob.header.context, device.job_id, device.number,
                                 device.limit, device.minter, device.oem_public_key, device.grant);
      !granted) {
    return granted;
  }
  const auto minter = EcPublicKey::from_xy(crypto, Curve::kP256, device.minter);
  if (!minter || !minter->verify(crypto, {blob.authenticated, blob.sealed}, blob.signature)) {
    return grant_refused("the minter's signature does not verify");
  }
  return {};
}

Result<Secret> open_share_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                               ByteView k_oem_share) {
  auto opened = open(crypto, blob.header.suite, k_oem_share, blob.authenticated, blob.sealed);
  if (!opened || opened->size() != kSecretSize) return open_failed();
  return opened;
}

Result<ShareOrigin> open_master_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                                     ByteView k_oem_master_share) {
  auto opened =
      open(crypto, blob.header.suite, k_oem_master_share, blob.authenticated, blob.sealed);
  if (!opened) return open_failed();
  Reader in(opened->view());
  const auto oem_rnd_input = in.lv();
  const auto rnd_share = in.lv();
  if (!in.done() || oem_rnd_input.size() < kLeastRndInput || oem_rnd_input.size() > kMostRndInput ||
      rnd_share.size() != kSecretSize) {
    return open_failed();
  }
  return ShareOrigin{Secret::copy_of(rnd_share), Secret::copy_of(oem_rnd_input)};
}

Result<Secret> open_device_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                                ByteView k_oem_share, const EcPrivateKey& device_key) {
  if (!blob.device) return malformed();
  const auto ephemeral = EcPublicKey::from_xy(crypto, Curve::kP256, blob.device->ephemeral);
  if (!ephemeral) return open_failed();
  const auto z = device_key.ecdh(crypto, *ephemeral);
  if (!z) return open_failed();
  const auto key = device_blob_key(crypto, z->view(), blob.authenticated, device_key.public_xy());
  if (!key) return open_failed();
  const auto inner = open(crypto, blob.header.suite, key->view(), blob.authenticated, blob.sealed);
  if (!inner) return open_failed();
  auto share = open(crypto, blob.header.suite, k_oem_share, inner_context(blob.authenticated),
                    inner->view());
  if (!share || share->size() != kSecretSize) return open_failed();
  return share;
}

Result<Bytes> regeneration_message(const Crypto& crypto, const DeviceId& device_id, ByteView nonce,
                                   ByteView master_blob) {
  auto digest = sha384(crypto, {master_blob});
  if (!digest) return std::move(digest).error();
  Writer out;
  out.text("TS1/REGEN").u8(0).bytes(device_id).bytes(nonce).bytes(*digest);
  return out.take();
}

Status check_consent(const Crypto& crypto, const DeviceId& device_id, ByteView nonce,
                     ByteView master_blob, ByteView oem_public_key, ByteView signature) {
  const auto blob = parse_share_blob(master_blob);
  if (!blob || blob->header.role != BlobRole::kMaster) return malformed();
  const auto id = sha256(crypto, {oem_public_key});
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, oem_public_key);
  const auto message = regeneration_message(crypto, device_id, nonce, master_blob);
  if (!id || !key || !message || !equal_in_constant_time(*id, blob->header.context.oem_id) ||
      !key->verify(crypto, {*message}, signature)) {
    return Error{ErrorCode::kConsentRefused,
                 "the OEM's consent does not hold for this token, nonce and blob", 0};
  }
  return {};
}

}  // namespace tallystick::core
