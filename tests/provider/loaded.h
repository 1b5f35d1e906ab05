// For the programs with tests here: a library context with the provider, and what it says.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/crypto/handles.h"

namespace tallystick {

using core::LibCtxPtr;
using core::MdCtxPtr;
using core::PkeyPtr;
using core::ProviderPtr;
using StorePtr = std::unique_ptr<OSSL_STORE_CTX, core::HandleDeleter<OSSL_STORE_close>>;
using InfoPtr = std::unique_ptr<OSSL_STORE_INFO, core::HandleDeleter<OSSL_STORE_INFO_free>>;

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
inline std::string module_path() { return variable("TALLYSTICK_TEST_MODULE"); }
inline std::string uri(const std::string& label,
                       const std::string& pin = variable("TALLYSTICK_TEST_PIN")) {
  return "pkcs11:token=line;object=" + label + ";type=private?module-path=" + module_path() +
         "&pin-value=" + pin;
}

inline std::string queued_errors() {
  std::string text;
  const char* data = nullptr;
  int flags = 0;
  while (ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags) != 0) {
    if ((flags & ERR_TXT_STRING) != 0) text += std::string(data) + "\n";
  }
  return text;
}

// A library context with our provider in it, and OpenSSL's own.
class Loaded {
 public:
  Loaded() : lib_(OSSL_LIB_CTX_new()) {
    const std::filesystem::path path = variable("TALLYSTICK_TEST_PROVIDER");
    OSSL_PROVIDER_set_default_search_path(lib_.get(), path.parent_path().c_str());
    default_.reset(OSSL_PROVIDER_load(lib_.get(), "default"));
    ours_.reset(OSSL_PROVIDER_load(lib_.get(), path.stem().c_str()));
  }
  [[nodiscard]] bool complete() const { return default_ && ours_; }

  [[nodiscard]] PkeyPtr key(const std::string& from) const {
    const StorePtr store(OSSL_STORE_open_ex(from.c_str(), lib_.get(), nullptr, nullptr, nullptr,
                                            nullptr, nullptr, nullptr));
    if (!store) return nullptr;
    OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);
    const InfoPtr info(OSSL_STORE_load(store.get()));
    return PkeyPtr(info ? OSSL_STORE_INFO_get1_PKEY(info.get()) : nullptr);
  }

  [[nodiscard]] std::vector<unsigned char> sign(EVP_PKEY* key, std::string_view message) const {
    const MdCtxPtr context(EVP_MD_CTX_new());
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t size = signature.size();
    if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", lib_.get(), nullptr, key,
                              nullptr) <= 0 ||
        EVP_DigestSign(context.get(), signature.data(), &size,
                       reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) <= 0) {
      return {};
    }
    signature.resize(size);
    return signature;
  }

  [[nodiscard]] OSSL_LIB_CTX* lib() const { return lib_.get(); }

 private:
  LibCtxPtr lib_;
  ProviderPtr default_;
  ProviderPtr ours_;
};

}  // namespace tallystick
