#include "provider/core_calls.h"

#include <openssl/params.h>

#include <array>
#include <cstdarg>

namespace tallystick::provider {

CoreCalls::CoreCalls(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in) : core_(core) {
  for (; in->function_id != 0; ++in) {
    switch (in->function_id) {
      case OSSL_FUNC_CORE_GET_PARAMS:
        get_params_ = OSSL_FUNC_core_get_params(in);
        break;
      case OSSL_FUNC_CORE_NEW_ERROR:
        new_error_ = OSSL_FUNC_core_new_error(in);
        break;
      case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
        set_error_debug_ = OSSL_FUNC_core_set_error_debug(in);
        break;
      case OSSL_FUNC_CORE_VSET_ERROR:
        vset_error_ = OSSL_FUNC_core_vset_error(in);
        break;
      default:
        break;
    }
  }
}

std::string CoreCalls::setting(const char* name) const {
  if (get_params_ == nullptr) return "";
  const char* value = nullptr;
  std::array<OSSL_PARAM, 2> wanted{
      OSSL_PARAM_construct_utf8_ptr(name, const_cast<char**>(&value), 0),
      OSSL_PARAM_construct_end()};
  if (get_params_(core_, wanted.data()) == 0 || value == nullptr) return "";
  return value;
}

// NOLINTNEXTLINE(cert-dcl50-cpp): the core takes its texts with a va_list only
void CoreCalls::put(int reason, const char* format, ...) const {
  std::va_list values;
  va_start(values, format);
  vset_error_(core_, static_cast<std::uint32_t>(reason), format, values);
  va_end(values);
}

void CoreCalls::raise(const Failure& failure) const {
  if (new_error_ == nullptr || vset_error_ == nullptr || set_error_debug_ == nullptr) return;
  new_error_(core_);
  set_error_debug_(core_, "provider", 0, "");
  put(static_cast<int>(failure.reason), "%s", failure.text.c_str());
}

}  // namespace tallystick::provider
