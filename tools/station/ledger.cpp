#include "tools/station/ledger.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "tools/cli/formats/json_file.h"

namespace tallystick::station {
namespace {

using cli::from_errno;
using cli::hex_member;
using cli::refused;
using cli::text_member;

// No line of ours comes near it.
constexpr std::size_t kMostLine = 64UL * 1024;

class Reading {
 public:
  Reading(const Job& job, std::string path, Count& count)
      : job_(job), path_(std::move(path)), count_(count) {}

  // `cut`: the file ends within a line.
  Done run(int fd, bool& cut) {
    std::array<char, 64UL * 1024> piece{};
    std::string line;
    for (off_t at = 0;;) {
      const ssize_t got = ::pread(fd, piece.data(), piece.size(), at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return from_errno(path_, errno);
      if (got == 0) break;
      at += got;
      for (const char c : std::string_view(piece.data(), static_cast<std::size_t>(got))) {
        if (c != '\n') {
          if (line.size() < kMostLine) line.push_back(c);
          continue;
        }
        if (auto done = take(line); !done) return done;
        line.clear();
      }
    }
    cut = !line.empty();
    return {};
  }

 private:
  // What is not a line of ours says nothing: a part that it might have told of tells itself.
  Done take(const std::string& text) {
    const auto line = cli::parse_json(core::bytes_of(text));
    const auto event = text_member(line, "event");
    if (event == "run" && text_member(line, "package_digest") != job_.package_digest) {
      return refused(path_, "it is the record of another package",
                     "a record belongs to one job; keep it, and make a new job");
    }
    const auto part = hex_member<32>(line, "part_id");
    if (!part) return {};
    if (event == "begin") {
      if (!count_.is_done(*part)) count_.was_begun(*part);
    } else if (event == "done") {
      count_.was_done(*part);
    } else if (event == "released" || text_member(line, "made") == "no") {
      count_.was_not_made(*part);
    }
    return {};
  }

  const Job& job_;
  std::string path_;
  Count& count_;
};

}  // namespace

Outcome<Ledger> Ledger::open(const Job& job, Count& count) {
  const auto path = job.path(kRecordFile);
  cli::FileHandle file(
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.open()) return from_errno(path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return refused(path, "another station works on this job");
  }
  bool cut = false;
  if (auto done = Reading(job, path, count).run(file.get(), cut); !done) {
    return std::move(done).error();
  }
  // The next line starts on a line of its own.
  if (cut && ::write(file.get(), "\n", 1) != 1) return from_errno(path, errno);
  return Ledger(std::move(file), path);
}

Done Ledger::look(const Job& job, Count& count) {
  const auto path = job.path(kRecordFile);
  const cli::FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.open()) return errno == ENOENT ? Done() : Done(from_errno(path, errno));
  bool cut = false;
  return Reading(job, path, count).run(file.get(), cut);
}

Done Ledger::append(const std::vector<std::string>& lines, bool durable) {
  std::string text;
  for (const auto& line : lines) text += line;
  if (!text.empty()) {
    const ssize_t put = ::write(file_.get(), text.data(), text.size());
    if (put < 0) return from_errno(path_, errno);
    if (static_cast<std::size_t>(put) != text.size()) {
      // What a full disk cut off is taken back; where that fails too the next run passes it over.
      const off_t end = ::lseek(file_.get(), 0, SEEK_END);
      static_cast<void>(!::ftruncate(file_.get(), end - put));
      return from_errno(path_, ENOSPC);
    }
  }
  if (durable && ::fdatasync(file_.get()) != 0) return from_errno(path_, errno);
  return {};
}

std::string line_of(Json fields) {
  Json line{{"time", std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count()}};
  line.update(fields);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tallystick::station
