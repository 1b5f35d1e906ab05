#include "provider/skeymgmt.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <array>

#include "provider/dispatch.h"
#include "provider/openssl_3_5.h"
#include "provider/params.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

using openssl_3_5::Export;
using openssl_3_5::Free;
using openssl_3_5::Generate;
using openssl_3_5::GetKeyId;
using openssl_3_5::Import;
using openssl_3_5::kExport;
using openssl_3_5::kFree;
using openssl_3_5::kGenerate;
using openssl_3_5::kGenerateSettable;
using openssl_3_5::kGetKeyId;
using openssl_3_5::kImport;
using openssl_3_5::kImportSettable;
using openssl_3_5::kKeyLength;
using openssl_3_5::kRawBytes;
using openssl_3_5::kSelectSecret;
using openssl_3_5::Settable;

constexpr std::size_t kIdSize = 16;
constexpr const char* kAes = "AES";
constexpr const char* kGeneric = "GENERIC-SECRET";

struct Request {
  CK_MECHANISM_TYPE mechanism;
  CK_KEY_TYPE type;
  // What the key is for.
  std::array<CK_ATTRIBUTE_TYPE, 2> uses;
};
constexpr Request kAesRequest{CKM_AES_KEY_GEN, CKK_AES, {CKA_ENCRYPT, CKA_DECRYPT}};
constexpr Request kGenericRequest{
    CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, {CKA_SIGN, CKA_VERIFY}};

SecretKey& key_of(void* key) { return *static_cast<SecretKey*>(key); }

// The object as it is handed out, with the URI that names it from then on.
SecretKeyPtr object_of(Context& context, TokenSecret secret) {
  SecretKeyPtr key = secret_key(context, std::move(secret));
  key->id = key->token->object->uri();
  return key;
}

Outcome<SecretKeyPtr> import_by(Context& context, int selection, const OSSL_PARAM params[]) {
  if ((selection & kSelectSecret) == 0) return fail(Reason::kKey, "no secret key is asked for");
  if (const auto uri = uri_param(params)) {
    auto secret = secret_by_uri(context, *uri);
    if (!secret) return std::move(secret).error();
    return object_of(context, *std::move(secret));
  }
  const auto bytes = octets_param(params, kRawBytes);
  if (!bytes) return fail(Reason::kKey, "no key: give raw-bytes or uri");
  auto key = std::make_unique<SecretKey>();
  key->context = &context;
  key->type = &kHmacKey;
  key->bytes = core::Secret::copy_of(*bytes);
  key->has_bytes = true;
  return key;
}

Outcome<SecretKeyPtr> generate_by(Context& context, const Request& request,
                                  const OSSL_PARAM params[]) {
  const auto text = uri_param(params);
  if (!text) return fail(Reason::kUri, "no uri: it names the token and the new key");
  const auto uri = parse_uri(*text);
  if (!uri) return uri.error();
  const auto token = token_for(context, *uri);
  if (!token) return token.error();
  const PinSource pins(*uri, context.settings(), nullptr, nullptr);
  if ((*token)->wants_login()) {
    if (auto done = (*token)->login(pins, false); !done) return std::move(done).error();
  }
  if (!uri->names_object()) {
    return fail(Reason::kUri, uri->text() + ": it does not name the new key by object= or id=");
  }
  const auto same = objects_in(*token, *uri, CKO_SECRET_KEY);
  if (!same) return same.error();
  if (!same->empty()) {
    return fail(Reason::kAmbiguous, uri->text() + ": the token has such a secret key already");
  }
  std::size_t size = 32;
  const OSSL_PARAM* length =
      params == nullptr ? nullptr : OSSL_PARAM_locate_const(params, kKeyLength);
  if (length != nullptr && OSSL_PARAM_get_size_t(length, &size) == 0) {
    return fail(Reason::kOperation, "key-length: not a length");
  }
  Mark mark{CKO_SECRET_KEY, uri->object_id().value_or(core::Bytes()),
            uri->object_label().value_or(core::Bytes())};
  if (mark.id.empty()) {
    mark.id.resize(kIdSize);
    if (RAND_bytes_ex(context.lib(), mark.id.data(), mark.id.size(), 0) != 1) {
      return fail(Reason::kMemory, "no random id");
    }
  }
  Template made;
  made.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, request.type)
      .number(CKA_VALUE_LEN, size)
      .flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, false)
      .bytes(CKA_ID, mark.id);
  if (!mark.label.empty()) made.bytes(CKA_LABEL, mark.label);
  for (const CK_ATTRIBUTE_TYPE use : request.uses) made.flag(use, true);
  auto session = (*token)->session(true);
  if (!session) return std::move(session).error();
  Mechanism mechanism(request.mechanism);
  const auto handle = session->generate(mechanism, made);
  if (!handle) return handle.error();
  auto object =
      std::make_shared<TokenObject>(*token, std::move(mark), *handle, session->life().generation);
  return object_of(context, TokenSecret{std::move(object), request.type, size});
}

void free_key(void* key) { delete static_cast<SecretKey*>(key); }

void* import_key(void* provider_context, int selection, const OSSL_PARAM params[]) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<SecretKey*>(nullptr), [&]() -> Outcome<SecretKey*> {
    auto key = import_by(context, selection, params);
    if (!key) return std::move(key).error();
    return key->release();
  });
}

int export_key(void* key, int selection, OSSL_CALLBACK* take, void* argument) {
  SecretKey& exported = key_of(key);
  // No secret leaves a token.
  if ((selection & kSelectSecret) == 0 || !exported.has_bytes) return 0;
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_octet_string(kRawBytes, exported.bytes.span().data(),
                                        exported.bytes.size()),
      OSSL_PARAM_construct_end()};
  return take(params.data(), argument);
}

template <const Request& kRequest>
void* generate_key(void* provider_context, const OSSL_PARAM params[]) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<SecretKey*>(nullptr), [&]() -> Outcome<SecretKey*> {
    auto key = generate_by(context, kRequest, params);
    if (!key) return std::move(key).error();
    return key->release();
  });
}

const char* key_id(void* key) { return key_of(key).id.empty() ? nullptr : key_of(key).id.c_str(); }

const OSSL_PARAM* import_settable(void* /*provider_context*/) {
  static const OSSL_PARAM raw[] = {OSSL_PARAM_octet_string(kRawBytes, nullptr, 0), OSSL_PARAM_END};
  static const auto list = with_uri(raw);
  return list.data();
}
const OSSL_PARAM* generate_settable(void* /*provider_context*/) {
  static const OSSL_PARAM length[] = {OSSL_PARAM_size_t(kKeyLength, nullptr), OSSL_PARAM_END};
  static const auto list = with_uri(length);
  return list.data();
}

template <const Request& kRequest>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {on<Free>(kFree, free_key),
                                        on<Import>(kImport, import_key),
                                        on<Export>(kExport, export_key),
                                        on<Generate>(kGenerate, generate_key<kRequest>),
                                        on<GetKeyId>(kGetKeyId, key_id),
                                        on<Settable>(kImportSettable, import_settable),
                                        on<Settable>(kGenerateSettable, generate_settable),
                                        end_of_table()};
  return table;
}

}  // namespace

const OSSL_ALGORITHM* skeymgmt_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {kAes, kProperties, functions<kAesRequest>(), "AES keys of a token"},
      {kGeneric, kProperties, functions<kGenericRequest>(), "secret keys of a token"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
