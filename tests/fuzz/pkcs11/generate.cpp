// C_GenerateKey, C_GenerateKeyPair and C_DeriveKey with any mechanism, parameter and templates.
// Input: u8 function, for a derivation the base key, the mechanism, one template or two.
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  fuzz::Arguments arguments(in);
  fuzz::Session session;
  CK_OBJECT_HANDLE first = 0;
  CK_OBJECT_HANDLE second = 0;
  switch (in.u8() % 3U) {
    case 0: {
      const auto base = arguments.key();
      auto* const mechanism = arguments.mechanism();
      const auto wanted = arguments.attributes();
      const auto rv = p11->C_DeriveKey(session.handle(), mechanism, base, wanted.attributes,
                                       wanted.count, &first);
      // Where the derivation failed they say which template was refused, and name nothing.
      for (const auto* const handle : arguments.handles()) {
        if (rv == CKR_OK) session.made(*handle);
      }
      if (rv != CKR_OK) first = 0;
      break;
    }
    case 1: {
      auto* const mechanism = arguments.mechanism();
      const auto wanted = arguments.attributes();
      if (p11->C_GenerateKey(session.handle(), mechanism, wanted.attributes, wanted.count,
                             &first) != CKR_OK) {
        first = 0;
      }
      break;
    }
    default: {
      auto* const mechanism = arguments.mechanism();
      const auto public_key = arguments.attributes();
      const auto private_key = arguments.attributes();
      if (p11->C_GenerateKeyPair(session.handle(), mechanism, public_key.attributes,
                                 public_key.count, private_key.attributes, private_key.count,
                                 &first, &second) != CKR_OK) {
        first = second = 0;
      }
      break;
    }
  }
  session.made(first);
  session.made(second);
  return 0;
}
