// The shares and keys of the Device-HSM profile (docs/formats.md section 10): how a part that acts
// as an OEM's security module, and a part that takes the OEM's file, come to the same keys. They
// are made of the family's shares, like those of TS1, under labels of their own ("TSDH/…"), so that
// nothing of one profile is of use in the other.
//
//   CTX        = "TSDH" ‖ u8(1) ‖ family_id
//   RND_SHARE  = KDF(K_OEM_MASTER_SHARE, "TSDH/RND", CTX ‖ nonce(16))
//   OEM_SHARE  = HMAC-256(RND_SHARE, "TSDH/F" ‖ 00 ‖ CTX ‖ lv(OEM seed))
//   ENC(OEM_SHARE)        = KW(KDF(K_OEM_SHARE, "TSDH/SHARE", CTX), "TSDH" ‖ 01 01 00 00 ‖
//   OEM_SHARE) ENC(OEM_MASTER_SHARE) = ENC(OEM_SHARE) ‖ nonce K_MK       = G of TS1 with the labels
//   TSDH/G and TSDH/MK and this CTX KDF        = SP 800-108r1 in counter mode with HMAC-SHA-256, 32
//   bytes unless said otherwise
//
// ENC(OEM_MASTER_SHARE) begins with ENC(OEM_SHARE) because NXP's clients, when they set a master
// share again, take its first 48 bytes for the share that goes into the file.
#pragma once

#include <string_view>

#include "core/sb3/layout.h"
#include "core/ts1/family.h"

namespace tallystick::core::sb3 {

constexpr std::size_t kSeedSize = 16;
constexpr std::size_t kShareNonceSize = 16;
constexpr std::size_t kEncMasterShareSize = kEncShareSize + kShareNonceSize;

using EncShare = ByteArray<kEncShareSize>;
using EncMasterShare = ByteArray<kEncMasterShareSize>;

// OEM_SHARE of a seed and a nonce. kInvalidArgument when the seed has not 16 bytes, or the family
// no K_OEM_MASTER_SHARE.
Result<Secret> derive_share(const Crypto& crypto, const Family& family,
                            const ByteArray<kShareNonceSize>& nonce, ByteView seed);

Result<EncShare> seal_share(const Crypto& crypto, const Family& family, ByteView oem_share);
// kOpenFailed, whatever is wrong with it.
Result<Secret> open_share(const Crypto& crypto, const Family& family, const EncShare& sealed);

// A key under K_MK, for everything that one OEM_SHARE is used for.
class ShareKeys {
 public:
  static Result<ShareKeys> create(const Crypto& crypto, const Family& family, ByteView oem_share);

  // The key whose signature a file must have.
  [[nodiscard]] Result<EcPrivateKey> signing_key(Curve curve) const;
  // Whose public half names the OEM.
  [[nodiscard]] Result<EcPrivateKey> certificate_key() const;
  // 32 bytes; a file's key-derivation key comes from it.
  [[nodiscard]] Result<Secret> part_common_key() const;
  // Wraps the key blobs that leave a part for its host to keep.
  [[nodiscard]] Result<Secret> blob_key() const;
  // Wraps the keys that a file carries into a part's key store.
  [[nodiscard]] Result<Secret> store_key() const;
  // What a part remembers as its owner: SHA-256("TSDH/OWNER" ‖ 00 ‖ CTX ‖ X ‖ Y of the
  // certificate key).
  [[nodiscard]] Result<ByteArray<32>> owner() const;

 private:
  ShareKeys(const Crypto& crypto, Bytes context, Secret master_key)
      : crypto_(&crypto), context_(std::move(context)), master_key_(std::move(master_key)) {}
  [[nodiscard]] Result<Secret> derive(std::string_view label, std::size_t size) const;
  [[nodiscard]] Result<EcPrivateKey> derive_ec(std::string_view label, Curve curve) const;

  const Crypto* crypto_;
  Bytes context_;
  Secret master_key_;
};

}  // namespace tallystick::core::sb3
