// Makes the tokens that the tests copy: ready_tokens FOLDER.
#include "tests/pkcs11/support/ready_tokens.h"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  try {
    tallystick::test::make_ready_tokens(argv[1]);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "ready tokens: %s\n", error.what());
    return 1;
  }
  return 0;
}
