// The search itself: what a process has left behind is found, in whatever form. A search that finds
// nothing would make every other test of this folder pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "core/base/core_dumps.h"
#include "core/base/secret.h"
#include "tests/secrets/remote_module.h"
#include "tests/secrets/shared_memory.h"
#include "tests/support/scratch.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

core::Bytes as_bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Search, A74_FindsEveryForm) {
  const auto secret = random_bytes(32);
  Needles needles;
  needles.add_number("number", secret);
  const auto in_noise = [&needles](core::ByteView form) {
    auto noise = random_bytes(5000);
    std::ranges::copy(form, noise.begin() + 1237);
    return needles.in(noise);
  };
  EXPECT_TRUE(in_noise({}).empty());
  EXPECT_EQ(in_noise(secret).count("number"), 1U);
  EXPECT_EQ(in_noise(core::Bytes(secret.rbegin(), secret.rend())).count("number turned round"), 1U);
  EXPECT_EQ(in_noise(as_bytes(core::to_hex(secret))).count("number in hexadecimal"), 1U);
  EXPECT_EQ(in_noise(core::ByteView(secret).subspan(13, 16)).count("number"), 1U)
      << "sixteen bytes of it";
}

TEST(Search, A74_FindsWhatAProcessHasFreed) {
  const Scratch scratch;
  RemoteModule module(scratch.path().string());
  in_shared_memory([&] {
    auto secret = random_bytes(48);
    Needles needles;
    needles.add("secret", secret);
    EXPECT_EQ(words(module.find(needles)), "") << "shared memory is not the process's own";
    (void)module.run(
        [](CK_FUNCTION_LIST*, void* given) -> CK_RV {
          const auto& bytes = *static_cast<const core::Bytes*>(given);
          auto* const copy = static_cast<std::uint8_t*>(std::malloc(bytes.size()));
          std::memcpy(copy, bytes.data(), bytes.size());
          // Seen by the compiler as used.
          asm volatile("" : : "r"(copy) : "memory");
          std::free(copy);
          return CKR_OK;
        },
        &secret);
    EXPECT_NE(words(module.find(needles)), "");
    EXPECT_NE(words(module.find(needles, Look::kDumped)), "");
  });
}

TEST(Search, A74_TellsLockedMemoryFromOther) {
  const Scratch scratch;
  RemoteModule module(scratch.path().string());
  in_shared_memory([&] {
    auto secret = random_bytes(48);
    Needles needles;
    needles.add("secret", secret);
    (void)module.run(
        [](CK_FUNCTION_LIST*, void* given) -> CK_RV {
          static core::Secret kept;
          kept = core::Secret::copy_of(*static_cast<const core::Bytes*>(given));
          return CKR_OK;
        },
        &secret);
    EXPECT_NE(words(module.find(needles)), "");
    EXPECT_EQ(words(module.find(needles, Look::kDumped)), "");
    const auto core = module.dump_core();
    if (core.empty()) {
      std::cout << "This machine writes no core files that a test could read.\n";
    } else {
      EXPECT_EQ(words(find_in_file(core, needles)), "");
    }
  });
}

TEST(CoreDumps, A74_S24_AProgramThatForbidsThemWritesNone) {
  const Scratch scratch;
  RemoteModule module(scratch.path().string());
  in_shared_memory([&] {
    int none = 0;
    (void)module.run(
        [](CK_FUNCTION_LIST*, void*) -> CK_RV {
          core::forbid_core_dumps();
          return CKR_OK;
        },
        &none);
    EXPECT_EQ(module.dump_core(), "");
  });
}

}  // namespace
}  // namespace tallystick::test
