#include "provider/encoder.h"

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <vector>

#include "provider/dispatch.h"
#include "provider/keymgmt.h"
#include "provider/uri_pem.h"

namespace tallystick::provider {
namespace {

constexpr int kPrivate = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;

using EncoderPtr = std::unique_ptr<OSSL_ENCODER_CTX, core::HandleDeleter<OSSL_ENCODER_CTX_free>>;

// What a private key is written as.
struct Form {
  const char* properties;
  const char* output;
  const char* structure;
  // A token's key is written as its URI; else it is refused, and this encoder is there to say so.
  bool takes_uri;
};
constexpr Form kPemForm{"provider=tallystick,output=pem,structure=PrivateKeyInfo", "PEM",
                        "PrivateKeyInfo", true};
constexpr Form kDerForm{"provider=tallystick,output=der,structure=PrivateKeyInfo", "DER",
                        "PrivateKeyInfo", false};
constexpr Form kEncryptedPem{"provider=tallystick,output=pem,structure=EncryptedPrivateKeyInfo",
                             "PEM", "EncryptedPrivateKeyInfo", false};
constexpr Form kEncryptedDer{"provider=tallystick,output=der,structure=EncryptedPrivateKeyInfo",
                             "DER", "EncryptedPrivateKeyInfo", false};
constexpr Form kOldPem{"provider=tallystick,output=pem,structure=type-specific", "PEM",
                       "type-specific", false};
constexpr Form kOldDer{"provider=tallystick,output=der,structure=type-specific", "DER",
                       "type-specific", false};
constexpr Form kPkcs1Pem{"provider=tallystick,output=pem,structure=pkcs1", "PEM", "pkcs1", false};
constexpr Form kPkcs1Der{"provider=tallystick,output=der,structure=pkcs1", "DER", "pkcs1", false};

struct Encoding {
  Context* context = nullptr;
  // For keys of libcrypto's own, whose PEM may be encrypted.
  std::string cipher;
};

Encoding& encoding_of(void* encoding) { return *static_cast<Encoding*>(encoding); }

void* new_encoding(void* provider_context) {
  auto* encoding = new (std::nothrow) Encoding;
  if (encoding != nullptr) encoding->context = &context_of(provider_context);
  return encoding;
}
void free_encoding(void* encoding) { delete static_cast<Encoding*>(encoding); }

const OSSL_PARAM* settable(void* /*provider_context*/) {
  static const OSSL_PARAM settable_params[] = {
      OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, nullptr, 0), OSSL_PARAM_END};
  return settable_params;
}

int set_params(void* encoding, const OSSL_PARAM params[]) {
  const OSSL_PARAM* cipher = OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_CIPHER);
  if (cipher == nullptr) return 1;
  const char* name = nullptr;
  if (OSSL_PARAM_get_utf8_string_ptr(cipher, &name) == 0) return 0;
  encoding_of(encoding).cipher = name == nullptr ? "" : name;
  return 1;
}

int does_private(void* /*provider_context*/, int selection) {
  return selection == 0 || (selection & kPrivate) != 0 ? 1 : 0;
}
int does_all(void* /*provider_context*/, int /*selection*/) { return 1; }

core::BioPtr output(const Encoding& encoding, OSSL_CORE_BIO* out) {
  return core::BioPtr(BIO_new_from_core_bio(encoding.context->lib(), out));
}

Done write_uri(const Encoding& encoding, const Key& key, BIO* out) {
  if (!encoding.context->settings().encode_uri) {
    return fail(Reason::kKey, name_of(key) +
                                  ": the private key does not leave the token, and its "
                                  "URI is not written by the setting");
  }
  const auto der = uri_to_der(key.token->uri());
  if (!der) return der.error();
  if (PEM_write_bio(out, kUriPemLabel, "", der->data(), static_cast<long>(der->size())) <= 0) {
    return fail(Reason::kKey, name_of(key) + ": the URI is not written");
  }
  return {};
}

// A key of libcrypto's own goes out as it does without us.
Done write_own(const Encoding& encoding, const Form& form, const Key& key, int selection, BIO* out,
               OSSL_PASSPHRASE_CALLBACK* ask, void* ask_argument) {
  const EncoderPtr encoder(OSSL_ENCODER_CTX_new_for_pkey(key.pkey.get(), selection, form.output,
                                                         form.structure, nullptr));
  if (!encoder ||
      (!encoding.cipher.empty() &&
       OSSL_ENCODER_CTX_set_cipher(encoder.get(), encoding.cipher.c_str(), nullptr) <= 0) ||
      (ask != nullptr &&
       OSSL_ENCODER_CTX_set_passphrase_cb(encoder.get(), ask, ask_argument) <= 0) ||
      OSSL_ENCODER_to_bio(encoder.get(), out) <= 0) {
    return fail(Reason::kKey, name_of(key) + ": not written");
  }
  return {};
}

template <const Form& kForm>
int encode(void* encoding, OSSL_CORE_BIO* out, const void* key, const OSSL_PARAM* abstract,
           int selection, OSSL_PASSPHRASE_CALLBACK* ask, void* ask_argument) {
  const Encoding& own = encoding_of(encoding);
  if (key == nullptr || abstract != nullptr) return 0;
  return done(*own.context, [&]() -> Done {
    const Key& written = *static_cast<const Key*>(key);
    const core::BioPtr bio = output(own, out);
    if (!bio) return fail(Reason::kMemory, "no output");
    if (!written.in_token()) {
      return write_own(own, kForm, written, selection, bio.get(), ask, ask_argument);
    }
    if (kForm.takes_uri) return write_uri(own, written, bio.get());
    return fail(Reason::kKey, name_of(written) +
                                  ": the private key does not leave the token; its URI is " +
                                  written.token->uri());
  });
}

// Of a token's private key: that it is one, where it is, and its public part.
bool print(const Key& key, int selection, BIO* out) {
  if (key.in_token() && (selection & kPrivate) != 0) {
    return BIO_printf(out, "%s Private-Key: (%d bit, in a token)\nURI: %s\n", key.type->name,
                      EVP_PKEY_get_bits(key.pkey.get()), key.token->uri().c_str()) > 0 &&
           EVP_PKEY_print_public(out, key.pkey.get(), 0, nullptr) > 0;
  }
  if ((selection & kPrivate) != 0) {
    return EVP_PKEY_print_private(out, key.pkey.get(), 0, nullptr) > 0;
  }
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
    return EVP_PKEY_print_public(out, key.pkey.get(), 0, nullptr) > 0;
  }
  return EVP_PKEY_print_params(out, key.pkey.get(), 0, nullptr) > 0;
}

int encode_text(void* encoding, OSSL_CORE_BIO* out, const void* key, const OSSL_PARAM* abstract,
                int selection, OSSL_PASSPHRASE_CALLBACK* /*ask*/, void* /*ask_argument*/) {
  const Encoding& own = encoding_of(encoding);
  if (key == nullptr || abstract != nullptr) return 0;
  return done(*own.context, [&]() -> Done {
    const Key& written = *static_cast<const Key*>(key);
    const core::BioPtr bio = output(own, out);
    if (!bio || !written.pkey || !print(written, selection, bio.get())) {
      return fail(Reason::kKey, "the key is not written as text");
    }
    return {};
  });
}

template <const Form& kForm>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_encoder_newctx_fn>(OSSL_FUNC_ENCODER_NEWCTX, new_encoding),
      on<OSSL_FUNC_encoder_freectx_fn>(OSSL_FUNC_ENCODER_FREECTX, free_encoding),
      on<OSSL_FUNC_encoder_settable_ctx_params_fn>(OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, settable),
      on<OSSL_FUNC_encoder_set_ctx_params_fn>(OSSL_FUNC_ENCODER_SET_CTX_PARAMS, set_params),
      on<OSSL_FUNC_encoder_does_selection_fn>(OSSL_FUNC_ENCODER_DOES_SELECTION, does_private),
      on<OSSL_FUNC_encoder_encode_fn>(OSSL_FUNC_ENCODER_ENCODE, encode<kForm>),
      end_of_table()};
  return table;
}

template <const Form& kForm>
OSSL_ALGORITHM encoder_of(const KeyType& type) {
  return {type.names, kForm.properties, functions<kForm>(), "private keys"};
}

const OSSL_DISPATCH kText[] = {
    on<OSSL_FUNC_encoder_newctx_fn>(OSSL_FUNC_ENCODER_NEWCTX, new_encoding),
    on<OSSL_FUNC_encoder_freectx_fn>(OSSL_FUNC_ENCODER_FREECTX, free_encoding),
    on<OSSL_FUNC_encoder_does_selection_fn>(OSSL_FUNC_ENCODER_DOES_SELECTION, does_all),
    on<OSSL_FUNC_encoder_encode_fn>(OSSL_FUNC_ENCODER_ENCODE, encode_text), end_of_table()};

}  // namespace

const OSSL_ALGORITHM* encoder_algorithms() {
  static const OSSL_ALGORITHM* const encoders = [] {
    std::vector<OSSL_ALGORITHM> all;
    for_each_type([&all]<const KeyType & kType>() {
      for (const auto& encoder :
           {encoder_of<kPemForm>(kType), encoder_of<kDerForm>(kType),
            encoder_of<kEncryptedPem>(kType), encoder_of<kEncryptedDer>(kType)}) {
        all.push_back(encoder);
      }
      if (&kType == &kRsa || &kType == &kEc) {
        all.push_back(encoder_of<kOldPem>(kType));
        all.push_back(encoder_of<kOldDer>(kType));
      }
      if (&kType == &kRsa) {
        all.push_back(encoder_of<kPkcs1Pem>(kType));
        all.push_back(encoder_of<kPkcs1Der>(kType));
      }
      all.push_back(
          {kType.names, "provider=tallystick,output=text", kText, "a token's key as text"});
    });
    return kept(all);
  }();
  return encoders;
}

}  // namespace tallystick::provider
