// Message after message under one key (PKCS#11 3.0 sections 5.9, 5.11, 5.14 and 5.16).
#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

namespace {

using token::CallParameter;
using Direction = Session::Direction;

CK_RV whole(const char* name, CK_SESSION_HANDLE session, Direction direction,
            const CallParameter& parameter, const void* aad, CK_ULONG aad_len, const void* in,
            CK_ULONG in_len, CK_BYTE* out, CK_ULONG* out_len) {
  return enter_session(name, session, [&](Session& on) {
    return with_bytes(aad, aad_len, [&](ByteView associated) {
      return with_bytes(in, in_len, [&](ByteView bytes) {
        return with_output(out, out_len, [&](Output to) {
          return on.message(direction, parameter, associated, bytes, to);
        });
      });
    });
  });
}

CK_RV begin(const char* name, CK_SESSION_HANDLE session, Direction direction,
            const CallParameter& parameter, const void* aad, CK_ULONG aad_len) {
  return enter_session(name, session, [&](Session& on) {
    return with_bytes(aad, aad_len, [&](ByteView associated) {
      return on.message_begin(direction, parameter, associated);
    });
  });
}

CK_RV next(const char* name, CK_SESSION_HANDLE session, Direction direction,
           const CallParameter& parameter, const void* in, CK_ULONG in_len, CK_BYTE* out,
           CK_ULONG* out_len, CK_FLAGS flags) {
  return enter_session(name, session, [&](Session& on) -> Outcome<void> {
    if ((flags & ~CKF_END_OF_MESSAGE) != 0) return bad_arguments("flags that are not known");
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) {
        return on.message_next(direction, parameter, bytes, flags != 0, to);
      });
    });
  });
}

}  // namespace

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                           CK_OBJECT_HANDLE key) {
  return enter_session("C_MessageEncryptInit", session, [&](Session& on) {
    return on.messages_start(Direction::kEncrypt, mechanism, key);
  });
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                       unsigned char* aad, CK_ULONG aad_len, unsigned char* in, CK_ULONG in_len,
                       unsigned char* out, CK_ULONG* out_len) {
  return whole("C_EncryptMessage", session, Direction::kEncrypt, {parameter, parameter_len}, aad,
               aad_len, in, in_len, out, out_len);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                            unsigned char* aad, CK_ULONG aad_len) {
  return begin("C_EncryptMessageBegin", session, Direction::kEncrypt, {parameter, parameter_len},
               aad, aad_len);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                           unsigned char* in, CK_ULONG in_len, unsigned char* out,
                           CK_ULONG* out_len, CK_FLAGS flags) {
  return next("C_EncryptMessageNext", session, Direction::kEncrypt, {parameter, parameter_len}, in,
              in_len, out, out_len, flags);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_MessageEncryptFinal", session,
                       [](Session& on) { return on.messages_finish(Direction::kEncrypt); });
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                           CK_OBJECT_HANDLE key) {
  return enter_session("C_MessageDecryptInit", session, [&](Session& on) {
    return on.messages_start(Direction::kDecrypt, mechanism, key);
  });
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                       unsigned char* aad, CK_ULONG aad_len, unsigned char* in, CK_ULONG in_len,
                       unsigned char* out, CK_ULONG* out_len) {
  return whole("C_DecryptMessage", session, Direction::kDecrypt, {parameter, parameter_len}, aad,
               aad_len, in, in_len, out, out_len);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                            unsigned char* aad, CK_ULONG aad_len) {
  return begin("C_DecryptMessageBegin", session, Direction::kDecrypt, {parameter, parameter_len},
               aad, aad_len);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                           unsigned char* in, CK_ULONG in_len, unsigned char* out,
                           CK_ULONG* out_len, CK_FLAGS flags) {
  return next("C_DecryptMessageNext", session, Direction::kDecrypt, {parameter, parameter_len}, in,
              in_len, out, out_len, flags);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_MessageDecryptFinal", session,
                       [](Session& on) { return on.messages_finish(Direction::kDecrypt); });
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return enter_session("C_MessageSignInit", session,
                       [&](Session& on) { return on.sign_messages_start(mechanism, key); });
}

CK_RV C_SignMessage(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                    unsigned char* in, CK_ULONG in_len, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_SignMessage", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_output(out, out_len, [&](Output to) {
        return on.sign_message({parameter, parameter_len}, bytes, to);
      });
    });
  });
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len) {
  return enter_session("C_SignMessageBegin", session, [&](Session& on) {
    return on.sign_message_begin({parameter, parameter_len});
  });
}

// No place for a length says that more parts follow.
CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                        unsigned char* in, CK_ULONG in_len, unsigned char* out, CK_ULONG* out_len) {
  return enter_session("C_SignMessageNext", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      const CallParameter block{parameter, parameter_len};
      if (out_len == nullptr) return on.sign_message_next(block, bytes);
      return on.sign_message_last(block, bytes, Output(out, out_len));
    });
  });
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_MessageSignFinal", session,
                       [](Session& on) { return on.sign_messages_finish(); });
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                          CK_OBJECT_HANDLE key) {
  return enter_session("C_MessageVerifyInit", session,
                       [&](Session& on) { return on.verify_messages_start(mechanism, key); });
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                      unsigned char* in, CK_ULONG in_len, unsigned char* signature,
                      CK_ULONG signature_len) {
  return enter_session("C_VerifyMessage", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_bytes(signature, signature_len, [&](ByteView known) {
        return on.verify_message({parameter, parameter_len}, bytes, known);
      });
    });
  });
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len) {
  return enter_session("C_VerifyMessageBegin", session, [&](Session& on) {
    return on.verify_message_begin({parameter, parameter_len});
  });
}

// No signature says that more parts follow.
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_len,
                          unsigned char* in, CK_ULONG in_len, unsigned char* signature,
                          CK_ULONG signature_len) {
  return enter_session("C_VerifyMessageNext", session, [&](Session& on) {
    return with_bytes(in, in_len, [&](ByteView bytes) {
      return with_bytes(signature, signature_len, [&](ByteView known) {
        const CallParameter block{parameter, parameter_len};
        if (signature == nullptr) return on.verify_message_next(block, bytes);
        return on.verify_message_last(block, bytes, known);
      });
    });
  });
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_MessageVerifyFinal", session,
                       [](Session& on) { return on.verify_messages_finish(); });
}
