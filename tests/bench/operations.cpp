#include "tests/bench/operations.h"

namespace tallystick::bench {
namespace {

// C_* functions take their input through pointers to non-const, and leave it alone.
CK_BYTE* in_pointer(core::ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }

}  // namespace

void sign(const Module& module, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
          CK_OBJECT_HANDLE key, core::ByteView message, core::MutableByteView signature) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  must(module.call().C_SignInit(session, &mechanism, key), "C_SignInit");
  CK_ULONG size = signature.size();
  must(module.call().C_Sign(session, in_pointer(message), message.size(), signature.data(), &size),
       "C_Sign");
}

void verify(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
            core::ByteView hash, core::ByteView signature) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  must(module.call().C_VerifyInit(session, &mechanism, key), "C_VerifyInit");
  must(module.call().C_Verify(session, in_pointer(hash), hash.size(), in_pointer(signature),
                              signature.size()),
       "C_Verify");
}

void digest(const Module& module, CK_SESSION_HANDLE session, core::ByteView message,
            core::MutableByteView hash) {
  CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
  must(module.call().C_DigestInit(session, &mechanism), "C_DigestInit");
  CK_ULONG size = hash.size();
  must(module.call().C_Digest(session, in_pointer(message), message.size(), hash.data(), &size),
       "C_Digest");
}

void gcm_encrypt(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                 core::ByteView iv, core::ByteView in, core::MutableByteView out) {
  CK_GCM_PARAMS params{};
  params.pIv = in_pointer(iv);
  params.ulIvLen = iv.size();
  params.ulIvBits = 8 * iv.size();
  params.ulTagBits = 8 * kTagSize;
  CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
  must(module.call().C_EncryptInit(session, &mechanism, key), "C_EncryptInit");
  CK_ULONG size = out.size();
  must(module.call().C_Encrypt(session, in_pointer(in), in.size(), out.data(), &size), "C_Encrypt");
}

void wrap_and_unwrap(const Module& module, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
                     CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  core::ByteArray<64> blob{};
  CK_ULONG size = blob.size();
  must(module.call().C_WrapKey(session, &mechanism, wrapping_key, key, blob.data(), &size),
       "C_WrapKey");
  // As an application has it: its template is not made anew for each key.
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE key_type = CKK_AES;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 6> wanted = {{{CKA_CLASS, &object_class, sizeof object_class},
                                         {CKA_KEY_TYPE, &key_type, sizeof key_type},
                                         {CKA_TOKEN, &no, sizeof no},
                                         {CKA_SENSITIVE, &yes, sizeof yes},
                                         {CKA_ENCRYPT, &yes, sizeof yes},
                                         {CKA_DECRYPT, &yes, sizeof yes}}};
  CK_OBJECT_HANDLE again = CK_INVALID_HANDLE;
  must(module.call().C_UnwrapKey(session, &mechanism, wrapping_key, blob.data(), size,
                                 wanted.data(), wanted.size(), &again),
       "C_UnwrapKey");
  destroy(module, session, again);
}

CK_OBJECT_HANDLE find(CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session,
                      std::string_view label) {
  CK_ATTRIBUTE wanted{CKA_LABEL, in_pointer(core::bytes_of(label)), label.size()};
  must(functions.C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
  CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
  CK_ULONG count = 0;
  must(functions.C_FindObjects(session, &found, 1, &count), "C_FindObjects");
  must(functions.C_FindObjectsFinal(session), "C_FindObjectsFinal");
  if (count != 1) stop("no object " + std::string(label));
  return found;
}

void destroy(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  must(module.call().C_DestroyObject(session, object), "C_DestroyObject");
}

}  // namespace tallystick::bench
