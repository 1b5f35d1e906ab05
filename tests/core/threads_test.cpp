// Crypto, families, provisioning software and parsed keys are shared between threads without a
// lock.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/ts1/proof.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 4;

// Runs `work` in all threads at once and counts how often it failed.
int failures(const std::function<bool(int)>& work) {
  std::atomic<int> failed = 0;
  std::atomic<bool> start = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      while (!start) std::this_thread::yield();
      for (int round = 0; round < kRounds; ++round) {
        if (!work(i)) ++failed;
      }
    });
  }
  start = true;
  for (auto& thread : threads) thread.join();
  return failed;
}

TEST(SharedBetweenThreads, ProvisioningSoftwareMakesGivesTakesAndDerives) {
  const World world;
  EXPECT_EQ(
      failures([&world](int) {
        const auto share = world.make_share();
        const auto blob = must(world.oem_device.give_share(share, Suite::kGcm));
        const auto taken = must(world.part.take_share(blob, nullptr));
        const auto a = must(world.oem_device.derive_master_key(share));
        const auto b = must(world.part.derive_master_key(taken));
        const auto made = must(world.oem_device.generate(share, {GeneratedType::kP256, "n", 0, 0}));
        return equal_in_constant_time(a.value.view(), b.value.view()) && made.size() == 32;
      }),
      0);
}

TEST(SharedBetweenThreads, OneKeySignsVerifiesAndAgrees) {
  const auto signer = make_signer(Curve::kP256);
  const auto other = make_signer(Curve::kP256);
  const auto secret = must(signer.key.ecdh(crypto(), other.key.public_key()));
  EXPECT_EQ(failures([&](int i) {
              const Bytes message(static_cast<std::size_t>(i) + 1);
              const auto signature = must(signer.key.sign(crypto(), {message}));
              return signer.key.public_key().verify(crypto(), {message}, signature).ok() &&
                     equal_in_constant_time(
                         must(other.key.ecdh(crypto(), signer.key.public_key())).view(),
                         secret.view());
            }),
            0);
}

TEST(SharedBetweenThreads, PartsInstallTheSamePackageAtOnce) {
  const World world;
  const auto share = world.make_share();
  const auto blob = must(world.oem_device.give_share(share, Suite::kGcm));
  const auto assets = four_assets();
  const auto package = make_package(world, share, assets, Suite::kCcm);
  EXPECT_EQ(failures([&](int i) {
              FakePart part(world.part, blob);
              return install(part, package, 1000 + static_cast<std::size_t>(i)).ok() &&
                     part.staged.size() == 4 && part.staged[0] == assets[0].data;
            }),
            0);
}

TEST(SharedBetweenThreads, SecretsComeAndGoInOnePool) {
  EXPECT_EQ(failures([](int i) {
              std::vector<Secret> secrets;
              for (std::size_t size = 1; size < 300; ++size) {
                secrets.emplace_back(size);
                if (!all_zero(secrets.back().view())) return false;
                secrets.back().span()[0] = static_cast<std::uint8_t>(i + 1);
              }
              for (const auto& secret : secrets) {
                if (secret.view()[0] != i + 1) return false;
              }
              return true;
            }),
            0);
}

}  // namespace
}  // namespace tallystick::core::testing
