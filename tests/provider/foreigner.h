// For the programs with tests here: what checks a signature without the provider, and the module as
// somebody else in the process uses it.
#pragma once

#include <dlfcn.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "tests/provider/loaded.h"

namespace tallystick {

// By OpenSSL without the provider: the public key travels as SubjectPublicKeyInfo.
inline bool verifies(EVP_PKEY* key, std::string_view message,
                     const std::vector<unsigned char>& signature) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return false;
  const unsigned char* at = der;
  const LibCtxPtr plain(OSSL_LIB_CTX_new());
  const PkeyPtr other(d2i_PUBKEY_ex(nullptr, &at, size, plain.get(), nullptr));
  OPENSSL_free(der);
  const MdCtxPtr context(EVP_MD_CTX_new());
  return other &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", plain.get(), nullptr,
                                 other.get(), nullptr) > 0 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

// The module as somebody else in the process uses it, straight from the file.
class Foreigner {
 public:
  Foreigner() : library_(::dlopen(module_path().c_str(), RTLD_NOW | RTLD_LOCAL)) {
    const auto list =
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
    if (list != nullptr) list(&functions_);
  }
  ~Foreigner() { ::dlclose(library_); }
  Foreigner(const Foreigner&) = delete;
  Foreigner& operator=(const Foreigner&) = delete;
  CK_FUNCTION_LIST* operator->() const { return functions_; }

  [[nodiscard]] CK_SLOT_ID slot(const std::string& label = "line") const {
    CK_ULONG count = 16;
    std::array<CK_SLOT_ID, 16> slots{};
    functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      if (functions_->C_GetTokenInfo(slots.at(i), &info) == CKR_OK &&
          std::string(reinterpret_cast<char*>(info.label), label.size() + 1) == label + " ") {
        return slots.at(i);
      }
    }
    return CK_UNAVAILABLE_INFORMATION;
  }
  [[nodiscard]] CK_ULONG sessions() const {
    CK_TOKEN_INFO info{};
    functions_->C_GetTokenInfo(slot(), &info);
    return info.ulSessionCount;
  }
  [[nodiscard]] CK_SESSION_HANDLE session() const {
    CK_SESSION_HANDLE handle = 0;
    functions_->C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                              &handle);
    return handle;
  }

 private:
  void* library_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

}  // namespace tallystick
