#include "tests/pkcs11/support/ready_tokens.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

// As many different tokens as a test needs at the most, or nearly.
constexpr int kReadyTokens = 3;

fs::path tokens_of(const Home& home) { return fs::path(home.path()) / "tokens"; }

void make_private_directory(const fs::path& path) {
  fs::create_directories(path);
  fs::permissions(path, fs::perms::owner_all);
}

}  // namespace

void make_ready_tokens(const std::string& folder) {
  fs::remove_all(folder);
  make_private_directory(folder);
  for (int i = 0; i < kReadyTokens; ++i) {
    Bench bench;
    const auto slot = make_token(bench.module());
    bench.finalize();  // the files are whole once the module has closed them
    fs::copy(tokens_of(bench.home()) / std::to_string(slot), fs::path(folder) / std::to_string(i),
             fs::copy_options::recursive);
  }
}

std::optional<CK_SLOT_ID> take_ready_token(const Module& module, const Home& home) {
  static std::atomic<int> taken = 0;
  const char* const folder = getenv("TALLYSTICK_READY_TOKENS");
  if (folder == nullptr) return std::nullopt;
  const int mine = taken++;
  if (mine >= kReadyTokens) return std::nullopt;

  const auto slot = module.free_slot();
  const auto tokens = tokens_of(home);
  make_private_directory(home.path());
  make_private_directory(tokens);
  // Whole when it appears under its number, as a token of another process does.
  const auto copy = tokens / "copy";
  fs::copy(fs::path(folder) / std::to_string(mine), copy, fs::copy_options::recursive);
  fs::rename(copy, tokens / std::to_string(slot));
  return slot;
}

}  // namespace tallystick::test
