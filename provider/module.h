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
#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "pkcs11/client/slot.h"
#include "pkcs11/client/uri.h"
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
    if (functions_->*function == nullptr) return CKR_FUNCTION_NOT_SUPPORTED;
    const Apart apart;
    return (functions_->*function)(arguments...);
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
  [[nodiscard]] Outcome<std::vector<CK_SLOT_ID>> slot_ids() const;

  CK_FUNCTION_LIST* functions_;
  std::string path_;
  std::string init_args_;
};

// The modules that a URI may mean: that of its module-path, of its module-name among those that
// p11-kit has registered, the one of the settings, and else all registered ones that work.
Outcome<std::vector<Module*>> modules_for(const client::Uri& uri, const Settings& settings);

}  // namespace tallystick::provider
