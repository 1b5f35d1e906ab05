// C_Sign..., C_Verify... and their message forms with any mechanism, parameter and key; what a key
// signed its other half verifies. Input: u8 function, the key, the mechanism, data, signature.
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Region;

// The seed token's public half of a private key; a secret key is its own.
CK_OBJECT_HANDLE verifier_of(CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  const auto& keys = fuzz::kSeedKeys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (p11.keys()[i] != key) continue;
    if (keys[i].object_class == CKO_SECRET_KEY) return key;
    if (i + 1 < keys.size() && keys[i].object_class == CKO_PRIVATE_KEY &&
        keys[i + 1].label == keys[i].label) {
      return p11.keys()[i + 1];
    }
  }
  return 0;
}

void sign(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
          CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  if (p11->C_SignInit(session, mechanism, key) != CKR_OK) return;
  const auto data = arguments.region();
  const auto signature = fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_Sign(session, data.data, data.size, out, size);
  });
  const auto verifier = verifier_of(key);
  if (signature.empty() || verifier == 0) return;
  // Keys of role OEM tag and do not check tags.
  if (p11->C_VerifyInit(session, mechanism, verifier) != CKR_OK) return;
  auto copy = fuzz::copied(arguments, signature);
  fuzz::expect(p11->C_Verify(session, data.data, data.size, copy.data, copy.size) == CKR_OK,
               "what was signed verifies");
}

void sign_in_parts(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                   CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  if (p11->C_SignInit(session, mechanism, key) != CKR_OK) return;
  for (unsigned i = 0; i < 4 && !arguments.in().empty(); ++i) {
    const auto data = arguments.region();
    (void)p11->C_SignUpdate(session, data.data, data.size);
  }
  (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_SignFinal(session, out, size);
  });
}

void verify(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
            CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  if (p11->C_VerifyInit(session, mechanism, key) != CKR_OK) return;
  const auto data = arguments.region();
  const auto signature = arguments.region();
  if (arguments.in().flag()) {
    (void)p11->C_Verify(session, data.data, data.size, signature.data, signature.size);
    return;
  }
  (void)p11->C_VerifyUpdate(session, data.data, data.size);
  (void)p11->C_VerifyFinal(session, signature.data, signature.size);
}

void verify_signature(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                      CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  const auto signature = arguments.region();
  if (p11->C_VerifySignatureInit(session, mechanism, key, signature.data, signature.size) !=
      CKR_OK) {
    return;
  }
  const auto data = arguments.region();
  if (arguments.in().flag()) {
    (void)p11->C_VerifySignature(session, data.data, data.size);
    return;
  }
  (void)p11->C_VerifySignatureUpdate(session, data.data, data.size);
  (void)p11->C_VerifySignatureFinal(session);
}

void messages(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
              CK_OBJECT_HANDLE key, bool verifies) {
  const auto& p11 = fuzz::token();
  const auto begun = verifies ? p11->C_MessageVerifyInit(session, mechanism, key)
                              : p11->C_MessageSignInit(session, mechanism, key);
  if (begun != CKR_OK) return;
  for (unsigned i = 0; i < 3 && !arguments.in().empty(); ++i) {
    const bool parts = arguments.in().flag();
    const auto parameter = arguments.message_parameter(mechanism->mechanism);
    const auto data = arguments.region();
    if (verifies) {
      const auto signature = arguments.region();
      if (!parts) {
        (void)p11->C_VerifyMessage(session, parameter.data, parameter.size, data.data, data.size,
                                   signature.data, signature.size);
        continue;
      }
      (void)p11->C_VerifyMessageBegin(session, parameter.data, parameter.size);
      (void)p11->C_VerifyMessageNext(session, parameter.data, parameter.size, data.data, data.size,
                                     nullptr, 0);
      (void)p11->C_VerifyMessageNext(session, parameter.data, parameter.size, data.data, data.size,
                                     signature.data, signature.size);
      continue;
    }
    if (parts) {
      (void)p11->C_SignMessageBegin(session, parameter.data, parameter.size);
      (void)p11->C_SignMessageNext(session, parameter.data, parameter.size, data.data, data.size,
                                   nullptr, nullptr);
    }
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return (parts ? p11->C_SignMessageNext : p11->C_SignMessage)(
          session, parameter.data, parameter.size, data.data, data.size, out, size);
    });
  }
  (void)(verifies ? p11->C_MessageVerifyFinal : p11->C_MessageSignFinal)(session);
}

void recover(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
             CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  if (p11->C_VerifyRecoverInit(session, mechanism, key) == CKR_OK) {
    const auto signature = arguments.region();
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return p11->C_VerifyRecover(session, signature.data, signature.size, out, size);
    });
  }
  if (p11->C_SignRecoverInit(session, mechanism, key) == CKR_OK) {
    const auto data = arguments.region();
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return p11->C_SignRecover(session, data.data, data.size, out, size);
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  Arguments arguments(in);
  const fuzz::Session session;
  const auto function = in.u8();
  const auto key = arguments.key();
  auto* const mechanism = arguments.mechanism();
  switch (function % 7U) {
    case 0:
      sign(arguments, session.handle(), mechanism, key);
      break;
    case 1:
      sign_in_parts(arguments, session.handle(), mechanism, key);
      break;
    case 2:
      verify(arguments, session.handle(), mechanism, key);
      break;
    case 3:
      verify_signature(arguments, session.handle(), mechanism, key);
      break;
    case 4:
    case 5:
      messages(arguments, session.handle(), mechanism, key, function % 7U == 5);
      break;
    default:
      recover(arguments, session.handle(), mechanism, key);
      break;
  }
  return 0;
}
