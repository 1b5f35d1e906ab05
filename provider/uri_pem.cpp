#include "provider/uri_pem.h"

#include <openssl/asn1.h>

#include "core/crypto/handles.h"

namespace tallystick::provider {
namespace {

constexpr std::string_view kDescription = "PKCS#11 Provider URI v1.0";
constexpr std::size_t kMostBytes = 16UL * 1024UL;

struct FreeSequence {
  void operator()(ASN1_SEQUENCE_ANY* sequence) const {
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
  }
};
using SequencePtr = std::unique_ptr<ASN1_SEQUENCE_ANY, FreeSequence>;
using StringPtr = std::unique_ptr<ASN1_STRING, core::HandleDeleter<ASN1_STRING_free>>;
using TypePtr = std::unique_ptr<ASN1_TYPE, core::HandleDeleter<ASN1_TYPE_free>>;

bool push(ASN1_SEQUENCE_ANY* sequence, int type, std::string_view text) {
  StringPtr string(ASN1_STRING_type_new(type));
  TypePtr element(ASN1_TYPE_new());
  if (!string || !element ||
      ASN1_STRING_set(string.get(), text.data(), static_cast<int>(text.size())) == 0) {
    return false;
  }
  ASN1_TYPE_set(element.get(), type, string.release());
  if (sk_ASN1_TYPE_push(sequence, element.get()) <= 0) return false;
  static_cast<void>(element.release());
  return true;
}

std::string text_at(const ASN1_SEQUENCE_ANY* sequence, int index, int type) {
  const ASN1_TYPE* element = sk_ASN1_TYPE_value(sequence, index);
  if (element == nullptr || ASN1_TYPE_get(element) != type) return "";
  const ASN1_STRING* string = element->value.asn1_string;
  return std::string(core::text_of(
      {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))}));
}

}  // namespace

Outcome<core::Bytes> uri_to_der(const std::string& uri) {
  const SequencePtr sequence(sk_ASN1_TYPE_new_null());
  unsigned char* der = nullptr;
  int size = 0;
  if (!sequence || !push(sequence.get(), V_ASN1_VISIBLESTRING, kDescription) ||
      !push(sequence.get(), V_ASN1_UTF8STRING, uri) ||
      (size = i2d_ASN1_SEQUENCE_ANY(sequence.get(), &der)) <= 0) {
    return fail(Reason::kMemory, "no room for a URI");
  }
  core::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

Outcome<std::string> uri_from_der(core::ByteView der) {
  const unsigned char* at = der.data();
  const SequencePtr sequence(
      der.size() > kMostBytes ? nullptr
                              : d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size())));
  std::string uri = sequence ? text_at(sequence.get(), 1, V_ASN1_UTF8STRING) : "";
  if (uri.empty() || uri.find('\0') != std::string::npos) {
    return fail(Reason::kUri, std::string("the PEM \"") + kUriPemLabel + "\" holds no URI");
  }
  return uri;
}

}  // namespace tallystick::provider
