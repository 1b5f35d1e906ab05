#include "core/ts1/derive.h"

#include <algorithm>
#include <string>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"

namespace tallystick::core {
namespace {

// The shape that F and H share: HMAC-256(RND_SHARE, label ‖ 0x00 ‖ CTX ‖ lv(OEM_RND_INPUT)).
Result<Secret> from_random(const Crypto& crypto, std::string_view label, const Context& context,
                           ByteView rnd_share, ByteView oem_rnd_input) {
  if (rnd_share.size() != kSecretSize || oem_rnd_input.size() < kLeastRndInput ||
      oem_rnd_input.size() > kMostRndInput) {
    return Error{ErrorCode::kInvalidArgument, "OEM_RND_INPUT has 16 to 64 bytes", 0};
  }
  const ByteArray<1> separator{0};
  const auto ctx = context.encode();
  const auto length = be32(static_cast<std::uint32_t>(oem_rnd_input.size()));
  return hmac_secret(crypto, Hash::kSha256, rnd_share,
                     {bytes_of(label), separator, ctx, length, oem_rnd_input});
}

}  // namespace

Result<Secret> derive_oem_share(const Crypto& crypto, const Context& context, ByteView rnd_share,
                                ByteView oem_rnd_input) {
  return from_random(crypto, "TS1/F", context, rnd_share, oem_rnd_input);
}

Result<Secret> derive_seed(const Crypto& crypto, const Context& context, ByteView rnd_share,
                           ByteView oem_rnd_input) {
  return from_random(crypto, "TS1/H", context, rnd_share, oem_rnd_input);
}

Result<Secret> combine_shares(const Crypto& crypto, std::string_view profile, ByteView context,
                              const std::vector<Secret>& shares, ByteView oem_share) {
  if (shares.size() < kLeastShares || shares.size() > kMostShares ||
      oem_share.size() != kSecretSize) {
    return Error{ErrorCode::kInvalidArgument, "a family has 2 to 8 shares and OEM_SHARE 32 bytes",
                 0};
  }
  const auto salt = std::string(profile) + "/G";
  auto mac = Mac::hmac(crypto, Hash::kSha256, bytes_of(salt));
  if (!mac) return std::move(mac).error();
  const auto feed = [&mac](ByteView part) { return mac->update(part); };
  const auto feed_lv = [&feed](ByteView part) {
    auto fed = feed(be32(static_cast<std::uint32_t>(part.size())));
    return fed ? feed(part) : fed;
  };
  auto fed = feed(ByteArray<1>{static_cast<std::uint8_t>(shares.size())});
  for (const auto& share : shares) {
    if (fed) fed = feed_lv(share.view());
  }
  if (fed) fed = feed_lv(oem_share);
  Secret prk(hash_size(Hash::kSha256));
  if (fed) fed = mac->finish(prk.span());
  if (!fed) return std::move(fed).error();

  Writer info;
  info.text(profile).text("/MK").u8(0).bytes(context);
  return hkdf_expand(crypto, Hash::kSha256, prk.view(), info.view(), kSecretSize);
}

Result<Secret> derive_master_key(const Crypto& crypto, const Context& context,
                                 const std::vector<Secret>& shares, ByteView oem_share) {
  return combine_shares(crypto, "TS1", context.encode(), shares, oem_share);
}

bool valid_further_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), allowed);
}

bool valid_label(std::string_view label) {
  if (label == kLabelEncKey || label == kLabelEncData || label == kLabelAuth ||
      label == kLabelProof) {
    return true;
  }
  return label.starts_with(kLabelFurtherPrefix) &&
         valid_further_name(label.substr(kLabelFurtherPrefix.size()));
}

Result<Secret> derive_asset_key(const Crypto& crypto, const Context& context, ByteView master_key,
                                Suite suite, std::string_view label) {
  if (!valid_label(label) || master_key.size() != kSecretSize) {
    return Error{ErrorCode::kInvalidArgument, "not a label of the profile, or not K_MK", 0};
  }
  Writer bound;
  bound.bytes(context.encode()).u8(static_cast<std::uint8_t>(suite));
  return counter_kdf(crypto, Hash::kSha256, master_key, bytes_of(label), bound.view(), kSecretSize);
}

}  // namespace tallystick::core
