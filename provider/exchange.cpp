#include "provider/exchange.h"

#include <openssl/core_dispatch.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <array>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/dispatch.h"
#include "provider/keymgmt.h"
#include "provider/operation.h"

namespace tallystick::provider {
namespace {

class Exchange {
 public:
  explicit Exchange(Context& context) : context_(context) {}
  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] EVP_PKEY_CTX* parameters() const { return operation_.get(); }

  Done begin(const Key& key, const OSSL_PARAM params[]);
  Done set_peer(const Key& peer);
  // Null: only the size.
  Done derive(unsigned char* out, std::size_t* size, std::size_t room);
  [[nodiscard]] Outcome<std::unique_ptr<Exchange>> duplicate() const;

 private:
  [[nodiscard]] bool derives_further() const;
  Outcome<core::Bytes> point_of_peer() const;
  Outcome<core::Secret> agree_in_token() const;
  Outcome<core::Secret> derive_further(const core::Secret& shared) const;

  Context& context_;
  KeyPtr key_;
  KeyPtr peer_;
  // Parameters are its; with a key of libcrypto's own, everything.
  Operation operation_;
};

// The size of the secret that both sides share.
std::size_t shared_size(const Key& key) {
  if (key.type == &kEc) return static_cast<std::size_t>(EVP_PKEY_get_bits(key.pkey.get()) + 7) / 8;
  return key.type == &kX25519 ? 32 : 56;
}

Done Exchange::begin(const Key& key, const OSSL_PARAM params[]) {
  if (!key.pkey) return fail(Reason::kKey, "no key is given");
  key_ = same_key(key);
  peer_.reset();
  return operation_.begin(key, EVP_PKEY_derive_init_ex, params);
}

Done Exchange::set_peer(const Key& peer) {
  if (!key_ || !peer.pkey || peer.type != key_->type ||
      EVP_PKEY_derive_set_peer(operation_.get(), peer.pkey.get()) <= 0) {
    return fail(Reason::kKey, "the peer's key does not fit");
  }
  peer_ = same_key(peer);
  return {};
}

bool Exchange::derives_further() const {
  return key_->type == &kEc &&
         EVP_PKEY_CTX_get_ecdh_kdf_type(operation_.get()) == EVP_PKEY_ECDH_KDF_X9_63;
}

Outcome<core::Bytes> Exchange::point_of_peer() const {
  unsigned char* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(peer_->pkey.get(), &point);
  if (size == 0) return fail(Reason::kKey, "the peer's key has no point");
  core::Bytes bytes(point, point + size);
  OPENSSL_free(point);
  return bytes;
}

Outcome<core::Secret> Exchange::agree_in_token() const {
  const auto point = point_of_peer();
  if (!point) return point.error();
  return use_in_token(
      *key_,
      [&](Session& session, ObjectHandle object, const core::Secret*) -> Outcome<core::Secret> {
        CK_ECDH1_DERIVE_PARAMS params{};
        params.kdf = CKD_NULL;
        params.ulPublicDataLen = static_cast<CK_ULONG>(point->size());
        params.pPublicData = const_cast<CK_BYTE*>(point->data());
        Mechanism mechanism(CKM_ECDH1_DERIVE,
                            {reinterpret_cast<const std::uint8_t*>(&params), sizeof params});
        Template secret = readable_secret(shared_size(*key_));
        const auto derived = session.derive(mechanism, object, secret);
        if (!derived) return derived.error();
        return session.take_secret(*derived);
      });
}

Outcome<core::Secret> Exchange::derive_further(const core::Secret& shared) const {
  const EVP_MD* digest = nullptr;
  int size = 0;
  void* info = nullptr;
  std::array<OSSL_PARAM, 2> asked{
      OSSL_PARAM_construct_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &info, 0),
      OSSL_PARAM_construct_end()};
  const bool with_info = EVP_PKEY_CTX_get_params(operation_.get(), asked.data()) > 0 &&
                         info != nullptr && asked[0].return_size > 0;
  if (EVP_PKEY_CTX_get_ecdh_kdf_md(operation_.get(), &digest) <= 0 || digest == nullptr ||
      EVP_PKEY_CTX_get_ecdh_kdf_outlen(operation_.get(), &size) <= 0 || size <= 0) {
    return fail(Reason::kOperation, "the derivation has no digest or no size");
  }
  const core::KdfPtr kdf(EVP_KDF_fetch(context_.lib(), OSSL_KDF_NAME_X963KDF, nullptr));
  const core::KdfCtxPtr context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  const std::array<OSSL_PARAM, 4> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(EVP_MD_get0_name(digest)), 0),
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_SECRET, const_cast<std::uint8_t*>(shared.view().data()), shared.size()),
      with_info ? OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, asked[0].return_size)
                : OSSL_PARAM_construct_end(),
      OSSL_PARAM_construct_end()};
  core::Secret derived(static_cast<std::size_t>(size));
  if (!context ||
      EVP_KDF_derive(context.get(), derived.span().data(), derived.size(), params.data()) <= 0) {
    return fail(Reason::kOperation, "the secret is not derived further");
  }
  return derived;
}

Done Exchange::derive(unsigned char* out, std::size_t* size, std::size_t room) {
  if (!key_) return fail(Reason::kOperation, "no key agreement has begun");
  if (!key_->in_token()) {
    *size = room;
    if (EVP_PKEY_derive(operation_.get(), out, size) > 0) return {};
    return fail(Reason::kOperation, name_of(*key_) + ": no shared secret");
  }
  if (out == nullptr) {
    int further = 0;
    *size = shared_size(*key_);
    if (derives_further() && EVP_PKEY_CTX_get_ecdh_kdf_outlen(operation_.get(), &further) > 0 &&
        further > 0) {
      *size = static_cast<std::size_t>(further);
    }
    return {};
  }
  if (!peer_) return fail(Reason::kOperation, name_of(*key_) + ": no key of the peer is given");
  auto secret = agree_in_token();
  if (secret && derives_further()) secret = derive_further(*secret);
  if (!secret) return std::move(secret).error();
  if (secret->size() > room) return fail(Reason::kOperation, "no room for the shared secret");
  std::copy(secret->view().begin(), secret->view().end(), out);
  *size = secret->size();
  return {};
}

Outcome<std::unique_ptr<Exchange>> Exchange::duplicate() const {
  auto copy = std::make_unique<Exchange>(context_);
  if (key_) copy->key_ = same_key(*key_);
  if (peer_) copy->peer_ = same_key(*peer_);
  auto operation = operation_.duplicate();
  if (!operation) return std::move(operation).error();
  copy->operation_ = *std::move(operation);
  return copy;
}

Exchange& exchange_of(void* exchange) { return *static_cast<Exchange*>(exchange); }

void* new_exchange(void* provider_context) {
  return new (std::nothrow) Exchange(context_of(provider_context));
}
void free_exchange(void* exchange) { delete static_cast<Exchange*>(exchange); }

void* duplicate(void* exchange) {
  return answer(exchange_of(exchange).context(), static_cast<Exchange*>(nullptr),
                [&]() -> Outcome<Exchange*> {
                  auto copy = exchange_of(exchange).duplicate();
                  if (!copy) return std::move(copy).error();
                  return copy->release();
                });
}

int begin(void* exchange, void* key, const OSSL_PARAM params[]) {
  if (key == nullptr) return 0;
  return done(exchange_of(exchange).context(),
              [&] { return exchange_of(exchange).begin(*static_cast<Key*>(key), params); });
}

int set_peer(void* exchange, void* key) {
  if (key == nullptr) return 0;
  return done(exchange_of(exchange).context(),
              [&] { return exchange_of(exchange).set_peer(*static_cast<Key*>(key)); });
}

int derive(void* exchange, unsigned char* out, std::size_t* size, std::size_t room) {
  return done(exchange_of(exchange).context(),
              [&] { return exchange_of(exchange).derive(out, size, room); });
}

const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_keyexch_newctx_fn>(OSSL_FUNC_KEYEXCH_NEWCTX, new_exchange),
    on<OSSL_FUNC_keyexch_freectx_fn>(OSSL_FUNC_KEYEXCH_FREECTX, free_exchange),
    on<OSSL_FUNC_keyexch_dupctx_fn>(OSSL_FUNC_KEYEXCH_DUPCTX, duplicate),
    on<OSSL_FUNC_keyexch_init_fn>(OSSL_FUNC_KEYEXCH_INIT, begin),
    on<OSSL_FUNC_keyexch_set_peer_fn>(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
    on<OSSL_FUNC_keyexch_derive_fn>(OSSL_FUNC_KEYEXCH_DERIVE, derive),
    on<OSSL_FUNC_keyexch_get_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS,
                                            ParamsOf<Exchange>::get),
    on<OSSL_FUNC_keyexch_gettable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS,
                                                 ParamsOf<Exchange>::gettable),
    on<OSSL_FUNC_keyexch_set_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS,
                                            ParamsOf<Exchange>::set),
    on<OSSL_FUNC_keyexch_settable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS,
                                                 ParamsOf<Exchange>::settable),
    end_of_table()};

}  // namespace

const OSSL_ALGORITHM* exchange_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {"ECDH", kProperties, kFunctions, "ECDH by a token"},
      {"X25519:1.3.101.110", kProperties, kFunctions, "X25519 by a token"},
      {"X448:1.3.101.111", kProperties, kFunctions, "X448 by a token"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
