#include "tools/cli/pkcs11/module.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include "pkcs11/client/registered.h"
#include "tools/cli/file_io.h"
#include "tools/cli/pkcs11/rv.h"

namespace tallystick::cli {
namespace {

namespace fs = std::filesystem;

}  // namespace

Outcome<std::shared_ptr<Module>> Module::load(const std::string& path) {
  if (!exists(path)) {
    return token_failure("module " + path, "there is no such file",
                         "give --module PATH or module-path= in the URI");
  }
  p11_kit_be_quiet();
  CK_FUNCTION_LIST* functions = p11_kit_module_load(path.c_str(), 0);
  if (functions == nullptr) {
    const char* reason = p11_kit_message();
    return token_failure("module " + path, reason == nullptr ? "cannot be loaded" : reason,
                         "is it a PKCS#11 module?");
  }
  const CK_RV rv = p11_kit_module_initialize(functions);
  if (rv != CKR_OK) {
    p11_kit_module_release(functions);
    return from_rv("module " + path, rv);
  }
  return std::shared_ptr<Module>(new Module(functions, path));
}

Module::~Module() {
  p11_kit_module_finalize(functions_);
  p11_kit_module_release(functions_);
}

Outcome<std::vector<Slot>> Module::slots() const {
  const std::string what = "slots of " + path_;
  CK_ULONG count = 0;
  CK_RV rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  std::vector<CK_SLOT_ID> ids;
  while (rv == CKR_OK) {
    ids.resize(count);
    rv = functions_->C_GetSlotList(CK_TRUE, ids.data(), &count);
    if (rv == CKR_OK) break;
    // A token appeared between the two calls.
    if (rv == CKR_BUFFER_TOO_SMALL) rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  }
  if (rv != CKR_OK) return from_rv(what, rv);
  ids.resize(count);
  std::vector<Slot> slots;
  for (const CK_SLOT_ID id : ids) {
    Slot slot{id, {}};
    slot.answer = functions_->C_GetTokenInfo(id, &slot.token);
    if (slot.answer != CKR_OK) slot.token = {};
    slots.push_back(slot);
  }
  return slots;
}

bool Module::offers(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_FLAGS use) const {
  CK_MECHANISM_INFO info{};
  return functions_->C_GetMechanismInfo(slot, mechanism, &info) == CKR_OK &&
         (info.flags & use) == use;
}

Outcome<std::shared_ptr<Module>> Modules::for_uri(const Uri& uri) {
  if (!uri.module_path().empty()) return at(uri.module_path());
  if (!uri.module_name().empty()) {
    const std::string path = client::registered_path(uri.module_name());
    if (path.empty()) {
      return token_failure("module " + uri.module_name(), "p11-kit knows no module of that name",
                           "`p11-kit list-modules` shows what it knows");
    }
    return at(path);
  }
  return by_default();
}

Outcome<std::shared_ptr<Module>> Modules::by_default() {
  if (!default_path_.empty()) return at(default_path_);
  if (const char* named = ::secure_getenv("TALLYSTICK_MODULE")) return at(named);
  const std::string own = own_module_path();
  if (own.empty()) {
    return token_failure("libtallystick.so", "it is not beside this program",
                         "give --module PATH or set TALLYSTICK_MODULE");
  }
  return at(own);
}

Outcome<std::shared_ptr<Module>> Modules::at(const std::string& path) {
  std::error_code ignored;
  fs::path canonical = fs::canonical(path, ignored);
  const std::string key = canonical.empty() ? path : canonical.string();
  if (const auto found = loaded_.find(key); found != loaded_.end()) return found->second;
  auto module = Module::load(key);
  if (module) loaded_.emplace(key, *module);
  return module;
}

std::string own_module_path() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  constexpr std::array kPlaces = {"../pkcs11",
                                  "../pkcs11/cryptoki",
                                  "../lib/pkcs11",
                                  "../lib",
                                  "../lib/x86_64-linux-gnu/pkcs11",
                                  "../../pkcs11",
                                  "."};
  for (const char* place : kPlaces) {
    const fs::path candidate = program.parent_path() / place / "libtallystick.so";
    if (fs::is_regular_file(candidate, ignored)) return candidate.lexically_normal().string();
  }
  return "";
}

}  // namespace tallystick::cli
