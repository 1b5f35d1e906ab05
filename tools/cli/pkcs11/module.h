// PKCS#11 modules, ours or anybody's, loaded and initialised through p11-kit.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "pkcs11/client/slot.h"
#include "tools/cli/failure.h"
#include "tools/cli/pkcs11/uri.h"

namespace tallystick::cli {

using client::field_text;
using client::Slot;

// The command is the only user of a module in its process and ends it when it is done. The OpenSSL
// provider is a guest in others' processes and must never end a module; it loads them itself.
class Module {
 public:
  // Takes over a loaded module and calls C_Initialize.
  static Outcome<std::shared_ptr<Module>> load(const std::string& path);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  [[nodiscard]] CK_FUNCTION_LIST& functions() const { return *functions_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // The slots with a token in them; one that does not answer keeps nobody from the others.
  [[nodiscard]] Outcome<std::vector<Slot>> slots() const;
  [[nodiscard]] bool offers(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_FLAGS use) const;

 private:
  Module(CK_FUNCTION_LIST* functions, std::string path)
      : functions_(functions), path_(std::move(path)) {}
  CK_FUNCTION_LIST* functions_;
  std::string path_;
};

// The modules of one run of the command, each loaded once. The module of a URI is, in this order:
// its module-path, its module-name among those that p11-kit has registered, --module,
// $TALLYSTICK_MODULE, and the Tallystick token that stands beside the program.
class Modules {
 public:
  void use_by_default(std::string path) { default_path_ = std::move(path); }
  Outcome<std::shared_ptr<Module>> for_uri(const Uri& uri);
  Outcome<std::shared_ptr<Module>> by_default();

 private:
  Outcome<std::shared_ptr<Module>> at(const std::string& path);
  std::string default_path_;
  std::map<std::string, std::shared_ptr<Module>> loaded_;
};

// Where libtallystick.so is, seen from the running program; empty when it is nowhere.
std::string own_module_path();

}  // namespace tallystick::cli
