#include "tools/cli/programming/record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "tools/cli/formats/json_file.h"

namespace tallystick::cli {
namespace {

// Some 400 bytes a part: enough for half a million.
constexpr std::size_t kMostRecord = 256UL * 1024 * 1024;

// Keeps other processes that append to the same record out.
class Alone {
 public:
  explicit Alone(int fd) : fd_(fd) {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Alone() { static_cast<void>(::flock(fd_, LOCK_UN)); }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  int fd_;
};

}  // namespace

Record::Record(Record&& other) noexcept
    : file_(std::move(other.file_)), path_(std::move(other.path_)), done_(std::move(other.done_)) {}

Outcome<Record> Record::open(const std::string& path) {
  if (path.empty()) return Record(FileHandle(), path);
  const bool there = exists(path);
  core::Bytes before;
  if (there) {
    auto read = read_file(path, kMostRecord);
    if (!read) return std::move(read).error();
    before = *std::move(read);
  }
  FileHandle file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.open()) return from_errno(path, errno);
  Record record(std::move(file), path);
  if (auto done = record.load(before); !done) return std::move(done).error();
  return record;
}

Done Record::load(core::ByteView bytes) {
  std::string_view text = core::text_of(bytes);
  const bool cut = !text.empty() && text.back() != '\n';
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const auto line = parse_json(core::bytes_of(text.substr(0, end)));
    if (text_member(line, "result") == "ok") {
      done_[text_member(line, "part_id")] = text_member(line, "package_digest");
    }
    text.remove_prefix(end + 1);
  }
  // The next line starts on a line of its own.
  if (cut && ::write(file_.get(), "\n", 1) != 1) return from_errno(path_, errno);
  return {};
}

bool Record::has(const std::string& part_id, const std::string& package_digest) const {
  const auto found = done_.find(part_id);
  return found != done_.end() && found->second == package_digest;
}

Done Record::append(const nlohmann::ordered_json& line) {
  if (!file_.open()) return {};
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  const Alone alone(file_.get());
  // One write, so that a program that reads along sees whole lines.
  const ssize_t put = ::write(file_.get(), text.data(), text.size());
  if (put < 0) return from_errno(path_, errno);
  if (static_cast<std::size_t>(put) != text.size()) {
    // What a full disk cut off is taken back; where that fails too the next run passes it over.
    const off_t end = ::lseek(file_.get(), 0, SEEK_CUR);
    static_cast<void>(!::ftruncate(file_.get(), end - put));
    return from_errno(path_, ENOSPC);
  }
  if (::fdatasync(file_.get()) != 0) return from_errno(path_, errno);
  return {};
}

}  // namespace tallystick::cli
