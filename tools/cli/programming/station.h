// The contract manufacturer's station: takes parts one after another, or several at once, through
// software, shares, package, proof and lock. It holds no secret and decides nothing: every part
// checks for itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ts1/package.h"
#include "devicesim/part.h"
#include "tools/cli/file_io.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/programming/record.h"
#include "tools/cli/progress.h"

namespace tallystick::cli {

struct StationJob {
  std::string package;
  std::string shares;    // a role 1 blob, or a directory of ID.tsop
  std::string software;  // image to load where it is newer than what runs; empty: none
  std::string proofs;    // directory for ID.proof and ID.cer; empty: no proof
  std::optional<core::ByteArray<32>> challenge;  // needed for proofs
  bool lock = false;
};

enum class PartResult : std::uint8_t { kProgrammed, kAlready, kRefused, kFailed };

struct PartReport {
  std::string path;
  core::DeviceId id{};
  PartResult result = PartResult::kFailed;
  std::string life_cycle;
  std::optional<Failure> failure;
  double seconds = 0;
};

struct RunReport {
  std::size_t parts = 0;
  std::size_t programmed = 0;
  std::size_t already = 0;
  std::vector<PartReport> failures;
  bool interrupted = false;
  double seconds = 0;
  // A record that could not be written: the run stopped.
  std::optional<Failure> stopped;
};

class Station {
 public:
  static Outcome<Station> open(std::shared_ptr<const core::Crypto> crypto, StationJob job);

  // Programs every part once, `threads` at a time.
  RunReport run(const std::vector<std::string>& parts, unsigned threads, Record& record,
                const Interrupt& interrupt, Progress& progress);

  // One part. Safe to call from several threads for different parts.
  [[nodiscard]] PartReport program(const std::string& path) const;
  [[nodiscard]] const std::string& package_digest() const { return digest_; }

 private:
  Station(std::shared_ptr<const core::Crypto> crypto, StationJob job, InputFile package)
      : crypto_(std::move(crypto)), job_(std::move(job)), package_(std::move(package)) {}
  Done read_inputs();

  Outcome<PartResult> take_through(device::Part& part) const;
  Done update_software(device::Part& part) const;
  Done install(device::Part& part) const;
  Done prove(device::Part& part) const;
  Outcome<core::Bytes> share_blob_for(const core::DeviceId& id) const;
  // The part holds exactly this package.
  [[nodiscard]] bool holds_package(const device::Part& part) const;
  [[nodiscard]] nlohmann::ordered_json line_of(const PartReport& report) const;

  std::shared_ptr<const core::Crypto> crypto_;
  StationJob job_;
  InputFile package_;
  std::optional<core::PackageHead> head_;  // nothing when the package is not of its form
  std::string digest_;                     // SHA-384 of the head
  core::Bytes shared_blob_;
  core::Bytes software_;
  std::uint32_t software_version_ = 0;
};

}  // namespace tallystick::cli
