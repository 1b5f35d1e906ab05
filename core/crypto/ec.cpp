#include "core/crypto/ec.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "core/crypto/hash.h"
#include "core/crypto/pkcs8.h"

namespace tallystick::core {
namespace {

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, HandleDeleter<OSSL_PARAM_free>>;

const char* group_name(Curve curve) { return curve == Curve::kP256 ? "P-256" : "P-384"; }
int group_nid(Curve curve) { return curve == Curve::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1; }

Error malformed(const char* what) {
  forget_crypto_errors();
  return {ErrorCode::kMalformed, what, 0};
}

Bytes uncompressed(ByteView xy) {
  Bytes point{4};
  point.insert(point.end(), xy.begin(), xy.end());
  return point;
}

std::shared_ptr<EVP_PKEY> shared(PkeyPtr key) { return {key.release(), EVP_PKEY_free}; }

// Builds a key from its parts; nullptr when libcrypto refuses them.
PkeyPtr assemble(const Crypto& crypto, Curve curve, ByteView point, const BIGNUM* scalar) {
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  if (!build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, group_name(curve),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1 ||
      (scalar != nullptr &&
       OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) != 1)) {
    return nullptr;
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  const auto context = key_context(crypto.lib(), KeyAlgorithm::kEc);
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key,
                        scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

// X ‖ Y of a key that libcrypto holds; empty when it is not on this curve.
Bytes xy_of(const EVP_PKEY* key, Curve curve) {
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1 ||
      OBJ_sn2nid(group.data()) != group_nid(curve)) {
    return {};
  }
  const auto read = [key](const char* name, MutableByteView out) {
    BIGNUM* number = nullptr;
    const bool read_it = EVP_PKEY_get_bn_param(key, name, &number) == 1;
    const BnPtr owner(number);
    return read_it && BN_bn2binpad(number, out.data(), static_cast<int>(out.size())) > 0;
  };
  const auto field = field_size(curve);
  Bytes xy(2 * field);
  const MutableByteView all(xy);
  if (!read(OSSL_PKEY_PARAM_EC_PUB_X, all.first(field)) ||
      !read(OSSL_PKEY_PARAM_EC_PUB_Y, all.last(field))) {
    return {};
  }
  return xy;
}

}  // namespace

Result<EcPublicKey> EcPublicKey::from_xy(const Crypto& crypto, Curve curve, ByteView xy) {
  if (xy.size() != 2 * field_size(curve)) return malformed("not the size of a public key");
  // libcrypto checks that the point lies on the curve; these curves have cofactor 1.
  auto key = assemble(crypto, curve, uncompressed(xy), nullptr);
  if (!key) return malformed("the public key is not a point on the curve");
  return EcPublicKey(curve, Bytes(xy.begin(), xy.end()), shared(std::move(key)));
}

Result<EcPublicKey> EcPublicKey::from_pkey(const Crypto& crypto, Curve curve, const EVP_PKEY* key) {
  const auto xy = key != nullptr ? xy_of(key, curve) : Bytes{};
  if (xy.empty()) return malformed("not a public key on the expected curve");
  return from_xy(crypto, curve, xy);
}

Status EcPublicKey::verify(const Crypto& crypto, std::initializer_list<ByteView> message,
                           ByteView signature) const {
  const Error refused{ErrorCode::kBadSignature, "the signature does not verify", 0};
  const auto half = field_size(curve_);
  if (signature.size() != 2 * half) return refused;

  const EcdsaSigPtr parsed(ECDSA_SIG_new());
  BnPtr r(BN_bin2bn(signature.data(), static_cast<int>(half), nullptr));
  BnPtr s(BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr));
  if (!parsed || !r || !s || ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) != 1) {
    return crypto_error("signature");
  }
  (void)r.release();
  (void)s.release();
  std::array<std::uint8_t, 128> der{};
  auto* cursor = der.data();
  const int der_size = i2d_ECDSA_SIG(parsed.get(), &cursor);

  ByteArray<64> hash{};
  const auto hash_bytes = MutableByteView(hash).first(hash_size(hash_for(curve_)));
  if (auto hashed = digest(crypto, hash_for(curve_), message, hash_bytes); !hashed) return hashed;
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key_.get(), nullptr));
  if (!context || der_size <= 0 || EVP_PKEY_verify_init(context.get()) != 1) {
    return crypto_error("signature");
  }
  if (EVP_PKEY_verify(context.get(), der.data(), static_cast<std::size_t>(der_size),
                      hash_bytes.data(), hash_bytes.size()) != 1) {
    forget_crypto_errors();
    return refused;
  }
  return {};
}

Result<EcPrivateKey> EcPrivateKey::generate(const Crypto& crypto, Curve curve) {
  auto key = crypto.generate_ec_key(group_nid(curve));
  if (!key) return crypto_error("EC key generation");
  auto xy = xy_of(key.get(), curve);
  if (xy.empty()) return crypto_error("EC key generation");
  return EcPrivateKey(EcPublicKey(curve, std::move(xy), shared(std::move(key))));
}

Result<EcPrivateKey> EcPrivateKey::from_scalar(const Crypto& crypto, Curve curve, ByteView scalar) {
  const auto field = field_size(curve);
  const EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(crypto.lib(), nullptr, group_nid(curve)));
  const BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  const BnPtr number(BN_secure_new());
  if (!group || !work || !number) return crypto_error("EC key");
  if (scalar.size() != field ||
      BN_bin2bn(scalar.data(), static_cast<int>(field), number.get()) == nullptr ||
      BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return malformed("not a private key of the curve");
  }
  const EcPointPtr point(EC_POINT_new(group.get()));
  Bytes encoded(1 + 2 * field);
  if (!point ||
      EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, work.get()) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                         encoded.size(), work.get()) != encoded.size()) {
    return crypto_error("EC key");
  }
  auto key = assemble(crypto, curve, encoded, number.get());
  if (!key) return crypto_error("EC key");
  return EcPrivateKey(
      EcPublicKey(curve, Bytes(encoded.begin() + 1, encoded.end()), shared(std::move(key))));
}

Result<Secret> EcPrivateKey::scalar() const {
  BIGNUM* number = nullptr;
  const bool read = EVP_PKEY_get_bn_param(public_.pkey(), OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1;
  const BnPtr owner(number);
  Secret out(field_size(curve()));
  if (!read || BN_bn2binpad(number, out.span().data(), static_cast<int>(out.size())) < 0) {
    return crypto_error("EC private key");
  }
  return out;
}

Result<Secret> EcPrivateKey::pkcs8() const { return pkcs8_der(public_.pkey()); }

Result<Bytes> EcPrivateKey::sign(const Crypto& crypto,
                                 std::initializer_list<ByteView> message) const {
  ByteArray<64> hash{};
  const auto hash_bytes = MutableByteView(hash).first(hash_size(hash_for(curve())));
  if (auto hashed = digest(crypto, hash_for(curve()), message, hash_bytes); !hashed) {
    return std::move(hashed).error();
  }
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), public_.pkey(), nullptr));
  std::array<std::uint8_t, 160> der{};
  std::size_t der_size = der.size();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_sign(context.get(), der.data(), &der_size, hash_bytes.data(), hash_bytes.size()) !=
          1) {
    return crypto_error("ECDSA");
  }
  const auto* cursor = der.data();
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der_size)));
  const auto half = field_size(curve());
  Bytes out(2 * half);
  if (!parsed ||
      BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out.data(), static_cast<int>(half)) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out.data() + half, static_cast<int>(half)) < 0) {
    return crypto_error("ECDSA");
  }
  return out;
}

Result<Secret> EcPrivateKey::ecdh(const Crypto& crypto, const EcPublicKey& peer) const {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), public_.pkey(), nullptr));
  Secret out(field_size(curve()));
  std::size_t size = out.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.pkey()) != 1 ||
      EVP_PKEY_derive(context.get(), out.span().data(), &size) != 1 || size != out.size()) {
    return crypto_error("ECDH");
  }
  return out;
}

Result<Secret> ec_scalar_from(const Crypto& crypto, Curve curve, ByteView value) {
  if (value.size() < field_size(curve) + 8) {
    return Error{ErrorCode::kInvalidArgument, "too few bits for a scalar", 0};
  }
  const EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(crypto.lib(), nullptr, group_nid(curve)));
  const BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  const BnPtr number(BN_secure_new());
  const BnPtr scalar(BN_secure_new());
  if (!group || !work || !number || !scalar) return crypto_error("derived EC key");
  const BnPtr modulus(BN_dup(EC_GROUP_get0_order(group.get())));
  if (!modulus || BN_sub_word(modulus.get(), 1) != 1) return crypto_error("derived EC key");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  Secret out(field_size(curve));
  if (BN_bin2bn(value.data(), static_cast<int>(value.size()), number.get()) == nullptr ||
      BN_mod(scalar.get(), number.get(), modulus.get(), work.get()) != 1 ||
      BN_add_word(scalar.get(), 1) != 1 ||
      BN_bn2binpad(scalar.get(), out.span().data(), static_cast<int>(out.size())) < 0) {
    return crypto_error("derived EC key");
  }
  return out;
}

}  // namespace tallystick::core
