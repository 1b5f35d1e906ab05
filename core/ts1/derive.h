// F, G, H and the KDF of the profile (section 3 of docs/formats.md; F, G and H as in FIG. 2 to 4 of
// US 2023/0063743 A1). Pure functions: what a device may derive is decided in core/provisioning.
#pragma once

#include <string_view>

#include "core/ts1/family.h"

namespace tallystick::core {

constexpr std::size_t kLeastRndInput = 16;
constexpr std::size_t kMostRndInput = 64;

// F: OEM_SHARE from RND_SHARE (32 bytes) and OEM_RND_INPUT (16 to 64 bytes, else kInvalidArgument).
Result<Secret> derive_oem_share(const Crypto& crypto, const Context& context, ByteView rnd_share,
                                ByteView oem_rnd_input);

// The combination of all shares that G is, for TS1 and for profiles beside it: HKDF (SP 800-133r2,
// key extraction) of the family's shares (2 to 8) and OEM_SHARE (32 bytes) with the salt
// `profile`/G and the info `profile`/MK ‖ 0x00 ‖ context. 32 bytes.
Result<Secret> combine_shares(const Crypto& crypto, std::string_view profile, ByteView context,
                              const std::vector<Secret>& shares, ByteView oem_share);

// G: K_MK from the family's shares and OEM_SHARE.
Result<Secret> derive_master_key(const Crypto& crypto, const Context& context,
                                 const std::vector<Secret>& shares, ByteView oem_share);

// H: the SEED of generated assets.
Result<Secret> derive_seed(const Crypto& crypto, const Context& context, ByteView rnd_share,
                           ByteView oem_rnd_input);

constexpr std::string_view kLabelEncKey = "TS1/ENCK";
constexpr std::string_view kLabelEncData = "TS1/ENCD";
constexpr std::string_view kLabelAuth = "TS1/AUTH";
constexpr std::string_view kLabelProof = "TS1/PROOF";
constexpr std::string_view kLabelFurtherPrefix = "TS1/X/";

// 1 to 32 characters of a-z 0-9 - . : the name of a further data type.
bool valid_further_name(std::string_view name);
// One of the four fixed labels, or TS1/X/ and a valid name.
bool valid_label(std::string_view label);

// KDF: a 32-byte key under K_MK. kInvalidArgument for a label that is not valid.
Result<Secret> derive_asset_key(const Crypto& crypto, const Context& context, ByteView master_key,
                                Suite suite, std::string_view label);

}  // namespace tallystick::core
