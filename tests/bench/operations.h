// Operations: what a case repeats, as an application calls it.
#pragma once

#include "tests/bench/module.h"

namespace tallystick::bench {

inline constexpr std::size_t kTagSize = 16;

// C_SignInit and C_Sign.
void sign(const Module& module, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
          CK_OBJECT_HANDLE key, core::ByteView message, core::MutableByteView signature);
void verify(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
            core::ByteView hash, core::ByteView signature);
void digest(const Module& module, CK_SESSION_HANDLE session, core::ByteView message,
            core::MutableByteView hash);
// In one piece; `out` has the size of `in` and a tag.
void gcm_encrypt(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                 core::ByteView iv, core::ByteView in, core::MutableByteView out);
// Wraps a key, unwraps it as another session object, and destroys that.
void wrap_and_unwrap(const Module& module, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
                     CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key);
CK_OBJECT_HANDLE find(CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session,
                      std::string_view label);
void destroy(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object);

}  // namespace tallystick::bench
