#include "pkcs11/engine/nonce_book.h"

#include "core/crypto/crypto.h"

namespace tallystick::token {
namespace {

// SP 800-38D sections 8.2.2 and 8.3: a random part of 96 bits at least, and 2^32 messages.
constexpr CK_ULONG kLeastRandomBits = 96;
constexpr std::uint64_t kMostRandom = std::uint64_t{1} << 32;
constexpr std::size_t kCleanEvery = 1024;

// Puts the bits of `made` after the first `fixed_bits` into `iv`.
void combine(core::ByteView made, CK_ULONG fixed_bits, core::MutableByteView iv) {
  const auto whole = static_cast<std::size_t>(fixed_bits / 8);
  for (std::size_t i = whole; i < iv.size(); ++i) {
    const unsigned kept = i == whole ? (0xFFU << (8 - fixed_bits % 8)) & 0xFFU : 0U;
    iv[i] = static_cast<std::uint8_t>((iv[i] & kept) | (made[i] & ~kept));
  }
}

}  // namespace

Outcome<void> NonceSource::fill(const core::Crypto& crypto, const NonceRule& rule,
                                core::MutableByteView iv) {
  if (rule.fixed_bits >= 8 * iv.size()) return bad_parameter("nothing of the IV is left to make");
  switch (rule.generator) {
    case CKG_GENERATE:
    case CKG_GENERATE_RANDOM:
      return fill_random(crypto, rule.fixed_bits, iv);
    case CKG_GENERATE_COUNTER:
    case CKG_GENERATE_COUNTER_XOR:
      return fill_counted(rule, iv);
    default:
      return bad_parameter("no such way to make an IV");
  }
}

Outcome<void> NonceSource::fill_random(const core::Crypto& crypto, CK_ULONG fixed_bits,
                                       core::MutableByteView iv) {
  if (8 * iv.size() - fixed_bits < kLeastRandomBits) {
    return bad_parameter("random IVs need 96 bits that are not fixed");
  }
  {
    const Lock lock(mutex_);
    if (random_ >= kMostRandom) return fault(CKR_KEY_EXHAUSTED, "the key has had 2^32 random IVs");
    ++random_;
  }
  core::Bytes made(iv.size());
  if (auto filled = crypto.random(made); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  combine(made, fixed_bits, iv);
  return {};
}

Outcome<void> NonceSource::fill_counted(const NonceRule& rule, core::MutableByteView iv) {
  Shape shape{rule.generator, rule.fixed_bits, core::Bytes(iv.size())};
  if (rule.generator == CKG_GENERATE_COUNTER_XOR) combine(iv, rule.fixed_bits, shape.base);
  const auto bits = 8 * iv.size() - rule.fixed_bits;

  std::uint64_t number = 0;
  {
    const Lock lock(mutex_);
    if (shape_.generator == CKG_NO_GENERATE) shape_ = shape;
    if (shape_ != shape) return bad_parameter("the key's IVs are counted in another shape");
    const bool spent = counter_ == UINT64_MAX || (bits < 64 && (counter_ >> bits) != 0);
    if (spent) return fault(CKR_KEY_EXHAUSTED, "the key has had every IV of this shape");
    number = counter_++;
  }
  auto made = std::move(shape.base);
  for (std::size_t i = 0; i < sizeof number && i < made.size(); ++i) {
    made[made.size() - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
  }
  combine(made, rule.fixed_bits, iv);
  return {};
}

std::shared_ptr<NonceSource> NonceBook::source(const Object& key) {
  const auto& value = key.shared_value();
  const Lock lock(mutex_);
  // What belonged to keys that are gone goes from time to time.
  if (entries_.size() >= cleaned_at_ + kCleanEvery) {
    std::erase_if(entries_, [](const auto& item) { return item.second.value.expired(); });
    cleaned_at_ = entries_.size();
  }
  auto& entry = entries_[value.get()];
  // Another key may have had the same place in memory before.
  if (entry.value.lock() != value || !entry.source) {
    entry = {value, std::make_shared<NonceSource>()};
  }
  return entry.source;
}

}  // namespace tallystick::token
