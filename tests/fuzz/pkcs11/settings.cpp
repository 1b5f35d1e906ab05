// The token's configuration file.
#include "pkcs11/engine/settings.h"

#include "tests/fuzz/support/expect.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings =
      token::parse_settings("settings", core::text_of(core::ByteView(data, size)));
  if (!settings) {
    fuzz::expect(!settings.error().message.empty(), "a refused file is told what is wrong");
    return 0;
  }
  fuzz::expect(settings->directory.empty() || settings->directory.front() == '/',
               "the folder with the tokens is absolute");
  return 0;
}
