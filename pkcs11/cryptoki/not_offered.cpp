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

// Nothing here runs beside its caller: sessions are not opened for it (CKF_ASYNC_SESSION).

CK_RV C_AsyncComplete(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ASYNC_DATA_PTR) {
  return not_offered("C_AsyncComplete", session);
}

CK_RV C_AsyncGetID(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG*) {
  return not_offered("C_AsyncGetID", session);
}

CK_RV C_AsyncJoin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG, unsigned char*, CK_ULONG) {
  return not_offered("C_AsyncJoin", session);
}
