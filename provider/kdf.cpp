#include "provider/kdf.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <strings.h>

#include "provider/dispatch.h"
#include "provider/params.h"

namespace tallystick::provider {
namespace {

// Not a name in the headers of 3.0.
constexpr const char* kCounterBits = "r";

void take_octets(const OSSL_PARAM params[], const char* name, core::Bytes& into) {
  if (const auto bytes = octets_param(params, name)) into.assign(bytes->begin(), bytes->end());
}

bool take_int(const OSSL_PARAM params[], const char* name, int& into) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  return param == nullptr || OSSL_PARAM_get_int(param, &into) == 1;
}

// Numbers, or the names that stand for them.
bool take_mode(const OSSL_PARAM params[], KdfInputs& inputs) {
  const auto text = text_param(params, OSSL_KDF_PARAM_MODE);
  if (!text) return take_int(params, OSSL_KDF_PARAM_MODE, inputs.mode);
  struct Mode {
    const char* name;
    int number;
  };
  for (const Mode& mode : {Mode{"EXTRACT_AND_EXPAND", EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND},
                           Mode{"EXTRACT_ONLY", EVP_KDF_HKDF_MODE_EXTRACT_ONLY},
                           Mode{"EXPAND_ONLY", EVP_KDF_HKDF_MODE_EXPAND_ONLY}}) {
    if (::strcasecmp(text->c_str(), mode.name) == 0) inputs.mode = mode.number;
  }
  inputs.feedback = ::strcasecmp(text->c_str(), "feedback") == 0;
  return true;
}

}  // namespace

Outcome<std::unique_ptr<Kdf>> Kdf::make(Context& context, const KdfType& type) {
  const core::KdfPtr kdf(EVP_KDF_fetch(context.lib(), type.name, nullptr));
  core::KdfCtxPtr own(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!own) return fail(Reason::kMemory, std::string("no ") + type.name);
  return std::unique_ptr<Kdf>(new Kdf(context, type, std::move(own)));
}

Done Kdf::take_uri(const std::string& text) {
  if (type_.derive != nullptr) {
    auto key = secret_by_uri(context_, text);
    if (!key) return std::move(key).error();
    key_ = *std::move(key);
    return {};
  }
  const auto uri = parse_uri(text);
  if (!uri) return uri.error();
  if (uri->names_object()) {
    return fail(Reason::kUri,
                uri->text() + ": PBKDF2 takes a password; the URI names the token that derives");
  }
  const auto token = token_for(context_, *uri);
  if (!token) return token.error();
  if ((*token)->wants_login() && context_.settings().login != Settings::Login::kNever) {
    const PinSource pins(*uri, context_.settings(), nullptr, nullptr);
    if (auto done = (*token)->login(pins, true); !done) return std::move(done).error();
  }
  token_ = *token;
  return {};
}

// The parameters that libcrypto has taken already, once more for the token.
Done Kdf::take(const OSSL_PARAM params[]) {
  if (const auto digest = text_param(params, OSSL_KDF_PARAM_DIGEST)) {
    const core::MdPtr md(EVP_MD_fetch(context_.lib(), digest->c_str(), nullptr));
    if (!md) return fail(Reason::kOperation, "digest " + *digest + ": not known");
    inputs_.digest = EVP_MD_get_type(md.get());
  }
  if (const auto mac = text_param(params, OSSL_KDF_PARAM_MAC)) {
    inputs_.by_cmac = ::strcasecmp(mac->c_str(), "CMAC") == 0;
  }
  take_octets(params, OSSL_KDF_PARAM_SALT, inputs_.salt);
  take_octets(params, OSSL_KDF_PARAM_PREFIX, inputs_.prefix);
  take_octets(params, OSSL_KDF_PARAM_LABEL, inputs_.label);
  take_octets(params, OSSL_KDF_PARAM_DATA, inputs_.data);
  // Several pieces of it become one.
  if (OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_INFO) != nullptr) inputs_.info.clear();
  for (const OSSL_PARAM* param = params; param->key != nullptr; ++param) {
    const bool info = ::strcasecmp(param->key, OSSL_KDF_PARAM_INFO) == 0;
    if (!info || param->data_type != OSSL_PARAM_OCTET_STRING || param->data == nullptr) continue;
    const auto* bytes = static_cast<const std::uint8_t*>(param->data);
    inputs_.info.insert(inputs_.info.end(), bytes, bytes + param->data_size);
  }
  if (octets_param(params, OSSL_KDF_PARAM_SEED)) inputs_.has_seed = true;
  int with_length = inputs_.with_length ? 1 : 0;
  int with_separator = inputs_.with_separator ? 1 : 0;
  if (!take_mode(params, inputs_) || !take_int(params, OSSL_KDF_PARAM_KBKDF_USE_L, with_length) ||
      !take_int(params, OSSL_KDF_PARAM_KBKDF_USE_SEPARATOR, with_separator) ||
      !take_int(params, kCounterBits, inputs_.counter_bits)) {
    return fail(Reason::kOperation, std::string(type_.name) + ": a number is none");
  }
  inputs_.with_length = with_length != 0;
  inputs_.with_separator = with_separator != 0;
  if (type_.derive == nullptr) {
    if (const auto password = octets_param(params, OSSL_KDF_PARAM_PASSWORD)) {
      inputs_.password = core::Secret::copy_of(*password);
    }
    const OSSL_PARAM* iterations = OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_ITER);
    if (iterations != nullptr) OSSL_PARAM_get_uint64(iterations, &inputs_.iterations);
  }
  return {};
}

Done Kdf::set_params(const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return {};
  const auto uri = uri_param(params);
  const bool bytes = OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_KEY) != nullptr;
  if (uri && bytes) return fail(Reason::kKey, "a key and the URI of one: give one of them");
  if (uri) {
    if (auto done = take_uri(*uri); !done) return done;
  } else if (bytes) {
    key_.reset();
  }
  if (EVP_KDF_CTX_set_params(own_.get(), params) <= 0) {
    return fail(Reason::kOperation, std::string(type_.name) + ": a parameter is refused");
  }
  return take(params);
}

Done Kdf::derive(core::MutableByteView out, const OSSL_PARAM params[]) {
  if (auto done = set_params(params); !done) return done;
  if (key_) return type_.derive(context_, *key_, inputs_, out);
  if (token_) return pbkdf2_in_token(*token_, inputs_, out);
  // The reason is libcrypto's, and stands on the queue before this.
  if (EVP_KDF_derive(own_.get(), out.data(), out.size(), nullptr) > 0) return {};
  return fail(Reason::kOperation, std::string(type_.name) + ": nothing is derived");
}

void Kdf::reset() {
  EVP_KDF_CTX_reset(own_.get());
  key_.reset();
  token_.reset();
  inputs_ = {};
}

Outcome<std::unique_ptr<Kdf>> Kdf::duplicate() const {
  core::KdfCtxPtr own(EVP_KDF_CTX_dup(own_.get()));
  if (!own) return fail(Reason::kMemory, std::string(type_.name) + ": not copied");
  std::unique_ptr<Kdf> copy(new Kdf(context_, type_, std::move(own)));
  copy->key_ = key_;
  copy->token_ = token_;
  KdfInputs& inputs = copy->inputs_;
  inputs.digest = inputs_.digest;
  inputs.by_cmac = inputs_.by_cmac;
  inputs.salt = inputs_.salt;
  inputs.info = inputs_.info;
  inputs.mode = inputs_.mode;
  inputs.prefix = inputs_.prefix;
  inputs.label = inputs_.label;
  inputs.data = inputs_.data;
  inputs.feedback = inputs_.feedback;
  inputs.with_length = inputs_.with_length;
  inputs.with_separator = inputs_.with_separator;
  inputs.counter_bits = inputs_.counter_bits;
  inputs.has_seed = inputs_.has_seed;
  if (inputs_.password) inputs.password = inputs_.password->clone();
  inputs.iterations = inputs_.iterations;
  return copy;
}

namespace {

Kdf& kdf_of(void* kdf) { return *static_cast<Kdf*>(kdf); }

template <const KdfType& kType>
void* new_kdf(void* provider_context) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<Kdf*>(nullptr), [&]() -> Outcome<Kdf*> {
    auto kdf = Kdf::make(context, kType);
    if (!kdf) return std::move(kdf).error();
    return kdf->release();
  });
}
void free_kdf(void* kdf) { delete static_cast<Kdf*>(kdf); }
void reset(void* kdf) { kdf_of(kdf).reset(); }

void* duplicate(void* kdf) {
  return answer(kdf_of(kdf).context(), static_cast<Kdf*>(nullptr), [&]() -> Outcome<Kdf*> {
    auto copy = kdf_of(kdf).duplicate();
    if (!copy) return std::move(copy).error();
    return copy->release();
  });
}

int derive(void* kdf, unsigned char* out, std::size_t size, const OSSL_PARAM params[]) {
  return done(kdf_of(kdf).context(), [&] { return kdf_of(kdf).derive({out, size}, params); });
}
int set_params(void* kdf, const OSSL_PARAM params[]) {
  return done(kdf_of(kdf).context(), [&] { return kdf_of(kdf).set_params(params); });
}
int get_params(void* kdf, OSSL_PARAM params[]) { return kdf_of(kdf).get_params(params); }

template <const KdfType& kType>
const OSSL_PARAM* settable(void* /*kdf*/, void* provider_context) {
  static const std::vector<OSSL_PARAM> list = [provider_context] {
    const core::KdfPtr own(EVP_KDF_fetch(context_of(provider_context).lib(), kType.name, nullptr));
    return with_uri(own ? EVP_KDF_settable_ctx_params(own.get()) : nullptr);
  }();
  return list.data();
}
template <const KdfType& kType>
const OSSL_PARAM* gettable(void* /*kdf*/, void* provider_context) {
  const core::KdfPtr own(EVP_KDF_fetch(context_of(provider_context).lib(), kType.name, nullptr));
  return own ? EVP_KDF_gettable_ctx_params(own.get()) : nullptr;
}

template <const KdfType& kType>
OSSL_ALGORITHM row() {
  static const OSSL_DISPATCH functions[] = {
      on<OSSL_FUNC_kdf_newctx_fn>(OSSL_FUNC_KDF_NEWCTX, new_kdf<kType>),
      on<OSSL_FUNC_kdf_dupctx_fn>(OSSL_FUNC_KDF_DUPCTX, duplicate),
      on<OSSL_FUNC_kdf_freectx_fn>(OSSL_FUNC_KDF_FREECTX, free_kdf),
      on<OSSL_FUNC_kdf_reset_fn>(OSSL_FUNC_KDF_RESET, reset),
      on<OSSL_FUNC_kdf_derive_fn>(OSSL_FUNC_KDF_DERIVE, derive),
      on<OSSL_FUNC_kdf_set_ctx_params_fn>(OSSL_FUNC_KDF_SET_CTX_PARAMS, set_params),
      on<OSSL_FUNC_kdf_get_ctx_params_fn>(OSSL_FUNC_KDF_GET_CTX_PARAMS, get_params),
      on<OSSL_FUNC_kdf_settable_ctx_params_fn>(OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, settable<kType>),
      on<OSSL_FUNC_kdf_gettable_ctx_params_fn>(OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, gettable<kType>),
      end_of_table()};
  return {kType.names, kKdfProperties, functions, "key derivation by a token"};
}

}  // namespace

const OSSL_ALGORITHM* kdf_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {row<kHkdf>(),
                                              row<kTls13Kdf>(),
                                              row<kKbkdf>(),
                                              row<kPbkdf2>(),
                                              {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
