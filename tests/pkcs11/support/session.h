// Session: an open session, with the calls that tests make all the time in a form that owns its
// memory. Everything goes through the module's function list.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/pkcs11/support/attributes.h"
#include "tests/pkcs11/support/module.h"
#include "tests/pkcs11/support/rv.h"

namespace tallystick::test {

// As C_* functions take text.
inline CK_UTF8CHAR* text_pointer(std::string& text) {
  return reinterpret_cast<CK_UTF8CHAR*>(text.data());
}

struct KeyPair {
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
};

class Session {
 public:
  Session(CK_FUNCTION_LIST* functions, CK_SLOT_ID slot,
          CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  CK_FUNCTION_LIST* operator->() const { return functions_; }

  CK_RV login(CK_USER_TYPE user, const std::string& pin);
  CK_RV logout();
  CK_RV init_pin(const std::string& pin);
  CK_RV set_pin(const std::string& old_pin, const std::string& new_pin);
  [[nodiscard]] CK_STATE state() const;

  Answer<CK_OBJECT_HANDLE> create(Attributes attributes);
  Answer<CK_OBJECT_HANDLE> copy(CK_OBJECT_HANDLE object, Attributes attributes);
  CK_RV destroy(CK_OBJECT_HANDLE object);
  CK_RV set(CK_OBJECT_HANDLE object, Attributes attributes);
  Answer<core::Bytes> get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  // Throw when the attribute is not there or not of that form.
  [[nodiscard]] CK_ULONG number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] bool flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find(Attributes pattern) const;

  Answer<CK_OBJECT_HANDLE> generate(Mechanism mechanism, Attributes attributes);
  Answer<KeyPair> generate_pair(Mechanism mechanism, Attributes public_key, Attributes private_key);
  Answer<core::Bytes> wrap(Mechanism mechanism, CK_OBJECT_HANDLE wrapping_key,
                           CK_OBJECT_HANDLE key);
  Answer<CK_OBJECT_HANDLE> unwrap(Mechanism mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                  core::Bytes blob, Attributes attributes);
  Answer<CK_OBJECT_HANDLE> derive(Mechanism mechanism, CK_OBJECT_HANDLE base_key,
                                  Attributes attributes);

  // One call each; the length is asked first where the standard lets one ask.
  Answer<core::Bytes> encrypt(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data);
  Answer<core::Bytes> decrypt(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data);
  Answer<core::Bytes> sign(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data);
  CK_RV verify(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data, core::Bytes signature);
  Answer<core::Bytes> digest(Mechanism mechanism, core::Bytes data);
  // The same in pieces of `step` bytes.
  Answer<core::Bytes> encrypt_parts(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                                    std::size_t step);
  Answer<core::Bytes> decrypt_parts(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                                    std::size_t step);
  Answer<core::Bytes> sign_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                                 std::size_t step);
  CK_RV verify_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                     core::Bytes signature, std::size_t step);
  Answer<core::Bytes> digest_parts(Mechanism mechanism, core::Bytes data, std::size_t step);
  Answer<core::Bytes> random(std::size_t size);

 private:
  CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE handle_ = 0;
};

// A pointer into `bytes` that is not null even when they are empty.
CK_BYTE* pointer(core::Bytes& bytes);

}  // namespace tallystick::test
