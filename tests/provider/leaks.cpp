// Loads the provider, finds a key, signs and unloads everything, again and again: what is left
// behind is for LeakSanitizer or valgrind to say. leaks.sh makes the token.
#include <cstdio>

#include "tests/provider/loaded.h"

int main(int argc, char** argv) {
  using namespace tallystick;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
  for (int round = 0; round < rounds; ++round) {
    const Loaded loaded;
    for (const char* label : {"ec", "rsa"}) {
      const auto key = loaded.key(uri(label));
      if (!key || loaded.sign(key.get(), "message").empty()) {
        std::fprintf(stderr, "round %d: %s", round, queued_errors().c_str());
        return 1;
      }
    }
  }
  std::printf("%d rounds\n", rounds);
  return 0;
}
