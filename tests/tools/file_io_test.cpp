#include "tools/cli/file_io.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

std::size_t entries_in(const std::string& path) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(path)) ++count;
  return count;
}

TEST(AtomicFile, NothingStandsUnderItsNameBeforeCommit) {
  const Scratch scratch;
  const auto path = scratch.file("out", "before");
  {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write(core::bytes_of("after")).ok());
    EXPECT_EQ(contents_of(path), "before");
  }
  EXPECT_EQ(contents_of(path), "before");
  EXPECT_EQ(entries_in(scratch.path()), 1U) << "the temporary file is gone";
}

TEST(AtomicFile, CommitPutsTheWholeFileInPlace) {
  const Scratch scratch;
  auto file = AtomicFile::create(scratch / "out");
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->seek(4).ok());
  ASSERT_TRUE(file->write(core::bytes_of("body")).ok());
  ASSERT_TRUE(file->write_at(0, core::bytes_of("head")).ok());
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(contents_of(scratch / "out"), "headbody");
  EXPECT_EQ(entries_in(scratch.path()), 1U);
}

TEST(AtomicFile, A75_SecretsAreForTheOwnerAlone) {
  const Scratch scratch;
  ASSERT_TRUE(write_text(scratch / "secret", "s", FileMode::kPrivate).ok());
  EXPECT_EQ(mode_of(scratch / "secret"), 0600U);
}

TEST(AtomicFile, A75_ALinkIsNotFollowed) {
  const Scratch scratch;
  const auto target = scratch.file("target", "untouched");
  fs::create_symlink(target, scratch / "out");
  const auto done = write_text(scratch / "out", "new");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().exit, Exit::kFile);
  EXPECT_EQ(contents_of(target), "untouched");
}

TEST(AtomicFile, ADirectoryThatIsNotThereIsNamed) {
  const Scratch scratch;
  const auto done = write_text(scratch / "nowhere/out", "x");
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().what.find("nowhere"), std::string::npos);
}

TEST(AtomicFile, FullDisksLeaveNothingHalfWritten) {
  const auto file = AtomicFile::create("/dev/full/x");
  EXPECT_FALSE(file.ok());
  const auto device = AtomicFile::create("/dev/full");
  ASSERT_FALSE(device.ok());
  EXPECT_NE(device.error().why.find("not a regular file"), std::string::npos);
}

// While it lives no file of this process grows beyond `size`: a full disk.
class FilesUpTo {
 public:
  explicit FilesUpTo(rlim_t size) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FilesUpTo() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FilesUpTo(const FilesUpTo&) = delete;
  FilesUpTo& operator=(const FilesUpTo&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST(WriteFiles, AppearTogetherOrNotAtAll) {
  const Scratch scratch;
  const std::string large(100, 'x');
  const std::vector<FileToWrite> files = {{scratch / "a", core::bytes_of("small")},
                                          {scratch / "b", core::bytes_of(large)}};
  {
    const FilesUpTo limit(50);
    const auto done = write_files(files);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().exit, Exit::kFile);
    EXPECT_EQ(done.error().what, scratch / "b");
  }
  EXPECT_EQ(entries_in(scratch.path()), 0U);
  ASSERT_TRUE(write_files(files).ok());
  EXPECT_EQ(contents_of(scratch / "b"), large);
  EXPECT_EQ(entries_in(scratch.path()), 2U);
}

TEST(AtomicFile, AWriteThatFailsLeavesWhatWasThere) {
  const Scratch scratch;
  const auto path = scratch.file("out", "before");
  const FilesUpTo limit(50);
  const auto done = write_text(path, std::string(100, 'x'));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().advice, "nothing was written under that name");
  EXPECT_EQ(contents_of(path), "before");
  EXPECT_EQ(entries_in(scratch.path()), 1U);
}

TEST(ReadFile, P01_LimitsAreCheckedBeforeReading) {
  const Scratch scratch;
  const auto path = scratch.file("large", std::string(101, 'x'));
  EXPECT_FALSE(read_file(path, 100).ok());
  EXPECT_TRUE(read_file(path, 101).ok());
  EXPECT_FALSE(read_secret_file(path, 100).ok());
  EXPECT_TRUE(read_secret_file(path, 101).ok());
  EXPECT_FALSE(read_secret_file("/dev/zero", 100).ok()) << "an endless file ends at the limit";
}

TEST(ReadFile, DirectoriesAndDevicesAreNotFiles) {
  const Scratch scratch;
  EXPECT_FALSE(read_file(scratch.path()).ok());
  EXPECT_FALSE(read_file("/dev/zero").ok());
  EXPECT_FALSE(read_file(scratch / "nothing").ok());
}

TEST(FilesIn, AreSortedAndHiddenOnesLeftOut) {
  const Scratch scratch;
  for (const char* name : {"b.part", "a.part", ".c.part", "d.txt"}) scratch.file(name, "");
  const auto files = files_in(scratch.path(), ".part");
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(*files, (std::vector<std::string>{scratch / "a.part", scratch / "b.part"}));
}

}  // namespace
}  // namespace tallystick::cli
