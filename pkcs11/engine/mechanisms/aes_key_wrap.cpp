#include "pkcs11/engine/mechanisms/aes_key_wrap.h"

#include <openssl/modes.h>

#include <algorithm>

#include "pkcs11/engine/keys/wrapped_key.h"
#include "pkcs11/engine/mechanisms/held_cipher.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kBlock = 8;
// Data is wrapped in six passes over all of it: more than any key is a mistake.
constexpr std::size_t kLargestData = 64UL << 10;

// What tells the two apart.
struct Kw {
  static constexpr CK_MECHANISM_TYPE kType = CKM_AES_KEY_WRAP;
  static constexpr std::array<std::uint8_t, 8> kIv = {0xA6, 0xA6, 0xA6, 0xA6,
                                                      0xA6, 0xA6, 0xA6, 0xA6};
  static constexpr std::size_t kShortestWrapped = 3 * kBlock;
  static constexpr auto kWrap = &CRYPTO_128_wrap;
  static constexpr auto kUnwrap = &CRYPTO_128_unwrap;
  static bool takes(std::size_t size) { return size >= 2 * kBlock && size % kBlock == 0; }
};
struct Kwp {
  static constexpr CK_MECHANISM_TYPE kType = CKM_AES_KEY_WRAP_KWP;
  static constexpr std::array<std::uint8_t, 4> kIv = {0xA6, 0x59, 0x59, 0xA6};
  static constexpr std::size_t kShortestWrapped = 2 * kBlock;
  static constexpr auto kWrap = &CRYPTO_128_wrap_pad;
  static constexpr auto kUnwrap = &CRYPTO_128_unwrap_pad;
  static bool takes(std::size_t size) { return size >= 1; }
};

// The block cipher that libcrypto's key wrap calls.
struct BlockCipher {
  LentCipherPtr context;
  bool failed = false;

  static void run(const unsigned char in[16], unsigned char out[16], const void* self) {
    // libcrypto hands on what it was given, which is not const.
    auto& cipher = *static_cast<BlockCipher*>(const_cast<void*>(self));
    cipher.failed =
        cipher.failed || feed_cipher(cipher.context.get(), core::ByteView(in, 16), out) != 16;
  }
};

std::size_t wrapped(std::size_t size) { return (size + kBlock - 1) / kBlock * kBlock + kBlock; }

template <typename Kind>
bool could_be_wrapped(std::size_t size) {
  return size >= Kind::kShortestWrapped && size % kBlock == 0;
}

// The IV is what the unwrapper checks. Any other than the one of the standard would let a blob of
// one kind pass for one of the other.
template <typename Kind>
Outcome<void> check_iv(const Parameter& parameter) {
  const auto iv = parameter.bytes();
  if (!iv.empty() && !std::ranges::equal(iv, Kind::kIv)) {
    return bad_parameter("no IV but the standard's");
  }
  return {};
}

// Wraps or unwraps in one call; gives the length of what came out. `refused` is the answer to what
// does not unwrap. libcrypto's own ciphers for key wrap compute AES from tables; with the block
// cipher of the same library under its key wrap the processor's instructions do, in constant time
// and several times as fast.
template <typename Kind>
Outcome<std::size_t> run(const Context& context, const Object& key, bool wrapping,
                         core::ByteView in, core::MutableByteView out, const Fault& refused) {
  auto keyed = keyed_cipher(context.crypto, key, Kind::kType, core::AesMode::kEcb, wrapping);
  if (!keyed) return std::move(keyed).error();
  BlockCipher cipher{*std::move(keyed)};
  const auto function = wrapping ? Kind::kWrap : Kind::kUnwrap;
  const auto written =
      function(&cipher, nullptr, out.data(), in.data(), in.size(), &BlockCipher::run);
  if (cipher.failed) return crypto_failed("AES key wrap");
  if (written == 0) return refused;
  return written;
}

// ---- Keys ----

template <typename Kind>
Outcome<std::size_t> wrapped_size(const WrapInput& input) {
  if (auto good = check_iv<Kind>(input.parameter); !good) return std::move(good).error();
  auto size = key_encoding_size(input.context.crypto, *input.key);
  if (!size) return size;
  if (!Kind::takes(*size)) return fault(CKR_KEY_SIZE_RANGE, "not a number of whole blocks");
  return wrapped(*size);
}

template <typename Kind>
Outcome<core::Bytes> wrap(const WrapInput& input) {
  auto encoded = key_encoding(input.context.crypto, *input.key);
  if (!encoded) return std::move(encoded).error();
  core::Bytes out(wrapped(encoded->size()) + kBlock);
  auto size = run<Kind>(input.context, *input.wrapping_key, true, encoded->view(), out,
                        fault(CKR_FUNCTION_FAILED, "AES key wrap"));
  if (!size) return std::move(size).error();
  out.resize(*size);
  return out;
}

template <typename Kind>
Outcome<Produced> unwrap(const UnwrapInput& input) {
  if (auto good = check_iv<Kind>(input.parameter); !good) return std::move(good).error();
  if (!could_be_wrapped<Kind>(input.blob.size())) {
    return fault(CKR_WRAPPED_KEY_LEN_RANGE, "not the length of a wrapped key");
  }
  core::Secret out(input.blob.size() + kBlock);
  auto size = run<Kind>(input.context, *input.unwrapping_key, false, input.blob, out.span(),
                        fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key"));
  if (!size) return std::move(size).error();
  out.truncate(*size);
  auto draft = key_from_encoding(input.context.crypto, input.wanted, out.view());
  if (!draft) return std::move(draft).error();
  return Produced{*std::move(draft), {}, nullptr};
}

// ---- Data ----

// All comes out at the end: each byte depends on every other.
template <typename Kind, bool kEncrypting>
class WrapData final : public HeldCipher {
 public:
  explicit WrapData(const OperationInput& input)
      : HeldCipher(kEncrypting, kLargestData + 2 * kBlock),
        context_(input.context),
        key_(input.key) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if constexpr (kEncrypting) {
      if (!Kind::takes(in) || in > kLargestData) return wrong_length(true, "not such a length");
      return wrapped(in);
    } else {
      if (!could_be_wrapped<Kind>(in) || in > wrapped(kLargestData)) {
        return wrong_length(false, "not the length of wrapped data");
      }
      return in - kBlock;
    }
  }
  // Not into the caller's buffer before all was checked (A35).
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    const auto refused =
        fault(kEncrypting ? CKR_FUNCTION_FAILED : CKR_ENCRYPTED_DATA_INVALID, "AES key wrap");
    core::Secret result(in.size() + 2 * kBlock);
    auto size = run<Kind>(context_, *key_, kEncrypting, in, result.span(), refused);
    if (!size) return size;
    if (*size > out.size()) return refused;
    std::ranges::copy(result.view().first(*size), out.begin());
    return size;
  }

 private:
  Context context_;
  ObjectPtr key_;
};

template <typename Kind, bool kEncrypting>
Outcome<std::unique_ptr<CipherOperation>> make(const OperationInput& input) {
  if (auto good = check_iv<Kind>(input.parameter); !good) return std::move(good).error();
  return std::unique_ptr<CipherOperation>(std::make_unique<WrapData<Kind, kEncrypting>>(input));
}

template <typename Kind>
void add(Mechanism& mechanism) {
  mechanism.authenticated = true;
  mechanism.wrapped_size = &wrapped_size<Kind>;
  mechanism.wrap = &wrap<Kind>;
  mechanism.unwrap = &unwrap<Kind>;
  mechanism.encrypt = &make<Kind, true>;
  mechanism.decrypt = &make<Kind, false>;
}

}  // namespace

void add_key_wrap(Mechanism& mechanism) {
  mechanism.type == CKM_AES_KEY_WRAP ? add<Kw>(mechanism) : add<Kwp>(mechanism);
}

}  // namespace tallystick::token
