// Keys and random numbers (PKCS#11 sections 5.14 to 5.16; 3.2 section 5.18).
#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* templ,
                    CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return enter_session("C_GenerateKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || key == nullptr) return bad_arguments("null pointer");
    return with_template(
        templ, count, [&](Template& wanted) { return give(on.generate(*mechanism, wanted), key); });
  });
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                        CK_ATTRIBUTE* public_template, CK_ULONG public_count,
                        CK_ATTRIBUTE* private_template, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  return enter_session("C_GenerateKeyPair", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || public_key == nullptr || private_key == nullptr) {
      return bad_arguments("null pointer");
    }
    return with_template(public_template, public_count, [&](Template& wanted_public) {
      return with_template(
          private_template, private_count, [&](Template& wanted_private) -> Outcome<void> {
            auto pair = on.generate_pair(*mechanism, wanted_public, wanted_private);
            if (!pair) return std::move(pair).error();
            *public_key = pair->public_key;
            *private_key = pair->private_key;
            return {};
          });
    });
  });
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                CK_OBJECT_HANDLE key, unsigned char* wrapped_key, CK_ULONG* wrapped_key_len) {
  return enter_session("C_WrapKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr) return bad_arguments("null pointer");
    return with_output(wrapped_key, wrapped_key_len,
                       [&](Output to) { return on.wrap(*mechanism, wrapping_key, key, to); });
  });
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE unwrapping_key, unsigned char* wrapped_key,
                  CK_ULONG wrapped_key_len, CK_ATTRIBUTE* templ, CK_ULONG count,
                  CK_OBJECT_HANDLE* key) {
  return enter_session("C_UnwrapKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || key == nullptr || wrapped_key == nullptr) {
      return bad_arguments("null pointer");
    }
    return with_bytes(wrapped_key, wrapped_key_len, [&](ByteView blob) {
      return with_template(templ, count, [&](Template& wanted) {
        return give(on.unwrap(*mechanism, unwrapping_key, blob, wanted), key);
      });
    });
  });
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                  CK_ATTRIBUTE* templ, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return enter_session("C_DeriveKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr) return bad_arguments("null pointer");
    return with_template(templ, count, [&](Template& wanted) -> Outcome<void> {
      if (key == nullptr) return bad_arguments("null pointer");
      return give(on.derive(*mechanism, base_key, wanted), key);
    });
  });
}

CK_RV C_WrapKeyAuthenticated(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                             CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                             unsigned char* aad, CK_ULONG aad_len, unsigned char* wrapped_key,
                             CK_ULONG* wrapped_key_len) {
  return enter_session("C_WrapKeyAuthenticated", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr) return bad_arguments("null pointer");
    return with_bytes(aad, aad_len, [&](ByteView associated) {
      return with_output(wrapped_key, wrapped_key_len, [&](Output to) {
        return on.wrap_authenticated(*mechanism, wrapping_key, key, associated, to);
      });
    });
  });
}

CK_RV C_UnwrapKeyAuthenticated(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                               CK_OBJECT_HANDLE unwrapping_key, unsigned char* wrapped_key,
                               CK_ULONG wrapped_key_len, CK_ATTRIBUTE* templ, CK_ULONG count,
                               unsigned char* aad, CK_ULONG aad_len, CK_OBJECT_HANDLE* key) {
  return enter_session("C_UnwrapKeyAuthenticated", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || key == nullptr || wrapped_key == nullptr) {
      return bad_arguments("null pointer");
    }
    return with_bytes(aad, aad_len, [&](ByteView associated) {
      return with_bytes(wrapped_key, wrapped_key_len, [&](ByteView blob) {
        return with_template(templ, count, [&](Template& wanted) {
          return give(on.unwrap_authenticated(*mechanism, unwrapping_key, blob, wanted, associated),
                      key);
        });
      });
    });
  });
}

CK_RV C_EncapsulateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                       CK_OBJECT_HANDLE public_key, CK_ATTRIBUTE* templ, CK_ULONG count,
                       unsigned char* ciphertext, CK_ULONG* ciphertext_len, CK_OBJECT_HANDLE* key) {
  return enter_session("C_EncapsulateKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || key == nullptr) return bad_arguments("null pointer");
    return with_output(ciphertext, ciphertext_len, [&](Output to) {
      return with_template(templ, count, [&](Template& wanted) -> Outcome<void> {
        auto made = on.encapsulate(*mechanism, public_key, wanted, to);
        if (!made) return std::move(made).error();
        if (*made) *key = **made;
        return {};
      });
    });
  });
}

CK_RV C_DecapsulateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                       CK_OBJECT_HANDLE private_key, CK_ATTRIBUTE* templ, CK_ULONG count,
                       unsigned char* ciphertext, CK_ULONG ciphertext_len, CK_OBJECT_HANDLE* key) {
  return enter_session("C_DecapsulateKey", session, [&](Session& on) -> Outcome<void> {
    if (mechanism == nullptr || ciphertext == nullptr || key == nullptr) {
      return bad_arguments("null pointer");
    }
    return with_bytes(ciphertext, ciphertext_len, [&](ByteView bytes) {
      return with_template(templ, count, [&](Template& wanted) {
        return give(on.decapsulate(*mechanism, private_key, bytes, wanted), key);
      });
    });
  });
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, unsigned char* seed, CK_ULONG seed_len) {
  return enter_session("C_SeedRandom", session, [&](Session& on) {
    return with_bytes(seed, seed_len, [&](ByteView bytes) { return on.seed_random(bytes); });
  });
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, unsigned char* random_data, CK_ULONG random_len) {
  return enter_session("C_GenerateRandom", session, [&](Session& on) {
    return with_bytes(random_data, random_len, [&](ByteView bytes) {
      return on.random(MutableByteView(random_data, bytes.size()));
    });
  });
}
