// Signatures and MACs (PKCS#11 sections 5.11 to 5.13; 3.2 section 5.15).
#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return enter_session("C_SignInit", session,
                       [&](Session& on) { return on.sign_start(mechanism, key); });
}

CK_RV C_Sign(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len, unsigned char* out,
             CK_ULONG* out_len) {
  return enter_session("C_Sign", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.sign(bytes, to); });
    });
  });
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_SignUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) { return on.sign_update(bytes); });
  });
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_SignFinal", session, [&](Session& on) {
    return with_output(out, out_len, [&](Output to) { return on.sign_finish(to); });
  });
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return enter_session("C_VerifyInit", session,
                       [&](Session& on) { return on.verify_start(mechanism, key); });
}

CK_RV C_Verify(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG data_len,
               unsigned char* signature, CK_ULONG signature_len) {
  return enter_session("C_Verify", session, [&](Session& on) {
    return with_bytes(data, data_len, [&](ByteView message) {
      return with_bytes(signature, signature_len,
                        [&](ByteView bytes) { return on.verify(message, bytes); });
    });
  });
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_VerifyUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) { return on.verify_update(bytes); });
  });
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_VerifyFinal", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) { return on.verify_finish(bytes); });
  });
}

CK_RV C_VerifySignatureInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                            CK_OBJECT_HANDLE key, unsigned char* signature,
                            CK_ULONG signature_len) {
  return enter_session("C_VerifySignatureInit", session, [&](Session& on) {
    return with_bytes(signature, signature_len, [&](ByteView known) {
      return on.verify_signature_start(mechanism, key, known);
    });
  });
}

CK_RV C_VerifySignature(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_VerifySignature", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) { return on.verify_signature(bytes); });
  });
}

CK_RV C_VerifySignatureUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_VerifySignatureUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len,
                      [&](ByteView bytes) { return on.verify_signature_update(bytes); });
  });
}

CK_RV C_VerifySignatureFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_VerifySignatureFinal", session,
                       [](Session& on) { return on.verify_signature_finish(); });
}
