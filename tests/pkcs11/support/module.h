// Module: the library under test, loaded with dlopen and reached through its function lists only.
#pragma once

#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "tallystick/pkcs11_v3.h"

namespace tallystick::test {

// Path of libtallystick.so.
std::string module_path();

class Module {
 public:
  // Loads the library; does not initialise it.
  Module();
  explicit Module(const std::string& path);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  CK_FUNCTION_LIST* operator->() const { return functions_; }
  [[nodiscard]] CK_FUNCTION_LIST* functions() const { return functions_; }
  // The lists of 3.0 and 3.2, through C_GetInterface.
  [[nodiscard]] CK_FUNCTION_LIST_3_0* v3() const;
  [[nodiscard]] CK_FUNCTION_LIST_3_2* v32() const;
  [[nodiscard]] void* symbol(const char* name) const;

  [[nodiscard]] std::vector<CK_SLOT_ID> slots() const;
  // The first slot whose token is not initialised.
  [[nodiscard]] CK_SLOT_ID free_slot() const;
  [[nodiscard]] CK_TOKEN_INFO token_info(CK_SLOT_ID slot) const;
  // What C_GetMechanismList lists.
  [[nodiscard]] std::vector<CK_MECHANISM_TYPE> mechanisms(CK_SLOT_ID slot) const;

 private:
  [[nodiscard]] void* list(CK_VERSION version) const;

  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

}  // namespace tallystick::test
