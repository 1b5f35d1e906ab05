// The attributes of an object as they are stored: what is read is what would be written again.
#include "pkcs11/engine/attribute_set.h"
#include "tests/fuzz/support/expect.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const core::ByteView bytes(data, size);
  const auto attributes = token::decode_attributes(bytes);
  if (!attributes) return 0;
  fuzz::expect(fuzz::same(token::encode(*attributes), bytes),
               "attributes are the same when written again");
  for (const auto& attribute : attributes->all()) {
    (void)attributes->flag(attribute.type);
    (void)attributes->number(attribute.type);
    (void)attributes->numbers(attribute.type);
  }
  return 0;
}
