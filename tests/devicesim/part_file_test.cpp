// Parts in real files.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "devicesim/file_storage.h"
#include "tests/devicesim/support/parts.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::Part;

class PartFiles : public ::testing::Test {
 protected:
  std::unique_ptr<Part> create(const std::string& name) {
    return value(Part::create(world_.crypto_ptr(), scratch_.file(name),
                              manufacture_for(world_, "", 1024UL * 1024)));
  }
  core::Result<std::unique_ptr<Part>> open(const std::string& name) {
    return Part::open(world_.crypto_ptr(), scratch_.file(name));
  }
  std::uint64_t bytes_on_disk(const std::string& name) {
    struct stat info {};
    EXPECT_EQ(::stat(scratch_.file(name).c_str(), &info), 0);
    return static_cast<std::uint64_t>(info.st_blocks) * 512;
  }

  World world_;
  OemDesk oem_{world_};
  Scratch scratch_;
};

TEST_F(PartFiles, ResumeWhereAPowerCycleLeftThem) {
  const auto package = oem_.package(small_plan());
  core::DeviceId id{};
  {
    auto part = create("part");
    id = part->id();
    make_ready(world_, *part, world_.software());
  }
  {
    auto part = value(open("part"));
    EXPECT_EQ(part->id(), id);
    done(part->load_share_blob(oem_.share_blob()));
    auto installer = value(part->install_package(package.size()));
    done(installer->update(core::ByteView(package).first(20000)));
    part.reset();
  }
  {
    auto part = value(open("part"));
    EXPECT_FALSE(part->info().package.has_value());
    EXPECT_THAT(program(*part, oem_.share_blob(), package), Succeeds());
  }
  auto part = value(open("part"));
  EXPECT_TRUE(part->info().package.has_value());
  EXPECT_EQ(value(part->read_flash(0, 40000)), small_plan().assets[0].content);
}

TEST_F(PartFiles, AreForTheirOwnerAloneAndSparse) {
  create("part");
  struct stat info {};
  ASSERT_EQ(::stat(scratch_.file("part").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_LT(bytes_on_disk("part"), 512U * 1024);
}

TEST_F(PartFiles, GiveTheRoomOfReplacedPackagesBack) {
  auto part = create("part");
  make_ready(world_, *part, world_.software());
  PackagePlan plan;
  plan.assets.push_back(flash_asset(1, "firmware", 0, pattern(900000, 1)));
  done(program(*part, oem_.share_blob(), oem_.package(plan), 100000));
  const auto once = bytes_on_disk("part");
  for (int i = 0; i < 4; ++i) done(program(*part, oem_.share_blob(), oem_.package(plan), 100000));
  EXPECT_LT(bytes_on_disk("part"), once + 300000);
}

TEST_F(PartFiles, AreOpenOnce) {
  auto part = create("part");
  EXPECT_THAT(open("part"), FailsWith(ErrorCode::kStorage)) << "in this process";
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto second = open("part");
    ::_exit(!second && second.error().message.find("in use") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "in another process";
  part.reset();
  EXPECT_THAT(open("part"), Succeeds());
}

TEST_F(PartFiles, D07_AreWithOneStationAtATime) {
  const auto package = oem_.package(small_plan());
  auto part = create("part");
  make_ready(world_, *part, world_.software());
  const auto id = part->id();
  const auto second_station = [&] {
    const auto child = ::fork();
    if (child == 0) {
      auto seen = open("part");
      if (!seen) ::_exit(2);
      ::_exit((*seen)->id() == id && (*seen)->info().package ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  done(part->load_share_blob(oem_.device_blob(part->public_key())));
  auto installer = value(part->install_package(package.size()));
  done(installer->update(core::ByteView(package).first(package.size() / 2)));
  EXPECT_EQ(second_station(), 2) << "the first one is still at it";
  done(installer->update(core::ByteView(package).subspan(package.size() / 2)));
  done(installer->finish());
  EXPECT_EQ(second_station(), 2);
  installer.reset();
  part.reset();
  EXPECT_EQ(second_station(), 0) << "the same part, and it holds the package";
}

TEST_F(PartFiles, ThatAreThereAreNeverOverwritten) {
  const auto id = create("part")->id();
  EXPECT_THAT(Part::create(world_.crypto_ptr(), scratch_.file("part"), manufacture_for(world_)),
              FailsWith(ErrorCode::kStorage));
  EXPECT_EQ(value(open("part"))->id(), id);
  write_file(scratch_.file("notes"), core::bytes_of("mine"));
  EXPECT_THAT(Part::create(world_.crypto_ptr(), scratch_.file("notes"), manufacture_for(world_)),
              FailsWith(ErrorCode::kStorage));
  EXPECT_EQ(read_file(scratch_.file("notes")).size(), 4U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.path()), {}), 2)
      << "nothing unfinished is left behind";
}

TEST_F(PartFiles, ThatAreNoneAreRefused) {
  EXPECT_THAT(open("missing"), FailsWith(ErrorCode::kStorage));
  EXPECT_THAT(
      Part::create(world_.crypto_ptr(), scratch_.file("no/such/folder"), manufacture_for(world_)),
      FailsWith(ErrorCode::kStorage));
  EXPECT_THAT(Part::open(world_.crypto_ptr(), scratch_.path().string()),
              FailsWith(ErrorCode::kStorage));
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{5000000}}) {
    write_file(scratch_.file("other"), pattern(size, 1));
    ::chmod(scratch_.file("other").c_str(), 0600);
    EXPECT_THAT(open("other"), FailsWith(ErrorCode::kStorage)) << size;
  }
}

TEST_F(PartFiles, ThatNoFileSystemHoldsAreNotMade) {
  EXPECT_THAT(device::FileStorage::create(scratch_.file("huge"), (1ULL << 62U) + 1,
                                          [](device::Storage&) { return core::Status(); }),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(PartFiles, A75_ThatOthersMayUseOrThatAreLinksAreRefused) {
  create("part");
  ASSERT_EQ(::symlink(scratch_.file("part").c_str(), scratch_.file("link").c_str()), 0);
  EXPECT_THAT(open("link"), FailsWith(ErrorCode::kStorage));
  EXPECT_THAT(Part::create(world_.crypto_ptr(), scratch_.file("link"), manufacture_for(world_)),
              FailsWith(ErrorCode::kStorage));
  ::chmod(scratch_.file("part").c_str(), 0640);
  EXPECT_THAT(open("part"), FailsWith(ErrorCode::kStorage));
  ::chmod(scratch_.file("part").c_str(), 0600);
  EXPECT_THAT(open("part"), Succeeds());
  ASSERT_EQ(::mkfifo(scratch_.file("pipe").c_str(), 0600), 0);
  EXPECT_THAT(open("pipe"), FailsWith(ErrorCode::kStorage));
}

TEST_F(PartFiles, CutShortAnywhereAreRefused) {
  create("part");
  const auto path = scratch_.file("part");
  const auto size = std::filesystem::file_size(path);
  for (const auto length : {size - 1, size / 2, std::uintmax_t{70000}, std::uintmax_t{4097},
                            std::uintmax_t{4096}, std::uintmax_t{10}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path, length);
    EXPECT_THAT(open("part"), FailsWith(ErrorCode::kStorage)) << length;
  }
}

TEST_F(PartFiles, OnAFullDiskReportItAndStayWhatTheyWere) {
  {
    auto part = create("part");
    make_ready(world_, *part, world_.software());
  }
  const auto package = oem_.package(small_plan());
  const auto blob = oem_.share_blob();
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // No write reaches beyond the states and the first bank.
    (void)::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2UL * 1024 * 1024 + 140000, RLIM_INFINITY};
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
    auto part = open("part");
    const auto result = part ? program(**part, blob, package) : core::Status(part.error());
    ::_exit(!result && result.error().code == ErrorCode::kStorage ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  auto part = value(open("part"));
  EXPECT_FALSE(part->info().package.has_value());
  EXPECT_THAT(program(*part, blob, package), Succeeds());
}

TEST_F(PartFiles, D03_KilledInTheMiddleAreWhatTheyWereOrWhole) {
  auto plan = small_plan(1);
  plan.assets[0].content = pattern(600000, 3);
  for (auto& asset : plan.assets) {
    if (!asset.entry.is_key() && asset.entry.slot != 7) asset.entry.address += 700000;
  }
  const auto package = oem_.package(plan);
  const auto blob = oem_.share_blob();
  for (int piece = 0; piece < 12; ++piece) {
    const auto name = "part" + std::to_string(piece);
    {
      auto part = create(name);
      make_ready(world_, *part, world_.software());
    }
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto part = open(name);
      if (!part || !(*part)->load_share_blob(blob)) ::_exit(1);
      auto installer = (*part)->install_package(package.size());
      if (!installer) ::_exit(1);
      const auto cut = package.size() * static_cast<std::size_t>(piece) / 11;
      if (!(*installer)->update(core::ByteView(package).first(cut))) ::_exit(1);
      if (piece == 11) (void)(*installer)->finish();
      (void)::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << status;
    auto part = value(open(name));
    EXPECT_EQ(part->info().package.has_value(), piece == 11);
    EXPECT_THAT(program(*part, blob, package, 100000), Succeeds());
  }
}

}  // namespace
}  // namespace tallystick::test
