#include "core/provisioning/device_hsm.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/crypto/key_wrap.h"

namespace tallystick::core {
namespace {

constexpr std::size_t kWrapHeader = 8;

// "TSDH" ‖ u8(1) ‖ u8 kind ‖ u16 type: what stands before a key when it is wrapped.
enum class Kind : std::uint8_t { kBlob = 2, kStored = 3 };

ByteArray<kWrapHeader> wrap_header(Kind kind, std::uint32_t type) {
  Writer out;
  out.text("TSDH").u8(1).u8(static_cast<std::uint8_t>(kind)).u16(static_cast<std::uint16_t>(type));
  return array_of<kWrapHeader>(out.view());
}

Result<Bytes> wrap_with_header(const Crypto& crypto, ByteView wrapping_key,
                               const ByteArray<kWrapHeader>& header, ByteView key) {
  Secret plain(kWrapHeader + key.size());
  std::ranges::copy(header, plain.span().begin());
  std::ranges::copy(key, plain.span().begin() + kWrapHeader);
  return wrap_key(crypto, wrapping_key, plain.view());
}

Error does_not_open() { return {ErrorCode::kOpenFailed, "a wrapped key does not open", 0}; }

Error share_refused(const char* what) { return {ErrorCode::kShareRefused, what, 0}; }

Status check_making(const ProvisioningSoftware& running) {
  if (auto permitted = check_device_hsm(running); !permitted) return permitted;
  if (!running.family().k_oem_master_share) {
    return Error{ErrorCode::kNotPermitted,
                 "only devices with K_OEM_MASTER_SHARE make OEM shares: this family is not uniform",
                 0};
  }
  return {};
}

bool known_stored_type(std::uint32_t type) {
  return type >= static_cast<std::uint32_t>(DeviceHsm::StoredKeyType::kCkdf) &&
         type <= static_cast<std::uint32_t>(DeviceHsm::StoredKeyType::kKuok);
}

}  // namespace

Status check_device_hsm(const ProvisioningSoftware& running) {
  if (!running.permissions().allows(Operation::kNxpCommands)) {
    return Error{ErrorCode::kNotPermitted,
                 "the provisioning software does not permit: NXP-shaped commands", 0};
  }
  // A share in a file opens in every part of the family, counted or not.
  if (running.family().counted()) {
    return Error{ErrorCode::kCountedFamily, "a counted family has no shares for every part", 0};
  }
  return {};
}

Result<DeviceHsm> DeviceHsm::with_share(const Crypto& crypto, const Family& family,
                                        ByteView oem_share, const sb3::EncShare& enc_share) {
  auto keys = sb3::ShareKeys::create(crypto, family, oem_share);
  if (!keys) return std::move(keys).error();
  return DeviceHsm(crypto, *std::move(keys), enc_share);
}

Result<DeviceHsm> DeviceHsm::make(const Crypto& crypto, const ProvisioningSoftware& running,
                                  ByteView seed) {
  if (auto permitted = check_making(running); !permitted) return std::move(permitted).error();
  ByteArray<sb3::kShareNonceSize> nonce{};
  if (auto filled = crypto.random(nonce); !filled) return std::move(filled).error();
  const auto share = sb3::derive_share(crypto, running.family(), nonce, seed);
  if (!share) return share.error();
  const auto sealed = sb3::seal_share(crypto, running.family(), share->view());
  if (!sealed) return sealed.error();
  auto hsm = with_share(crypto, running.family(), share->view(), *sealed);
  if (!hsm) return hsm;
  sb3::EncMasterShare master{};
  std::ranges::copy(nonce, std::ranges::copy(*sealed, master.begin()).out);
  hsm->enc_master_share_ = master;
  return hsm;
}

Result<DeviceHsm> DeviceHsm::make_again(const Crypto& crypto, const ProvisioningSoftware& running,
                                        ByteView seed, ByteView enc_master_share) {
  if (auto permitted = check_making(running); !permitted) return std::move(permitted).error();
  if (enc_master_share.size() != sb3::kEncMasterShareSize) {
    return Error{ErrorCode::kInvalidArgument, "ENC(OEM_MASTER_SHARE) has 64 bytes", 0};
  }
  const auto sealed = array_of<sb3::kEncShareSize>(enc_master_share);
  const auto nonce = array_of<sb3::kShareNonceSize>(enc_master_share.subspan(sb3::kEncShareSize));
  const auto share = sb3::derive_share(crypto, running.family(), nonce, seed);
  if (!share) return share.error();
  const auto opened = sb3::open_share(crypto, running.family(), sealed);
  if (!opened && opened.error().code != ErrorCode::kOpenFailed) return opened.error();
  if (!opened || !equal_in_constant_time(opened->view(), share->view())) {
    return share_refused("the master share is of another family or another seed, or damaged");
  }
  auto hsm = with_share(crypto, running.family(), share->view(), sealed);
  if (hsm) hsm->enc_master_share_ = array_of<sb3::kEncMasterShareSize>(enc_master_share);
  return hsm;
}

Result<DeviceHsm> DeviceHsm::take_in(const Crypto& crypto, const ProvisioningSoftware& running,
                                     const sb3::EncShare& enc_share) {
  if (auto permitted = check_device_hsm(running); !permitted) return std::move(permitted).error();
  const auto share = sb3::open_share(crypto, running.family(), enc_share);
  if (!share) {
    if (share.error().code != ErrorCode::kOpenFailed) return share.error();
    return share_refused("the OEM share is of another family, or damaged");
  }
  return with_share(crypto, running.family(), share->view(), enc_share);
}

Result<ByteArray<DeviceHsm::kPublicKeySize>> DeviceHsm::certificate_public_key() const {
  const auto key = keys_.certificate_key();
  if (!key) return key.error();
  return array_of<kPublicKeySize>(key->public_xy());
}

Result<DeviceHsm::MadeKey> DeviceHsm::make_key(KeyType type) const {
  const auto wrapping_key = keys_.blob_key();
  if (!wrapping_key) return wrapping_key.error();
  MadeKey made;
  Result<Secret> key = Error{ErrorCode::kInvalidArgument, "no key of this type is made", 0};
  if (type == KeyType::kSigning) {
    const auto pair = keys_.signing_key(Curve::kP256);
    if (!pair) return pair.error();
    made.public_key = array_of<kPublicKeySize>(pair->public_xy());
    key = pair->scalar();
  } else if (type == KeyType::kEncryption) {
    key = keys_.part_common_key();
  }
  if (!key) return std::move(key).error();
  auto blob =
      wrap_with_header(*crypto_, wrapping_key->view(),
                       wrap_header(Kind::kBlob, static_cast<std::uint32_t>(type)), key->view());
  if (!blob) return std::move(blob).error();
  made.blob = *std::move(blob);
  return made;
}

Result<Secret> DeviceHsm::unwrap_blob(KeyType type, ByteView blob) const {
  const auto wrapping_key = keys_.blob_key();
  if (!wrapping_key) return wrapping_key.error();
  const auto plain = unwrap_key(*crypto_, wrapping_key->view(), blob);
  if (!plain) return plain.error();
  const auto header = wrap_header(Kind::kBlob, static_cast<std::uint32_t>(type));
  if (blob.size() != kKeyBlobSize ||
      !equal_in_constant_time(plain->view().first(kWrapHeader), header)) {
    return does_not_open();
  }
  return Secret::copy_of(plain->view().subspan(kWrapHeader));
}

Result<Bytes> DeviceHsm::wrap_stored_key(StoredKeyType type, ByteView key) const {
  const auto number = static_cast<std::uint32_t>(type);
  if (!known_stored_type(number) || (key.size() != 16 && key.size() != 32)) {
    return Error{ErrorCode::kInvalidArgument, "keys to store have 16 or 32 bytes and a known type",
                 0};
  }
  const auto wrapping_key = keys_.store_key();
  if (!wrapping_key) return wrapping_key.error();
  return wrap_with_header(*crypto_, wrapping_key->view(), wrap_header(Kind::kStored, number), key);
}

Result<DeviceHsm::StoredKey> DeviceHsm::unwrap_stored_key(ByteView wrapped) const {
  const auto wrapping_key = keys_.store_key();
  if (!wrapping_key) return wrapping_key.error();
  const auto plain = unwrap_key(*crypto_, wrapping_key->view(), wrapped);
  if (!plain) return plain.error();
  const auto key = plain->view().subspan(kWrapHeader);
  const std::uint32_t type = Reader(plain->view().subspan(6, 2)).u16();
  if (!equal_in_constant_time(plain->view().first(kWrapHeader), wrap_header(Kind::kStored, type)) ||
      !known_stored_type(type) || (key.size() != 16 && key.size() != 32)) {
    return does_not_open();
  }
  return StoredKey{static_cast<StoredKeyType>(type), Secret::copy_of(key)};
}

Status DeviceHsm::encrypt_block(ByteView key_blob, ByteView header, std::uint32_t number,
                                MutableByteView data) const {
  if (number == 0 || data.size() != sb3::kDataSize) {
    return Error{ErrorCode::kInvalidArgument, "blocks are counted from 1 and have 256 bytes", 0};
  }
  // A template: neither its counts nor its lengths are those of the file to be.
  const auto parsed = sb3::parse_header(header);
  if (!parsed) return parsed.error();
  const auto key = unwrap_blob(KeyType::kEncryption, key_blob);
  if (!key) return key.error();
  const auto cipher = sb3::BlockCipher::create(*crypto_, key->view(), parsed->timestamp,
                                               parsed->variant.key_bits());
  if (!cipher) return cipher.error();
  return cipher->encrypt(number, data);
}

Result<Bytes> DeviceHsm::sign(ByteView key_blob, ByteView data) const {
  const auto scalar = unwrap_blob(KeyType::kSigning, key_blob);
  if (!scalar) return scalar.error();
  const auto key = EcPrivateKey::from_scalar(*crypto_, Curve::kP256, scalar->view());
  if (!key) return key.error();
  return key->sign(*crypto_, {data});
}

Result<sb3::Authority> DeviceHsm::authority(const sb3::Variant& variant) const {
  const auto signer = keys_.signing_key(variant.curve);
  if (!signer) return signer.error();
  auto key = keys_.part_common_key();
  if (!key) return std::move(key).error();
  const auto xy = signer->public_xy();
  return sb3::Authority{Bytes(xy.begin(), xy.end()), *std::move(key)};
}

}  // namespace tallystick::core
