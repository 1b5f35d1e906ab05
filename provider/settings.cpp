#include "provider/settings.h"

#include <cstdlib>

namespace tallystick::provider {
namespace {

struct Name {
  const char* ours;
  const char* theirs;
};
constexpr Name kModule{"tallystick-module", "pkcs11-module-path"};
constexpr Name kInitArgs{"tallystick-init-args", "pkcs11-module-init-args"};
constexpr Name kPin{"tallystick-pin", "pkcs11-module-token-pin"};
constexpr Name kToken{"tallystick-token", nullptr};
constexpr Name kLogin{"tallystick-login", "pkcs11-module-login-behavior"};
constexpr Name kLoad{"tallystick-load", "pkcs11-module-load-behavior"};
constexpr Name kEncodeUri{"tallystick-encode-uri", "pkcs11-module-encode-provider-uri-to-pem"};
// pkcs11-module-quirks, -cache-pins, -cache-keys, -cache-sessions, -allow-export, -assume-fips and
// -block-operations name ways around shortcomings that there are none of here: they may stay in the
// file, and nothing reads them.

// The environment's names for the module, ours first.
constexpr const char* kModuleVariables[] = {"TALLYSTICK_MODULE", "PKCS11_PROVIDER_MODULE"};

class Reader {
 public:
  explicit Reader(const CoreCalls& core) : core_(core) {}

  std::string text(const Name& name) {
    used_ = name.ours;
    std::string value = core_.setting(name.ours);
    if (!value.empty() || name.theirs == nullptr) return value;
    used_ = name.theirs;
    return core_.setting(name.theirs);
  }
  // The setting that text() last found a value in.
  [[nodiscard]] Failure refuse(const std::string& value, const std::string& allowed) const {
    return fail(Reason::kSetting, std::string(used_) + " = " + value + ": it takes " + allowed);
  }

 private:
  const CoreCalls& core_;
  const char* used_ = "";
};

}  // namespace

Settings Settings::read(const CoreCalls& core) {
  Settings settings;
  Reader reader(core);
  settings.module_path = reader.text(kModule);
  for (const char* variable : kModuleVariables) {
    if (!settings.module_path.empty()) break;
    if (const char* path = ::secure_getenv(variable)) settings.module_path = path;
  }
  settings.init_args = reader.text(kInitArgs);
  settings.pin = reader.text(kPin);
  settings.token = reader.text(kToken);

  if (const auto value = reader.text(kLogin); value == "always") {
    settings.login = Login::kAlways;
  } else if (value == "never") {
    settings.login = Login::kNever;
  } else if (!value.empty() && value != "auto") {
    settings.wrong = reader.refuse(value, "auto, always or never");
  }
  if (const auto value = reader.text(kLoad); value == "early") {
    settings.load_early = true;
  } else if (!value.empty() && value != "late") {
    settings.wrong = reader.refuse(value, "early or late");
  }
  if (const auto value = reader.text(kEncodeUri);
      value == "true" || value == "1" || value == "yes") {
    settings.encode_uri = true;
  } else if (value == "false" || value == "0" || value == "no") {
    settings.encode_uri = false;
  } else if (!value.empty()) {
    settings.wrong = reader.refuse(value, "true or false");
  }
  return settings;
}

}  // namespace tallystick::provider
