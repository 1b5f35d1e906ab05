#include "tests/pkcs11/support/sealed_assets.h"

#include "tests/support/value.h"

namespace tallystick::test {

core::PackageEntry entry_of(core::AssetKind kind, std::size_t length, std::uint8_t flags) {
  core::PackageEntry entry;
  entry.kind = kind;
  entry.plaintext_length = length;
  entry.flags = flags;
  return entry;
}

core::Bytes context_for(const core::Context& context, core::Suite suite, core::PackageEntry entry) {
  core::PackageHeader header;
  header.suite = suite;
  header.context = context;
  header.package_version = 1;
  entry.asset_id = 1;
  entry.name = entry.name.empty() ? "asset" : entry.name;
  return value(core::PackageBuilder::create(header, {entry})).seal_context(0);
}

}  // namespace tallystick::test
