// Making keys: in a token where the options name one by its URI, else libcrypto's own.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "provider/generate_in_token.h"
#include "provider/keymgmt.h"

namespace tallystick::provider {
namespace {

constexpr const char* kUri = "tallystick_uri";
constexpr const char* kUsage = "tallystick_key_usage";
// pkcs11-provider's names for the same.
constexpr const char* kTheirUri = "pkcs11_uri";
constexpr const char* kTheirUsage = "pkcs11_key_usage";

// A seed may be among them.
struct WipeParams {
  void operator()(OSSL_PARAM* params) const {
    for (OSSL_PARAM* param = params; param->key != nullptr; ++param) {
      if (param->data_type == OSSL_PARAM_OCTET_STRING && param->data != nullptr) {
        OPENSSL_cleanse(param->data, param->data_size);
      }
    }
    OSSL_PARAM_free(params);
  }
};
using ParamsPtr = std::unique_ptr<OSSL_PARAM, WipeParams>;

struct Generation {
  Context* context = nullptr;
  const KeyType* type = nullptr;
  int selection = 0;
  std::string uri;
  std::string usage;
  // What is not ours goes to libcrypto's own generation as it came.
  ParamsPtr params;
  core::PkeyPtr parameters;
};

Generation& generation_of(void* generation) { return *static_cast<Generation*>(generation); }

bool take_text(const OSSL_PARAM params[], const char* name, std::string& into) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  if (param == nullptr) return true;
  const char* text = nullptr;
  if (OSSL_PARAM_get_utf8_string_ptr(param, &text) == 0 || text == nullptr) return false;
  into = text;
  return true;
}

// The options of a type, after ours.
template <std::size_t kCount>
std::array<OSSL_PARAM, kCount + 5> with_ours(const OSSL_PARAM (&options)[kCount]) {
  std::array<OSSL_PARAM, kCount + 5> all{};
  auto next = all.begin();
  for (const char* name : {kUri, kUsage, kTheirUri, kTheirUsage}) {
    *next++ = OSSL_PARAM_construct_utf8_string(name, nullptr, 0);
  }
  next = std::copy(std::begin(options), std::end(options), next);
  *next = OSSL_PARAM_construct_end();
  return all;
}

bool ours(const char* name) {
  const std::string_view key(name);
  return key == kUri || key == kUsage || key == kTheirUri || key == kTheirUsage;
}

// Adds what is not ours to what was given before; the later one of a name counts.
bool keep(Generation& generation, const OSSL_PARAM params[]) {
  std::vector<OSSL_PARAM> rest;
  for (const OSSL_PARAM* param = params; param->key != nullptr; ++param) {
    if (!ours(param->key)) rest.push_back(*param);
  }
  if (rest.empty()) return true;
  rest.push_back(OSSL_PARAM_construct_end());
  if (!generation.params) {
    generation.params.reset(OSSL_PARAM_dup(rest.data()));
    return generation.params != nullptr;
  }
  // The merged list points into both; the copy stands alone.
  OSSL_PARAM* merged = OSSL_PARAM_merge(generation.params.get(), rest.data());
  if (merged == nullptr) return false;
  ParamsPtr copy(OSSL_PARAM_dup(merged));
  OPENSSL_free(merged);
  generation.params = std::move(copy);
  return generation.params != nullptr;
}

PairRequest request_of(const Generation& generation) {
  PairRequest request;
  request.uri = generation.uri;
  request.usage = generation.usage;
  const auto find = [&generation](const char* name) -> const OSSL_PARAM* {
    return generation.params ? OSSL_PARAM_locate_const(generation.params.get(), name) : nullptr;
  };
  if (const OSSL_PARAM* bits = find(OSSL_PKEY_PARAM_RSA_BITS)) {
    OSSL_PARAM_get_ulong(bits, &request.rsa_bits);
  }
  if (const OSSL_PARAM* exponent = find(OSSL_PKEY_PARAM_RSA_E)) {
    BIGNUM* number = nullptr;
    if (OSSL_PARAM_get_BN(exponent, &number) == 1) {
      const core::BnPtr owned(number);
      request.rsa_exponent.resize(static_cast<std::size_t>(BN_num_bytes(number)));
      BN_bn2bin(number, request.rsa_exponent.data());
    }
  }
  for (const char* name : {OSSL_PKEY_PARAM_RSA_DIGEST, OSSL_PKEY_PARAM_RSA_MGF1_DIGEST,
                           OSSL_PKEY_PARAM_RSA_MASKGENFUNC, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN}) {
    if (find(name) != nullptr) request.pss_bound = true;
  }
  request.seeded = find(kSeedParam) != nullptr;
  if (const OSSL_PARAM* group = find(OSSL_PKEY_PARAM_GROUP_NAME)) {
    const char* name = nullptr;
    if (OSSL_PARAM_get_utf8_string_ptr(group, &name) == 1) request.curve = name;
  } else if (generation.parameters) {
    std::array<char, 64> name{};
    if (EVP_PKEY_get_group_name(generation.parameters.get(), name.data(), name.size(), nullptr) ==
        1) {
      request.curve = name.data();
    }
  }
  return request;
}

// Libcrypto's own key, or parameters, in the private context.
Outcome<KeyPtr> generate_own(const Generation& generation) {
  const Failure failed = fail(Reason::kKey, std::string(generation.type->name) + ": not generated");
  OSSL_LIB_CTX* lib = generation.context->lib();
  const bool pair = (generation.selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  const core::PkeyCtxPtr context(
      generation.parameters ? EVP_PKEY_CTX_new_from_pkey(lib, generation.parameters.get(), nullptr)
                            : EVP_PKEY_CTX_new_from_name(lib, generation.type->name, nullptr));
  if (!context ||
      (pair ? EVP_PKEY_keygen_init(context.get()) : EVP_PKEY_paramgen_init(context.get())) <= 0) {
    return failed;
  }
  if (generation.params && EVP_PKEY_CTX_set_params(context.get(), generation.params.get()) <= 0) {
    return failed;
  }
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_generate(context.get(), &made) <= 0) return failed;
  auto key = std::make_unique<Key>();
  key->context = generation.context;
  key->type = generation.type;
  key->pkey.reset(made);
  key->parts = OSSL_KEYMGMT_SELECT_ALL_PARAMETERS | (pair ? OSSL_KEYMGMT_SELECT_KEYPAIR : 0);
  return key;
}

}  // namespace

void* generation_init(Context& context, const KeyType& type, int selection,
                      const OSSL_PARAM params[]) {
  auto generation = std::make_unique<Generation>();
  generation->context = &context;
  generation->type = &type;
  generation->selection = selection;
  if (generation_set_params(generation.get(), params) == 0) return nullptr;
  return generation.release();
}

int generation_set_template(void* generation, void* key) {
  generation_of(generation).parameters = shared(static_cast<Key*>(key)->pkey.get());
  return generation_of(generation).parameters ? 1 : 0;
}

int generation_set_params(void* generation, const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return 1;
  Generation& changed = generation_of(generation);
  return take_text(params, kTheirUri, changed.uri) && take_text(params, kUri, changed.uri) &&
                 take_text(params, kTheirUsage, changed.usage) &&
                 take_text(params, kUsage, changed.usage) && keep(changed, params)
             ? 1
             : 0;
}

const OSSL_PARAM* generation_settable(void* generation, void* /*provider_context*/) {
  static const auto rsa = with_ours({OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, nullptr),
                                     OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, nullptr),
                                     OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0)});
  static const auto rsa_pss =
      with_ours({OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, nullptr),
                 OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, nullptr),
                 OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST_PROPS, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MASKGENFUNC, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, nullptr, 0),
                 OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, nullptr)});
  static const auto curve =
      with_ours({OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
                 OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, nullptr)});
  static const auto seeded =
      with_ours({OSSL_PARAM_octet_string(kSeedParam, nullptr, 0),
                 OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_PROPERTIES, nullptr, 0)});
  const KeyType* type = generation_of(generation).type;
  if (type == &kRsa) return rsa.data();
  if (type->post_quantum != nullptr) return seeded.data();
  return type == &kRsaPss ? rsa_pss.data() : curve.data();
}

void* generate(void* generation, OSSL_CALLBACK* /*progress*/, void* /*argument*/) {
  const Generation& wanted = generation_of(generation);
  return answer(*wanted.context, static_cast<Key*>(nullptr), [&]() -> Outcome<Key*> {
    auto key = wanted.uri.empty()
                   ? generate_own(wanted)
                   : generate_in_token(*wanted.context, *wanted.type, request_of(wanted));
    if (!key) return std::move(key).error();
    return key->release();
  });  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it is the caller's from here on
}

void generation_cleanup(void* generation) { delete static_cast<Generation*>(generation); }

}  // namespace tallystick::provider
