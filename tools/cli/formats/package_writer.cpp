#include "tools/cli/formats/package_writer.h"

#include "core/crypto/hash.h"
#include "core/ts1/derive.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/private_key_file.h"

namespace tallystick::cli {
namespace {

// Keys are shorter than a chunk, so one chunk and the prefix is all that sealing adds.
constexpr std::uint64_t kSealedKeyExtra = core::kSealPrefix + core::Aead::kTagSize;

std::string asset_name(const ManifestAsset& asset) { return "asset " + asset.entry.name; }

}  // namespace

Outcome<WrittenPackage> PackageWriter::write(const Manifest& manifest, const std::string& path) {
  const auto keys = key_objects(manifest);
  if (!keys) return keys.error();
  auto builder = prepare(manifest, *keys);
  if (!builder) return std::move(builder).error();
  auto file = AtomicFile::create(path);
  if (!file) return std::move(file).error();
  const std::size_t head_size = core::package_head_size(manifest.assets.size());
  if (auto done = file->seek(head_size); !done) return std::move(done).error();
  for (std::size_t i = 0; i < manifest.assets.size(); ++i) {
    const auto digest = seal_asset(*builder, i, manifest.assets[i], (*keys)[i], *file);
    if (!digest) return digest.error();
    builder->set_digest(i, *digest);
  }
  if (auto done = sign_and_tag(*builder); !done) return std::move(done).error();
  if (auto done = file->write_at(0, builder->head().raw); !done) return std::move(done).error();
  if (auto done = file->commit(); !done) return std::move(done).error();
  return WrittenPackage{manifest.assets.size(), head_size + builder->header().body_length};
}

Outcome<std::vector<Handle>> PackageWriter::key_objects(const Manifest& manifest) {
  std::vector<Handle> keys;
  for (const ManifestAsset& asset : manifest.assets) {
    if (!asset.entry.is_key()) {
      keys.push_back(0);
      continue;
    }
    auto key = key_object(asset);
    if (!key) return std::move(key).error();
    keys.push_back(*key);
  }
  return keys;
}

Outcome<Handle> PackageWriter::key_object(const ManifestAsset& asset) {
  switch (asset.source.kind) {
    case SourceKind::kGenerated:
      return token_->generated_asset(share_, asset.source.generated);
    case SourceKind::kToken:
      return token_object(asset.source.location);
    case SourceKind::kFile:
      break;
  }
  if (asset.entry.kind == core::AssetKind::kPrivateKey) {
    return import_private_key(*crypto_, token_->session(), asset.source.location);
  }
  return import_secret(token_->session(), asset.source.location);
}

Outcome<Handle> PackageWriter::token_object(const std::string& text) {
  auto uri = parse_uri(text);
  if (!uri) return std::move(uri).error();
  Session& session = token_->session();
  if (!uri->matches(session.slot().token)) {
    return token_failure(uri->text(), "a key goes into a package from the provisioning token only");
  }
  std::vector<Handle> matching;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    Template wanted;
    wanted.number(CKA_CLASS, object_class);
    if (const auto label = uri->object_label()) wanted.bytes(CKA_LABEL, *label);
    if (const auto id = uri->object_id()) wanted.bytes(CKA_ID, *id);
    auto found = session.find(wanted);
    if (!found) return found.error();
    matching.insert(matching.end(), found->begin(), found->end());
  }
  if (matching.size() == 1) return matching.front();
  return token_failure(uri->text(),
                       matching.empty() ? "there is no such key" : "several keys match",
                       "name one by object= or id= in the URI");
}

Outcome<core::PackageBuilder> PackageWriter::start(const Manifest& manifest,
                                                   const std::vector<core::PackageEntry>& entries) {
  core::PackageHeader header;
  header.suite = manifest.suite;
  header.package_version = manifest.package_version;
  header.context = share_.context;
  header.created = manifest.created.value_or(0);
  header.product = manifest.product;
  auto builder = core::PackageBuilder::create(header, entries);
  if (!builder) {
    // What a part would refuse is the manifest's fault.
    return file_failure("manifest", builder.error().message);
  }
  return *std::move(builder);
}

Outcome<core::PackageBuilder> PackageWriter::prepare(const Manifest& manifest,
                                                     const std::vector<Handle>& keys) {
  std::vector<core::PackageEntry> entries;
  for (const ManifestAsset& asset : manifest.assets) {
    core::PackageEntry entry = asset.entry;
    if (!entry.is_key()) {
      const auto file = InputFile::open(asset.source.location);
      if (!file) return file.error();
      entry.plaintext_length = file->size();
    }
    entries.push_back(entry);
  }
  // Keys count as empty until the token has said how long they are.
  auto draft = start(manifest, entries);
  if (!draft) return draft;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].is_key()) continue;
    auto sealing = asset_key(manifest.suite, std::string(core::kLabelEncKey));
    if (!sealing) return std::move(sealing).error();
    const auto length = token_->session().wrapped_length(
        asset_name(manifest.assets[i]), Mechanism(CKM_TS_SEAL, draft->seal_context(i)), *sealing,
        keys[i]);
    if (!length) return length.error();
    if (*length < kSealedKeyExtra || *length >= core::kChunkSize) {
      return token_failure(asset_name(manifest.assets[i]), "the token gives no sensible length");
    }
    entries[i].plaintext_length = *length - kSealedKeyExtra;
  }
  return start(manifest, entries);
}

Outcome<core::ByteArray<48>> PackageWriter::seal_asset(const core::PackageBuilder& builder,
                                                       std::size_t index,
                                                       const ManifestAsset& asset, Handle key,
                                                       AtomicFile& out) {
  const std::string what = asset_name(asset);
  const core::PackageEntry& entry = builder.entries()[index];
  auto sealing = asset_key(builder.header().suite, core::label_for(entry.kind, entry.name));
  if (!sealing) return std::move(sealing).error();
  auto hasher = core::Hasher::create(*crypto_, core::Hash::kSha384);
  if (!hasher) return from_core(what, hasher.error());
  std::uint64_t length = 0;
  const auto sink = [&](core::ByteView bytes) -> Done {
    length += bytes.size();
    if (auto done = hasher->update(bytes); !done) return from_core(what, done.error());
    return out.write(bytes);
  };
  Done done;
  if (entry.is_key()) {
    auto sealed = token_->session().wrap(what, Mechanism(CKM_TS_SEAL, builder.seal_context(index)),
                                         *sealing, key);
    done = sealed ? sink(*sealed) : Done(std::move(sealed).error());
  } else {
    auto input = InputFile::open(asset.source.location);
    if (!input) return std::move(input).error();
    done = token_->session().encrypt(
        what, Mechanism(CKM_TS_SEAL, builder.seal_context(index)), *sealing,
        [&](core::MutableByteView into) { return input->read(into); }, sink);
  }
  if (!done) return std::move(done).error();
  if (length != entry.sealed_length) {
    return file_failure(what, "its length changed while it was read");
  }
  core::ByteArray<48> digest{};
  if (auto finished = hasher->finish(digest); !finished) return from_core(what, finished.error());
  return digest;
}

Done PackageWriter::sign_and_tag(core::PackageBuilder& builder) {
  builder.set_oem_public_key(oem_key_->public_xy());
  const auto signature = oem_key_->sign("package", builder.head().signed_bytes());
  if (!signature) return signature.error();
  builder.set_signature(*signature);
  if (auto good = core::check_package_signature(*crypto_, builder.head()); !good) {
    return from_core("package", good.error(), "were the shares made for another OEM key?");
  }
  auto key = asset_key(builder.header().suite, std::string(core::kLabelAuth));
  if (!key) return std::move(key).error();
  const auto tag = token_->session().sign("package tag", Mechanism(CKM_AES_CMAC), *key,
                                          builder.head().tagged_bytes());
  if (!tag) return tag.error();
  if (tag->size() != 16) return token_failure("package tag", "it has the wrong length");
  builder.set_tag(*tag);
  return {};
}

Outcome<Handle> PackageWriter::asset_key(core::Suite suite, const std::string& label) {
  if (const auto known = asset_keys_.find(label); known != asset_keys_.end()) return known->second;
  if (!master_key_) {
    auto master = token_->master_key(share_);
    if (!master) return master;
    master_key_ = *master;
  }
  auto key = token_->asset_key(*master_key_, suite, label);
  if (key) asset_keys_.emplace(label, *key);
  return key;
}

}  // namespace tallystick::cli
