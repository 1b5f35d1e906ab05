// C_Encrypt... and C_Decrypt... with any mechanism, parameter and key; what an AES key encrypted it
// decrypts. Input: u8 flags (1 decrypt, 2 in parts), the key, the mechanism, the data.
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Region;

void in_parts(Arguments& arguments, CK_SESSION_HANDLE session, bool decrypt) {
  const auto& p11 = fuzz::token();
  for (unsigned i = 0; i < 6 && !arguments.in().empty(); ++i) {
    const auto data = arguments.region();
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return decrypt ? p11->C_DecryptUpdate(session, data.data, data.size, out, size)
                     : p11->C_EncryptUpdate(session, data.data, data.size, out, size);
    });
  }
  (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return decrypt ? p11->C_DecryptFinal(session, out, size)
                   : p11->C_EncryptFinal(session, out, size);
  });
}

void expect_decrypts(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                     CK_OBJECT_HANDLE key, const core::Bytes& ciphertext, const Region& plain) {
  const auto& p11 = fuzz::token();
  fuzz::expect(p11->C_DecryptInit(session, mechanism, key) == CKR_OK,
               "a mechanism that encrypted decrypts");
  const auto in = fuzz::copied(arguments, ciphertext);
  auto* const out = arguments.memory().room(ciphertext.size() + 16);
  CK_ULONG size = ciphertext.size() + 16;
  fuzz::expect(p11->C_Decrypt(session, in.data, in.size, out, &size) == CKR_OK &&
                   fuzz::same({out, size}, {plain.data, plain.size}),
               "what was encrypted decrypts to the same bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  const fuzz::Session session;
  const auto flags = in.u8();
  const bool decrypt = (flags & 1U) != 0;
  const auto key = arguments.key();
  auto* const mechanism = arguments.mechanism();
  const auto begun = decrypt ? p11->C_DecryptInit(session.handle(), mechanism, key)
                             : p11->C_EncryptInit(session.handle(), mechanism, key);
  if (begun != CKR_OK) return 0;
  if ((flags & 2U) != 0) {
    in_parts(arguments, session.handle(), decrypt);
    return 0;
  }
  const auto text = arguments.region();
  const auto out = fuzz::answer(arguments, [&](CK_BYTE* to, CK_ULONG* length) {
    return decrypt ? p11->C_Decrypt(session.handle(), text.data, text.size, to, length)
                   : p11->C_Encrypt(session.handle(), text.data, text.size, to, length);
  });
  const bool own =
      key == p11.key("aes-cipher", CKO_SECRET_KEY) || key == p11.key("aes-16", CKO_SECRET_KEY);
  if (!decrypt && own && !out.empty()) {
    expect_decrypts(arguments, session.handle(), mechanism, key, out, text);
  }
  return 0;
}
