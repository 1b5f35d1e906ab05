// Functions that the token does not offer. All of them are there, because callers go through the
// whole list; each says so and does nothing.
#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

namespace {

CK_RV not_offered(const char* name, CK_SESSION_HANDLE session) {
  return enter_session(name, session, [](Session&) -> Outcome<void> {
    return token::not_supported("not offered by this token");
  });
}

}  // namespace

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_SignRecoverInit", session);
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                    CK_ULONG*) {
  return not_offered("C_SignRecover", session);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_VerifyRecoverInit", session);
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                      CK_ULONG*) {
  return not_offered("C_VerifyRecover", session);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                            CK_ULONG*) {
  return not_offered("C_DigestEncryptUpdate", session);
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                            CK_ULONG*) {
  return not_offered("C_DecryptDigestUpdate", session);
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                          CK_ULONG*) {
  return not_offered("C_SignEncryptUpdate", session);
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG, unsigned char*,
                            CK_ULONG*) {
  return not_offered("C_DecryptVerifyUpdate", session);
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_MessageEncryptInit", session);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                       unsigned char*, CK_ULONG, unsigned char*, CK_ULONG*) {
  return not_offered("C_EncryptMessage", session);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG) {
  return not_offered("C_EncryptMessageBegin", session);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                           unsigned char*, CK_ULONG*, CK_FLAGS) {
  return not_offered("C_EncryptMessageNext", session);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session) {
  return not_offered("C_MessageEncryptFinal", session);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_MessageDecryptInit", session);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                       unsigned char*, CK_ULONG, unsigned char*, CK_ULONG*) {
  return not_offered("C_DecryptMessage", session);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG) {
  return not_offered("C_DecryptMessageBegin", session);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                           unsigned char*, CK_ULONG*, CK_FLAGS) {
  return not_offered("C_DecryptMessageNext", session);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session) {
  return not_offered("C_MessageDecryptFinal", session);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_MessageSignInit", session);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                    unsigned char*, CK_ULONG*) {
  return not_offered("C_SignMessage", session);
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG) {
  return not_offered("C_SignMessageBegin", session);
}

CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                        unsigned char*, CK_ULONG*) {
  return not_offered("C_SignMessageNext", session);
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session) {
  return not_offered("C_MessageSignFinal", session);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE) {
  return not_offered("C_MessageVerifyInit", session);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                      unsigned char*, CK_ULONG) {
  return not_offered("C_VerifyMessage", session);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG) {
  return not_offered("C_VerifyMessageBegin", session);
}

CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                          unsigned char*, CK_ULONG) {
  return not_offered("C_VerifyMessageNext", session);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session) {
  return not_offered("C_MessageVerifyFinal", session);
}
