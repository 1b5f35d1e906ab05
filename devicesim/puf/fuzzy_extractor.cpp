#include "devicesim/puf/fuzzy_extractor.h"

#include <bit>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "devicesim/puf/sram.h"

namespace tallystick::device::puf {
namespace {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;

constexpr std::string_view kMagic = "TSPUFHD1";
constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kTagSize = 32;
constexpr std::size_t kAllPairs = kCells / 2;
constexpr std::size_t kChoiceSize = kAllPairs / 8;
static_assert(kHelperSize == kMagic.size() + kSaltSize + kChoiceSize + kOffsetSize + kTagSize);

using Pairs = std::vector<Pair, core::WipingAllocator<Pair>>;

Pair pair_at(ByteView start_up, std::size_t index) {
  return unsigned{start_up[index / 4]} >> (6 - 2 * (index % 4)) & 3U;
}

bool chosen(ByteView choice, std::size_t index) {
  return (unsigned{choice[index / 8]} >> (7 - index % 8) & 1U) != 0;
}

struct Keys {
  core::Secret root;
  core::Secret helper;
};

Result<Keys> derive(const core::Crypto& crypto, ByteView salt, ByteView secret) {
  const auto expand = [&](const core::Secret& prk, std::string_view label) {
    return core::hkdf_expand(crypto, core::Hash::kSha256, prk.view(), core::bytes_of(label),
                             kRootKeySize);
  };
  auto prk = core::hkdf_extract(crypto, core::Hash::kSha256, salt, secret);
  if (!prk) return std::move(prk).error();
  auto root = expand(*prk, "TSPUF/ROOT");
  if (!root) return std::move(root).error();
  auto helper = expand(*prk, "TSPUF/HELPER");
  if (!helper) return std::move(helper).error();
  return Keys{*std::move(root), *std::move(helper)};
}

Result<core::ByteArray<kTagSize>> tag_of(const core::Crypto& crypto, const Keys& keys,
                                         ByteView untagged) {
  core::ByteArray<kTagSize> tag{};
  auto done = core::hmac(crypto, core::Hash::kSha256, keys.helper.view(), {untagged}, tag);
  if (!done) return done.error();
  return tag;
}

struct Helper {
  ByteView untagged, salt, choice, offset, tag;
};

std::optional<Helper> parse(ByteView bytes) {
  if (bytes.size() != kHelperSize) return std::nullopt;
  core::Reader in(bytes);
  const auto magic = in.take(kMagic.size());
  Helper helper;
  helper.untagged = bytes.first(kHelperSize - kTagSize);
  helper.salt = in.take(kSaltSize);
  helper.choice = in.take(kChoiceSize);
  helper.offset = in.take(kOffsetSize);
  helper.tag = in.rest();
  std::size_t count = 0;
  for (const auto byte : helper.choice) count += static_cast<std::size_t>(std::popcount(byte));
  if (core::text_of(magic) != kMagic || count != kPairs) return std::nullopt;
  return helper;
}

Error not_regenerated() {
  return {ErrorCode::kOpenFailed,
          "the PUF gives no key: too many cells started otherwise than at enrolment, or these are "
          "not this part's helper data; power it on again"};
}

}  // namespace

Result<Enrolment> enrol(const core::Crypto& crypto, ByteView start_up) {
  if (start_up.size() != kStartUpSize) {
    return Error{ErrorCode::kInvalidArgument, "not the size of the PUF's SRAM"};
  }
  core::Bytes choice(kChoiceSize);
  Pairs pairs;
  pairs.reserve(kPairs);
  for (std::size_t index = 0; index < kAllPairs && pairs.size() < kPairs; ++index) {
    const auto pair = pair_at(start_up, index);
    if (std::popcount(pair) != 1) continue;
    choice[index / 8] |= static_cast<std::uint8_t>(1U << (7 - index % 8));
    pairs.push_back(pair);
  }
  if (pairs.size() < kPairs) {
    return Error{ErrorCode::kOpenFailed,
                 "the PUF's cells are too alike: there are not enough pairs for a key"};
  }
  auto secret = crypto.random_secret(kCodeSecretSize);
  if (!secret) return std::move(secret).error();
  core::ByteArray<kSaltSize> salt{};
  if (auto filled = crypto.random(salt); !filled) return filled.error();

  auto keys = derive(crypto, salt, secret->view());
  if (!keys) return std::move(keys).error();
  core::Writer helper;
  helper.text(kMagic).bytes(salt).bytes(choice).bytes(code_offset(pairs, secret->view()));
  auto tag = tag_of(crypto, *keys, helper.view());
  if (!tag) return std::move(tag).error();
  helper.bytes(*tag);
  return Enrolment{helper.take(), std::move(keys->root)};
}

Result<core::Secret> regenerate(const core::Crypto& crypto, ByteView helper, ByteView start_up) {
  if (start_up.size() != kStartUpSize) {
    return Error{ErrorCode::kInvalidArgument, "not the size of the PUF's SRAM"};
  }
  // Its form is public and says nothing of the cells.
  const auto parsed = parse(helper);
  if (!parsed) return not_regenerated();
  Pairs pairs;
  pairs.reserve(kPairs);
  for (std::size_t index = 0; index < kAllPairs; ++index) {
    if (chosen(parsed->choice, index)) pairs.push_back(pair_at(start_up, index));
  }
  const auto decoded = decode_offset(pairs, parsed->offset);
  auto keys = derive(crypto, parsed->salt, decoded.secret.view());
  if (!keys) return std::move(keys).error();
  const auto tag = tag_of(crypto, *keys, parsed->untagged);
  if (!tag) return tag.error();
  const bool authentic = core::equal_in_constant_time(*tag, parsed->tag);
  if (!decoded.complete || !authentic) return not_regenerated();
  return std::move(keys->root);
}

}  // namespace tallystick::device::puf
