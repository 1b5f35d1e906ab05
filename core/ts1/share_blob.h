// Share blobs: how OEM_SHARE travels (section 5 of docs/formats.md).
//   role 1  ENC(OEM_SHARE) under K_OEM_SHARE: for every part of the family
//   role 2  ENC(OEM_RND_INPUT, RND_SHARE) under K_OEM_MASTER_SHARE: for regeneration by the OEM
//   role 3  OEM_SHARE for one device, counted
// These functions seal, check and open; whether a device may is decided in core/provisioning.
#pragma once

#include <memory>

#include "core/ts1/derive.h"
#include "core/ts1/seal.h"

namespace tallystick::core {

enum class BlobRole : std::uint8_t { kShare = 1, kMaster = 2, kDevice = 3 };

struct ShareBlobHeader {
  static constexpr std::size_t kSize = 80;
  BlobRole role{};
  Suite suite{};
  Context context;

  [[nodiscard]] ByteArray<kSize> encode() const;
};

constexpr std::size_t kShareBlobSize = 184;
constexpr std::size_t kLeastMasterBlobSize = 208;
constexpr std::size_t kMostMasterBlobSize = 256;
constexpr std::size_t kDeviceBlobSize = 704;
// Readers need not take more: no blob of the profile comes near it.
constexpr std::size_t kMostShareBlob = 1024;

// What a role 3 blob says in clear: A of section 5, without the header.
struct DeviceBlobFields {
  DeviceId recipient_id{};
  JobId job_id{};
  std::uint64_t number = 0;  // 1 to limit: the count that was spent
  std::uint64_t limit = 0;
  ByteArray<64> ephemeral{};       // E, P-256
  ByteArray<64> minter{};          // M, P-256
  ByteArray<96> oem_public_key{};  // X ‖ Y, P-384
  ByteArray<96> grant{};
};

// Check 1: magic, version, role, suite, zeros and total length; kMalformed. `device` is set for
// role 3 only. Views point into the blob.
struct ParsedShareBlob {
  ShareBlobHeader header;
  std::optional<DeviceBlobFields> device;
  ByteView authenticated;  // the header, or A for role 3
  ByteView sealed;
  ByteView signature;  // role 3 only
};
Result<ParsedShareBlob> parse_share_blob(ByteView blob);

// RND_SHARE and OEM_RND_INPUT: what regenerates everything.
struct ShareOrigin {
  Secret rnd_share;
  Secret oem_rnd_input;
  [[nodiscard]] ShareOrigin clone() const;
};

// Salts (and E) for known answers; product code leaves them empty and gets random ones.
struct FixedSalts {
  ByteView outer;
  ByteView inner;
  const EcPrivateKey* ephemeral = nullptr;
};

Result<Bytes> seal_share_blob(const Crypto& crypto, Suite suite, const Context& context,
                              ByteView k_oem_share, ByteView oem_share,
                              const FixedSalts& fixed = {});
Result<Bytes> seal_master_blob(const Crypto& crypto, Suite suite, const Context& context,
                               ByteView k_oem_master_share, const ShareOrigin& origin,
                               const FixedSalts& fixed = {});

// What the OEM signs to let a minter make up to `limit` blobs in a job: section 5's grant message.
Result<Bytes> grant_message(const Crypto& crypto, const Context& context, const JobId& job_id,
                            std::uint64_t limit, ByteView minter_public_key);

struct DeviceBlobRequest {
  JobId job_id{};
  std::uint64_t number = 0;
  std::uint64_t limit = 0;
  ByteArray<96> oem_public_key{};
  ByteArray<96> grant{};
};
// Mints a role 3 blob for `recipient`. kGrantRefused unless oem_id is the hash of the OEM key, the
// grant verifies for the minter, and 1 ≤ number ≤ limit.
Result<Bytes> seal_device_blob(const Crypto& crypto, Suite suite, const Context& context,
                               ByteView k_oem_share, ByteView oem_share,
                               const DeviceBlobRequest& request, const EcPrivateKey& minter,
                               const EcPublicKey& recipient, const FixedSalts& fixed = {});

// Check 3, role 3 only: recipient, oem_id, grant, number, signature.
Status check_device_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                         const DeviceId& own_device_id);

// Check 4, one error (kOpenFailed) for every cause.
Result<Secret> open_share_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                               ByteView k_oem_share);
Result<ShareOrigin> open_master_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                                     ByteView k_oem_master_share);
Result<Secret> open_device_blob(const Crypto& crypto, const ParsedShareBlob& blob,
                                ByteView k_oem_share, const EcPrivateKey& device_key);

// What the OEM signs to consent to one regeneration: section 5's TS1/REGEN message.
Result<Bytes> regeneration_message(const Crypto& crypto, const DeviceId& device_id, ByteView nonce,
                                   ByteView master_blob);
// kConsentRefused unless the key is the blob's oem_id and the signature holds for device and nonce.
// The blob has passed check 1 as role 2.
Status check_consent(const Crypto& crypto, const DeviceId& device_id, ByteView nonce,
                     ByteView master_blob, ByteView oem_public_key, ByteView signature);

}  // namespace tallystick::core
