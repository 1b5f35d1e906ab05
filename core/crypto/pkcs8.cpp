#include "core/crypto/pkcs8.h"

namespace tallystick::core {

Result<Secret> pkcs8_der(const EVP_PKEY* key) {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : 0;
  if (size <= 0) return crypto_error("PKCS#8");
  Secret out(static_cast<std::size_t>(size));
  auto* cursor = out.span().data();
  if (i2d_PKCS8_PRIV_KEY_INFO(info.get(), &cursor) != size) return crypto_error("PKCS#8");
  return out;
}

Result<PkeyPtr> parse_pkcs8(const Crypto& crypto, ByteView der) {
  const auto* cursor = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  PkeyPtr key;
  if (info && cursor == der.data() + der.size()) {
    key.reset(EVP_PKCS82PKEY_ex(info.get(), crypto.lib(), nullptr));
  }
  if (!key) {
    forget_crypto_errors();
    return Error{ErrorCode::kMalformed, "not a private key in PKCS#8", 0};
  }
  return key;
}

}  // namespace tallystick::core
