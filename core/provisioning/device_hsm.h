// DeviceHsm: a part that acts as an OEM's security module, or takes in what one made. It is the
// only way to the keys of an OEM_SHARE of the Device-HSM profile (core/sb3/share.h), and asks the
// running provisioning software first: operation 12, never in a counted family, and making a share
// only where the device holds K_OEM_MASTER_SHARE.
#pragma once

#include "core/provisioning/provisioning_software.h"
#include "core/sb3/reader.h"
#include "core/sb3/share.h"

namespace tallystick::core {

// kNotPermitted or kCountedFamily.
Status check_device_hsm(const ProvisioningSoftware& running);

class DeviceHsm {
 public:
  // The numbers that NXP gives the keys.
  enum class KeyType : std::uint32_t {
    kSigning = 0xC3A5,     // MFWISK
    kEncryption = 0xA5C3,  // MFWENCK
  };
  enum class StoredKeyType : std::uint32_t {
    kCkdf = 1,
    kHkdf = 2,
    kHmac = 3,
    kCmac = 4,
    kAes = 5,
    kKuok = 6,
  };
  static constexpr std::size_t kKeyBlobSize = 48;
  static constexpr std::size_t kPublicKeySize = 64;
  static constexpr std::size_t kSignatureSize = 64;
  // Key-encryption keys by number: of files' blocks, and of keys in files.
  static constexpr std::uint32_t kInternalKek = 16;
  static constexpr std::uint32_t kExternalKek = 17;

  struct MadeKey {
    Bytes blob;                              // kKeyBlobSize bytes
    ByteArray<kPublicKeySize> public_key{};  // X ‖ Y; zeros for an encryption key
  };
  struct StoredKey {
    StoredKeyType type{};
    Secret key;  // 16 or 32 bytes
  };

  // A new OEM_SHARE (FIG. 2) of a seed of 16 bytes and the device's random generator. kNotPermitted
  // for a device without K_OEM_MASTER_SHARE.
  static Result<DeviceHsm> make(const Crypto& crypto, const ProvisioningSoftware& running,
                                ByteView seed);
  // The same share again (FIG. 4): only with the seed that it was made of. kShareRefused else.
  static Result<DeviceHsm> make_again(const Crypto& crypto, const ProvisioningSoftware& running,
                                      ByteView seed, ByteView enc_master_share);
  // The share that a file carries. kShareRefused when it does not open.
  static Result<DeviceHsm> take_in(const Crypto& crypto, const ProvisioningSoftware& running,
                                   const sb3::EncShare& enc_share);

  [[nodiscard]] const sb3::EncShare& enc_share() const { return enc_share_; }
  // Empty where it was not made here.
  [[nodiscard]] const std::optional<sb3::EncMasterShare>& enc_master_share() const {
    return enc_master_share_;
  }
  [[nodiscard]] Result<ByteArray<kPublicKeySize>> certificate_public_key() const;
  [[nodiscard]] Result<ByteArray<32>> owner() const { return keys_.owner(); }

  // hsm_gen_key: a key of the share, wrapped for the host to keep. The same every time.
  [[nodiscard]] Result<MadeKey> make_key(KeyType type) const;
  // hsm_store_key: wraps a key of 16 or 32 bytes for the key stores of parts; 16 bytes longer.
  [[nodiscard]] Result<Bytes> wrap_stored_key(StoredKeyType type, ByteView key) const;
  // What loadKeyBlob brings. kOpenFailed.
  [[nodiscard]] Result<StoredKey> unwrap_stored_key(ByteView wrapped) const;
  // hsm_enc_blk: one block's 256 bytes, in place. kOpenFailed for a blob that is none of an
  // encryption key; kMalformed for a header that is none, kInvalidArgument for number 0.
  [[nodiscard]] Status encrypt_block(ByteView key_blob, ByteView header, std::uint32_t number,
                                     MutableByteView data) const;
  // hsm_enc_sign: r ‖ s, ECDSA P-256 / SHA-256.
  [[nodiscard]] Result<Bytes> sign(ByteView key_blob, ByteView data) const;

  // Whom a file with this share must be signed by, and what it is decrypted with.
  [[nodiscard]] Result<sb3::Authority> authority(const sb3::Variant& variant) const;

 private:
  DeviceHsm(const Crypto& crypto, sb3::ShareKeys keys, const sb3::EncShare& enc_share)
      : crypto_(&crypto), keys_(std::move(keys)), enc_share_(enc_share) {}
  static Result<DeviceHsm> with_share(const Crypto& crypto, const Family& family,
                                      ByteView oem_share, const sb3::EncShare& enc_share);
  [[nodiscard]] Result<Secret> unwrap_blob(KeyType type, ByteView blob) const;

  const Crypto* crypto_;
  sb3::ShareKeys keys_;
  sb3::EncShare enc_share_;
  std::optional<sb3::EncMasterShare> enc_master_share_;
};

}  // namespace tallystick::core
