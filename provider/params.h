// Reading OSSL_PARAMs as the core hands them over.
#pragma once

#include <openssl/params.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::provider {

// What our own parameters are called everywhere: the key by its URI.
inline constexpr const char* kUriParam = "uri";
inline constexpr const char* kOurUriParam = "tallystick_uri";

// Nothing where it is not there, or is no text.
inline std::optional<std::string> text_param(const OSSL_PARAM params[], const char* name) {
  const OSSL_PARAM* param = params == nullptr ? nullptr : OSSL_PARAM_locate_const(params, name);
  if (param == nullptr || param->data == nullptr || param->data_type != OSSL_PARAM_UTF8_STRING) {
    return std::nullopt;
  }
  const std::string_view text(static_cast<const char*>(param->data), param->data_size);
  // Callers give lengths with and without the final zero.
  return std::string(text.substr(0, text.find('\0')));
}

inline std::optional<core::ByteView> octets_param(const OSSL_PARAM params[], const char* name) {
  const OSSL_PARAM* param = params == nullptr ? nullptr : OSSL_PARAM_locate_const(params, name);
  if (param == nullptr || param->data_type != OSSL_PARAM_OCTET_STRING) return std::nullopt;
  return core::ByteView(static_cast<const std::uint8_t*>(param->data), param->data_size);
}

inline std::optional<std::string> uri_param(const OSSL_PARAM params[]) {
  auto uri = text_param(params, kUriParam);
  return uri ? uri : text_param(params, kOurUriParam);
}

// A text for the core to read; the text outlives the parameter.
inline OSSL_PARAM text_for(const char* name, const char* text) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text), 0);
}

// libcrypto's own list of parameters, with further ones before it. The result is for static
// variables: what it points to has to outlive it.
inline std::vector<OSSL_PARAM> with_params(std::vector<OSSL_PARAM> ours, const OSSL_PARAM* own) {
  for (; own != nullptr && own->key != nullptr; ++own) ours.push_back(*own);
  ours.push_back(OSSL_PARAM_construct_end());
  return ours;
}
inline std::vector<OSSL_PARAM> with_uri(const OSSL_PARAM* own) {
  return with_params({OSSL_PARAM_construct_utf8_string(kUriParam, nullptr, 0),
                      OSSL_PARAM_construct_utf8_string(kOurUriParam, nullptr, 0)},
                     own);
}

}  // namespace tallystick::provider
