// Checks proofs: the signature, which anyone can who has the ICM's key, and the contents against
// the original files, which the token of the OEM can (K_PROOF never leaves it).
#pragma once

#include <optional>

#include "core/ts1/proof.h"
#include "tools/cli/environment.h"
#include "tools/cli/formats/manifest.h"
#include "tools/cli/pkcs11/token_client.h"

namespace tallystick::cli {

using Challenge = core::ByteArray<core::kChallengeSize>;

// The signature and the certificate: gives the proof.
Outcome<core::Proof> check_signed_proof(const core::Crypto& crypto, const std::string& proof_path,
                                        const std::string& certificate_path,
                                        core::ByteView icm_public_key, const Challenge& challenge);

struct SlotReport {
  std::uint32_t slot = 0;
  std::string name;
  bool compared = false;  // false: made inside, no original outside
};

class ContentsCheck {
 public:
  // The package as it was sent, the manifest it was made from, the OEM's token.
  static Outcome<ContentsCheck> open(std::shared_ptr<const core::Crypto> crypto, Session session,
                                     const std::string& package, const std::string& manifest);

  // kRefused when anything differs.
  Outcome<std::vector<SlotReport>> check(const core::Proof& proof, const Challenge& challenge);

 private:
  struct Asset {
    std::size_t entry = 0;  // in the package
    AssetSource source;
    core::AssetKind kind{};
    // Private keys from files, in the form that the package carries.
    core::Secret pkcs8;
  };

  ContentsCheck(std::shared_ptr<const core::Crypto> crypto, TokenClient token,
                core::PackageHead head)
      : crypto_(std::move(crypto)), token_(std::move(token)), head_(std::move(head)) {}
  Done match(const Manifest& manifest);
  Done derive_key();
  Outcome<bool> holds(const Asset& asset, const core::Proof& proof, const core::ByteArray<48>& mac,
                      const Challenge& challenge);

  std::shared_ptr<const core::Crypto> crypto_;
  TokenClient token_;
  core::PackageHead head_;
  std::vector<Asset> assets_;  // in the order of slots
  Handle proof_key_ = 0;
};

}  // namespace tallystick::cli
