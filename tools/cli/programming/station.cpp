#include "tools/cli/programming/station.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/crypto/hash.h"
#include "core/ts1/share_blob.h"
#include "core/ts1/software.h"
#include "tools/cli/formats/software_file.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kPiece = 64UL * 1024;

std::string file_name(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// The software version in an image's header; the part checks the image itself.
std::uint32_t version_in(core::ByteView image) {
  if (image.size() < core::kSoftwareHeaderSize) return 0;
  std::uint32_t version = 0;
  for (const std::uint8_t byte : image.subspan(8, 4)) version = version << 8U | byte;
  return version;
}

const char* result_text(PartResult result) {
  switch (result) {
    case PartResult::kProgrammed:
    case PartResult::kAlready:
      return "ok";
    case PartResult::kRefused:
      return "refused";
    case PartResult::kFailed:
      break;
  }
  return "failed";
}

}  // namespace

Outcome<Station> Station::open(std::shared_ptr<const core::Crypto> crypto, StationJob job) {
  auto package = InputFile::open(job.package);
  if (!package) return std::move(package).error();
  Station station(std::move(crypto), std::move(job), *std::move(package));
  if (auto done = station.read_inputs(); !done) return std::move(done).error();
  return station;
}

Done Station::read_inputs() {
  // The head is looked at for the record and for parts that are done already. A package that is
  // not of its form goes to the parts as it is; it is theirs to refuse.
  core::Bytes raw(
      std::min<std::uint64_t>(package_.size(), core::package_head_size(core::kMostAssets)));
  if (auto done = package_.read_at(0, raw); !done) return done;
  if (raw.size() >= core::kPackageHeaderSize) {
    const auto size =
        core::package_head_size_of(core::ByteView(raw).first(core::kPackageHeaderSize));
    if (size && *size <= raw.size()) {
      raw.resize(*size);
      auto head = core::parse_package_head(raw, package_.size());
      if (head) head_ = *std::move(head);
    }
  }
  const auto digest = core::sha384(*crypto_, {raw});
  if (!digest) return from_core(job_.package, digest.error());
  digest_ = core::to_hex(*digest);
  if (!job_.shares.empty() && !is_directory(job_.shares)) {
    auto blob = read_file(job_.shares, core::kMostShareBlob);
    if (!blob) return std::move(blob).error();
    shared_blob_ = *std::move(blob);
  }
  if (!job_.software.empty()) {
    auto image = read_software_file(job_.software);
    if (!image) return std::move(image).error();
    software_ = *std::move(image);
    software_version_ = version_in(software_);
  }
  if (!job_.proofs.empty()) return make_directory(job_.proofs);
  return {};
}

RunReport Station::run(const std::vector<std::string>& parts, unsigned threads, Record& record,
                       const Interrupt& interrupt, Progress& progress) {
  RunReport run;
  run.parts = parts.size();
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    while (!stop && !interrupt.requested()) {
      const std::size_t index = next++;
      if (index >= parts.size()) return;
      PartReport report = program(parts[index]);
      const bool known =
          report.result == PartResult::kAlready && record.has(core::to_hex(report.id), digest_);
      Done recorded = known ? Done() : record.append(line_of(report));
      progress.step();
      const std::lock_guard lock(mutex);
      if (report.result == PartResult::kProgrammed) ++run.programmed;
      if (report.result == PartResult::kAlready) ++run.already;
      if (report.failure) run.failures.push_back(std::move(report));
      if (!recorded) {
        run.stopped = std::move(recorded).error();
        stop = true;
      }
    }
  };
  std::vector<std::thread> crew;
  for (unsigned i = 1; i < std::min<std::size_t>(threads, parts.size()); ++i) {
    crew.emplace_back(work);
  }
  work();
  for (std::thread& worker : crew) worker.join();
  run.interrupted =
      interrupt.requested() && run.programmed + run.already + run.failures.size() < parts.size();
  run.seconds = progress.seconds();
  return run;
}

PartReport Station::program(const std::string& path) const {
  const auto start = std::chrono::steady_clock::now();
  PartReport report;
  report.path = path;
  auto part = device::Part::open(crypto_, path);
  if (!part) {
    report.failure = from_core(file_name(path), part.error());
  } else {
    report.id = (*part)->id();
    const auto result = take_through(**part);
    if (result) {
      report.result = *result;
    } else {
      report.failure = result.error();
      report.failure->what = file_name(path) + ", " + report.failure->what;
      if (report.failure->exit == Exit::kRefused) report.result = PartResult::kRefused;
    }
    report.life_cycle = std::string(device::life_cycle_name((*part)->life_cycle()));
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

Outcome<PartResult> Station::take_through(device::Part& part) const {
  if (auto done = update_software(part); !done) return std::move(done).error();
  const bool already = holds_package(part);
  if (!already) {
    if (auto done = install(part); !done) return std::move(done).error();
  }
  if (job_.lock && part.life_cycle() != device::LifeCycle::kLocked) {
    // A part that cannot prove what it holds is not locked.
    if (job_.challenge) {
      if (auto proof = part.prove(*job_.challenge); !proof) {
        return from_core("proof", proof.error());
      }
    }
    if (auto done = part.lock(); !done) return from_core("lock", done.error());
  }
  // The proof shows the state in which the part is delivered.
  if (!job_.proofs.empty()) {
    if (auto done = prove(part); !done) return std::move(done).error();
  }
  return already ? PartResult::kAlready : PartResult::kProgrammed;
}

Done Station::update_software(device::Part& part) const {
  const auto* running = part.running();
  if (!software_.empty() && (running == nullptr || running->version() != software_version_)) {
    if (part.life_cycle() != device::LifeCycle::kLocked) {
      if (auto done = part.load_software(software_); !done) {
        return from_core("software", done.error());
      }
      if (auto done = part.reset(); !done) return from_core("reset", done.error());
    }
  }
  if (part.running() != nullptr) return {};
  if (part.boot_error()) return from_core("software", *part.boot_error());
  return refused("software", "none runs on the part", "give --software");
}

bool Station::holds_package(const device::Part& part) const {
  if (!head_) return false;
  const device::PartInfo info = part.info();
  if (!info.package || info.assets.size() != head_->entries.size()) return false;
  if (info.package->context != head_->header.context ||
      info.package->suite != head_->header.suite ||
      info.package->package_version != head_->header.package_version ||
      info.package->created != head_->header.created) {
    return false;
  }
  // Every sealing has a salt of its own, so equal digests are the same package.
  return std::equal(info.assets.begin(), info.assets.end(), head_->entries.begin(),
                    [](const core::PackageEntry& a, const core::PackageEntry& b) {
                      return a.asset_id == b.asset_id && a.slot == b.slot && a.digest == b.digest;
                    });
}

Outcome<core::Bytes> Station::share_blob_for(const core::DeviceId& id) const {
  if (job_.shares.empty() || !is_directory(job_.shares)) return shared_blob_;
  return read_file(job_.shares + "/" + core::to_hex(id) + ".tsop", core::kMostShareBlob);
}

Done Station::install(device::Part& part) const {
  const auto blob = share_blob_for(part.id());
  if (!blob) return blob.error();
  if (!blob->empty()) {
    if (auto done = part.load_share_blob(*blob); !done) return from_core("shares", done.error());
  }
  auto installer = part.install_package(package_.size());
  if (!installer) return from_core("package", installer.error());
  core::Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < package_.size();) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), package_.size() - at));
    const core::MutableByteView view(piece.data(), size);
    if (auto done = package_.read_at(at, view); !done) return done;
    if (auto done = (*installer)->update(view); !done) return from_core("package", done.error());
    at += size;
  }
  if (auto done = (*installer)->finish(); !done) return from_core("package", done.error());
  return {};
}

Done Station::prove(device::Part& part) const {
  const auto proof = part.prove(*job_.challenge);
  if (!proof) return from_core("proof", proof.error());
  const std::string stem = job_.proofs + "/" + core::to_hex(part.id());
  if (auto done = write_file(stem + ".proof", *proof); !done) return done;
  return write_file(stem + ".cer", part.certificate());
}

nlohmann::ordered_json Station::line_of(const PartReport& report) const {
  nlohmann::ordered_json line{{"time", std::chrono::duration_cast<std::chrono::seconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count()},
                              {"part", file_name(report.path)},
                              {"part_id", core::to_hex(report.id)},
                              {"result", result_text(report.result)}};
  if (report.failure) line["error"] = report.failure->what + ": " + report.failure->why;
  if (head_) {
    line["package_version"] = head_->header.package_version;
    line["share_id"] = core::to_hex(head_->header.context.share_id);
  }
  line["package_digest"] = digest_;
  line["life_cycle"] = report.life_cycle;
  line["seconds"] = rounded(report.seconds);
  return line;
}

}  // namespace tallystick::cli
