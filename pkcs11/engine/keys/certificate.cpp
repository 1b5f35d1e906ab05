#include "pkcs11/engine/keys/certificate.h"

#include <openssl/x509.h>

#include "pkcs11/engine/template_view.h"

namespace tallystick::token {
namespace {

template <typename Encode>
core::Bytes der(Encode encode) {
  const int size = encode(nullptr);
  core::Bytes out(size > 0 ? static_cast<std::size_t>(size) : 0);
  auto* cursor = out.data();
  if (!out.empty()) (void)encode(&cursor);
  return out;
}

}  // namespace

Outcome<Draft> import_certificate(const core::Crypto& crypto, const Template& wanted) {
  auto type = wanted.number(CKA_CERTIFICATE_TYPE);
  if (!type) return std::move(type).error();
  if (type->value_or(CKC_X_509) != CKC_X_509) return bad_value("only X.509 certificates");
  const auto value = wanted.find(CKA_VALUE).value_or(core::ByteView{});
  if (value.empty()) return incomplete_template("CKA_VALUE is missing");

  core::X509Ptr certificate(X509_new_ex(crypto.lib(), nullptr));
  const auto* cursor = value.data();
  auto* parsed = certificate.get();
  if (!certificate || d2i_X509(&parsed, &cursor, static_cast<long>(value.size())) == nullptr) {
    // d2i frees what it could not fill.
    (void)certificate.release();
    forget_errors();
    return bad_value("CKA_VALUE is not a DER certificate");
  }
  if (cursor != value.data() + value.size()) {
    return bad_value("CKA_VALUE goes on after the certificate");
  }

  Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_CERTIFICATE)
      .set_number(CKA_CERTIFICATE_TYPE, CKC_X_509);
  const auto set = [&](CK_ATTRIBUTE_TYPE attribute, const core::Bytes& bytes) {
    if (!wanted.has(attribute)) draft.attributes.set(attribute, bytes);
  };
  const auto* const x509 = certificate.get();
  set(CKA_SUBJECT,
      der([&](std::uint8_t** out) { return i2d_X509_NAME(X509_get_subject_name(x509), out); }));
  set(CKA_ISSUER,
      der([&](std::uint8_t** out) { return i2d_X509_NAME(X509_get_issuer_name(x509), out); }));
  set(CKA_SERIAL_NUMBER,
      der([&](std::uint8_t** out) { return i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), out); }));
  if (!wanted.has(CKA_CERTIFICATE_CATEGORY)) {
    draft.attributes.set_number(CKA_CERTIFICATE_CATEGORY, 0);
  }
  // Decided here, never by the caller: it says which key the certificate is for.
  draft.attributes.set(CKA_PUBLIC_KEY_INFO, der([&](std::uint8_t** out) {
                         return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), out);
                       }));
  return draft;
}

}  // namespace tallystick::token
