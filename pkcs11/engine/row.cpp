#include "pkcs11/engine/row.h"

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/mac.h"
#include "pkcs11/engine/policy.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::uint8_t kBodyVersion = 1;
constexpr std::uint8_t kManagedBit = 1;

// The number that a null value has in a body, where lengths stand.
constexpr std::uint8_t kNoValue = 0;
constexpr std::uint8_t kHasValue = 1;

core::Bytes associated_data(const TokenId& token_id, const ObjectRow& row) {
  core::Writer out;
  out.text("TSRW").u16(1).bytes(token_id).bytes(row.id).u64(row.object_class);
  out.u8(static_cast<std::uint8_t>(row.tier)).u64(row.generation).u64(row.policy);
  out.lv(row.group).u64(row.epoch).lv(row.job);
  return out.take();
}

// u8 version ‖ u8 flags ‖ lv(attributes) ‖ u8 has value ‖ lv(value)
core::Secret body_of(const Object& object) {
  core::WipedWriter head;
  head.u8(kBodyVersion).u8(object.managed() ? kManagedBit : 0).lv(encode(object.attributes()));
  head.u8(object.shared_value() ? kHasValue : kNoValue);
  head.u32(static_cast<std::uint32_t>(object.value().size()));
  core::Secret body(head.size() + object.value().size());
  std::ranges::copy(head.view(), body.span().begin());
  std::ranges::copy(object.value(), body.span().subspan(head.size()).begin());
  return body;
}

Fault damaged() { return fault(CKR_DEVICE_ERROR, "a stored object was changed or damaged"); }

}  // namespace

Outcome<core::Bytes> seal_bytes(const core::Crypto& crypto, core::ByteView key, core::ByteView aad,
                                core::ByteView plaintext) {
  auto aead = core::Aead::create(crypto, core::AeadAlgorithm::kGcm, key);
  if (!aead) return from_core(aead.error(), CKR_FUNCTION_FAILED);
  core::Bytes out(kNonceSize + plaintext.size() + core::Aead::kTagSize);
  const core::MutableByteView all(out);
  const auto nonce = all.first(kNonceSize);
  if (auto filled = crypto.random(nonce); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  if (auto sealed = aead->seal(nonce, aad, plaintext, all.subspan(kNonceSize)); !sealed) {
    return from_core(sealed.error(), CKR_FUNCTION_FAILED);
  }
  return out;
}

Outcome<core::Secret> open_bytes(const core::Crypto& crypto, core::ByteView key, core::ByteView aad,
                                 core::ByteView sealed, CK_RV refused) {
  constexpr auto kOverhead = kNonceSize + core::Aead::kTagSize;
  if (sealed.size() < kOverhead) return fault(refused, "sealed bytes are cut short");
  auto aead = core::Aead::create(crypto, core::AeadAlgorithm::kGcm, key);
  if (!aead) return from_core(aead.error(), CKR_FUNCTION_FAILED);
  core::Secret out(sealed.size() - kOverhead);
  if (auto opened =
          aead->open(sealed.first(kNonceSize), aad, sealed.subspan(kNonceSize), out.span());
      !opened) {
    return from_core(opened.error(), refused);
  }
  return out;
}

Outcome<void> RowSealer::key(Tier tier, core::Secret key) {
  const auto at = static_cast<std::size_t>(tier);
  auto tag_key = core::hmac_secret(*crypto_, core::Hash::kSha256, key.view(),
                                   {core::bytes_of("Tallystick search tags")});
  if (!tag_key) return from_core(tag_key.error(), CKR_FUNCTION_FAILED);
  keys_[at] = std::move(key);
  tag_keys_[at] = *std::move(tag_key);
  return {};
}

Outcome<std::uint64_t> RowSealer::tag(Tier tier, std::size_t tag, core::ByteView value) const {
  const auto& key = tag_keys_[static_cast<std::size_t>(tier)];
  if (key.empty()) return kNoTag;
  const auto which = static_cast<std::uint8_t>(tag);
  core::ByteArray<32> hash{};
  if (auto done = core::hmac(*crypto_, core::Hash::kSha256, key.view(), {{&which, 1}, value}, hash);
      !done) {
    return from_core(done.error(), CKR_FUNCTION_FAILED);
  }
  const auto number = core::Reader(hash).u64();
  return number == kNoTag ? 1 : number;
}

Outcome<ObjectRow> RowSealer::seal(const Object& object) const {
  ObjectRow row;
  row.id = object.id();
  row.object_class = object.object_class();
  row.tier = object.tier();
  row.generation = object.generation();
  row.policy = policy_bits(object.attributes());
  const auto& key = keys_[static_cast<std::size_t>(row.tier)];
  if (key.empty()) return not_logged_in();
  auto sealed =
      seal_bytes(*crypto_, key.view(), associated_data(token_id_, row), body_of(object).view());
  if (!sealed) return std::move(sealed).error();
  row.sealed = *std::move(sealed);
  for (std::size_t i = 0; i < kTagCount; ++i) {
    auto made = tag(row.tier, i, object.attributes().bytes(kTagged[i]));
    if (!made) return std::move(made).error();
    row.tags[i] = *made;
  }
  return row;
}

Outcome<ObjectPtr> RowSealer::open(const ObjectRow& row) const {
  const auto& key = keys_[static_cast<std::size_t>(row.tier)];
  if (key.empty()) return not_logged_in();
  auto body = open_bytes(*crypto_, key.view(), associated_data(token_id_, row), row.sealed,
                         CKR_DEVICE_ERROR);
  if (!body) return std::move(body).error();

  core::Reader reader(body->view());
  if (reader.u8() != kBodyVersion) return damaged();
  const auto flags = reader.u8();
  auto attributes = decode_attributes(reader.lv());
  const auto has_value = reader.u8();
  const auto value = reader.lv();
  if (!reader.done() || !attributes || flags > kManagedBit || has_value > kHasValue) {
    return damaged();
  }
  Draft draft;
  draft.attributes = *std::move(attributes);
  if (has_value == kHasValue) draft.value = share(core::Secret::copy_of(value));
  draft.managed = (flags & kManagedBit) != 0;
  draft.immutable = row.tier == Tier::kImmutable;
  auto object = Object::make(row.id, row.generation, std::move(draft));
  if (object->object_class() != row.object_class || object->tier() != row.tier ||
      policy_bits(object->attributes()) != row.policy) {
    return damaged();
  }
  return object;
}

}  // namespace tallystick::token
