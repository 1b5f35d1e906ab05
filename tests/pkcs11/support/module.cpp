#include "tests/pkcs11/support/module.h"

#include <dlfcn.h>

#include <array>
#include <stdexcept>

#include "tests/pkcs11/support/rv.h"

namespace tallystick::test {

std::string module_path() { return TALLYSTICK_MODULE; }

Module::Module() : Module(module_path()) {}

Module::Module(const std::string& path) : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(symbol("C_GetFunctionList"));
  must(get(&functions_));
}

Module::~Module() { (void)dlclose(library_); }

void* Module::symbol(const char* name) const {
  void* const found = dlsym(library_, name);
  if (found == nullptr) throw std::runtime_error(std::string("the module has no ") + name);
  return found;
}

void* Module::list(CK_VERSION version) const {
  const auto get = reinterpret_cast<CK_C_GetInterface>(symbol("C_GetInterface"));
  std::array<CK_UTF8CHAR, 8> name = {'P', 'K', 'C', 'S', ' ', '1', '1', 0};
  CK_INTERFACE* found = nullptr;
  must(get(name.data(), &version, &found, 0));
  return found->pFunctionList;
}

CK_FUNCTION_LIST_3_0* Module::v3() const {
  return static_cast<CK_FUNCTION_LIST_3_0*>(list({3, 0}));
}

CK_FUNCTION_LIST_3_2* Module::v32() const {
  return static_cast<CK_FUNCTION_LIST_3_2*>(list({3, 2}));
}

std::vector<CK_SLOT_ID> Module::slots() const {
  CK_ULONG count = 0;
  must(functions_->C_GetSlotList(CK_FALSE, nullptr, &count));
  std::vector<CK_SLOT_ID> slots(count + 8);
  count = slots.size();
  must(functions_->C_GetSlotList(CK_FALSE, slots.data(), &count));
  slots.resize(count);
  return slots;
}

CK_SLOT_ID Module::free_slot() const {
  for (const auto slot : slots()) {
    CK_TOKEN_INFO info{};  // a slot may hold a token that is damaged
    if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) return slot;
  }
  throw std::runtime_error("no slot for C_InitToken");
}

CK_TOKEN_INFO Module::token_info(CK_SLOT_ID slot) const {
  CK_TOKEN_INFO info{};
  must(functions_->C_GetTokenInfo(slot, &info));
  return info;
}

std::vector<CK_MECHANISM_TYPE> Module::mechanisms(CK_SLOT_ID slot) const {
  CK_ULONG count = 0;
  must(functions_->C_GetMechanismList(slot, nullptr, &count));
  std::vector<CK_MECHANISM_TYPE> list(count);
  must(functions_->C_GetMechanismList(slot, list.data(), &count));
  return list;
}

}  // namespace tallystick::test
