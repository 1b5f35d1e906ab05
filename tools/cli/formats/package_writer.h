// Puts a package together: every asset is sealed inside the token, the OEM's key signs, K_AUTH
// tags. Data streams through; keys never leave the token except sealed.
#pragma once

#include <map>

#include "tools/cli/formats/manifest.h"
#include "tools/cli/pkcs11/ec_keys.h"
#include "tools/cli/pkcs11/token_client.h"

namespace tallystick::cli {

class AtomicFile;

struct WrittenPackage {
  std::size_t assets = 0;
  std::uint64_t bytes = 0;
};

class PackageWriter {
 public:
  PackageWriter(std::shared_ptr<const core::Crypto> crypto, TokenClient& token,
                const ShareInfo& share, SigningKey& oem_key)
      : crypto_(std::move(crypto)), token_(&token), share_(share), oem_key_(&oem_key) {}

  // `path` appears only when the package is whole.
  Outcome<WrittenPackage> write(const Manifest& manifest, const std::string& path);

 private:
  // The key objects that the manifest names, by the asset's place in it; 0 for data.
  Outcome<std::vector<Handle>> key_objects(const Manifest& manifest);
  Outcome<Handle> key_object(const ManifestAsset& asset);
  Outcome<Handle> token_object(const std::string& text);
  // Plaintext lengths: files are measured, keys are asked of the token.
  Outcome<core::PackageBuilder> prepare(const Manifest& manifest, const std::vector<Handle>& keys);
  Outcome<core::PackageBuilder> start(const Manifest& manifest,
                                      const std::vector<core::PackageEntry>& entries);
  Outcome<core::ByteArray<48>> seal_asset(const core::PackageBuilder& builder, std::size_t index,
                                          const ManifestAsset& asset, Handle key, AtomicFile& out);
  Done sign_and_tag(core::PackageBuilder& builder);
  Outcome<Handle> asset_key(core::Suite suite, const std::string& label);

  std::shared_ptr<const core::Crypto> crypto_;
  TokenClient* token_;
  ShareInfo share_;
  SigningKey* oem_key_;
  std::optional<Handle> master_key_;
  std::map<std::string, Handle> asset_keys_;
};

}  // namespace tallystick::cli
