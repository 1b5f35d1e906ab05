#include "core/sb3/ckdf.h"

#include "core/base/little_endian.h"
#include "core/base/reader.h"
#include "core/crypto/cbc.h"
#include "core/crypto/mac.h"

namespace tallystick::core::sb3 {
namespace {

constexpr std::size_t kMacSize = 16;
constexpr ByteArray<16> kZeroIv{};

}  // namespace

Result<Secret> ckdf(const Crypto& crypto, ByteView key, std::uint64_t constant, unsigned rights,
                    KeyUse use, unsigned bits) {
  if ((bits != 128 && bits != 256) || rights > 3) {
    return Error{ErrorCode::kInvalidArgument, "size or rights of a derived key", 0};
  }
  auto keyed = Mac::cmac(crypto, key);
  if (!keyed) return std::move(keyed).error();
  Bytes input;
  little_endian::append64(input, constant);
  input.resize(20);  // the constant's other 4 bytes, and 8 that are zero
  input.push_back(static_cast<std::uint8_t>(rights << 6U));
  input.push_back(static_cast<std::uint8_t>(use));
  input.push_back(0);
  input.push_back(bits == 128 ? 0x20 : 0x21);
  const auto length = be32(bits);
  input.insert(input.end(), length.begin(), length.end());

  Secret out(bits / 8);
  for (std::uint32_t i = 0; i < bits / (8 * kMacSize); ++i) {
    auto mac = keyed->copy();
    if (!mac) return std::move(mac).error();
    auto done = mac->update(input);
    if (done) done = mac->update(be32(i + 1));
    if (done) done = mac->finish(out.span().subspan(i * kMacSize, kMacSize));
    if (!done) return std::move(done).error();
  }
  return out;
}

Result<BlockCipher> BlockCipher::create(const Crypto& crypto, ByteView part_common_key,
                                        std::uint64_t timestamp, unsigned bits) {
  auto key = ckdf(crypto, part_common_key, timestamp, kAccessRights, KeyUse::kDerivation, bits);
  if (!key) return std::move(key).error();
  return BlockCipher(crypto, *std::move(key), bits);
}

Result<Secret> BlockCipher::block_key(std::uint32_t number) const {
  return ckdf(*crypto_, derivation_key_.view(), number, kAccessRights, KeyUse::kBlock, bits_);
}

Status BlockCipher::encrypt(std::uint32_t number, MutableByteView data) const {
  const auto key = block_key(number);
  if (!key) return key.error();
  return cbc_encrypt(*crypto_, key->view(), kZeroIv, data);
}

Status BlockCipher::decrypt(std::uint32_t number, MutableByteView data) const {
  const auto key = block_key(number);
  if (!key) return key.error();
  return cbc_decrypt(*crypto_, key->view(), kZeroIv, data);
}

}  // namespace tallystick::core::sb3
