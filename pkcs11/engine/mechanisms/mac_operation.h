// Signing and verifying with a MAC of core.
#pragma once

#include <algorithm>

#include "core/crypto/mac.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// A MAC that holds the key and has taken in nothing, to be copied.
struct ReadyMac : Payload {
  explicit ReadyMac(core::Mac of) : mac(std::move(of)) {}
  const core::Mac mac;
};

// A MAC under the operation's key. `make` gives a core::Result<core::Mac>; it runs once a key and
// `type`.
template <typename Make>
Outcome<core::Mac> keyed_mac(const OperationInput& input, CK_MECHANISM_TYPE type, Make make) {
  auto ready = input.key->prepared<ReadyMac>(
      Object::Prepared::kSign, type, [&make]() -> Outcome<std::shared_ptr<const ReadyMac>> {
        auto mac = make();
        if (!mac) return from_core(mac.error(), CKR_FUNCTION_FAILED);
        return std::make_shared<const ReadyMac>(*std::move(mac));
      });
  if (!ready) return std::move(ready).error();
  auto mac = (*ready)->mac.copy();
  if (!mac) return from_core(mac.error(), CKR_FUNCTION_FAILED);
  return *std::move(mac);
}

// The shortest MAC that one may ask for. A verifier that took any length would let a MAC be found
// byte by byte, each by trying 256 (A34); with 12 bytes the first step is out of reach, and the
// usual profiles with shortened MACs have that length.
constexpr std::size_t kShortestMac = 12;

// The parameter of a ..._GENERAL mechanism: a length from kShortestMac to `whole`.
inline Outcome<std::size_t> general_length(const Parameter& parameter, std::size_t whole) {
  auto length = parameter.as<CK_ULONG>();
  if (!length) return std::move(length).error();
  if (*length < kShortestMac || *length > whole) return bad_parameter("no such MAC length");
  return *length;
}

// The first `size` bytes of a MAC.
class MacSign final : public SignOperation {
 public:
  MacSign(core::Mac mac, std::size_t size) : mac_(std::move(mac)), size_(size) {}
  std::size_t size() const override { return size_; }
  Outcome<void> update(core::ByteView data) override {
    if (auto fed = mac_.update(data); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
    return {};
  }
  Outcome<void> finish(core::MutableByteView signature) override {
    core::Secret whole(size_ == mac_.size() ? 0 : mac_.size());
    const auto out = whole.empty() ? signature : whole.span();
    if (auto done = mac_.finish(out); !done) return from_core(done.error(), CKR_FUNCTION_FAILED);
    if (!whole.empty()) std::ranges::copy(whole.view().first(size_), signature.begin());
    return {};
  }

 private:
  core::Mac mac_;
  std::size_t size_;
};

class MacVerify final : public VerifyOperation {
 public:
  MacVerify(core::Mac mac, std::size_t size) : mac_(std::move(mac)), size_(size) {}
  Outcome<void> update(core::ByteView data) override {
    if (auto fed = mac_.update(data); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
    return {};
  }
  Outcome<void> finish(core::ByteView signature) override {
    if (signature.size() != size_) return fault(CKR_SIGNATURE_LEN_RANGE, "not the MAC's length");
    // The right MAC of a refused message is itself a secret: it stays here and is wiped.
    core::Secret right(mac_.size());
    if (auto done = mac_.finish(right.span()); !done) {
      return from_core(done.error(), CKR_FUNCTION_FAILED);
    }
    if (!core::equal_in_constant_time(right.view().first(size_), signature)) {
      return fault(CKR_SIGNATURE_INVALID, "the MAC does not match");
    }
    return {};
  }

 private:
  core::Mac mac_;
  std::size_t size_;
};

}  // namespace tallystick::token
