#include "pkcs11/client/registered.h"

#include <cstdlib>
#include <memory>

#include <p11-kit/p11-kit.h>

namespace tallystick::client {
namespace {

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};

// Loaded only to be named: nothing is initialised, and nothing stays.
struct Release {
  void operator()(CK_FUNCTION_LIST** modules) const { p11_kit_modules_release(modules); }
};
using Modules = std::unique_ptr<CK_FUNCTION_LIST*, Release>;

Modules registered() {
  p11_kit_be_quiet();
  return Modules(p11_kit_modules_load(nullptr, 0));
}

std::string path_of(CK_FUNCTION_LIST* module) {
  const std::unique_ptr<char, FreeText> file(p11_kit_module_get_filename(module));
  return file ? file.get() : "";
}

}  // namespace

std::string registered_path(const std::string& name) {
  const Modules modules = registered();
  CK_FUNCTION_LIST* found =
      modules ? p11_kit_module_for_name(modules.get(), name.c_str()) : nullptr;
  return found == nullptr ? "" : path_of(found);
}

std::vector<std::string> registered_paths() {
  std::vector<std::string> paths;
  const Modules modules = registered();
  for (CK_FUNCTION_LIST** module = modules.get(); module != nullptr && *module != nullptr;
       ++module) {
    if (std::string path = path_of(*module); !path.empty()) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace tallystick::client
