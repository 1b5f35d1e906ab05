// PKCS#11 modules as a guest in somebody else's process uses them. A module is loaded and
// initialised when it is first needed, once a process, and never ended: PKCS#11 does not count who
// uses a module, so a C_Finalize of ours would end everybody's sessions, and at the process's exit
// the module may be gone before us. When somebody else ends it, it is initialised again.
//
// A module may use libcrypto itself, and then the process's default context, where this provider
// may be the preferred one: every call runs with another default context, which has OpenSSL's own
// provider only, and leaves no errors of the module's on the caller's queue.
#pragma once

#include <openssl/crypto.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "pkcs11/client/slot.h"
#include "pkcs11/client/uri.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/failure.h"
#include "provider/settings.h"

namespace tallystick::provider {

class Module {
 public:
  // Lives until the process ends.
  static Outcome<Module*> at(const std::string& path, const std::string& init_args);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module() = default;

  [[nodiscard]] const std::string& path() const { return path_; }

  // Initialised in this process, by whomever. Called again after CKR_CRYPTOKI_NOT_INITIALIZED.
  [[nodiscard]] Done initialise() const;

  template <typename... Parameters, typename... Arguments>
  CK_RV call(CK_RV (*CK_FUNCTION_LIST::*function)(Parameters...), Arguments... arguments) const {
    return call_of(functions_, function, arguments...);
  }
  // A function that PKCS#11 has from 3.2 on: CKR_FUNCTION_NOT_SUPPORTED by an older module.
  template <typename... Parameters, typename... Arguments>
  CK_RV call(CK_RV (*CK_FUNCTION_LIST_3_2::*function)(Parameters...),
             Arguments... arguments) const {
    return call_of(functions_3_2(), function, arguments...);
  }

  // The slots with a token in them; one that does not answer keeps nobody from the others.
  [[nodiscard]] Outcome<std::vector<client::Slot>> slots() const;

 private:
  // While it lives, libcrypto's default context of the thread is the modules' own.
  class Apart {
   public:
    Apart();
    ~Apart();
    Apart(const Apart&) = delete;
    Apart& operator=(const Apart&) = delete;

   private:
    OSSL_LIB_CTX* before_;
  };

  Module(CK_FUNCTION_LIST* functions, std::string path, std::string init_args)
      : functions_(functions), path_(std::move(path)), init_args_(std::move(init_args)) {}
  template <typename List, typename... Parameters, typename... Arguments>
  static CK_RV call_of(const List* list, CK_RV (*List::*function)(Parameters...),
                       Arguments... arguments) {
    if (list == nullptr || list->*function == nullptr) return CKR_FUNCTION_NOT_SUPPORTED;
    const Apart apart;
    return (list->*function)(arguments...);
  }
  [[nodiscard]] Outcome<std::vector<CK_SLOT_ID>> slot_ids() const;
  // Null: the module has no such list.
  [[nodiscard]] const CK_FUNCTION_LIST_3_2* functions_3_2() const;

  CK_FUNCTION_LIST* functions_;
  mutable std::once_flag asked_3_2_;
  mutable const CK_FUNCTION_LIST_3_2* functions_3_2_ = nullptr;
  std::string path_;
  std::string init_args_;
};

// The modules that a URI may mean: that of its module-path, of its module-name among those that
// p11-kit has registered, the one of the settings, and else all registered ones that work.
Outcome<std::vector<Module*>> modules_for(const client::Uri& uri, const Settings& settings);

}  // namespace tallystick::provider
