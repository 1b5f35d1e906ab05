#include "tools/station/job_init.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace tallystick::station {
namespace {

namespace fs = std::filesystem;

using cli::from_errno;

constexpr const char* kShareFolder = "shares";
constexpr const char* kSoftwareName = "software.tssw";

// Gone with the object unless it was delivered.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  Done deliver(const std::string& to) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) return cli::file_failure(to, "it is there already");
      return from_errno(to, errno);
    }
    path_.clear();
    return {};
  }

 private:
  std::string path_;
};

Done copy_file(const std::string& from, const std::string& to) {
  auto in = cli::InputFile::open(from);
  if (!in) return std::move(in).error();
  auto out = cli::AtomicFile::create(to);
  if (!out) return std::move(out).error();
  core::Bytes piece(256UL * 1024);
  for (;;) {
    const auto size = in->read(piece);
    if (!size) return size.error();
    if (*size == 0) break;
    if (auto done = out->write(core::ByteView(piece).first(*size)); !done) return done;
  }
  return out->commit();
}

Done copy_shares(const std::string& from, const std::string& folder, JobFile& file) {
  if (!cli::is_directory(from)) return copy_file(from, folder + "/" + file.shares);
  file.shares = kShareFolder;
  const auto to = folder + "/" + kShareFolder;
  if (auto done = cli::make_directory(to); !done) return done;
  const auto blobs = cli::files_in(from, ".tsop");
  if (!blobs) return blobs.error();
  for (const auto& blob : *blobs) {
    if (auto done = copy_file(blob, to + "/" + fs::path(blob).filename().string()); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace

Outcome<std::shared_ptr<const Job>> make_job(const std::shared_ptr<const core::Crypto>& crypto,
                                             const std::string& folder, JobFile file,
                                             const JobSources& sources) {
  auto name = folder;
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  if (cli::exists(name)) return cli::file_failure(name, "it is there already");
  const auto place = name + ".unfinished-" + cli::random_suffix();
  if (::mkdir(place.c_str(), 0755) != 0) return from_errno(name, errno);
  Unfinished unfinished(place);
  const auto in = [&](const std::string& leaf) { return place + "/" + leaf; };
  if (auto done = cli::write_file(in(file.icm_certificate), sources.icm_certificate); !done) {
    return std::move(done).error();
  }
  if (auto done = copy_file(sources.package, in(file.package)); !done) {
    return std::move(done).error();
  }
  if (auto done = copy_shares(sources.shares, place, file); !done) return std::move(done).error();
  if (!sources.software.empty()) {
    file.software = kSoftwareName;
    if (auto done = copy_file(sources.software, in(file.software)); !done) {
      return std::move(done).error();
    }
  }
  if (auto done = cli::write_text(in(kJobFile), job_file_text(file)); !done) {
    return std::move(done).error();
  }
  auto job = open_job(crypto, place);
  if (!job) {
    // The folder's name until now says nothing to anybody.
    auto failure = std::move(job).error();
    const auto at = failure.what.find(place);
    if (at != std::string::npos) failure.what.replace(at, place.size(), name);
    return failure;
  }
  if (auto done = unfinished.deliver(name); !done) return std::move(done).error();
  return open_job(crypto, name);
}

}  // namespace tallystick::station
