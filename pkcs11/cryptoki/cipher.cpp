// Encryption, decryption and digests (PKCS#11 sections 5.8 to 5.10).
#include "pkcs11/cryptoki/enter.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return enter_session("C_EncryptInit", session,
                       [&](Session& on) { return on.encrypt_start(mechanism, key); });
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len, unsigned char* out,
                CK_ULONG* out_len) {
  return enter_session("C_Encrypt", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.encrypt(bytes, to); });
    });
  });
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len,
                      unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_EncryptUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.encrypt_update(bytes, to); });
    });
  });
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_EncryptFinal", session, [&](Session& on) {
    return with_output(out, out_len, [&](Output to) { return on.encrypt_finish(to); });
  });
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return enter_session("C_DecryptInit", session,
                       [&](Session& on) { return on.decrypt_start(mechanism, key); });
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len, unsigned char* out,
                CK_ULONG* out_len) {
  return enter_session("C_Decrypt", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.decrypt(bytes, to); });
    });
  });
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len,
                      unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_DecryptUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.decrypt_update(bytes, to); });
    });
  });
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_DecryptFinal", session, [&](Session& on) {
    return with_output(out, out_len, [&](Output to) { return on.decrypt_finish(to); });
  });
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism) {
  return enter_session("C_DigestInit", session,
                       [&](Session& on) { return on.digest_start(mechanism); });
}

CK_RV C_Digest(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len, unsigned char* out,
               CK_ULONG* out_len) {
  return enter_session("C_Digest", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) { return on.digest(bytes, to); });
    });
  });
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, unsigned char* in, CK_ULONG in_len) {
  return enter_session("C_DigestUpdate", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) { return on.digest_update(bytes); });
  });
}

CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  return enter_session("C_DigestKey", session, [&](Session& on) { return on.digest_key(key); });
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_DigestFinal", session, [&](Session& on) {
    return with_output(out, out_len, [&](Output to) { return on.digest_finish(to); });
  });
}
