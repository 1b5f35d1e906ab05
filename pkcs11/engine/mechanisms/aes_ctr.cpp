#include "pkcs11/engine/mechanisms/aes_ctr.h"

#include <algorithm>
#include <limits>

#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {
namespace {

constexpr CK_ULONG kBlockBits = 128;
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

using CounterBlock = core::ByteArray<16>;

// How many bytes there are before a counter in the last `bits` bits of the block begins anew. It
// would carry into what stands before it, or give the first key stream again; no message may go so
// far. A counter of the whole block wraps as libcrypto does it and cannot come round.
std::uint64_t bytes_before_wrap(const CounterBlock& block, CK_ULONG bits) {
  if (bits == kBlockBits) return kNoLimit;
  // Blocks that are left: 2^bits - counter, as the complement of the counter, plus one.
  std::uint64_t left = 0;
  for (CK_ULONG at = 0; at < bits; ++at) {
    const auto byte = block[15 - at / 8];
    if ((byte >> (at % 8) & 1U) != 0) continue;
    if (at >= 59) return kNoLimit;
    left |= std::uint64_t{1} << at;
  }
  return (left + 1) * block.size();
}

class CtrCipher final : public CipherOperation {
 public:
  CtrCipher(LentCipherPtr context, std::uint64_t limit, bool encrypting)
      : context_(std::move(context)), left_(limit), encrypting_(encrypting) {}

  Outcome<std::size_t> once_size(std::size_t in) const override { return update_size(in); }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    return update(in, out);
  }
  Outcome<std::size_t> update_size(std::size_t in) const override {
    if (in > kLargestPart) return wrong_length(encrypting_, "too much data in one call");
    if (in > left_) return wrong_length(encrypting_, "the counter would begin anew");
    return in;
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    if (feed_cipher(context_.get(), in, out.data()) != static_cast<int>(in.size())) {
      return crypto_failed("AES-CTR");
    }
    if (left_ != kNoLimit) left_ -= in.size();
    return in.size();
  }
  Outcome<std::size_t> finish_size() const override { return std::size_t{0}; }
  Outcome<std::size_t> finish(core::MutableByteView) override { return std::size_t{0}; }
  bool in_place() const override { return true; }

 private:
  LentCipherPtr context_;
  std::uint64_t left_;
  bool encrypting_;
};

Outcome<std::unique_ptr<CipherOperation>> make(const OperationInput& input, bool encrypting) {
  auto params = input.parameter.as<CK_AES_CTR_PARAMS>();
  if (!params) return std::move(params).error();
  if (params->ulCounterBits == 0 || params->ulCounterBits > kBlockBits) {
    return bad_parameter("a counter has 1 to 128 bits");
  }
  CounterBlock block{};
  std::ranges::copy(params->cb, block.begin());
  // Decryption is encryption here, and one keyed context serves both.
  auto context =
      keyed_cipher(input.context.crypto, *input.key, CKM_AES_CTR, core::AesMode::kCtr, true);
  if (!context) return std::move(context).error();
  if (!start_cipher(context->get(), block)) return crypto_failed("AES-CTR");
  return std::unique_ptr<CipherOperation>(std::make_unique<CtrCipher>(
      *std::move(context), bytes_before_wrap(block, params->ulCounterBits), encrypting));
}

}  // namespace

Outcome<std::unique_ptr<CipherOperation>> make_ctr_encrypt(const OperationInput& input) {
  return make(input, true);
}

Outcome<std::unique_ptr<CipherOperation>> make_ctr_decrypt(const OperationInput& input) {
  return make(input, false);
}

}  // namespace tallystick::token
