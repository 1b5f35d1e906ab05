// The list of assets that the OEM writes, in TOML:
//
//   product = "meter-7"
//   package_version = 3
//   suite = "gcm"
//   [[asset]]
//   id = 1
//   slot = 0
//   name = "firmware"
//   kind = "firmware"        # data, configuration, certificate, key, private-key, further
//   version = 3
//   address = 0x80000000     # not for key and private-key
//   write_only = false
//   uses = ["sign"]          # key and private-key: sign, decrypt, derive, unwrap
//   file = "fw.bin"          # or token = "pkcs11:…" or generate = "aes256", index, length
//
// Files are relative to the manifest.
#pragma once

#include "core/ts1/generated_asset.h"
#include "core/ts1/package.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

enum class SourceKind : std::uint8_t { kFile, kToken, kGenerated };

struct AssetSource {
  SourceKind kind{};
  std::string location;  // the file's path or the object's URI
  core::GeneratedAsset generated;
};

struct ManifestAsset {
  core::PackageEntry entry;  // without lengths and digest
  AssetSource source;
};

struct Manifest {
  std::string product;
  std::uint32_t package_version = 0;
  core::Suite suite{};
  std::optional<std::uint64_t> created;
  std::vector<ManifestAsset> assets;
};

Outcome<Manifest> read_manifest(const std::string& path);
// `folder` is what relative paths start from.
Outcome<Manifest> parse_manifest(const std::string& name, std::string_view text,
                                 const std::string& folder);

}  // namespace tallystick::cli
