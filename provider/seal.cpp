#include "provider/seal.h"

#include <openssl/core_dispatch.h>

#include <algorithm>

#include "pkcs11/include/tallystick/pkcs11_tallystick.h"
#include "provider/dispatch.h"
#include "provider/params.h"
#include "provider/secret_key.h"
#include "provider/stream.h"

namespace tallystick::provider {
namespace {

constexpr const char* kContextOption = "tallystick_context";
constexpr const char* kKeyOption = "tallystick_key";
constexpr std::size_t kMostPlain = 64UL * 1024UL * 1024UL;
constexpr std::size_t kMostSealedKey = 64UL * 1024UL;

class Seal {
 public:
  explicit Seal(Context& context) : context_(context) {}
  [[nodiscard]] Context& context() const { return context_; }

  Done begin(const SecretKey& key, const OSSL_PARAM params[]);
  Done set_params(const OSSL_PARAM params[]);
  // A null `out`: only the length.
  Done encrypt(unsigned char* out, std::size_t* size, std::size_t room, core::ByteView data) const;
  [[nodiscard]] std::unique_ptr<Seal> duplicate() const { return std::make_unique<Seal>(*this); }

 private:
  Outcome<core::WipedBytes> seal(core::ByteView data) const;
  Outcome<core::WipedBytes> seal_key() const;
  Outcome<std::size_t> sealed_size(core::ByteView data) const;

  Context& context_;
  std::optional<TokenSecret> key_;
  core::Bytes asset_context_;
  // The URI of a key that is sealed in the place of data.
  std::string sealed_key_;
};

Outcome<core::Bytes> from_hex(const std::string& text) {
  core::Bytes bytes(text.size() / 2 + 1);
  std::size_t size = 0;
  if (OPENSSL_hexstr2buf_ex(bytes.data(), bytes.size(), &size, text.c_str(), '\0') != 1) {
    return fail(Reason::kOperation,
                std::string(kContextOption) + ": not an even number of hexadecimal digits");
  }
  bytes.resize(size);
  return bytes;
}

Done Seal::begin(const SecretKey& key, const OSSL_PARAM params[]) {
  if (!key.token) return fail(Reason::kKey, "no key of a token is given");
  key_ = *key.token;
  asset_context_.clear();
  sealed_key_.clear();
  return set_params(params);
}

Done Seal::set_params(const OSSL_PARAM params[]) {
  if (const auto text = text_param(params, kContextOption)) {
    auto bytes = from_hex(*text);
    if (!bytes) return std::move(bytes).error();
    asset_context_ = *std::move(bytes);
  }
  if (const auto uri = text_param(params, kKeyOption)) sealed_key_ = *uri;
  return {};
}

Outcome<std::size_t> Seal::sealed_size(core::ByteView data) const {
  return key_->object->use([&](Session& session, ObjectHandle handle) -> Outcome<std::size_t> {
    Mechanism mechanism(CKM_TS_SEAL, asset_context_);
    auto stream = Stream::begin(StreamKind::kEncrypt, session, mechanism, handle);
    if (!stream) return std::move(stream).error();
    return stream->size_of(data);
  });
}

Outcome<core::WipedBytes> Seal::seal(core::ByteView data) const {
  core::WipedBytes sealed;
  const auto done = key_->object->use([&](Session& session, ObjectHandle handle) -> Done {
    Mechanism mechanism(CKM_TS_SEAL, asset_context_);
    auto stream = Stream::begin(StreamKind::kEncrypt, session, mechanism, handle);
    if (!stream) return std::move(stream).error();
    return stream->whole(data, sealed);
  });
  if (!done) return done.error();
  return sealed;
}

Outcome<core::WipedBytes> Seal::seal_key() const {
  const auto uri = parse_uri(sealed_key_);
  if (!uri) return uri.error();
  const auto token = token_for(context_, *uri);
  if (!token) return token.error();
  if (token->get() != &key_->object->token()) {
    return fail(Reason::kUri, uri->text() + ": a key is sealed in its own token only");
  }
  std::vector<Found> found;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    if (uri->object_class() && *uri->object_class() != object_class) continue;
    auto some = objects_in(*token, *uri, object_class);
    if (!some) return std::move(some).error();
    for (Found& one : *some) found.push_back(std::move(one));
  }
  if (found.empty()) return fail(Reason::kObject, uri->text() + ": no such key");
  if (found.size() > 1) {
    return fail(Reason::kAmbiguous, uri->text() + ": " + std::to_string(found.size()) +
                                        " keys match; name one by object=, id= or type=");
  }
  TokenObject wrapped(found[0].token, found[0].mark, found[0].handle, found[0].generation);
  return wrapped.use([&](Session& /*outer*/, ObjectHandle key) -> Outcome<core::WipedBytes> {
    return key_->object->use(
        [&](Session& session, ObjectHandle wrapping) -> Outcome<core::WipedBytes> {
          Mechanism mechanism(CKM_TS_SEAL, asset_context_);
          CK_MECHANISM used = mechanism.get();
          core::WipedBytes sealed(kMostSealedKey);
          auto size = static_cast<CK_ULONG>(sealed.size());
          const CK_RV rv = session.module().call(&CK_FUNCTION_LIST::C_WrapKey, session.handle(),
                                                 &used, wrapping, key, sealed.data(), &size);
          if (rv != CKR_OK || size > sealed.size()) {
            session.discard();
            return from_rv(Reason::kOperation,
                           wrapped.name() + ": seal by CKM_TS_SEAL with " + key_->name(),
                           rv == CKR_OK ? CKR_DEVICE_ERROR : rv);
          }
          sealed.resize(size);
          return sealed;
        });
  });
}

Done Seal::encrypt(unsigned char* out, std::size_t* size, std::size_t room,
                   core::ByteView data) const {
  if (!key_) return fail(Reason::kOperation, "no encryption has begun");
  if (asset_context_.empty()) {
    return fail(Reason::kOperation, key_->name() + ": no context: give it as " + kContextOption);
  }
  if (data.size() > kMostPlain) {
    return fail(Reason::kOperation, key_->name() + ": more than 64 MiB in one piece");
  }
  if (sealed_key_.empty() && out == nullptr) {
    const auto length = sealed_size(data);
    if (!length) return length.error();
    *size = *length;
    return {};
  }
  if (!sealed_key_.empty() && !data.empty()) {
    return fail(Reason::kOperation,
                std::string(kKeyOption) + ": a key is sealed, and there is input as well");
  }
  const auto sealed = sealed_key_.empty() ? seal(data) : seal_key();
  if (!sealed) return sealed.error();
  *size = sealed->size();
  if (out == nullptr) return {};
  if (sealed->size() > room) return fail(Reason::kOperation, "no room for what was sealed");
  std::copy(sealed->begin(), sealed->end(), out);
  return {};
}

Seal& seal_of(void* seal) { return *static_cast<Seal*>(seal); }

void* new_seal(void* provider_context) {
  return new (std::nothrow) Seal(context_of(provider_context));
}
void free_seal(void* seal) { delete static_cast<Seal*>(seal); }
void* duplicate(void* seal) {
  return answer(seal_of(seal).context(), static_cast<Seal*>(nullptr),
                [&]() -> Outcome<Seal*> { return seal_of(seal).duplicate().release(); });
}
int begin(void* seal, void* key, const OSSL_PARAM params[]) {
  if (key == nullptr) return 0;
  return done(seal_of(seal).context(),
              [&] { return seal_of(seal).begin(*static_cast<SecretKey*>(key), params); });
}
int encrypt(void* seal, unsigned char* out, std::size_t* size, std::size_t room,
            const unsigned char* data, std::size_t data_size) {
  return done(seal_of(seal).context(), [&] {
    return seal_of(seal).encrypt(out, size, room, {data, data_size});
  });
}
int set_params(void* seal, const OSSL_PARAM params[]) {
  return done(seal_of(seal).context(), [&] { return seal_of(seal).set_params(params); });
}
const OSSL_PARAM* settable(void* /*seal*/, void* /*provider_context*/) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_utf8_string(kContextOption, nullptr, 0),
                                    OSSL_PARAM_utf8_string(kKeyOption, nullptr, 0), OSSL_PARAM_END};
  return list;
}

const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_asym_cipher_newctx_fn>(OSSL_FUNC_ASYM_CIPHER_NEWCTX, new_seal),
    on<OSSL_FUNC_asym_cipher_freectx_fn>(OSSL_FUNC_ASYM_CIPHER_FREECTX, free_seal),
    on<OSSL_FUNC_asym_cipher_dupctx_fn>(OSSL_FUNC_ASYM_CIPHER_DUPCTX, duplicate),
    on<OSSL_FUNC_asym_cipher_encrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, begin),
    on<OSSL_FUNC_asym_cipher_encrypt_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, encrypt),
    on<OSSL_FUNC_asym_cipher_set_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, set_params),
    on<OSSL_FUNC_asym_cipher_settable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS,
                                                     settable),
    end_of_table()};

}  // namespace

OSSL_ALGORITHM cipher_of_asset_key() {
  return {kAssetKey.name, kProperties, kFunctions, "sealing of assets by a token"};
}

}  // namespace tallystick::provider
