// A package that is larger than the memory it is installed with.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/devicesim/support/parts.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

constexpr std::size_t kMebibyte = 1024UL * 1024;
constexpr std::size_t kAsset = 64 * kMebibyte;
constexpr std::size_t kExtra = 4 * kMebibyte;

// Sanitizers reserve address space of their own by the terabyte.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

std::size_t address_space() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

core::Status install_from_file(device::Part& part, const std::string& path, std::size_t size) {
  auto installer = part.install_package(size);
  if (!installer) return std::move(installer).error();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  static std::array<std::uint8_t, 64 * 1024> buffer;
  while (true) {
    const auto count = ::read(file, buffer.data(), buffer.size());
    if (count <= 0) break;
    const auto piece = core::ByteView(buffer).first(static_cast<std::size_t>(count));
    if (auto taken = (*installer)->update(piece); !taken) return taken;
  }
  (void)::close(file);
  return (*installer)->finish();
}

TEST(LargeAssets, S25_AreInstalledAndProvedInFourMebibytesOfExtraMemory) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs the address space";
  const World world;
  const Scratch scratch;
  const auto package_path = scratch.file("package");
  core::Bytes blob;
  std::size_t size = 0;
  {
    const OemDesk oem(world);
    blob = oem.share_blob();
    PackagePlan plan;
    plan.assets.push_back(flash_asset(1, "image", 0, core::Bytes(kAsset, 0xA5)));
    const auto package = oem.package(plan);
    size = package.size();
    write_file(package_path, package);
  }
  const auto part_path = scratch.file("part");
  {
    auto part = value(
        device::Part::create(world.crypto_ptr(), part_path, manufacture_for(world, "", kAsset)));
    make_ready(world, *part, world.software());
  }
  ::malloc_trim(0);

  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto part = device::Part::open(world.crypto_ptr(), part_path);
    if (!part || !(*part)->load_share_blob(blob)) ::_exit(1);
    const auto allowed = address_space() + kExtra;
    const rlimit limit{allowed, allowed};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    if (!install_from_file(**part, package_path, size)) ::_exit(3);
    const core::ByteArray<32> challenge{};
    if (!(*part)->prove(challenge)) ::_exit(4);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto part = value(device::Part::open(world.crypto_ptr(), part_path));
  EXPECT_EQ(value(part->read_flash(kAsset - 3, 3)), core::Bytes(3, 0xA5));
}

}  // namespace
}  // namespace tallystick::test
