// Using a key of the key store (section 13 of docs/formats.md). The key is read, used and wiped in
// one call; what comes out is a signature, a MAC, a plaintext or a public key, never the key. The
// asset's use flags decide what it may be used for.
#pragma once

#include "devicesim/part_file.h"

namespace tallystick::device {

enum class KeyOperation : std::uint8_t {
  kSign = 1,       // private key: ECDSA on P-256 or P-384, Ed25519
  kPublicKey = 2,  // private key: X ‖ Y, or Ed25519's 32 bytes
  kHmac = 3,       // at least 16 bytes of key: HMAC-SHA-256
  kCmac = 4,       // 16, 24 or 32 bytes of key: AES-CMAC
  kDecrypt = 5,    // the same: AES-GCM; the input is nonce(12) ‖ ciphertext ‖ tag(16)
};

// Which key is used: the installed one, one derived from it, or one that comes wrapped under it.
enum class KeyPath : std::uint8_t { kItself = 0, kDerived = 1, kUnwrapped = 2 };

constexpr std::size_t kMostKeyInput = 64UL * 1024;
constexpr std::size_t kMostKeyAside = 4096;

struct KeyRequest {
  std::uint32_t slot = 0;
  KeyOperation operation{};
  // Message or sealed bytes, at most kMostKeyInput.
  core::ByteView input;
  // Of kDecrypt: what was authenticated beside. At most kMostKeyAside.
  core::ByteView aside;
  KeyPath path = KeyPath::kItself;
  // kDerived: the context; kUnwrapped: nonce(12) ‖ sealed key ‖ tag(16). At most kMostKeyAside.
  core::ByteView by;
};

// kInvalidArgument when the slot holds no key, an input is too long or the key does not fit the
// operation; kNotPermitted when its flags do not allow the use; kOpenFailed for what does not open.
core::Result<core::Secret> use_key(const core::Crypto& crypto, PartFile& file,
                                   const PartState& state, const KeyRequest& request);

}  // namespace tallystick::device
