#include "provider/module.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

#include <p11-kit/p11-kit.h>

#include "pkcs11/client/registered.h"
#include "provider/epoch.h"

namespace tallystick::provider {
namespace {

namespace fs = std::filesystem;

// Never freed: modules keep what they fetched from it as long as they live.
OSSL_LIB_CTX* context_of_modules() {
  static OSSL_LIB_CTX* const context = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    if (made != nullptr) OSSL_PROVIDER_load(made, "default");
    return made;
  }();
  return context;
}

std::map<std::string, Module*>& loaded_modules() {
  static auto* modules = new std::map<std::string, Module*>;
  return *modules;
}

Module* loaded(const std::string& path) {
  const std::lock_guard lock(lists_lock());
  const auto found = loaded_modules().find(path);
  return found == loaded_modules().end() ? nullptr : found->second;
}

std::string canonical(const std::string& path) {
  std::error_code ignored;
  const fs::path found = fs::canonical(path, ignored);
  return found.empty() ? path : found.string();
}

}  // namespace

Module::Apart::Apart() : before_(OSSL_LIB_CTX_set0_default(context_of_modules())) {
  ERR_set_mark();
}

Module::Apart::~Apart() {
  ERR_pop_to_mark();
  OSSL_LIB_CTX_set0_default(before_);
}

Outcome<Module*> Module::at(const std::string& path, const std::string& init_args) {
  const std::string key = canonical(path);
  if (Module* known = loaded(key)) {
    if (auto done = known->initialise(); !done) return std::move(done).error();
    return known;
  }
  CK_FUNCTION_LIST* functions = nullptr;
  std::string reason = "cannot be loaded";
  {
    const Apart apart;
    p11_kit_be_quiet();
    // Unmanaged: p11-kit's own counting would end a module that somebody else has initialised.
    functions = p11_kit_module_load(key.c_str(), P11_KIT_MODULE_UNMANAGED);
    const char* message = functions == nullptr ? p11_kit_message() : nullptr;
    if (message != nullptr) reason = message;
  }
  if (functions == nullptr) return fail(Reason::kModule, path + ": " + reason);
  std::unique_ptr<Module> module(new Module(functions, key, init_args));
  if (auto done = module->initialise(); !done) return std::move(done).error();
  const std::lock_guard lock(lists_lock());
  const auto [entry, added] = loaded_modules().emplace(key, module.get());
  if (added) static_cast<void>(module.release());
  return entry->second;
}

Done Module::initialise() const {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  std::string reserved = init_args_;
  if (!reserved.empty()) arguments.pReserved = reserved.data();
  const CK_RV rv = call(&CK_FUNCTION_LIST::C_Initialize, static_cast<void*>(&arguments));
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
  return from_rv(Reason::kModule, path_, rv);
}

// p11-kit hands out no list of 3.2, so the module is asked itself. Its own client for remote
// modules has none: what 3.2 brought does not reach a token behind `p11-kit server`.
const CK_FUNCTION_LIST_3_2* Module::functions_3_2() const {
  std::call_once(asked_3_2_, [this] {
    const std::unique_ptr<char, decltype(&std::free)> file(p11_kit_module_get_filename(functions_),
                                                           &std::free);
    // It is loaded already and stays so: this handle is one of many, and none of them is closed.
    void* const library = file ? dlopen(file.get(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) : nullptr;
    if (library == nullptr) return;
    const auto get = reinterpret_cast<CK_C_GetInterface>(dlsym(library, "C_GetInterface"));
    if (get == nullptr) return;
    std::array<CK_UTF8CHAR, 8> name = {'P', 'K', 'C', 'S', ' ', '1', '1', 0};
    CK_VERSION version{3, 2};
    CK_INTERFACE* found = nullptr;
    const Apart apart;
    if (get(name.data(), &version, &found, 0) != CKR_OK || found == nullptr) return;
    // Not every module heeds the version it is asked for.
    const auto* list = static_cast<const CK_FUNCTION_LIST_3_2*>(found->pFunctionList);
    if (list != nullptr && list->version.major == 3 && list->version.minor >= 2) {
      functions_3_2_ = list;
    }
  });
  return functions_3_2_;
}

Outcome<std::vector<CK_SLOT_ID>> Module::slot_ids() const {
  const auto list = [this](CK_SLOT_ID* ids, CK_ULONG* count) {
    return call(&CK_FUNCTION_LIST::C_GetSlotList, static_cast<CK_BBOOL>(CK_TRUE), ids, count);
  };
  CK_ULONG count = 0;
  std::vector<CK_SLOT_ID> ids;
  CK_RV rv = list(nullptr, &count);
  while (rv == CKR_OK) {
    ids.resize(count);
    rv = list(ids.data(), &count);
    if (rv == CKR_OK) break;
    // A token appeared between the two calls.
    if (rv == CKR_BUFFER_TOO_SMALL) rv = list(nullptr, &count);
  }
  if (rv != CKR_OK) return from_rv(Reason::kModule, "slots of " + path_, rv);
  ids.resize(count);
  return ids;
}

Outcome<std::vector<client::Slot>> Module::slots() const {
  auto ids = slot_ids();
  if (!ids && ids.error().rv == CKR_CRYPTOKI_NOT_INITIALIZED) {
    if (auto done = initialise(); !done) return std::move(done).error();
    ids = slot_ids();
  }
  if (!ids) return std::move(ids).error();
  std::vector<client::Slot> slots;
  for (const CK_SLOT_ID id : *ids) {
    client::Slot slot{id, {}};
    slot.answer = call(&CK_FUNCTION_LIST::C_GetTokenInfo, id, &slot.token);
    if (slot.answer != CKR_OK) slot.token = {};
    slots.push_back(slot);
  }
  return slots;
}

Outcome<std::vector<Module*>> modules_for(const client::Uri& uri, const Settings& settings) {
  if (settings.wrong) return *settings.wrong;
  std::string path = uri.module_path();
  if (path.empty() && !uri.module_name().empty()) {
    path = client::registered_path(uri.module_name());
    if (path.empty()) {
      return fail(Reason::kModule,
                  "module-name=" + uri.module_name() + ": p11-kit knows no module of that name");
    }
  }
  if (path.empty()) path = settings.module_path;
  if (!path.empty()) {
    auto module = Module::at(path, settings.init_args);
    if (!module) return std::move(module).error();
    return std::vector<Module*>{*module};
  }
  std::vector<Module*> modules;
  for (const std::string& registered : client::registered_paths()) {
    if (auto module = Module::at(registered, ""); module) modules.push_back(*module);
  }
  if (modules.empty()) {
    return fail(Reason::kModule,
                "no module: neither the URI nor the settings name one, and p11-kit has none that "
                "works");
  }
  return modules;
}

}  // namespace tallystick::provider
