// S25: an image larger than the memory. 64 MiB go through sealing, opening and a package while the
// process may take no more than 8 MiB on top of what it has.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

constexpr std::size_t kMebibyte = 1UL << 20U;
constexpr std::size_t kImage = 64 * kMebibyte;
constexpr std::size_t kExtra = 8 * kMebibyte;

// Kilobytes of private writable memory, as the kernel counts them for RLIMIT_DATA.
std::size_t data_kilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::size_t value = 0;
    if (word == "VmData:" && status >> value) return value;
  }
  throw std::runtime_error("no VmData");
}

// While it lives, heap and mappings together grow by at most kExtra.
class MemoryLimit {
 public:
  MemoryLimit() {
    malloc_trim(0);
    if (getrlimit(RLIMIT_DATA, &before_) != 0) throw std::runtime_error("getrlimit");
    auto limited = before_;
    limited.rlim_cur = data_kilobytes() * 1024 + kExtra;
    if (setrlimit(RLIMIT_DATA, &limited) != 0) throw std::runtime_error("setrlimit");
  }
  ~MemoryLimit() { setrlimit(RLIMIT_DATA, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

using FilePtr = std::unique_ptr<std::FILE, HandleDeleter<std::fclose>>;

// The image's bytes, made anew wherever they are needed.
void fill(MutableByteView out, std::uint64_t at) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>((at + i) * 2654435761U >> 13U);
  }
}

Status write_all(std::FILE* file, ByteView bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size()) return {};
  return Error{ErrorCode::kStorage, "fwrite", 0};
}

// Reads the rest of the file in odd pieces.
Status read_all(std::FILE* file, const std::function<Status(ByteView)>& take) {
  std::array<std::uint8_t, 60001> piece{};
  while (const auto size = std::fread(piece.data(), 1, piece.size(), file)) {
    if (auto taken = take(ByteView(piece).first(size)); !taken) return taken;
  }
  return {};
}

// Compares what comes out with the image, and counts it.
struct Comparison {
  std::uint64_t at = 0;
  bool equal = true;
  std::array<std::uint8_t, kChunkSize> expected{};

  Status take(ByteView plaintext) {
    const auto wanted = MutableByteView(expected).first(plaintext.size());
    fill(wanted, at);
    equal = equal && equal_in_constant_time(wanted, plaintext);
    at += plaintext.size();
    return {};
  }
};

// Seals the image into the file and gives the digest of the sealed bytes.
ByteArray<48> seal_image(Sealer& sealer, std::FILE* file) {
  auto hasher = must(Hasher::create(crypto(), Hash::kSha384));
  const ByteSink sink = [&](ByteView piece) -> Status {
    if (auto hashed = hasher.update(piece); !hashed) return hashed;
    return write_all(file, piece);
  };
  std::array<std::uint8_t, 50000> piece{};
  for (std::uint64_t at = 0; at < kImage;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), kImage - at));
    const auto now = MutableByteView(piece).first(size);
    fill(now, at);
    must(sealer.update(now, sink));
    at += size;
  }
  must(sealer.finish(sink));
  ByteArray<48> out{};
  must(hasher.finish(out));
  return out;
}

class LargeImages : public ::testing::TestWithParam<Suite> {
 protected:
  LargeImages() { (void)crypto(); }
};
INSTANTIATE_TEST_SUITE_P(BothSuites, LargeImages, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST(MemoryLimits, BiteWhenTheyAreExceeded) {
  const MemoryLimit limit;
  using BlockPtr = std::unique_ptr<void, HandleDeleter<std::free>>;
  const BlockPtr too_large(std::malloc(kExtra + kMebibyte));
  EXPECT_EQ(too_large, nullptr);
  const BlockPtr fits(std::malloc(kExtra / 2));
  EXPECT_NE(fits, nullptr);
}

TEST_P(LargeImages, S25_AreSealedAndOpenedInLessThanEightMebibytes) {
  const FilePtr file(std::tmpfile());
  ASSERT_NE(file, nullptr);
  const auto key = random_bytes(32);
  const MemoryLimit limit;
  auto sealer = must(Sealer::create(crypto(), GetParam(), key, {}));
  (void)seal_image(sealer, file.get());
  EXPECT_EQ(static_cast<std::uint64_t>(std::ftell(file.get())), must(sealed_length(kImage)));
  std::rewind(file.get());
  Comparison comparison;
  auto opener = must(Opener::create(crypto(), GetParam(), key, {}));
  const ByteSink sink = [&comparison](ByteView piece) { return comparison.take(piece); };
  must(read_all(file.get(), [&](ByteView piece) { return opener.update(piece, sink); }));
  must(opener.finish(sink));
  EXPECT_EQ(comparison.at, kImage);
  EXPECT_TRUE(comparison.equal);
}

// A part that compares instead of keeping.
class ComparingPart : public FakePart {
 public:
  using FakePart::FakePart;
  Comparison comparison;
  Status write_asset(ByteView plaintext) override { return comparison.take(plaintext); }
};

TEST_P(LargeImages, S25_AreInstalledFromAPackageInLessThanEightMebibytes) {
  const World world;
  const auto share = world.make_share();
  const auto blob = must(world.oem_device.give_share(share, Suite::kGcm));
  const auto k_auth = auth_key(world, share, GetParam());
  const auto key = must(world.oem_device.derive_asset_key(
      must(world.oem_device.derive_master_key(share)), GetParam(), kLabelEncData));
  const FilePtr body(std::tmpfile());
  ASSERT_NE(body, nullptr);
  PackageHeader header;
  header.suite = GetParam();
  header.context = share.context;
  auto entry = asset(1, AssetKind::kData, {}, "image").entry;
  entry.plaintext_length = kImage;

  const MemoryLimit limit;
  auto builder = must(PackageBuilder::create(header, {entry}));
  auto sealer = must(world.oem_device.seal_asset(key, builder.seal_context(0)));
  builder.set_digest(0, seal_image(sealer.stream, body.get()));
  builder.set_oem_public_key(world.oem.key.public_xy());
  builder.set_signature(world.oem.sign({builder.head().signed_bytes()}));
  builder.set_tag(must(world.oem_device.tag_package(k_auth, builder.head().tagged_bytes())));

  ComparingPart part(world.part, blob);
  const auto& head = builder.head().raw;
  PackageReader reader(crypto(), head.size() + builder.header().body_length, part);
  must(reader.update(head));
  std::rewind(body.get());
  must(read_all(body.get(), [&reader](ByteView piece) { return reader.update(piece); }));
  EXPECT_TRUE(is_ok(reader.finish()));
  EXPECT_EQ(part.comparison.at, kImage);
  EXPECT_TRUE(part.comparison.equal);
}

}  // namespace
}  // namespace tallystick::core::testing
