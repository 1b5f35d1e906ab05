#include "provider/public_key.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "provider/keymgmt.h"

namespace tallystick::provider {
namespace {

using OctetStringPtr =
    std::unique_ptr<ASN1_OCTET_STRING, core::HandleDeleter<ASN1_OCTET_STRING_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, core::HandleDeleter<X509_ALGOR_free>>;
using BitStringPtr = std::unique_ptr<ASN1_BIT_STRING, core::HandleDeleter<ASN1_BIT_STRING_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, core::HandleDeleter<ASN1_OBJECT_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, core::HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, core::HandleDeleter<OSSL_PARAM_free>>;
using GroupPtr = std::unique_ptr<EC_GROUP, core::HandleDeleter<EC_GROUP_free>>;

Failure bad_key(const Session& session, const char* why) {
  return fail(Reason::kKey, session.name() + ": " + why);
}

core::PkeyPtr from_params(OSSL_LIB_CTX* lib, const char* type, OSSL_PARAM* params) {
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(lib, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || params == nullptr || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
    return nullptr;
  }
  return core::PkeyPtr(made);
}

core::BnPtr number_of(core::ByteView bytes) {
  return core::BnPtr(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

core::PkeyPtr rsa_key(OSSL_LIB_CTX* lib, const char* type, core::ByteView modulus,
                      core::ByteView exponent) {
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  const core::BnPtr n = number_of(modulus);
  const core::BnPtr e = number_of(exponent);
  if (!builder || !n || !e ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 0) {
    return nullptr;
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  return from_params(lib, type, params.get());
}

// The name of the curve, also of one that the token spells out: what leaves names its curve always.
const char* curve_name(core::ByteView parameters) {
  const unsigned char* at = parameters.data();
  const ObjectPtr name(d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(parameters.size())));
  int nid = name ? OBJ_obj2nid(name.get()) : NID_undef;
  if (!name) {
    at = parameters.data();
    const GroupPtr group(d2i_ECPKParameters(nullptr, &at, static_cast<long>(parameters.size())));
    if (group) nid = EC_GROUP_check_named_curve(group.get(), 0, nullptr);
  }
  return nid == NID_undef ? nullptr : OBJ_nid2sn(nid);
}

// CKA_EC_POINT is an OCTET STRING with the point in it; some modules give the point itself.
core::Bytes unwrapped(core::ByteView value) {
  const unsigned char* at = value.data();
  const OctetStringPtr string(d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(value.size())));
  if (!string || at != value.data() + value.size()) return {value.begin(), value.end()};
  const unsigned char* data = ASN1_STRING_get0_data(string.get());
  return {data, data + ASN1_STRING_length(string.get())};
}

// The subjectPublicKey of a SubjectPublicKeyInfo in DER; empty when there is none.
core::Bytes key_bits(core::ByteView info) {
  const unsigned char* at = info.data();
  const unsigned char* const end = at + info.size();
  long length = 0;
  int tag = 0;
  int of_class = 0;
  const int read = ASN1_get_object(&at, &length, &tag, &of_class, static_cast<long>(info.size()));
  if ((read & 0x80) != 0 || tag != V_ASN1_SEQUENCE || length != end - at) return {};
  const AlgorithmPtr algorithm(d2i_X509_ALGOR(nullptr, &at, end - at));
  if (!algorithm) return {};
  const BitStringPtr bits(d2i_ASN1_BIT_STRING(nullptr, &at, end - at));
  if (!bits || at != end) return {};
  const unsigned char* const data = ASN1_STRING_get0_data(bits.get());
  return {data, data + ASN1_STRING_length(bits.get())};
}

core::PkeyPtr ec_key(OSSL_LIB_CTX* lib, core::ByteView parameters, core::Bytes point) {
  const char* curve = curve_name(parameters);
  if (curve == nullptr) return nullptr;
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  return from_params(lib, "EC", params.data());
}

// Edwards and Montgomery keys: the length of the point tells the curve.
PublicKey octet_key(OSSL_LIB_CTX* lib, CK_KEY_TYPE key_type, const core::Bytes& point) {
  const char* type = nullptr;
  if (key_type == CKK_EC_EDWARDS) {
    type = point.size() == 32 ? "ED25519" : point.size() == 57 ? "ED448" : nullptr;
  } else {
    type = point.size() == 32 ? "X25519" : point.size() == 56 ? "X448" : nullptr;
  }
  if (type == nullptr) return {};
  return {type, core::PkeyPtr(EVP_PKEY_new_raw_public_key_ex(lib, type, nullptr, point.data(),
                                                             point.size()))};
}

// Null where the type of PKCS#11 is none of post-quantum keys.
const PostQuantum* post_quantum(CK_KEY_TYPE key_type) {
  for (const KeyType* type : kKeyTypes) {
    if (type->post_quantum != nullptr && type->post_quantum->key_type == key_type) {
      return type->post_quantum;
    }
  }
  return nullptr;
}

const KeyType* type_of_set(const PostQuantum& kind, CK_ULONG set) {
  const auto found = std::ranges::find_if(kKeyTypes, [&kind, set](const KeyType* type) {
    return type->post_quantum == &kind && type->set == set;
  });
  return found == kKeyTypes.end() ? nullptr : *found;
}

// The public part is the value of a public key; that of a private key is never asked for.
Outcome<PublicKey> post_quantum_key(OSSL_LIB_CTX* lib, Session& session, ObjectHandle object,
                                    const PostQuantum& kind) {
  const auto set = session.number(object, CKA_PARAMETER_SET, 0);
  if (!set) return set.error();
  const KeyType* type = type_of_set(kind, *set);
  if (type == nullptr) return bad_key(session, "no parameter set of its type has its number");
  if (!offered(*type)) {
    return fail(Reason::kKey, session.name() + ": " + type->name + " keys need OpenSSL 3.5");
  }
  const auto object_class = session.number(object, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
  if (!object_class) return object_class.error();
  if (*object_class != CKO_PUBLIC_KEY) return PublicKey{type->name, nullptr};
  const auto value = session.attribute(object, CKA_VALUE);
  if (!value) return value.error();
  return PublicKey{type->name, core::PkeyPtr(EVP_PKEY_new_raw_public_key_ex(
                                   lib, type->name, nullptr, value->data(), value->size()))};
}

bool only_pss(core::ByteView mechanisms) {
  constexpr std::size_t kSize = sizeof(CK_MECHANISM_TYPE);
  if (mechanisms.empty() || mechanisms.size() % kSize != 0) return false;
  for (std::size_t at = 0; at < mechanisms.size(); at += kSize) {
    CK_MECHANISM_TYPE mechanism = 0;
    std::memcpy(&mechanism, mechanisms.data() + at, kSize);
    if (std::find(kPssMechanisms.begin(), kPssMechanisms.end(), mechanism) == kPssMechanisms.end())
      return false;
  }
  return true;
}

// The point of an EC key: its own, or that of its CKA_PUBLIC_KEY_INFO, which is all that a private
// key has. Taken out of the DER by itself because libcrypto looks for a decoder of whole keys for
// longer than a token takes to sign. Empty: there is none.
Outcome<core::Bytes> point_of(Session& session, ObjectHandle object) {
  const auto point = session.attribute(object, CKA_EC_POINT);
  if (!point) return point.error();
  if (!point->empty()) return unwrapped(*point);
  const auto info = session.attribute(object, CKA_PUBLIC_KEY_INFO);
  if (!info) return info.error();
  return key_bits(*info);
}

// Of what the object itself tells; without a key where that is not enough.
Outcome<PublicKey> from_attributes(OSSL_LIB_CTX* lib, Session& session, ObjectHandle object) {
  const auto key_type = session.number(object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
  if (!key_type) return key_type.error();
  if (*key_type == CKK_RSA) {
    const auto modulus = session.attribute(object, CKA_MODULUS);
    if (!modulus) return modulus.error();
    const auto exponent = session.attribute(object, CKA_PUBLIC_EXPONENT);
    if (!exponent) return exponent.error();
    const auto mechanisms = session.attribute(object, CKA_ALLOWED_MECHANISMS);
    if (!mechanisms) return mechanisms.error();
    const char* type = only_pss(*mechanisms) ? "RSA-PSS" : "RSA";
    if (modulus->empty() || exponent->empty()) return PublicKey{type, nullptr};
    return PublicKey{type, rsa_key(lib, type, *modulus, *exponent)};
  }
  if (const PostQuantum* kind = post_quantum(*key_type)) {
    return post_quantum_key(lib, session, object, *kind);
  }
  if (*key_type != CKK_EC && *key_type != CKK_EC_EDWARDS && *key_type != CKK_EC_MONTGOMERY) {
    return bad_key(session, "keys of this type are not offered");
  }
  auto point = point_of(session, object);
  if (!point) return point.error();
  if (*key_type == CKK_EC) {
    const auto parameters = session.attribute(object, CKA_EC_PARAMS);
    if (!parameters) return parameters.error();
    if (point->empty()) return PublicKey{"EC", nullptr};
    return PublicKey{"EC", ec_key(lib, *parameters, *std::move(point))};
  }
  if (point->empty()) return PublicKey{};
  return octet_key(lib, *key_type, *point);
}

core::PkeyPtr from_public_key_info(OSSL_LIB_CTX* lib, core::ByteView info) {
  const unsigned char* at = info.data();
  return core::PkeyPtr(
      info.empty() ? nullptr
                   : d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(info.size()), lib, nullptr));
}

core::PkeyPtr from_certificate(OSSL_LIB_CTX* lib, core::ByteView der) {
  core::X509Ptr certificate(X509_new_ex(lib, nullptr));
  X509* target = certificate.get();
  const unsigned char* at = der.data();
  if (target == nullptr || d2i_X509(&target, &at, static_cast<long>(der.size())) == nullptr) {
    // It freed what it was given.
    static_cast<void>(certificate.release());
    return nullptr;
  }
  return core::PkeyPtr(X509_get_pubkey(certificate.get()));
}

// The first object of a class with the id of another one.
Outcome<ObjectHandle> companion(Session& session, ObjectHandle object, CK_OBJECT_CLASS of_class) {
  const auto id = session.attribute(object, CKA_ID);
  if (!id) return id.error();
  if (id->empty()) return ObjectHandle{0};
  Template wanted;
  wanted.number(CKA_CLASS, of_class).bytes(CKA_ID, *id);
  const auto found = session.find(wanted);
  if (!found) return found.error();
  return found->empty() ? ObjectHandle{0} : found->front();
}

}  // namespace

const char* type_of(const EVP_PKEY* pkey) {
  const auto found = std::ranges::find_if(
      kKeyTypes, [pkey](const KeyType* type) { return EVP_PKEY_is_a(pkey, type->name) != 0; });
  return found == kKeyTypes.end() ? nullptr : (*found)->name;
}

Outcome<PublicKey> public_key_of(OSSL_LIB_CTX* lib, Session& session, ObjectHandle object) {
  auto key = from_attributes(lib, session, object);
  if (!key || key->pkey) return key;
  const auto accept = [&key](core::PkeyPtr pkey) {
    const char* type = pkey ? type_of(pkey.get()) : nullptr;
    if (type == nullptr || (key->type != nullptr && std::strcmp(key->type, type) != 0)) {
      return false;
    }
    *key = PublicKey{type, std::move(pkey)};
    return true;
  };

  const auto info = session.attribute(object, CKA_PUBLIC_KEY_INFO);
  if (!info) return info.error();
  if (accept(from_public_key_info(lib, *info))) return key;

  const auto pair = companion(session, object, CKO_PUBLIC_KEY);
  if (!pair) return pair.error();
  if (*pair != 0 && *pair != object) {
    auto other = from_attributes(lib, session, *pair);
    if (!other) return other;
    if (accept(std::move(other->pkey))) return key;
  }

  const auto certificate = companion(session, object, CKO_CERTIFICATE);
  if (!certificate) return certificate.error();
  if (*certificate != 0) {
    const auto der = session.attribute(*certificate, CKA_VALUE);
    if (!der) return der.error();
    if (accept(from_certificate(lib, *der))) return key;
  }
  return bad_key(session, "the token does not tell the key's public part");
}

}  // namespace tallystick::provider
