// A job: what a line of stations does to each part. It is a folder that can be carried around,
//
//   job.toml        what to do; names plain files beside it
//   icm.cer         the ICM's certificate; its fingerprint stands in job.toml
//   package.tspk    the package
//   shares.tsos     the share blob, or a folder shares/ with an ID.tsop for each part
//   software.tssw   provisioning software, where parts may come without
//   record.jsonl    what happened (ledger.h); proofs/ the parts' proofs and certificates
//
// and holds no secret in clear. A job is opened only when everything in it that can be verified
// without secrets is right: signatures, ids, lengths, digests, recipients, numbers.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/crypto/crypto.h"
#include "core/ts1/package.h"
#include "core/ts1/proof.h"
#include "core/ts1/share_blob.h"
#include "core/ts1/software.h"
#include "tools/cli/file_io.h"

namespace tallystick::station {

using cli::Done;
using cli::Failure;
using cli::Outcome;
using Challenge = core::ByteArray<core::kChallengeSize>;

constexpr const char* kJobFile = "job.toml";
constexpr const char* kRecordFile = "record.jsonl";
constexpr const char* kProofFolder = "proofs";

// job.toml, as it stands there.
struct JobFile {
  std::string name;
  core::ByteArray<32> icm_fingerprint{};
  std::string icm_certificate = "icm.cer";
  std::string package = "package.tspk";
  std::string shares = "shares.tsos";  // or a folder
  std::string software;                // empty: parts bring theirs
  std::uint64_t parts = 0;             // 0: no end
  bool lock = false;
  std::optional<Challenge> challenge;  // the OEM's, for the proofs that it will check
  std::string product;                 // what every part has to be; empty: what the package takes
  // States in which a part is programmed.
  std::set<std::uint8_t> life_cycles = {0, 1};
};
// Names that lead out of the folder are refused, as is everything that is not known (kFile).
Outcome<JobFile> read_job_file(const std::string& path);
// The text of a job.toml that reads back as this.
std::string job_file_text(const JobFile& job);

// A role 3 blob is one part's; the number that was counted for it, and where it lies.
struct DeviceBlob {
  std::string path;
  std::uint64_t number = 0;
};

struct Job {
  std::shared_ptr<const core::Crypto> crypto;
  std::string folder;
  JobFile file;
  core::Bytes icm_public_key;  // X ‖ Y
  std::shared_ptr<const cli::InputFile> package;
  core::PackageHead head;
  std::string package_digest;                         // SHA-384 of the head, as in every record
  core::Bytes shared_blob;                            // role 1; empty in a counted family
  std::map<core::DeviceId, DeviceBlob> device_blobs;  // role 3
  core::Bytes software;
  std::optional<core::SoftwareHeader> software_header;

  [[nodiscard]] bool counted() const { return shared_blob.empty(); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder + "/" + name; }
};

// Reads and verifies everything (kRefused for what does not verify, kFile for what is not there).
// `fingerprint`: the ICM's, where the caller has it by another way.
Outcome<std::shared_ptr<const Job>> open_job(
    const std::shared_ptr<const core::Crypto>& crypto, const std::string& folder,
    const std::optional<core::ByteArray<32>>& fingerprint = std::nullopt);

// The blob for a part: the shared one, or its own, read again and checked to be its own. kRefused
// when there is none.
Outcome<core::Bytes> share_blob_for(const Job& job, const core::DeviceId& part);

}  // namespace tallystick::station
