#include "pkcs11/engine/mechanisms/aes_cbc.h"

#include <algorithm>

#include "core/crypto/padding.h"
#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {
namespace {

using Block = core::ByteArray<16>;
constexpr std::size_t kBlock = sizeof(Block);

// What a key and an IV start.
struct Chain {
  LentCipherPtr context;
  Block iv;
};

Outcome<Chain> start_chain(const OperationInput& input, bool encrypting) {
  const auto iv = input.parameter.bytes();
  if (iv.size() != kBlock) return bad_parameter("AES-CBC has an IV of 16 bytes");
  // One keyed context serves CBC and CBC_PAD.
  auto context =
      keyed_cipher(input.context.crypto, *input.key, CKM_AES_CBC, core::AesMode::kCbc, encrypting);
  if (!context) return std::move(context).error();
  if (!start_cipher(context->get(), iv)) return crypto_failed("AES-CBC");
  return Chain{*std::move(context), core::array_of<kBlock>(iv)};
}

// Whole blocks only. A block that is not whole yet is held by libcrypto.
class CbcBlocks final : public CipherOperation {
 public:
  CbcBlocks(Chain chain, bool encrypting) : chain_(std::move(chain)), encrypting_(encrypting) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in % kBlock != 0) return wrong_length(encrypting_, "not a number of whole blocks");
    return update_size(in);
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    return update(in, out);
  }
  Outcome<std::size_t> update_size(std::size_t in) const override {
    if (in > kLargestPart) return wrong_length(encrypting_, "too much data in one call");
    return (begun_ + in) / kBlock * kBlock;
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    const auto size = (begun_ + in.size()) / kBlock * kBlock;
    if (feed_cipher(chain_.context.get(), in, out.data()) != static_cast<int>(size)) {
      return crypto_failed("AES-CBC");
    }
    begun_ = (begun_ + in.size()) % kBlock;
    return size;
  }
  Outcome<std::size_t> finish_size() const override {
    if (begun_ != 0) return wrong_length(encrypting_, "not a number of whole blocks");
    return std::size_t{0};
  }
  Outcome<std::size_t> finish(core::MutableByteView) override { return std::size_t{0}; }
  // What was held comes out first, before the input is read.
  bool in_place() const override { return begun_ == 0; }
  // Bytes of a block that is not whole.
  [[nodiscard]] std::size_t begun() const { return begun_; }

 private:
  Chain chain_;
  bool encrypting_;
  std::size_t begun_ = 0;
};

class CbcPadEncrypt final : public CipherOperation {
 public:
  explicit CbcPadEncrypt(Chain chain) : blocks_(std::move(chain), true) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    auto whole = blocks_.update_size(in);
    if (!whole) return whole;
    return *whole + kBlock;
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    auto whole = update(in, out);
    if (!whole) return whole;
    auto last = finish(out.subspan(*whole));
    if (!last) return last;
    return *whole + *last;
  }
  Outcome<std::size_t> update_size(std::size_t in) const override {
    return blocks_.update_size(in);
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    return blocks_.update(in, out);
  }
  Outcome<std::size_t> finish_size() const override { return kBlock; }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    Block padding{};
    const auto size = kBlock - blocks_.begun();
    padding.fill(static_cast<std::uint8_t>(size));
    return blocks_.update(core::ByteView(padding).first(size), out);
  }
  bool in_place() const override { return blocks_.in_place(); }

 private:
  CbcBlocks blocks_;
};

// The last block is held back until it is known to be the last, and nothing of it comes out unless
// its padding is right.
class CbcPadDecrypt final : public CipherOperation {
 public:
  explicit CbcPadDecrypt(Chain chain) : chain_(std::move(chain)) {}

  // At least one byte of the last block is padding.
  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in > kLargestPart) return wrong_length(false, "too much data in one call");
    if (in == 0 || in % kBlock != 0) return wrong_length(false, "not a number of whole blocks");
    return in - 1;
  }
  // The last block first, so that the output is untouched when the padding is wrong.
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    const auto front = in.first(in.size() - kBlock);
    const core::ByteView before = front.empty() ? chain_.iv : front.last(kBlock);
    core::Secret last(kBlock);
    if (!start_cipher(chain_.context.get(), before)) return crypto_failed("AES-CBC");
    auto size = open_last(in.last(kBlock), last);
    if (!size) return size;
    if (!start_cipher(chain_.context.get(), chain_.iv) ||
        feed_cipher(chain_.context.get(), front, out.data()) != static_cast<int>(front.size())) {
      return crypto_failed("AES-CBC");
    }
    std::ranges::copy(last.view().first(*size), out.subspan(front.size()).begin());
    return front.size() + *size;
  }

  Outcome<std::size_t> update_size(std::size_t in) const override {
    if (in > kLargestPart) return wrong_length(false, "too much data in one call");
    return held_ + in - to_hold(in);
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    if (in.empty()) return std::size_t{0};
    // All that is held goes in, unless the new bytes do not even fill its block.
    const auto holding = to_hold(in.size());
    std::size_t written = 0;
    if (holding < held_ + in.size()) {
      const auto fed = in.first(in.size() - holding);
      for (const auto part : {core::ByteView(block_).first(held_), fed}) {
        const auto made = feed_cipher(chain_.context.get(), part, out.subspan(written).data());
        if (made < 0) return crypto_failed("AES-CBC");
        written += static_cast<std::size_t>(made);
      }
      held_ = 0;
      in = in.last(holding);
    }
    std::ranges::copy(in, block_.begin() + static_cast<std::ptrdiff_t>(held_));
    held_ += in.size();
    return written;
  }
  Outcome<std::size_t> finish_size() const override {
    if (held_ != kBlock) return wrong_length(false, "not a number of whole blocks");
    return kBlock - 1;
  }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    core::Secret last(kBlock);
    auto size = open_last(block_, last);
    if (size) std::ranges::copy(last.view().first(*size), out.begin());
    return size;
  }
  // What was held comes out first, before the input is read.
  bool in_place() const override { return held_ == 0; }

 private:
  // Of what there is with `in` more bytes: the last block, whole or not.
  std::size_t to_hold(std::size_t in) const {
    const auto all = held_ + in;
    return all == 0 ? 0 : (all - 1) % kBlock + 1;
  }
  // How much of the last block is data. One error for whatever is wrong with it (A30).
  Outcome<std::size_t> open_last(core::ByteView in, core::Secret& last) {
    if (feed_cipher(chain_.context.get(), in, last.span().data()) != static_cast<int>(kBlock)) {
      return crypto_failed("AES-CBC");
    }
    auto plaintext = core::array_of<kBlock>(last.view());
    const auto data = core::data_before_padding(plaintext);
    core::wipe(plaintext);
    if (!data.right) return fault(CKR_ENCRYPTED_DATA_INVALID, "the padding is not right");
    return data.size;
  }

  Chain chain_;
  Block block_{};  // ciphertext that is held back
  std::size_t held_ = 0;
};

template <typename Operation, typename... Extra>
Outcome<std::unique_ptr<CipherOperation>> make(const OperationInput& input, bool encrypting,
                                               Extra... extra) {
  auto chain = start_chain(input, encrypting);
  if (!chain) return std::move(chain).error();
  return std::unique_ptr<CipherOperation>(std::make_unique<Operation>(*std::move(chain), extra...));
}

}  // namespace

Outcome<std::unique_ptr<CipherOperation>> make_cbc_encrypt(const OperationInput& input) {
  return make<CbcBlocks>(input, true, true);
}
Outcome<std::unique_ptr<CipherOperation>> make_cbc_decrypt(const OperationInput& input) {
  return make<CbcBlocks>(input, false, false);
}
Outcome<std::unique_ptr<CipherOperation>> make_cbc_pad_encrypt(const OperationInput& input) {
  return make<CbcPadEncrypt>(input, true);
}
Outcome<std::unique_ptr<CipherOperation>> make_cbc_pad_decrypt(const OperationInput& input) {
  return make<CbcPadDecrypt>(input, false);
}

}  // namespace tallystick::token
