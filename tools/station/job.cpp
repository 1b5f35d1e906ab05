#include "tools/station/job.h"

#include <sys/stat.h>

#include "core/certificate/device_certificate.h"
#include "core/crypto/hash.h"

namespace tallystick::station {
namespace {

using cli::file_failure;
using cli::from_core;
using cli::refused;

constexpr unsigned kPartRole = 4;

// Links lead out of a folder (P05).
Done check_no_link(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    return file_failure(path, "it is a link; a job's files stand in its folder");
  }
  return {};
}

Outcome<core::Bytes> read(const std::string& path, std::size_t most) {
  if (auto done = check_no_link(path); !done) return std::move(done).error();
  return cli::read_file(path, most);
}

class Opening {
 public:
  Opening(std::shared_ptr<const core::Crypto> crypto, const std::string& folder) {
    job_.crypto = std::move(crypto);
    job_.folder = folder;
  }

  Done run(const std::optional<core::ByteArray<32>>& fingerprint) {
    for (const auto* name : {kJobFile, kProofFolder}) {
      if (auto done = check_no_link(job_.path(name)); !done) return done;
    }
    auto file = read_job_file(job_.path(kJobFile));
    if (!file) return std::move(file).error();
    job_.file = *std::move(file);
    for (const auto step : {&Opening::certificate, &Opening::package, &Opening::package_body,
                            &Opening::shares, &Opening::software}) {
      if (auto done = (this->*step)(); !done) return done;
    }
    if (fingerprint && *fingerprint != job_.file.icm_fingerprint) {
      return refused(job_.path(kJobFile), "the ICM's fingerprint in it is not the one given");
    }
    return {};
  }
  Job take() { return std::move(job_); }

 private:
  [[nodiscard]] const core::Crypto& crypto() const { return *job_.crypto; }
  [[nodiscard]] const core::Context& context() const { return job_.head.header.context; }

  Done certificate() {
    const auto path = job_.path(job_.file.icm_certificate);
    const auto der = read(path, core::kMostCertificateBytes);
    if (!der) return der.error();
    auto key = core::icm_public_key_of(crypto(), *der);
    if (!key) return from_core(path, key.error());
    const auto id = core::key_id(crypto(), *key);
    if (!id) return from_core(path, id.error());
    if (*id != job_.file.icm_fingerprint) {
      return refused(path, "the key has another fingerprint than the job says");
    }
    job_.icm_public_key = *std::move(key);
    return {};
  }

  Done package() {
    const auto path = job_.path(job_.file.package);
    if (auto done = check_no_link(path); !done) return done;
    auto file = cli::InputFile::open(path);
    if (!file) return std::move(file).error();
    job_.package = std::make_shared<const cli::InputFile>(*std::move(file));
    // Longer ones cannot be announced on the line.
    if (job_.package->size() > UINT32_MAX) return refused(path, "it has 4 GiB or more");
    core::Bytes raw(
        std::min<std::uint64_t>(job_.package->size(), core::package_head_size(core::kMostAssets)));
    if (auto done = job_.package->read_at(0, raw); !done) return done;
    if (raw.size() < core::kPackageHeaderSize) return refused(path, "it is too short");
    const auto size =
        core::package_head_size_of(core::ByteView(raw).first(core::kPackageHeaderSize));
    if (!size) return from_core(path, size.error());
    if (*size > raw.size()) return refused(path, "it is too short");
    raw.resize(*size);
    auto head = core::parse_package_head(raw, job_.package->size());
    if (!head) return from_core(path, head.error());
    job_.head = *std::move(head);
    if (auto done = core::check_package_entries(job_.head); !done) {
      return from_core(path, done.error());
    }
    if (auto done = core::check_package_signature(crypto(), job_.head); !done) {
      return from_core(path, done.error());
    }
    const auto& product = job_.head.header.product;
    if (!job_.file.product.empty() && product != job_.file.product) {
      return refused(path, product.empty() ? "it is for no product"
                                           : "it is for the product \"" + product + "\"");
    }
    const auto digest = core::sha384(crypto(), {raw});
    if (!digest) return from_core(path, digest.error());
    job_.package_digest = core::to_hex(*digest);
    return {};
  }

  // The sealed bytes are what the signed head says: what was cut or changed on the way is found
  // here and not by the first part.
  Done package_body() {
    const auto path = job_.path(job_.file.package);
    std::uint64_t at = job_.head.raw.size();
    core::Bytes piece(256UL * 1024);
    for (const auto& entry : job_.head.entries) {
      auto hasher = core::Hasher::create(crypto(), core::Hash::kSha384);
      if (!hasher) return from_core(path, hasher.error());
      for (std::uint64_t left = entry.sealed_length; left > 0;) {
        const auto view = core::MutableByteView(piece).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
        if (auto done = job_.package->read_at(at, view); !done) return done;
        if (auto done = hasher->update(view); !done) return from_core(path, done.error());
        at += view.size();
        left -= view.size();
      }
      core::ByteArray<48> digest{};
      if (auto done = hasher->finish(digest); !done) return from_core(path, done.error());
      if (digest != entry.digest) {
        return refused(path, "the asset \"" + entry.name + "\" is not as it was sealed");
      }
    }
    return {};
  }

  Done software() {
    if (job_.file.software.empty()) return {};
    const auto path = job_.path(job_.file.software);
    auto image = read(path, core::kMostSoftware);
    if (!image) return std::move(image).error();
    const auto software = core::verify_software_signature(crypto(), *image, job_.icm_public_key);
    if (!software) return from_core(path, software.error());
    const auto& header = software->header;
    const auto& permits = software->permissions;
    if (header.family_id != context().family_id) return refused(path, "it is for another family");
    if ((header.role_mask >> kPartRole & 1U) == 0) return refused(path, "it is not for parts");
    if (header.version < context().sw_floor) {
      return refused(path, "the package asks for newer software");
    }
    const auto role = job_.counted() ? core::BlobRole::kDevice : core::BlobRole::kShare;
    if (!permits.takes(role) || !permits.allows(core::Operation::kInstall) ||
        !permits.allows(core::Operation::kProve) || !permits.opens(job_.head.header.suite)) {
      return refused(path, "it does not permit parts to install such a package and to prove it");
    }
    if (job_.file.lock && !permits.moves(2, 3) && !permits.moves(1, 3)) {
      return refused(path, "it does not permit parts to be locked");
    }
    job_.software_header = header;
    job_.software = *std::move(image);
    return {};
  }

  Done shares() {
    const auto path = job_.path(job_.file.shares);
    if (auto done = check_no_link(path); !done) return done;
    if (cli::is_directory(path)) return device_blobs(path);
    auto blob = cli::read_file(path, core::kMostShareBlob);
    if (!blob) return std::move(blob).error();
    const auto parsed = core::parse_share_blob(*blob);
    if (!parsed) return from_core(path, parsed.error());
    if (parsed->header.role == core::BlobRole::kMaster) {
      return refused(path, "it is the OEM's own blob, which has no business on a line",
                     "the line needs the .tsos");
    }
    if (parsed->header.role == core::BlobRole::kDevice) {
      return refused(path, "it is for one part", "put such blobs into a folder");
    }
    if (auto done = check_context(path, *parsed); !done) return done;
    job_.shared_blob = *std::move(blob);
    return {};
  }

  Done device_blobs(const std::string& folder) {
    const auto files = cli::files_in(folder, ".tsop");
    if (!files) return files.error();
    if (files->empty()) return file_failure(folder, "there is no .tsop in it");
    std::map<std::uint64_t, std::string> numbers;
    for (const auto& path : *files) {
      const auto blob = read(path, core::kMostShareBlob);
      if (!blob) return blob.error();
      const auto parsed = core::parse_share_blob(*blob);
      if (!parsed) return from_core(path, parsed.error());
      if (!parsed->device) return refused(path, "it is not for one part");
      const auto& fields = *parsed->device;
      if (!path.ends_with("/" + core::to_hex(fields.recipient_id) + ".tsop")) {
        return refused(path, "it is for another part than its name says");
      }
      if (auto done = check_context(path, *parsed); !done) return done;
      if (auto done = core::check_device_blob(crypto(), *parsed, fields.recipient_id); !done) {
        return from_core(path, done.error());
      }
      if (job_id_ && *job_id_ != fields.job_id) return refused(path, "it is of another grant");
      job_id_ = fields.job_id;
      const auto [first, fresh] = numbers.emplace(fields.number, path);
      if (!fresh) return refused(path, "it has the number of " + first->second);
      job_.device_blobs[fields.recipient_id] = {path, fields.number};
    }
    if (job_.file.parts > job_.device_blobs.size()) {
      return refused(folder, "the job is for " + std::to_string(job_.file.parts) +
                                 " parts and there are blobs for " +
                                 std::to_string(job_.device_blobs.size()));
    }
    return {};
  }

  [[nodiscard]] Done check_context(const std::string& path,
                                   const core::ParsedShareBlob& blob) const {
    if (blob.header.context == context()) return {};
    return refused(path, "it is of another share set than the package",
                   "`inspect` shows what both say");
  }

  Job job_;
  std::optional<core::JobId> job_id_;
};

}  // namespace

Outcome<std::shared_ptr<const Job>> open_job(
    const std::shared_ptr<const core::Crypto>& crypto, const std::string& folder,
    const std::optional<core::ByteArray<32>>& fingerprint) {
  Opening opening(crypto, folder);
  if (auto done = opening.run(fingerprint); !done) return std::move(done).error();
  return std::shared_ptr<const Job>(std::make_shared<Job>(opening.take()));
}

Outcome<core::Bytes> share_blob_for(const Job& job, const core::DeviceId& part) {
  if (!job.counted()) return job.shared_blob;
  const auto found = job.device_blobs.find(part);
  if (found == job.device_blobs.end()) {
    return refused("shares", "there is no blob for this part");
  }
  auto blob = read(found->second.path, core::kMostShareBlob);
  if (!blob) return blob;
  // It may have been exchanged since the job was opened.
  const auto parsed = core::parse_share_blob(*blob);
  if (!parsed || !parsed->device || parsed->device->recipient_id != part) {
    return refused("shares", "the blob is not for this part");
  }
  return blob;
}

}  // namespace tallystick::station
