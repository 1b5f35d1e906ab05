// Assets: sealed as data with K_ENCD and K_X, as keys with K_ENCK, and opened again
// (CKM_TS_SEAL, CKM_TS_OPEN).
#include <algorithm>
#include <cstring>

#include "core/crypto/curve_oids.h"
#include "core/crypto/pkcs8.h"
#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"

namespace tallystick::token {
namespace {

using core::kChunkSize;
using core::kSealedChunkSize;
using core::kSealPrefix;

// Assets of one C_Encrypt or C_Decrypt stay in memory that the caller provides; 64 MiB as data and
// everything that is a key fit easily.
constexpr std::size_t kMostPkcs8 = 64UL * 1024;

// Writes a stream's pieces one behind the other into a caller's buffer.
class Collector {
 public:
  explicit Collector(core::MutableByteView out) : out_(out) {}
  core::ByteSink sink() {
    return [this](core::ByteView piece) -> core::Status {
      if (piece.size() > out_.size() - at_) {
        return core::Error{core::ErrorCode::kInvalidArgument, "the output buffer is too small", 0};
      }
      if (!piece.empty()) std::memcpy(out_.data() + at_, piece.data(), piece.size());
      at_ += piece.size();
      return {};
    };
  }
  [[nodiscard]] std::size_t written() const { return at_; }

 private:
  core::MutableByteView out_;
  std::size_t at_ = 0;
};

Fault length_differs() {
  return fault(CKR_DATA_LEN_RANGE, "the asset is not as long as its context says");
}

class SealOperation : public CipherOperation {
 public:
  explicit SealOperation(core::AssetSealer sealer)
      : length_(sealer.asset.entry.plaintext_length), stream_(std::move(sealer.stream)) {}

  [[nodiscard]] Outcome<std::size_t> once_size(std::size_t in) const override {
    const auto size = core::sealed_length(in);
    if (!size) return fault(CKR_DATA_LEN_RANGE, size.error().message);
    return static_cast<std::size_t>(*size);
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    auto first = update(in, out);
    if (!first) return first;
    auto last = finish(out.subspan(*first));
    if (!last) return last;
    return *first + *last;
  }
  // The prefix, and a chunk for every 16 KiB that are complete, begun ones included.
  [[nodiscard]] Outcome<std::size_t> update_size(std::size_t in) const override {
    if (in > length_) return length_differs();
    return kSealPrefix + (in / kChunkSize + 1) * kSealedChunkSize;
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    if (in.size() > length_ - taken_) return length_differs();
    taken_ += in.size();
    Collector collector(out);
    if (auto fed = stream_.update(in, collector.sink()); !fed) {
      return from_core(fed.error(), CKR_FUNCTION_FAILED);
    }
    return collector.written();
  }
  [[nodiscard]] Outcome<std::size_t> finish_size() const override {
    return kSealPrefix + kSealedChunkSize;
  }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    if (taken_ != length_) return length_differs();
    Collector collector(out);
    if (auto ended = stream_.finish(collector.sink()); !ended) {
      return from_core(ended.error(), CKR_FUNCTION_FAILED);
    }
    return collector.written();
  }

 private:
  std::uint64_t length_;
  std::uint64_t taken_ = 0;
  core::Sealer stream_;
};

class OpenOperation : public CipherOperation {
 public:
  explicit OpenOperation(core::AssetOpener opener)
      : length_(opener.asset.entry.sealed_length), stream_(std::move(opener.stream)) {}

  [[nodiscard]] Outcome<std::size_t> once_size(std::size_t in) const override { return in; }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    auto first = update(in, out);
    if (!first) return first;
    auto last = finish(out.subspan(*first));
    if (!last) {
      core::wipe(out);  // in one piece it is all or nothing
      return last;
    }
    return *first + *last;
  }
  [[nodiscard]] Outcome<std::size_t> update_size(std::size_t in) const override {
    return (in / kSealedChunkSize + 1) * kChunkSize;
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    if (in.size() > length_ - taken_) return does_not_open();
    taken_ += in.size();
    Collector collector(out);
    if (!stream_.update(in, collector.sink())) {
      core::wipe(out.first(collector.written()));
      return does_not_open();
    }
    return collector.written();
  }
  [[nodiscard]] Outcome<std::size_t> finish_size() const override { return kChunkSize; }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    Collector collector(out);
    if (taken_ != length_ || !stream_.finish(collector.sink())) return does_not_open();
    return collector.written();
  }

 private:
  static Fault does_not_open() {
    return fault(CKR_ENCRYPTED_DATA_INVALID, "the sealed asset does not open");
  }

  std::uint64_t length_;
  std::uint64_t taken_ = 0;
  core::Opener stream_;
};

struct KeyAndSoftware {
  std::shared_ptr<const AssetKeyPayload> key;
  Running running;
};

Outcome<KeyAndSoftware> asset_key_and_software(const Context& context, const Object& object) {
  auto key = asset_key_of(object);
  if (!key) return std::move(key).error();
  auto running = Running::find(context, (*key)->key.context.family_id);
  if (!running) return std::move(running).error();
  return KeyAndSoftware{*std::move(key), *std::move(running)};
}

Outcome<std::unique_ptr<CipherOperation>> encrypt(const OperationInput& input) {
  auto both = asset_key_and_software(input.context, *input.key);
  if (!both) return std::move(both).error();
  auto sealer = both->running.software().seal_asset(both->key->key, input.parameter.bytes());
  if (!sealer) return from_core(sealer.error(), CKR_MECHANISM_PARAM_INVALID);
  return std::unique_ptr<CipherOperation>(std::make_unique<SealOperation>(*std::move(sealer)));
}

Outcome<std::unique_ptr<CipherOperation>> decrypt(const OperationInput& input) {
  auto both = asset_key_and_software(input.context, *input.key);
  if (!both) return std::move(both).error();
  // Only what is the part itself reads data assets in clear.
  if (both->running.family().role != core::FamilyRole::kPart) {
    return not_permitted("only a token that is the part opens data assets");
  }
  auto opener = both->running.software().open_asset(both->key->key, input.parameter.bytes());
  if (!opener) return from_core(opener.error(), CKR_MECHANISM_PARAM_INVALID);
  return std::unique_ptr<CipherOperation>(std::make_unique<OpenOperation>(*std::move(opener)));
}

// A private key as a package carries it: the PKCS#8 DER that libcrypto writes.
Outcome<core::Secret> private_key_bytes(const core::Crypto& crypto, const Object& key) {
  auto pkey = key.pkey(crypto);
  if (!pkey) return std::move(pkey).error();
  auto der = core::pkcs8_der(*pkey);
  if (!der) return from_core(der.error(), CKR_KEY_NOT_WRAPPABLE);
  return *std::move(der);
}

Outcome<core::Secret> key_bytes(const core::Crypto& crypto, const Object& key) {
  if (key.object_class() == CKO_SECRET_KEY) return core::Secret::copy_of(key.value());
  if (key.object_class() == CKO_PRIVATE_KEY) return private_key_bytes(crypto, key);
  return fault(CKR_KEY_NOT_WRAPPABLE, "only keys are sealed with K_ENCK");
}

// Of the managed keys only generated assets go into packages: all others are not extractable but
// OEM_SHARE, which is of a type of ours and leaves by its own blobs only.
bool is_generated_asset(const Object& key) {
  const bool standard_type = (key.key_type() & CKK_VENDOR_DEFINED) == 0;
  return key.flag(CKA_EXTRACTABLE) && standard_type;
}

// The entry's kind is that of the key, and a generated asset is one of this very share set.
Outcome<void> check_kind(const core::AssetContext& asset, const Object& key) {
  const bool is_private = key.object_class() == CKO_PRIVATE_KEY;
  const auto kind = is_private ? core::AssetKind::kPrivateKey : core::AssetKind::kSecretKey;
  if (asset.entry.kind != kind) return bad_parameter("the asset's kind is not that of the key");
  const bool says_generated = (asset.entry.flags & core::kAssetGenerated) != 0;
  if (says_generated != key.managed()) {
    return bad_parameter("the asset's generated flag does not fit the key");
  }
  if (!key.managed()) return {};
  const auto share_id = key.attributes().bytes(CKA_TS_SHARE_ID);
  if (!is_generated_asset(key) ||
      !core::equal_in_constant_time(share_id, asset.header.context.share_id)) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "a generated asset is sealed in its own share set only");
  }
  return {};
}

Outcome<core::Bytes> wrap(const WrapInput& input) {
  auto both = asset_key_and_software(input.context, *input.wrapping_key);
  if (!both) return std::move(both).error();
  auto sealer = both->running.software().seal_asset(both->key->key, input.parameter.bytes());
  if (!sealer) return from_core(sealer.error(), CKR_MECHANISM_PARAM_INVALID);
  if (auto fits = check_kind(sealer->asset, *input.key); !fits) return std::move(fits).error();
  auto plaintext = key_bytes(input.context.crypto, *input.key);
  if (!plaintext) return std::move(plaintext).error();
  if (plaintext->size() != sealer->asset.entry.plaintext_length) {
    return bad_parameter("the asset's length is not that of the key");
  }
  core::Bytes out(static_cast<std::size_t>(sealer->asset.entry.sealed_length));
  Collector collector(out);
  auto done = sealer->stream.update(plaintext->view(), collector.sink());
  if (done) done = sealer->stream.finish(collector.sink());
  if (!done) return from_core(done.error(), CKR_FUNCTION_FAILED);
  return out;
}

// Lengths are not compared yet: this is how a caller learns what to write into the context.
Outcome<std::size_t> wrapped_size(const WrapInput& input) {
  auto plaintext = key_bytes(input.context.crypto, *input.key);
  if (!plaintext) return std::move(plaintext).error();
  const auto size = core::sealed_length(plaintext->size());
  if (!size) return from_core(size.error(), CKR_KEY_NOT_WRAPPABLE);
  return static_cast<std::size_t>(*size);
}

Fault key_does_not_open() { return fault(CKR_WRAPPED_KEY_INVALID, "the sealed key does not open"); }

// What an opened key may be used for: one mechanism for each use, by its type.
struct OpenedUse {
  CK_KEY_TYPE key_type;
  std::uint8_t flag;
  CK_MECHANISM_TYPE mechanism;
};
constexpr std::array<OpenedUse, 5> kOpenedUses = {{
    {CKK_AES, core::kAssetSign, CKM_AES_CMAC},
    {CKK_AES, core::kAssetDecrypt, CKM_AES_GCM},
    {CKK_AES, core::kAssetUnwrap, CKM_AES_KEY_WRAP_KWP},
    {CKK_GENERIC_SECRET, core::kAssetSign, CKM_SHA256_HMAC},
    {CKK_SHA256_HMAC, core::kAssetSign, CKM_SHA256_HMAC},
}};

void grant_uses(AttributeSet& attributes, CK_KEY_TYPE key_type, bool symmetric,
                std::uint8_t flags) {
  std::vector<CK_ULONG> mechanisms;
  for (const auto& use : kOpenedUses) {
    if (use.key_type == key_type && (flags & use.flag) != 0) mechanisms.push_back(use.mechanism);
  }
  attributes.set_numbers(CKA_ALLOWED_MECHANISMS, mechanisms);
  attributes.set_flag(CKA_SIGN, (flags & core::kAssetSign) != 0);
  if (symmetric) attributes.set_flag(CKA_VERIFY, (flags & core::kAssetSign) != 0);
  attributes.set_flag(CKA_DECRYPT, (flags & core::kAssetDecrypt) != 0);
  attributes.set_flag(CKA_DERIVE, (flags & core::kAssetDerive) != 0);
  attributes.set_flag(CKA_UNWRAP, (flags & core::kAssetUnwrap) != 0);
}

// A secret key takes its type from the template: the package says only that it is one.
Outcome<Draft> opened_secret(const Template& wanted, const core::AssetContext& asset,
                             core::Secret value) {
  auto key_type = wanted.number(CKA_KEY_TYPE);
  if (!key_type) return std::move(key_type).error();
  const auto type = key_type->value_or(CKK_GENERIC_SECRET);
  if (type != CKK_AES && type != CKK_GENERIC_SECRET && type != CKK_SHA256_HMAC) {
    return bad_template("a symmetric asset is an AES, HMAC or generic secret key");
  }
  if (!check_secret_length(type, value.size())) {
    return bad_template("the asset is not as long as keys of this type are");
  }
  Draft draft;
  draft.managed = true;
  draft.attributes = managed_attributes(type, {});
  draft.attributes.set_number(CKA_VALUE_LEN, value.size());
  grant_uses(draft.attributes, type, true, asset.entry.flags);
  draft.value = share(std::move(value));
  return draft;
}

// Parsed only now, after its last tag (rule 9 of the threat model).
Outcome<Draft> opened_private(const core::Crypto& crypto, const core::AssetContext& asset,
                              core::ByteView pkcs8) {
  const auto key = core::parse_pkcs8(crypto, pkcs8);
  if (!key) return key_does_not_open();
  for (const auto curve : {core::Curve::kP256, core::Curve::kP384}) {
    auto public_key = core::EcPublicKey::from_pkey(crypto, curve, key->get());
    if (!public_key) continue;
    BIGNUM* number = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key->get(), "priv", &number) == 1;
    const core::BnPtr owner(number);
    core::Secret scalar(core::field_size(curve));
    if (!read || BN_bn2binpad(number, scalar.span().data(), static_cast<int>(scalar.size())) < 0) {
      return key_does_not_open();
    }
    Draft draft;
    draft.managed = true;
    draft.attributes = managed_attributes(CKK_EC, {});
    draft.attributes.set_number(CKA_CLASS, CKO_PRIVATE_KEY);
    draft.attributes.set(CKA_EC_PARAMS, core::curve_oid(curve));
    grant_uses(draft.attributes, CKK_EC, false, asset.entry.flags);
    if ((asset.entry.flags & core::kAssetSign) != 0) {
      const std::array<CK_ULONG, 1> mechanisms = {curve == core::Curve::kP256 ? CKM_ECDSA_SHA256
                                                                              : CKM_ECDSA_SHA384};
      draft.attributes.set_numbers(CKA_ALLOWED_MECHANISMS, mechanisms);
    }
    draft.value = share(std::move(scalar));
    return draft;
  }
  return fault(CKR_KEY_TYPE_INCONSISTENT, "the token holds private assets on P-256 and P-384");
}

Outcome<core::Secret> open_whole(core::AssetOpener& opener, core::ByteView blob) {
  if (blob.size() != opener.asset.entry.sealed_length || blob.size() > kMostPkcs8) {
    return key_does_not_open();
  }
  core::Secret out(blob.size());
  Collector collector(out.span());
  auto done = opener.stream.update(blob, collector.sink());
  if (done) done = opener.stream.finish(collector.sink());
  if (!done) return key_does_not_open();
  out.truncate(collector.written());
  return out;
}

Outcome<Produced> unwrap(const UnwrapInput& input) {
  auto both = asset_key_and_software(input.context, *input.unwrapping_key);
  if (!both) return std::move(both).error();
  auto opener = both->running.software().open_asset(both->key->key, input.parameter.bytes());
  if (!opener) return from_core(opener.error(), CKR_MECHANISM_PARAM_INVALID);
  auto value = open_whole(*opener, input.blob);
  if (!value) return std::move(value).error();
  auto draft = opener->asset.entry.kind == core::AssetKind::kPrivateKey
                   ? opened_private(input.context.crypto, opener->asset, value->view())
                   : opened_secret(input.wanted, opener->asset, *std::move(value));
  if (!draft) return std::move(draft).error();
  draft->attributes.set_text(CKA_LABEL, opener->asset.entry.name);
  set_context(draft->attributes, both->key->key.context, both->key->key.role);
  return Produced{*std::move(draft), {}, nullptr};
}

}  // namespace

void register_ts_seal(MechanismTable& table) {
  Mechanism seal;
  seal.type = CKM_TS_SEAL;
  seal.key_types = {CKK_TS_ASSET_KEY};
  seal.authenticated = true;
  seal.for_managed = true;
  seal.carries_managed = true;
  seal.encrypt = encrypt;
  seal.wrapped_size = wrapped_size;
  seal.wrap = wrap;
  table.add(std::move(seal));

  Mechanism open;
  open.type = CKM_TS_OPEN;
  open.key_types = {CKK_TS_ASSET_KEY};
  open.authenticated = true;
  open.for_managed = true;
  open.decrypt = decrypt;
  open.unwrap = unwrap;
  table.add(std::move(open));
}

}  // namespace tallystick::token
