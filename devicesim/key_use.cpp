#include "devicesim/key_use.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "core/crypto/signing_key.h"

namespace tallystick::device {
namespace {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;
using core::Secret;
using core::Status;

constexpr std::string_view kDeriveLabel = "TS1/DERIVE";
constexpr std::string_view kUnwrapLabel = "TS1/UNWRAP";
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kDerivedSize = 32;
constexpr std::size_t kLeastMacKey = 16;

Error not_permitted(const char* why) { return {ErrorCode::kNotPermitted, why}; }
Error wrong_key(const char* why) { return {ErrorCode::kInvalidArgument, why}; }

bool of_private_key(KeyOperation operation) {
  return operation == KeyOperation::kSign || operation == KeyOperation::kPublicKey;
}

// The one place that says what a flag allows.
std::uint8_t flag_for(const KeyRequest& request) {
  if (request.path == KeyPath::kDerived) return core::kAssetDerive;
  if (request.path == KeyPath::kUnwrapped) return core::kAssetUnwrap;
  return request.operation == KeyOperation::kDecrypt ? core::kAssetDecrypt : core::kAssetSign;
}

Status check_request(const KeyRequest& request) {
  if (request.operation < KeyOperation::kSign || request.operation > KeyOperation::kDecrypt ||
      request.path > KeyPath::kUnwrapped) {
    return wrong_key("there is no such operation");
  }
  if (request.input.size() > kMostKeyInput || request.aside.size() > kMostKeyAside ||
      request.by.size() > kMostKeyAside) {
    return wrong_key("the input is too long");
  }
  return {};
}

Result<Secret> open_gcm(const core::Crypto& crypto, ByteView key, ByteView aside, ByteView sealed) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return wrong_key("the key has not the size of an AES key");
  }
  const Error refused{ErrorCode::kOpenFailed, "the sealed bytes do not open"};
  if (sealed.size() < kNonceSize + core::Aead::kTagSize) return refused;
  auto aead =
      core::Aead::create(crypto, core::AeadAlgorithm::kGcm, key, kNonceSize, core::AeadUse::kOpen);
  if (!aead) return std::move(aead).error();
  const auto rest = sealed.subspan(kNonceSize);
  Secret out(rest.size() - core::Aead::kTagSize);
  if (auto opened = aead->open(sealed.first(kNonceSize), aside, rest, out.span()); !opened) {
    return refused;
  }
  return out;
}

Result<Secret> mac_of(Result<core::Mac> mac, ByteView input) {
  if (!mac) return std::move(mac).error();
  Secret out(mac->size());
  if (auto updated = mac->update(input); !updated) return updated.error();
  if (auto finished = mac->finish(out.span()); !finished) return finished.error();
  return out;
}

Result<Secret> use_private(const core::Crypto& crypto, ByteView der, const KeyRequest& request) {
  auto key = core::SigningPrivateKey::from_pkcs8(crypto, der);
  if (!key && key.error().code == ErrorCode::kMalformed) {
    return wrong_key("the key is none that signs");
  }
  if (!key) return std::move(key).error();
  auto out = request.operation == KeyOperation::kSign ? key->sign(crypto, request.input)
                                                      : key->public_key();
  if (!out) return std::move(out).error();
  return Secret::copy_of(*out);
}

Result<Secret> use_secret(const core::Crypto& crypto, ByteView key, const KeyRequest& request) {
  switch (request.operation) {
    case KeyOperation::kHmac:
      if (key.size() < kLeastMacKey) return wrong_key("the key is too short for HMAC");
      return mac_of(core::Mac::hmac(crypto, core::Hash::kSha256, key), request.input);
    case KeyOperation::kCmac:
      return mac_of(core::Mac::cmac(crypto, key), request.input);
    case KeyOperation::kDecrypt:
      return open_gcm(crypto, key, request.aside, request.input);
    case KeyOperation::kSign:
    case KeyOperation::kPublicKey:
      break;
  }
  return wrong_key("it takes a private key");
}

Result<Secret> use(const core::Crypto& crypto, ByteView key, const KeyRequest& request) {
  if (of_private_key(request.operation)) return use_private(crypto, key, request);
  return use_secret(crypto, key, request);
}

}  // namespace

Result<Secret> use_key(const core::Crypto& crypto, PartFile& file, const PartState& state,
                       const KeyRequest& request) {
  if (auto checked = check_request(request); !checked) return checked.error();
  const auto& entries = state.installed->head.entries;
  const auto entry = std::ranges::find_if(entries, [&](const core::PackageEntry& one) {
    return one.is_key() && one.slot == request.slot;
  });
  if (entry == entries.end()) return wrong_key("there is no key in that slot");
  if ((entry->flags & flag_for(request)) == 0) {
    return not_permitted("the key's flags do not allow that use");
  }
  const bool is_private = entry->kind == core::AssetKind::kPrivateKey;
  if (request.path != KeyPath::kItself && is_private) {
    return not_permitted("a private key neither derives nor unwraps here");
  }
  if (request.path == KeyPath::kItself && of_private_key(request.operation) != is_private) {
    return wrong_key(is_private ? "it takes a secret key" : "it takes a private key");
  }
  const auto place = asset_place(state.immutable.manufacture().memory, *entry,
                                 static_cast<std::size_t>(entry - entries.begin()));
  Secret key(static_cast<std::size_t>(place.length));
  if (auto read = file.read_bank(state.active_bank, place.offset, key.span()); !read) {
    return read.error();
  }
  // What a key that is not installed is for goes into how it was made: one context or one wrapped
  // key serves one operation.
  const auto operation = static_cast<std::uint8_t>(request.operation);
  if (request.path == KeyPath::kDerived) {
    if (of_private_key(request.operation)) return wrong_key("what is derived is a secret key");
    if (key.size() < kLeastMacKey) return wrong_key("the key is too short to derive from");
    core::Writer context;
    context.u8(operation).bytes(request.by);
    auto derived = core::counter_kdf(crypto, core::Hash::kSha256, key.view(),
                                     core::bytes_of(kDeriveLabel), context.view(), kDerivedSize);
    if (!derived) return std::move(derived).error();
    return use(crypto, derived->view(), request);
  }
  if (request.path == KeyPath::kUnwrapped) {
    core::Writer aside;
    aside.text(kUnwrapLabel).u8(0).u8(operation);
    auto inner = open_gcm(crypto, key.view(), aside.view(), request.by);
    if (!inner) return std::move(inner).error();
    return use(crypto, inner->view(), request);
  }
  return use(crypto, key.view(), request);
}

}  // namespace tallystick::device
