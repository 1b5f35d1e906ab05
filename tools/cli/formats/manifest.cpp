#include "tools/cli/formats/manifest.h"

#include <algorithm>

#include "tools/cli/formats/names.h"
#include "tools/cli/formats/toml_reader.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

constexpr std::uint64_t kMost16 = 0xFFFF;
// TOML's integers are signed; higher addresses are not of this world.
constexpr std::uint64_t kMostAddress = 0x7FFFFFFFFFFFFFFF;

std::string joined(const std::string& folder, const std::string& path) {
  if (path.empty() || path.front() == '/' || folder.empty()) return path;
  return folder + "/" + path;
}

void read_source(TomlTable& table, const std::string& folder, ManifestAsset& asset) {
  const auto file = table.text("file");
  const auto token = table.text("token");
  const auto generate = table.text("generate");
  const auto index = table.number("index", kMost32);
  const auto length = table.number("length", 1024);
  if (static_cast<int>(file.has_value()) + static_cast<int>(token.has_value()) +
          static_cast<int>(generate.has_value()) !=
      1) {
    table.complain("name",
                   "\"" + asset.entry.name + "\": the asset needs one of file, token and generate");
    return;
  }
  if (!generate && (index || length)) {
    table.complain(index ? "index" : "length", "is for generated assets only");
  }
  if (file) asset.source = {SourceKind::kFile, joined(folder, *file), {}};
  if (token) {
    asset.source = {SourceKind::kToken, *token, {}};
    if (!asset.entry.is_key()) table.complain("token", "is for keys only");
  }
  if (!generate) return;
  const auto type = core::generated_type_from(*generate);
  if (!type) {
    table.complain("generate", "knows aes128, aes256, hmac256, p256, p384, ed25519 and bytes");
    return;
  }
  const bool bytes = *type == core::GeneratedType::kBytes;
  if (bytes != (length.value_or(0) > 0)) {
    table.complain(length ? "length" : "generate",
                   bytes ? "\"bytes\" needs a length from 1 to 1024" : "is for \"bytes\" only");
  }
  asset.entry.flags |= core::kAssetGenerated;
  asset.source.kind = SourceKind::kGenerated;
  asset.source.generated = {*type, asset.entry.name, static_cast<std::uint32_t>(index.value_or(0)),
                            static_cast<std::uint32_t>(length.value_or(0))};
  const bool pair = *type == core::GeneratedType::kP256 || *type == core::GeneratedType::kP384 ||
                    *type == core::GeneratedType::kEd25519;
  if (asset.entry.kind != (pair ? core::AssetKind::kPrivateKey : core::AssetKind::kSecretKey)) {
    table.complain("generate",
                   "\"" + *generate + "\" needs kind = \"" + (pair ? "private-key" : "key") + "\"");
  }
}

void read_uses(TomlTable& table, core::PackageEntry& entry) {
  const auto uses = table.texts("uses");
  if (!uses) return;
  if (!entry.is_key()) table.complain("uses", "is for keys only");
  for (const std::string& name : *uses) {
    const auto use = use_named(name);
    if (!use) table.complain("uses", "knows sign, decrypt, derive and unwrap");
    entry.flags = static_cast<std::uint8_t>(entry.flags | use.value_or(0));
  }
  if ((entry.flags & core::kAssetDecrypt) != 0 && (entry.flags & core::kAssetUnwrap) != 0) {
    table.complain("uses", "cannot have both decrypt and unwrap");
  }
}

Outcome<ManifestAsset> read_asset(TomlTable& table, const std::string& folder) {
  ManifestAsset asset;
  core::PackageEntry& entry = asset.entry;
  entry.name = table.required_text("name");
  if (entry.name.empty() || entry.name.size() > core::kNameSize) {
    table.complain("name", "must have 1 to 32 bytes");
  }
  const std::string kind = table.required_text("kind");
  const auto known = kind_named(kind);
  if (!known) table.complain("kind", "\"" + kind + "\" is not one of " + kinds_known());
  entry.kind = known.value_or(core::AssetKind::kData);
  entry.asset_id = static_cast<std::uint16_t>(table.required_number("id", kMost16));
  entry.slot = static_cast<std::uint32_t>(table.required_number("slot", kMost32));
  entry.asset_version = static_cast<std::uint32_t>(table.number("version", kMost32).value_or(0));
  const auto address = table.number("address", kMostAddress);
  if (entry.is_key() && address) table.complain("address", "is not for keys");
  if (!entry.is_key() && !address) table.complain("address", "is missing");
  entry.address = address.value_or(0);
  if (table.boolean("write_only").value_or(entry.is_key())) entry.flags |= core::kAssetWriteOnly;
  read_uses(table, entry);
  read_source(table, folder, asset);
  if (auto done = table.finish(); !done) return std::move(done).error();
  return asset;
}

Outcome<Manifest> read_from(const TomlFile& file, const std::string& folder) {
  TomlTable root = file.root();
  Manifest manifest;
  manifest.product = root.text("product").value_or("");
  if (manifest.product.size() > core::kNameSize) root.complain("product", "is too long");
  manifest.package_version =
      static_cast<std::uint32_t>(root.required_number("package_version", kMost32));
  const std::string suite = root.text("suite").value_or("gcm");
  const auto known = suite_named(suite);
  if (!known) root.complain("suite", "knows \"gcm\" and \"ccm\"");
  manifest.suite = known.value_or(core::Suite::kGcm);
  manifest.created = root.number("created", kMostAddress);
  auto tables = root.tables("asset");
  if (tables.empty()) root.complain("asset", "is missing: a package has at least one [[asset]]");
  if (tables.size() > core::kMostAssets) root.complain("asset", "stands there more than 64 times");
  if (auto done = root.finish(); !done) return std::move(done).error();
  for (TomlTable& table : tables) {
    auto asset = read_asset(table, folder);
    if (!asset) return std::move(asset).error();
    manifest.assets.push_back(*std::move(asset));
  }
  return manifest;
}

}  // namespace

Outcome<Manifest> read_manifest(const std::string& path) {
  auto file = TomlFile::read(path);
  if (!file) return std::move(file).error();
  const std::size_t slash = path.find_last_of('/');
  return read_from(*file, slash == std::string::npos ? "" : path.substr(0, slash));
}

Outcome<Manifest> parse_manifest(const std::string& name, std::string_view text,
                                 const std::string& folder) {
  auto file = TomlFile::parse(name, text);
  if (!file) return std::move(file).error();
  return read_from(*file, folder);
}

}  // namespace tallystick::cli
