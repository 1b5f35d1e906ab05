#include "devicesim/line/key_provisioning.h"

#include <algorithm>
#include <functional>

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/ts1/seal.h"

namespace tallystick::device {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;
using core::Secret;
using core::Status;

namespace {

constexpr std::string_view kStorePurpose = "TSDH/KEYSTORE";
constexpr std::string_view kBlobPurpose = "TSDH/KEYBLOB";

// A key blob: "TSKB" ‖ u8(1) ‖ u8 selection ‖ u16 length of the key ‖ salt(32) ‖ AES-256-GCM of the
// key, its tag last. Key and nonce are HKDF-SHA-256(salt, the part's key, header, 44).
constexpr std::string_view kBlobMagic = "TSKB";
constexpr std::size_t kBlobHeader = 8;
constexpr std::size_t kBlobSalt = 32;

Error invalid(const char* why) { return {ErrorCode::kInvalidArgument, why}; }
Error no_store() { return invalid("there is no key store: enroll or read one first"); }
Error does_not_open() { return {ErrorCode::kOpenFailed, "the blob does not open on this part"}; }

bool aes_size(std::size_t size) { return size == 16 || size == 24 || size == 32; }

struct BlobCipher {
  core::Aead aead;
  core::ByteArray<12> nonce;
};
Result<BlobCipher> blob_cipher(const Part& part, ByteView header, ByteView salt) {
  const auto unique = part.derive_unique_key(kBlobPurpose);
  if (!unique) return unique.error();
  const auto derived =
      core::hkdf(part.crypto(), core::Hash::kSha256, salt, unique->view(), header, 44);
  if (!derived) return derived.error();
  auto aead =
      core::Aead::create(part.crypto(), core::AeadAlgorithm::kGcm, derived->view().first(32));
  if (!aead) return std::move(aead).error();
  return BlobCipher{*std::move(aead), core::array_of<12>(derived->view().subspan(32))};
}

}  // namespace

// Collects the host's bytes, few as they are, and hands them on when all are there.
class KeyProvisioning::Receiving : public Transfer {
 public:
  using Take = std::function<Status(Secret)>;
  explicit Receiving(Take take) : take_(std::move(take)) {}

  Status write(ByteView data) override {
    if (data.size() > kMostData - data_.size()) return invalid("no key is that long");
    data_.insert(data_.end(), data.begin(), data.end());
    return {};
  }
  Status finish() override { return take_(Secret::copy_of(data_)); }

 private:
  Take take_;
  core::WipedBytes data_;
};

void KeyProvisioning::clear() {
  keys_.reset();
  data_key_ = {};
}

Status KeyProvisioning::enroll(const Part& part) {
  if (auto permitted = part.check_nxp_commands("enroll"); !permitted) return permitted;
  auto keys = ProvisionedKeys::enroll(part.crypto());
  if (!keys) return std::move(keys).error();
  keys_ = *std::move(keys);
  return {};
}

Status KeyProvisioning::make_key(const Part& part, std::uint32_t type, std::uint32_t size) {
  if (auto permitted = part.check_nxp_commands("make a key"); !permitted) return permitted;
  if (!keys_) return no_store();
  return keys_->make(part.crypto(), type, size);
}

Status KeyProvisioning::write(Part& part) const {
  if (auto permitted = part.check_nxp_commands("write the key store"); !permitted) {
    return permitted;
  }
  return keys_ ? part.store_keys(*keys_) : no_store();
}

Status KeyProvisioning::read(const Part& part) {
  if (auto permitted = part.check_nxp_commands("read the key store"); !permitted) return permitted;
  auto stored = part.stored_keys();
  if (!stored) return std::move(stored).error();
  if (!stored->has_value()) return invalid("no key store was written");
  keys_ = *std::move(stored);
  return {};
}

Result<TransferPtr> KeyProvisioning::set_user_key(const Part& part, std::uint32_t type) {
  if (auto permitted = part.check_nxp_commands("set a key"); !permitted) return permitted.error();
  if (!keys_) return no_store();
  return TransferPtr(std::make_unique<Receiving>(
      [this, type](const Secret& key) { return keys_->set(type, key.view()); }));
}

Result<TransferPtr> KeyProvisioning::take_sealed(const Part& part) {
  if (auto permitted = part.check_nxp_commands("take a key store"); !permitted) {
    return permitted.error();
  }
  return TransferPtr(std::make_unique<Receiving>([this, &part](const Secret& sealed) -> Status {
    const auto key = part.derive_unique_key(kStorePurpose);
    if (!key) return key.error();
    const auto plain = core::open(part.crypto(), core::Suite::kGcm, key->view(),
                                  core::bytes_of(kStorePurpose), sealed.view());
    if (!plain) return does_not_open();
    auto keys = ProvisionedKeys::decode(plain->view());
    if (!keys) return std::move(keys).error();
    keys_ = *std::move(keys);
    return {};
  }));
}

Result<core::Bytes> KeyProvisioning::give_sealed(const Part& part) const {
  if (auto permitted = part.check_nxp_commands("give the key store"); !permitted) {
    return permitted.error();
  }
  if (!keys_) return no_store();
  const auto key = part.derive_unique_key(kStorePurpose);
  if (!key) return key.error();
  return core::seal(part.crypto(), core::Suite::kGcm, key->view(), core::bytes_of(kStorePurpose),
                    keys_->encode());
}

Result<TransferPtr> KeyProvisioning::take_data_key(const Part& part, std::uint32_t selection) {
  if (auto permitted = part.check_nxp_commands("make a key blob"); !permitted) {
    return permitted.error();
  }
  if (selection >= kKeySelections) return invalid("no such key to wrap with");
  return TransferPtr(std::make_unique<Receiving>([this, selection](Secret key) -> Status {
    if (!aes_size(key.size())) return invalid("data keys have 16, 24 or 32 bytes");
    data_key_ = std::move(key);
    data_key_selection_ = selection;
    return {};
  }));
}

Result<core::Bytes> KeyProvisioning::give_key_blob(const Part& part,
                                                   std::uint32_t selection) const {
  if (auto permitted = part.check_nxp_commands("make a key blob"); !permitted) {
    return permitted.error();
  }
  if (data_key_.empty() || selection != data_key_selection_) {
    return invalid("there is no data key: send it first, with the same selection");
  }
  core::Writer header;
  header.text(kBlobMagic).u8(1).u8(static_cast<std::uint8_t>(selection));
  header.u16(static_cast<std::uint16_t>(data_key_.size()));
  core::ByteArray<kBlobSalt> salt{};
  if (auto filled = part.crypto().random(salt); !filled) return std::move(filled).error();
  auto cipher = blob_cipher(part, header.view(), salt);
  if (!cipher) return std::move(cipher).error();
  core::Bytes sealed(data_key_.size() + core::Aead::kTagSize);
  if (auto done = cipher->aead.seal(cipher->nonce, header.view(), data_key_.view(), sealed);
      !done) {
    return std::move(done).error();
  }
  core::Writer out;
  out.bytes(header.view()).bytes(salt).bytes(sealed);
  return out.take();
}

Result<Secret> open_key_blob(const Part& part, ByteView blob) {
  constexpr auto kAround = kBlobHeader + kBlobSalt + core::Aead::kTagSize;
  if (blob.size() < kAround || !aes_size(blob.size() - kAround)) return does_not_open();
  const auto header = blob.first(kBlobHeader);
  core::Reader in(header);
  const auto magic = core::text_of(in.take(kBlobMagic.size()));
  const auto version = in.u8();
  const auto selection = in.u8();
  if (magic != kBlobMagic || version != 1 || selection >= KeyProvisioning::kKeySelections ||
      in.u16() != blob.size() - kAround) {
    return does_not_open();
  }
  auto cipher = blob_cipher(part, header, blob.subspan(kBlobHeader, kBlobSalt));
  if (!cipher) return std::move(cipher).error();
  Secret key(blob.size() - kAround);
  const auto sealed = blob.subspan(kBlobHeader + kBlobSalt);
  if (!cipher->aead.open(cipher->nonce, header, sealed, key.span())) return does_not_open();
  return key;
}

}  // namespace tallystick::device
