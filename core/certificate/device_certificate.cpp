#include "core/certificate/device_certificate.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>

#include <memory>

#include "core/crypto/hash.h"

namespace tallystick::core {
namespace {

using NamePtr = std::unique_ptr<X509_NAME, HandleDeleter<X509_NAME_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, HandleDeleter<ASN1_TIME_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, HandleDeleter<X509_ALGOR_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, HandleDeleter<X509_EXTENSION_free>>;
using BitsPtr = std::unique_ptr<ASN1_BIT_STRING, HandleDeleter<ASN1_BIT_STRING_free>>;

Error malformed(const char* what) {
  forget_crypto_errors();
  return {ErrorCode::kMalformed, what, 0};
}

const char* unit_of(DeviceKind kind) { return kind == DeviceKind::kPart ? "part" : "token"; }

// The DER of an object that libcrypto writes through i2d.
template <auto kEncode, typename T>
Bytes der_of(T* object) {
  const int size = kEncode(object, nullptr);
  if (size <= 0) return {};
  Bytes out(static_cast<std::size_t>(size));
  auto* cursor = out.data();
  return kEncode(object, &cursor) == size ? out : Bytes{};
}

// The one text under `nid`; empty unless it is there exactly once and without NUL.
std::string single_entry(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0) return {};
  const auto* const data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                   static_cast<std::size_t>(ASN1_STRING_length(data)));
  return text.find('\0') == std::string::npos ? text : std::string{};
}

// r ‖ s of a certificate's DER signature on P-384; empty when it is not one.
Bytes raw_signature(const X509* certificate) {
  const ASN1_BIT_STRING* bits = nullptr;
  X509_get0_signature(&bits, nullptr, certificate);
  const auto* cursor = ASN1_STRING_get0_data(bits);
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &cursor, ASN1_STRING_length(bits)));
  const int half = static_cast<int>(field_size(Curve::kP384));
  Bytes out(static_cast<std::size_t>(2 * half));
  if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out.data(), half) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out.data() + half, half) < 0) {
    forget_crypto_errors();
    return {};
  }
  return out;
}

// The part that is signed, encoded from its fields.
Bytes signed_bytes(X509* certificate) { return der_of<i2d_re_X509_tbs>(certificate); }

// libcrypto keeps a name's encoding as it came. Built again from its entries, each in an RDN of its
// own as the profile has it, it shows whether that was DER.
bool canonical_name(const X509_NAME* name) {
  const NamePtr again(X509_NAME_new());
  if (!again) return false;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    if (X509_NAME_add_entry(again.get(), X509_NAME_get_entry(name, i), -1, 0) != 1) return false;
  }
  return der_of<i2d_X509_NAME>(again.get()) == der_of<i2d_X509_NAME>(name);
}

// Explicit curve parameters would be recognised as those of a named curve.
bool named_curve_only(const X509* certificate) {
  X509_ALGOR* algorithm = nullptr;
  int type = V_ASN1_UNDEF;
  const auto* const key = X509_get_X509_PUBKEY(certificate);
  if (X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm, key) != 1) return false;
  X509_ALGOR_get0(nullptr, &type, nullptr, algorithm);
  return type == V_ASN1_OBJECT;
}

// Parses in this context and refuses everything that is not the one DER of its contents (P02).
X509Ptr parse_strict(const Crypto& crypto, ByteView der) {
  if (der.empty() || der.size() > kMostCertificateBytes) return nullptr;
  auto* made = X509_new_ex(crypto.lib(), nullptr);
  const auto* cursor = der.data();
  X509Ptr certificate(d2i_X509(&made, &cursor, static_cast<long>(der.size())));
  if (!certificate || cursor != der.data() + der.size()) return nullptr;
  const auto* const x509 = certificate.get();
  if (!canonical_name(X509_get_subject_name(x509)) || !canonical_name(X509_get_issuer_name(x509)) ||
      !named_curve_only(x509)) {
    return nullptr;
  }
  // The signed part is encoded anew from its fields, not taken from the copy that libcrypto keeps;
  // algorithm and signature behind it are in nobody's signature, so that they are rebuilt too.
  const auto again = assemble_certificate(signed_bytes(certificate.get()), raw_signature(x509));
  if (!again || !equal_in_constant_time(*again, der)) return nullptr;
  return certificate;
}

Status check_signature(const Crypto& crypto, X509* certificate, ByteView icm_public_key) {
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, icm_public_key);
  if (!key) return key.error();
  if (X509_get_signature_nid(certificate) != NID_ecdsa_with_SHA384 ||
      !key->verify(crypto, {signed_bytes(certificate)}, raw_signature(certificate))) {
    return Error{ErrorCode::kBadSignature, "the certificate is not the ICM's", 0};
  }
  return {};
}

// True when every critical extension is one that is understood here.
bool extensions_understood(const X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    auto* const extension = X509_get_ext(certificate, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const bool known = nid == NID_basic_constraints || nid == NID_key_usage;
    if (X509_EXTENSION_get_critical(extension) != 0 && !known) return false;
  }
  return true;
}

// ---- making certificates ----

bool add_text(X509_NAME* name, const char* field, std::string_view text) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_time(ASN1_TIME* field, std::int64_t seconds) {
  return ASN1_TIME_adj(field, static_cast<time_t>(seconds), 0, 0) != nullptr;
}

bool add_extension(X509* certificate, X509V3_CTX* issuing, int nid, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, issuing, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// The signature algorithm stands inside the signed part too. libcrypto fills it in only when it
// signs itself, so that a draft is signed with a passing key and its signature thrown away.
bool set_algorithm(const Crypto& crypto, X509* certificate) {
  const auto passing = crypto.generate_ec_key(NID_secp384r1);
  return passing && X509_sign(certificate, passing.get(), crypto.md(Hash::kSha384)) > 0;
}

struct Draft {
  const EcPublicKey* subject_key;
  const X509_NAME* subject;
  const X509_NAME* issuer;
  Validity validity;
  const char* basic_constraints;
  const char* key_usage;
};

// 99991231235959Z, the last second that X.509 can name.
constexpr std::int64_t kLastSecond = 253'402'300'799;

Result<Bytes> draft_certificate(const Crypto& crypto, const Draft& draft) {
  const auto last = draft.validity.not_after == 0 ? kLastSecond : draft.validity.not_after;
  if (draft.validity.not_before > last || last > kLastSecond) {
    return Error{ErrorCode::kInvalidArgument,
                 "a certificate's life begins before it ends, and that in the year 9999 or before",
                 0};
  }
  const X509Ptr certificate(X509_new_ex(crypto.lib(), nullptr));
  ByteArray<20> serial{};
  if (auto filled = crypto.random(serial); !filled) return std::move(filled).error();
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7FU) | 0x40U);  // positive, full length
  const BnPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  auto* const x509 = certificate.get();
  bool made = certificate && number && X509_set_version(x509, X509_VERSION_3) == 1 &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr &&
              X509_set_subject_name(x509, draft.subject) == 1 &&
              X509_set_issuer_name(x509, draft.issuer) == 1 &&
              set_time(X509_getm_notBefore(x509), draft.validity.not_before) &&
              set_time(X509_getm_notAfter(x509), last) &&
              X509_set_pubkey(x509, draft.subject_key->pkey()) == 1;
  if (made) {
    X509V3_CTX issuing;
    X509V3_set_ctx(&issuing, x509, x509, nullptr, nullptr, 0);
    made = add_extension(x509, &issuing, NID_basic_constraints, draft.basic_constraints) &&
           add_extension(x509, &issuing, NID_key_usage, draft.key_usage) &&
           set_algorithm(crypto, x509);
  }
  if (!made) return crypto_error("the certificate cannot be made");
  auto out = der_of<i2d_re_X509_tbs>(x509);
  if (out.empty()) return crypto_error("the certificate cannot be made");
  return out;
}

Result<NamePtr> icm_name(std::string_view text) {
  NamePtr name(X509_NAME_new());
  if (text.empty() || !name || !add_text(name.get(), "CN", text)) {
    forget_crypto_errors();
    return Error{ErrorCode::kInvalidArgument, "an issuer name has 1 to 64 characters", 0};
  }
  return name;
}

// SEQUENCE { tbsCertificate, signatureAlgorithm, signature }, the first as the bytes they are.
struct SignedBytes {
  ASN1_TYPE* to_be_signed;
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
};
ASN1_SEQUENCE(SignedBytes) = {
    ASN1_SIMPLE(SignedBytes, to_be_signed, ASN1_ANY),
    ASN1_SIMPLE(SignedBytes, algorithm, X509_ALGOR),
    ASN1_SIMPLE(SignedBytes, signature, ASN1_BIT_STRING)} static_ASN1_SEQUENCE_END(SignedBytes)

}  // namespace

Result<ByteArray<32>> key_id(const Crypto& crypto, ByteView xy) { return sha256(crypto, {xy}); }

Result<DeviceCertificate> verify_device_certificate(const Crypto& crypto, ByteView der,
                                                    ByteView icm_public_key) {
  const auto certificate = parse_strict(crypto, der);
  if (!certificate) return malformed("not a certificate in DER");
  auto* const x509 = certificate.get();
  if (auto checked = check_signature(crypto, x509, icm_public_key); !checked) {
    return std::move(checked).error();
  }
  if (X509_get_version(x509) != X509_VERSION_3 || !extensions_understood(x509) ||
      (X509_get_extension_flags(x509) & (EXFLAG_INVALID | EXFLAG_CA)) != 0 ||
      (X509_get_extension_flags(x509) & EXFLAG_KUSAGE) == 0 ||
      (X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) == 0 ||
      (X509_get_key_usage(x509) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0) {
    return malformed("not the certificate of a device");
  }
  auto key = EcPublicKey::from_pkey(crypto, Curve::kP256, X509_get0_pubkey(x509));
  if (!key) return malformed("a device's key is on P-256, named");
  const auto id = key_id(crypto, key->xy());
  if (!id) return id.error();
  const auto* const subject = X509_get_subject_name(x509);
  const auto unit = single_entry(subject, NID_organizationalUnitName);
  const auto serial = single_entry(subject, NID_serialNumber);
  const bool part = unit == unit_of(DeviceKind::kPart);
  if ((!part && unit != unit_of(DeviceKind::kToken)) || serial != to_hex(*id)) {
    return Error{ErrorCode::kInconsistent, "the certificate's subject is not its key's device", 0};
  }
  return DeviceCertificate{part ? DeviceKind::kPart : DeviceKind::kToken, *id, *std::move(key)};
}

Result<Bytes> device_certificate_to_sign(const Crypto& crypto, DeviceKind kind,
                                         ByteView device_public_key, ByteView icm_public_key,
                                         std::string_view issuer_name, Validity validity) {
  auto key = EcPublicKey::from_xy(crypto, Curve::kP256, device_public_key);
  if (!key) return std::move(key).error();
  if (auto icm = EcPublicKey::from_xy(crypto, Curve::kP384, icm_public_key); !icm) {
    return std::move(icm).error();
  }
  auto issuer = icm_name(issuer_name);
  if (!issuer) return std::move(issuer).error();
  const auto id = key_id(crypto, key->xy());
  if (!id) return id.error();
  const NamePtr subject(X509_NAME_new());
  if (!subject || !add_text(subject.get(), "OU", unit_of(kind)) ||
      !add_text(subject.get(), "serialNumber", to_hex(*id))) {
    return crypto_error("the certificate cannot be made");
  }
  return draft_certificate(crypto, {&*key, subject.get(), issuer->get(), validity,
                                    "critical,CA:FALSE", "critical,digitalSignature,keyAgreement"});
}

Result<Bytes> icm_certificate_to_sign(const Crypto& crypto, ByteView icm_public_key,
                                      std::string_view issuer_name, Validity validity) {
  auto key = EcPublicKey::from_xy(crypto, Curve::kP384, icm_public_key);
  if (!key) return std::move(key).error();
  auto name = icm_name(issuer_name);
  if (!name) return std::move(name).error();
  return draft_certificate(crypto, {&*key, name->get(), name->get(), validity,
                                    "critical,CA:TRUE,pathlen:0", "critical,keyCertSign"});
}

Result<Bytes> assemble_certificate(ByteView to_be_signed, ByteView signature) {
  const auto half = field_size(Curve::kP384);
  if (signature.size() != 2 * half) {
    return Error{ErrorCode::kInvalidArgument, "an ICM signature has 96 bytes", 0};
  }
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BnPtr r(BN_bin2bn(signature.data(), static_cast<int>(half), nullptr));
  BnPtr s(BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
    return crypto_error("the certificate cannot be made");
  }
  (void)r.release();
  (void)s.release();
  const auto encoded = der_of<i2d_ECDSA_SIG>(pair.get());

  const auto* cursor = to_be_signed.data();
  using AnyPtr = std::unique_ptr<ASN1_TYPE, HandleDeleter<ASN1_TYPE_free>>;
  const AnyPtr body(d2i_ASN1_TYPE(nullptr, &cursor, static_cast<long>(to_be_signed.size())));
  const AlgorithmPtr algorithm(X509_ALGOR_new());
  const BitsPtr bits(ASN1_BIT_STRING_new());
  if (!body || cursor != to_be_signed.data() + to_be_signed.size()) {
    forget_crypto_errors();
    return malformed("not the signed part of a certificate");
  }
  if (!algorithm || !bits ||
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_ecdsa_with_SHA384), V_ASN1_UNDEF, nullptr) !=
          1 ||
      ASN1_BIT_STRING_set(bits.get(), const_cast<std::uint8_t*>(encoded.data()),
                          static_cast<int>(encoded.size())) != 1) {
    return crypto_error("the certificate cannot be made");
  }
  // Whole octets: without these flags libcrypto would drop trailing zero bits.
  bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07L);
  bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  SignedBytes parts{body.get(), algorithm.get(), bits.get()};
  const auto* const item = ASN1_ITEM_rptr(SignedBytes);
  const auto* const value = reinterpret_cast<const ASN1_VALUE*>(&parts);
  const int size = ASN1_item_i2d(value, nullptr, item);
  if (size <= 0) return crypto_error("the certificate cannot be made");
  Bytes out(static_cast<std::size_t>(size));
  auto* write = out.data();
  if (ASN1_item_i2d(value, &write, item) != size) {
    return crypto_error("the certificate cannot be made");
  }
  return out;
}

Result<Bytes> icm_public_key_of(const Crypto& crypto, ByteView certificate_der) {
  const auto certificate = parse_strict(crypto, certificate_der);
  if (!certificate) return malformed("not a certificate in DER");
  auto* const x509 = certificate.get();
  const auto key = EcPublicKey::from_pkey(crypto, Curve::kP384, X509_get0_pubkey(x509));
  if (!key || X509_check_ca(x509) != 1) return malformed("not an ICM's certificate");
  if (auto checked = check_signature(crypto, x509, key->xy()); !checked) {
    return std::move(checked).error();
  }
  return Bytes(key->xy().begin(), key->xy().end());
}

}  // namespace tallystick::core
