// Keys that leave and come in: C_WrapKey, C_UnwrapKey, the authenticated forms, encapsulation. What
// was wrapped unwraps again. Input: u8 function, the wrapping key, the mechanism, then the key or
// the blob, the template, associated data.
#include <array>

#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Region;
using fuzz::Session;

void wrap(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
          CK_OBJECT_HANDLE wrapping_key) {
  const auto& p11 = fuzz::token();
  const auto key = arguments.key();
  const auto blob = fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_WrapKey(session.handle(), mechanism, wrapping_key, key, out, size);
  });
  if (blob.empty() || wrapping_key != p11.key("aes-wrap", CKO_SECRET_KEY)) return;
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
  if (key == p11.key("p256-readable", CKO_PRIVATE_KEY)) {
    object_class = CKO_PRIVATE_KEY;
    key_type = CKK_EC;
  }
  std::array<CK_ATTRIBUTE, 2> wanted = {{{CKA_CLASS, &object_class, sizeof object_class},
                                         {CKA_KEY_TYPE, &key_type, sizeof key_type}}};
  auto copy = fuzz::copied(arguments, blob);
  CK_OBJECT_HANDLE made = 0;
  fuzz::expect(p11->C_UnwrapKey(session.handle(), mechanism, wrapping_key, copy.data, copy.size,
                                wanted.data(), wanted.size(), &made) == CKR_OK,
               "what was wrapped unwraps");
  session.made(made);
}

void unwrap(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
            CK_OBJECT_HANDLE unwrapping_key) {
  const auto wanted = arguments.attributes();
  const auto blob = arguments.region();
  CK_OBJECT_HANDLE made = 0;
  if (fuzz::token()->C_UnwrapKey(session.handle(), mechanism, unwrapping_key, blob.data, blob.size,
                                 wanted.attributes, wanted.count, &made) == CKR_OK) {
    session.made(made);
  }
}

// Takes the parameter of a message as its mechanism's: nonce and tag are written into it.
void point_to_message(Arguments& arguments, CK_MECHANISM* mechanism) {
  const auto parameter = arguments.message_parameter(mechanism->mechanism);
  mechanism->pParameter = parameter.data;
  mechanism->ulParameterLen = parameter.size;
}

void wrap_authenticated(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
                        CK_OBJECT_HANDLE wrapping_key) {
  const auto& p11 = fuzz::token();
  point_to_message(arguments, mechanism);
  const auto key = arguments.key();
  const auto aad = arguments.region();
  (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_WrapKeyAuthenticated(session.handle(), mechanism, wrapping_key, key, aad.data,
                                       aad.size, out, size);
  });
}

void unwrap_authenticated(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
                          CK_OBJECT_HANDLE unwrapping_key) {
  point_to_message(arguments, mechanism);
  const auto wanted = arguments.attributes();
  const auto blob = arguments.region();
  const auto aad = arguments.region();
  CK_OBJECT_HANDLE made = 0;
  if (fuzz::token()->C_UnwrapKeyAuthenticated(session.handle(), mechanism, unwrapping_key,
                                              blob.data, blob.size, wanted.attributes, wanted.count,
                                              aad.data, aad.size, &made) == CKR_OK) {
    session.made(made);
  }
}

void encapsulate(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
                 CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  const auto wanted = arguments.attributes();
  CK_OBJECT_HANDLE made = 0;
  (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_EncapsulateKey(session.handle(), mechanism, key, wanted.attributes, wanted.count,
                                 out, size, &made);
  });
  session.made(made);
}

void decapsulate(Arguments& arguments, Session& session, CK_MECHANISM* mechanism,
                 CK_OBJECT_HANDLE key) {
  const auto wanted = arguments.attributes();
  const auto ciphertext = arguments.region();
  CK_OBJECT_HANDLE made = 0;
  if (fuzz::token()->C_DecapsulateKey(session.handle(), mechanism, key, wanted.attributes,
                                      wanted.count, ciphertext.data, ciphertext.size,
                                      &made) == CKR_OK) {
    session.made(made);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  Arguments arguments(in);
  Session session;
  const auto function = in.u8();
  const auto key = arguments.key();
  auto* const mechanism = arguments.mechanism();
  switch (function % 6U) {
    case 0:
      wrap(arguments, session, mechanism, key);
      break;
    case 1:
      unwrap(arguments, session, mechanism, key);
      break;
    case 2:
      wrap_authenticated(arguments, session, mechanism, key);
      break;
    case 3:
      unwrap_authenticated(arguments, session, mechanism, key);
      break;
    case 4:
      encapsulate(arguments, session, mechanism, key);
      break;
    default:
      decapsulate(arguments, session, mechanism, key);
      break;
  }
  return 0;
}
