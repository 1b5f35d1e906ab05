#include "tools/cli/formats/proof_check.h"

#include <algorithm>

#include "core/certificate/device_certificate.h"
#include "core/ts1/derive.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/inspect.h"
#include "tools/cli/formats/private_key_file.h"

namespace tallystick::cli {
namespace {

// 64 slots of 52 bytes and what stands around them.
constexpr std::size_t kMostProof = 8192;

// Gives out a view piece by piece.
Session::Source source_of(core::ByteView bytes) {
  return [rest = bytes](core::MutableByteView into) mutable -> Outcome<std::size_t> {
    const std::size_t size = std::min(into.size(), rest.size());
    std::copy_n(rest.begin(), size, into.begin());
    rest = rest.subspan(size);
    return size;
  };
}

}  // namespace

Outcome<core::Proof> check_signed_proof(const core::Crypto& crypto, const std::string& proof_path,
                                        const std::string& certificate_path,
                                        core::ByteView icm_public_key, const Challenge& challenge) {
  const auto bytes = read_file(proof_path, kMostProof);
  if (!bytes) return bytes.error();
  auto proof = core::parse_proof(*bytes);
  if (!proof) return from_core(proof_path, proof.error());
  const auto der = load_certificate(certificate_path);
  if (!der) return der.error();
  const auto device = core::verify_device_certificate(crypto, *der, icm_public_key);
  if (!device) return from_core(certificate_path, device.error());
  if (device->kind != core::DeviceKind::kPart) {
    return refused(certificate_path, "it is the certificate of a token, not of a part");
  }
  if (auto done = core::check_proof_signature(crypto, challenge, device->key, *proof); !done) {
    return from_core(proof_path, done.error(), "is it for this challenge and this part?");
  }
  return *std::move(proof);
}

Outcome<ContentsCheck> ContentsCheck::open(std::shared_ptr<const core::Crypto> crypto,
                                           Session session, const std::string& package,
                                           const std::string& manifest_path) {
  auto head = read_package_head(package);
  if (!head) return std::move(head).error();
  if (auto done = core::check_package_signature(*crypto, *head); !done) {
    return from_core(package, done.error());
  }
  const auto manifest = read_manifest(manifest_path);
  if (!manifest) return manifest.error();
  const core::Crypto& library = *crypto;
  ContentsCheck check(std::move(crypto), TokenClient(library, std::move(session)),
                      *std::move(head));
  if (auto done = check.match(*manifest); !done) return std::move(done).error();
  if (auto done = check.derive_key(); !done) return std::move(done).error();
  return check;
}

Done ContentsCheck::match(const Manifest& manifest) {
  if (manifest.assets.size() != head_.entries.size()) {
    return refused("manifest", "it has another number of assets than the package");
  }
  for (const ManifestAsset& asset : manifest.assets) {
    const auto entry =
        std::find_if(head_.entries.begin(), head_.entries.end(),
                     [&](const core::PackageEntry& e) { return e.slot == asset.entry.slot; });
    if (entry == head_.entries.end() || entry->name != asset.entry.name ||
        entry->kind != asset.entry.kind || entry->asset_id != asset.entry.asset_id) {
      return refused("manifest", "asset " + asset.entry.name + " is not in the package like this");
    }
    Asset matched{
        static_cast<std::size_t>(entry - head_.entries.begin()), asset.source, entry->kind, {}};
    if (entry->kind == core::AssetKind::kPrivateKey && asset.source.kind == SourceKind::kFile) {
      auto der = private_key_as_pkcs8(*crypto_, asset.source.location);
      if (!der) return std::move(der).error();
      matched.pkcs8 = *std::move(der);
    }
    assets_.push_back(std::move(matched));
  }
  std::sort(assets_.begin(), assets_.end(), [&](const Asset& a, const Asset& b) {
    return head_.entries[a.entry].slot < head_.entries[b.entry].slot;
  });
  return {};
}

Done ContentsCheck::derive_key() {
  const auto share = token_.share(head_.header.context.share_id);
  if (!share) return share.error();
  const auto master = token_.master_key(*share);
  if (!master) return master.error();
  const auto key = token_.asset_key(*master, head_.header.suite, core::kLabelProof);
  if (!key) return key.error();
  proof_key_ = *key;
  return {};
}

Outcome<std::vector<SlotReport>> ContentsCheck::check(const core::Proof& proof,
                                                      const Challenge& challenge) {
  const std::string what = "part " + core::to_hex(proof.part_id);
  if (!core::equal_in_constant_time(proof.context, head_.header.context.encode()) ||
      proof.suite != static_cast<std::uint8_t>(head_.header.suite) ||
      proof.package_version != head_.header.package_version) {
    return refused(what, "it holds another package");
  }
  if (proof.slots.size() != assets_.size()) return refused(what, "it holds other slots");
  std::vector<SlotReport> reports;
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    const Asset& asset = assets_[i];
    const core::PackageEntry& entry = head_.entries[asset.entry];
    if (proof.slots[i].slot != entry.slot) return refused(what, "it holds other slots");
    SlotReport report{entry.slot, entry.name, asset.source.kind == SourceKind::kFile};
    if (report.compared) {
      const auto good = holds(asset, proof, proof.slots[i].mac, challenge);
      if (!good) return good.error();
      if (!*good) {
        return refused(what, "slot " + std::to_string(entry.slot) + " (" + entry.name +
                                 ") does not hold what " + asset.source.location + " has");
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

Outcome<bool> ContentsCheck::holds(const Asset& asset, const core::Proof& proof,
                                   const core::ByteArray<48>& mac, const Challenge& challenge) {
  const core::Bytes prefix =
      core::proof_mac_prefix(challenge, proof.part_id, head_.entry_bytes(asset.entry));
  const std::string what = "contents of part " + core::to_hex(proof.part_id);
  Session& session = token_.session();
  if (!asset.pkcs8.empty()) {
    return session.verify(what, Mechanism(CKM_SHA384_HMAC), proof_key_, prefix,
                          source_of(asset.pkcs8.view()), mac);
  }
  auto input = InputFile::open(asset.source.location);
  if (!input) return std::move(input).error();
  return session.verify(
      what, Mechanism(CKM_SHA384_HMAC), proof_key_, prefix,
      [&](core::MutableByteView into) { return input->read(into); }, mac);
}

}  // namespace tallystick::cli
