#include "provider/token_signature.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/digest_numbers.h"
#include "provider/keymgmt.h"

namespace tallystick::provider {
namespace {

using X509SigPtr = std::unique_ptr<X509_SIG, core::HandleDeleter<X509_SIG_free>>;
using EcdsaSignature = core::EcdsaSigPtr;

Failure refused(const Key& key, const std::string& why) {
  return fail(Reason::kOperation, name_of(key) + ": " + why);
}

Outcome<core::Bytes> sign_in_token(const Key& key, Mechanism mechanism, core::ByteView data) {
  return use_in_token(key, [&](Session& session, ObjectHandle object, const core::Secret* pin) {
    const auto longest = static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get()));
    return session.sign(mechanism, object, data, longest, pin);
  });
}

// libcrypto writes the DigestInfo, whatever the digest: a module that knows only some of them signs
// all of them.
Outcome<core::Bytes> digest_info(const Key& key, int digest, core::ByteView value) {
  const X509SigPtr info(X509_SIG_new());
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* octets = nullptr;
  if (info) X509_SIG_getm(info.get(), &algorithm, &octets);
  unsigned char* der = nullptr;
  int size = 0;
  if (!info || X509_ALGOR_set0(algorithm, OBJ_nid2obj(digest), V_ASN1_NULL, nullptr) == 0 ||
      ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size())) == 0 ||
      (size = i2d_X509_SIG(info.get(), &der)) <= 0) {
    return refused(key, "no DigestInfo for this digest");
  }
  core::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

Outcome<Mechanism> pss_mechanism(const Key& key, const RsaPadding& padding,
                                 std::size_t digest_size) {
  const DigestNumbers* digest = digest_numbers(padding.digest);
  const DigestNumbers* mgf1 = digest_numbers(padding.mgf1_digest);
  if (digest == nullptr || mgf1 == nullptr) {
    return refused(key, "PKCS#11 has no number for this digest in PSS");
  }
  const int encoded = (EVP_PKEY_get_bits(key.pkey.get()) + 6) / 8;
  const int most = encoded - static_cast<int>(digest_size) - 2;
  int salt = padding.salt;
  // RSA_PSS_SALTLEN_AUTO_DIGEST_MAX of OpenSSL 3.1.
  constexpr int kDigestAtMost = -4;
  if (salt == RSA_PSS_SALTLEN_DIGEST) salt = static_cast<int>(digest_size);
  if (salt == RSA_PSS_SALTLEN_AUTO || salt == RSA_PSS_SALTLEN_MAX) salt = most;
  if (salt == kDigestAtMost) salt = std::min(most, static_cast<int>(digest_size));
  if (salt < 0 || salt > most) return refused(key, "the salt does not fit the key");
  CK_RSA_PKCS_PSS_PARAMS params{};
  params.hashAlg = digest->mechanism;
  params.mgf = mgf1->mgf1;
  params.sLen = static_cast<CK_ULONG>(salt);
  return Mechanism(CKM_RSA_PKCS_PSS,
                   {reinterpret_cast<const std::uint8_t*>(&params), sizeof params});
}

}  // namespace

Outcome<core::Bytes> sign_by_rsa(const Key& key, const RsaPadding& padding, core::ByteView digest) {
  switch (padding.mode) {
    case RSA_PKCS1_PADDING: {
      // TLS 1.0 and 1.1 sign two digests with nothing before them.
      if (padding.digest == NID_undef || padding.digest == NID_md5_sha1) {
        return sign_in_token(key, Mechanism(CKM_RSA_PKCS), digest);
      }
      const auto info = digest_info(key, padding.digest, digest);
      if (!info) return info.error();
      return sign_in_token(key, Mechanism(CKM_RSA_PKCS), *info);
    }
    case RSA_PKCS1_PSS_PADDING: {
      auto mechanism = pss_mechanism(key, padding, digest.size());
      if (!mechanism) return std::move(mechanism).error();
      return sign_in_token(key, *std::move(mechanism), digest);
    }
    case RSA_NO_PADDING:
      return sign_in_token(key, Mechanism(CKM_RSA_X_509), digest);
    default:
      return refused(key, "no mechanism of PKCS#11 has this padding");
  }
}

Outcome<core::Bytes> sign_by_ecdsa(const Key& key, core::ByteView digest) {
  // What is longer than the order is cut off, as ECDSA has it; modules differ when it is left to
  // them.
  const auto order = static_cast<std::size_t>((EVP_PKEY_get_bits(key.pkey.get()) + 7) / 8);
  auto raw = sign_in_token(key, Mechanism(CKM_ECDSA), digest.first(std::min(order, digest.size())));
  if (!raw) return raw;
  const std::size_t half = raw->size() / 2;
  const EcdsaSignature signature(ECDSA_SIG_new());
  core::BnPtr r(BN_bin2bn(raw->data(), static_cast<int>(half), nullptr));
  core::BnPtr s(BN_bin2bn(raw->data() + half, static_cast<int>(half), nullptr));
  if (half == 0 || raw->size() % 2 != 0 || !signature || !r || !s ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) == 0) {
    return refused(key, "the module's signature is none");
  }
  // Both are the signature's now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return refused(key, "the module's signature is none");
  core::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

Outcome<core::Bytes> sign_message_by(const Key& key, core::ByteView message) {
  const PostQuantum* post_quantum = key.type->post_quantum;
  return sign_in_token(key, Mechanism(post_quantum == nullptr ? CKM_EDDSA : post_quantum->use),
                       message);
}

}  // namespace tallystick::provider
