#include "pkcs11/engine/keys/rsa_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <bit>

#include "core/base/reader.h"
#include "pkcs11/engine/keys/der.h"

namespace tallystick::token {
namespace {

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, core::HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, core::HandleDeleter<OSSL_PARAM_free>>;

struct Component {
  CK_ATTRIBUTE_TYPE type;
  const char* name;  // libcrypto's
};
constexpr Component kModulus = {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N};
constexpr Component kPublicExponent = {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E};
// In the order of the secret value.
enum SecretIndex : std::size_t { kD, kP, kQ, kDp, kDq, kQinv, kSecretCount };
constexpr std::array<Component, kSecretCount> kSecrets = {{
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
}};

// libcrypto refuses longer exponents above this modulus, to bound the cost of a public operation.
constexpr unsigned kSmallModulus = 3072;
constexpr unsigned kLongestExponent = 64;
constexpr unsigned kLongestExponentOfSmall = 256;

struct Numbers {
  core::BnPtr n;
  core::BnPtr e;
  std::array<core::BnPtr, kSecretCount> secret;  // null in a public key
};

core::BnPtr to_number(core::ByteView bytes) {
  return core::BnPtr(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

// In memory that is wiped wherever libcrypto copies it to.
core::BnPtr to_secret_number(core::ByteView bytes) {
  core::BnPtr number(BN_secure_new());
  if (number && BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()) == nullptr) {
    return nullptr;
  }
  if (number) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

bool push(const ParamBuildPtr& build, const char* name, const core::BnPtr& number) {
  return number && OSSL_PARAM_BLD_push_BN(build.get(), name, number.get()) == 1;
}

Outcome<SharedPkey> assemble(const core::Crypto& crypto, const Numbers& numbers) {
  const bool whole = numbers.secret[kD] != nullptr;
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  bool pushed = build && push(build, kModulus.name, numbers.n) &&
                push(build, kPublicExponent.name, numbers.e);
  for (std::size_t i = 0; whole && pushed && i < kSecretCount; ++i) {
    pushed = push(build, kSecrets[i].name, numbers.secret[i]);
  }
  const ParamsPtr params(pushed ? OSSL_PARAM_BLD_to_param(build.get()) : nullptr);
  const auto context = core::key_context(crypto.lib(), core::KeyAlgorithm::kRsa);
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, whole ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    forget_errors();
    return bad_value("not an RSA key");
  }
  return share(core::PkeyPtr(key));
}

bool odd(core::ByteView number) { return !number.empty() && (number.back() & 1U) != 0; }

// What a modulus and a public exponent look like by themselves, leading zeros cut off.
Outcome<void> check_public_numbers(core::ByteView modulus, core::ByteView exponent) {
  const auto bits = bits_of(modulus);
  if (bits < kSmallestModulus || bits > kLargestModulus) {
    return fault(CKR_KEY_SIZE_RANGE, "an RSA modulus of a size that is not offered");
  }
  const auto longest = bits > kSmallModulus ? kLongestExponent : kLongestExponentOfSmall;
  if (!odd(modulus) || !odd(exponent) || bits_of(exponent) < 2 || bits_of(exponent) > longest) {
    return bad_value("not the numbers of an RSA key");
  }
  return {};
}

Outcome<core::BnPtr> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, name, &number) == 1;
  core::BnPtr owner(number);
  if (!read) return crypto_failed("RSA key");
  return owner;
}

Outcome<core::Bytes> public_bytes(const EVP_PKEY* key, const Component& component) {
  auto number = number_of(key, component.name);
  if (!number) return std::move(number).error();
  core::Bytes out(static_cast<std::size_t>(BN_num_bytes(number->get())));
  if (BN_bn2bin(number->get(), out.data()) != static_cast<int>(out.size())) {
    return crypto_failed("RSA key");
  }
  return out;
}

// What both halves of a key say of it.
struct PublicParts {
  core::Bytes modulus;
  core::Bytes exponent;
  core::Bytes info;
};

Outcome<PublicParts> public_parts(EVP_PKEY* key) {
  auto modulus = public_bytes(key, kModulus);
  if (!modulus) return std::move(modulus).error();
  auto exponent = public_bytes(key, kPublicExponent);
  if (!exponent) return std::move(exponent).error();
  if (auto good = check_public_numbers(*modulus, *exponent); !good) {
    return std::move(good).error();
  }
  auto info = rsa_public_key_info(*modulus, *exponent);
  if (!info) return std::move(info).error();
  return PublicParts{*std::move(modulus), *std::move(exponent), *std::move(info)};
}

Draft draft_of(const SharedPkey& key, CK_OBJECT_CLASS object_class, const PublicParts& parts) {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, object_class).set_number(CKA_KEY_TYPE, CKK_RSA);
  draft.attributes.set(CKA_MODULUS, parts.modulus)
      .set(CKA_PUBLIC_EXPONENT, parts.exponent)
      .set(CKA_PUBLIC_KEY_INFO, parts.info);
  draft.pkey = key;
  return draft;
}

Draft public_draft(const SharedPkey& key, const PublicParts& parts) {
  auto draft = draft_of(key, CKO_PUBLIC_KEY, parts);
  draft.attributes.set_number(CKA_MODULUS_BITS, bits_of(parts.modulus));
  return draft;
}

Outcome<core::Secret> secret_value(const EVP_PKEY* key) {
  std::array<core::BnPtr, kSecretCount> numbers;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kSecretCount; ++i) {
    auto number = number_of(key, kSecrets[i].name);
    if (!number) return std::move(number).error();
    numbers[i] = *std::move(number);
    size += 4 + static_cast<std::size_t>(BN_num_bytes(numbers[i].get()));
  }
  core::Secret out(size);
  auto rest = out.span();
  for (const auto& number : numbers) {
    const auto length = static_cast<std::size_t>(BN_num_bytes(number.get()));
    std::ranges::copy(core::be32(static_cast<std::uint32_t>(length)), rest.begin());
    if (BN_bn2bin(number.get(), rest.subspan(4).data()) != static_cast<int>(length)) {
      return crypto_failed("RSA private key");
    }
    rest = rest.subspan(4 + length);
  }
  return out;
}

// Of two primes: neither a template nor core's reader of PKCS#8 brings more.
Outcome<Draft> private_draft(const SharedPkey& key, const PublicParts& parts) {
  auto value = secret_value(key.get());
  if (!value) return std::move(value).error();
  auto draft = draft_of(key, CKO_PRIVATE_KEY, parts);
  draft.value = share(*std::move(value));
  return draft;
}

Outcome<core::ByteView> wanted_number(const Template& wanted, CK_ATTRIBUTE_TYPE type) {
  const auto value = wanted.find(type);
  if (!value) return incomplete_template("a number of the RSA key is missing");
  const auto number = significant(*value);
  // Longer than any modulus: not worth the arithmetic that would refuse it.
  if (bits_of(number) > kLargestModulus) return bad_value("a number too large for an RSA key");
  return number;
}

Outcome<void> take_public_numbers(const Template& wanted, Numbers& numbers) {
  auto modulus = wanted_number(wanted, CKA_MODULUS);
  if (!modulus) return std::move(modulus).error();
  auto exponent = wanted_number(wanted, CKA_PUBLIC_EXPONENT);
  if (!exponent) return std::move(exponent).error();
  if (auto good = check_public_numbers(*modulus, *exponent); !good) {
    // In a template it is the value that is wrong.
    return bad_value(good.error().message);
  }
  numbers.n = to_number(*modulus);
  numbers.e = to_number(*exponent);
  return {};
}

// d mod (prime - 1)
core::BnPtr exponent_of(const BIGNUM* d, const BIGNUM* prime, BN_CTX* work) {
  const core::BnPtr less(BN_secure_new());
  core::BnPtr out(BN_secure_new());
  if (!less || !out || BN_sub(less.get(), prime, BN_value_one()) != 1) return nullptr;
  BN_set_flags(less.get(), BN_FLG_CONSTTIME);
  // By zero, where the prime is said to be one, nothing is divided.
  if (BN_div(nullptr, out.get(), d, less.get(), work) != 1) return nullptr;
  return out;
}

core::BnPtr computed(std::size_t index, const Numbers& numbers, BN_CTX* work) {
  const auto& secret = numbers.secret;
  if (index == kDp) return exponent_of(secret[kD].get(), secret[kP].get(), work);
  if (index == kDq) return exponent_of(secret[kD].get(), secret[kQ].get(), work);
  core::BnPtr out(BN_secure_new());
  if (!out || BN_mod_inverse(out.get(), secret[kQ].get(), secret[kP].get(), work) == nullptr) {
    return nullptr;
  }
  return out;
}

Outcome<void> take_secret_numbers(const core::Crypto& crypto, const Template& wanted,
                                  Numbers& numbers) {
  const core::BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  if (!work) return crypto_failed("RSA key");
  for (std::size_t i = 0; i < kSecretCount; ++i) {
    const auto type = kSecrets[i].type;
    if (i >= kDp && !wanted.has(type)) {
      numbers.secret[i] = computed(i, numbers, work.get());
      forget_errors();
    } else {
      auto number = wanted_number(wanted, type);
      if (!number) return std::move(number).error();
      if (number->empty()) return bad_value("a number of an RSA key is zero");
      numbers.secret[i] = to_secret_number(*number);
    }
    if (!numbers.secret[i]) return bad_value("not the numbers of an RSA key");
  }
  return {};
}

Outcome<Numbers> numbers_of(const EVP_PKEY* key) {
  auto n = number_of(key, kModulus.name);
  if (!n) return std::move(n).error();
  auto e = number_of(key, kPublicExponent.name);
  if (!e) return std::move(e).error();
  Numbers numbers{*std::move(n), *std::move(e), {}};
  for (std::size_t i = 0; i < kSecretCount; ++i) {
    auto number = number_of(key, kSecrets[i].name);
    if (!number) return std::move(number).error();
    BN_set_flags(number->get(), BN_FLG_CONSTTIME);
    numbers.secret[i] = *std::move(number);
  }
  return numbers;
}

// a · b mod m is one.
bool inverse(const BIGNUM* a, const BIGNUM* b, const BIGNUM* m, BN_CTX* work) {
  const core::BnPtr product(BN_secure_new());
  return product && BN_mod_mul(product.get(), a, b, m, work) == 1 && BN_is_one(product.get());
}

// The product of the primes, the exponents and the coefficient.
bool fit_together(const Numbers& numbers, BN_CTX* work) {
  const auto& secret = numbers.secret;
  const core::BnPtr product(BN_secure_new());
  if (!product || BN_mul(product.get(), secret[kP].get(), secret[kQ].get(), work) != 1 ||
      BN_cmp(product.get(), numbers.n.get()) != 0) {
    return false;
  }
  for (const auto& [prime, exponent] : {std::pair(kP, kDp), std::pair(kQ, kDq)}) {
    const core::BnPtr less(BN_secure_new());
    const auto expected = exponent_of(secret[kD].get(), secret[prime].get(), work);
    if (!less || !expected || BN_sub(less.get(), secret[prime].get(), BN_value_one()) != 1 ||
        BN_cmp(expected.get(), secret[exponent].get()) != 0 ||
        !inverse(numbers.e.get(), secret[kD].get(), less.get(), work)) {
      return false;
    }
  }
  return BN_cmp(secret[kQinv].get(), secret[kP].get()) < 0 &&
         inverse(secret[kQ].get(), secret[kQinv].get(), secret[kP].get(), work);
}

}  // namespace

core::ByteView significant(core::ByteView number) {
  const auto first = std::ranges::find_if(number, [](auto byte) { return byte != 0; });
  return number.subspan(static_cast<std::size_t>(first - number.begin()));
}

unsigned bits_of(core::ByteView number) {
  const auto rest = significant(number);
  if (rest.empty()) return 0;
  return static_cast<unsigned>(8 * (rest.size() - 1)) +
         static_cast<unsigned>(std::bit_width(rest.front()));
}

Outcome<SharedPkey> generate_rsa_key(const core::Crypto& crypto, CK_ULONG bits,
                                     core::ByteView exponent) {
  constexpr unsigned kShortestExponent = 17;  // 65537 and above, since it is odd
  if (bits < kSmallestModulus || bits > kLargestModulus || bits % 8 != 0) {
    return bad_value("RSA keys have 2048 to 4096 bits, a multiple of 8");
  }
  if (!odd(exponent) || bits_of(exponent) < kShortestExponent ||
      bits_of(exponent) > kLongestExponent) {
    return bad_value("the public exponent is odd, at least 65537 and at most 64 bits long");
  }
  const auto number = to_number(exponent);
  const auto context = core::key_context(crypto.lib(), core::KeyAlgorithm::kRsa);
  EVP_PKEY* key = nullptr;
  if (!number || !context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1 ||
      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), number.get()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return crypto_failed("RSA key generation");
  }
  return share(core::PkeyPtr(key));
}

Outcome<Draft> rsa_private_draft(const SharedPkey& key) {
  auto parts = public_parts(key.get());
  if (!parts) return std::move(parts).error();
  return private_draft(key, *parts);
}

Outcome<ProducedPair> rsa_pair_drafts(const SharedPkey& key) {
  auto parts = public_parts(key.get());
  if (!parts) return std::move(parts).error();
  auto private_half = private_draft(key, *parts);
  if (!private_half) return std::move(private_half).error();
  return ProducedPair{public_draft(key, *parts), *std::move(private_half)};
}

Outcome<Draft> import_rsa_public(const core::Crypto& crypto, const Template& wanted) {
  Numbers numbers;
  if (auto taken = take_public_numbers(wanted, numbers); !taken) return std::move(taken).error();
  auto key = assemble(crypto, numbers);
  if (!key) return std::move(key).error();
  const core::PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key->get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) {
    forget_errors();
    return bad_value("not the modulus of an RSA key");
  }
  auto parts = public_parts(key->get());
  if (!parts) return std::move(parts).error();
  return public_draft(*key, *parts);
}

Outcome<Draft> import_rsa_private(const core::Crypto& crypto, const Template& wanted) {
  Numbers numbers;
  if (auto taken = take_public_numbers(wanted, numbers); !taken) return std::move(taken).error();
  if (auto taken = take_secret_numbers(crypto, wanted, numbers); !taken) {
    return std::move(taken).error();
  }
  auto key = assemble(crypto, numbers);
  if (!key) return std::move(key).error();
  if (!is_whole_rsa_key(crypto, key->get())) {
    return bad_value("the numbers are not those of one RSA key");
  }
  return rsa_private_draft(*key);
}

// libcrypto's own check of a pair frees numbers that it computes on the way without wiping them,
// the coefficient among them. Here they are in secure numbers.
bool is_whole_rsa_key(const core::Crypto& crypto, EVP_PKEY* key) {
  const core::PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key, nullptr));
  const core::BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  auto numbers = numbers_of(key);
  const bool whole = check && work && numbers && EVP_PKEY_public_check(check.get()) == 1 &&
                     fit_together(*numbers, work.get()) &&
                     BN_check_prime(numbers->secret[kP].get(), work.get(), nullptr) == 1 &&
                     BN_check_prime(numbers->secret[kQ].get(), work.get(), nullptr) == 1;
  forget_errors();
  return whole;
}

Outcome<SharedPkey> parse_rsa_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                  core::ByteView value) {
  Numbers numbers;
  numbers.n = to_number(attributes.bytes(CKA_MODULUS));
  numbers.e = to_number(attributes.bytes(CKA_PUBLIC_EXPONENT));
  if (attributes.number(CKA_CLASS) == CKO_PRIVATE_KEY) {
    core::Reader reader(value);
    for (auto& number : numbers.secret) number = to_secret_number(reader.lv());
    if (!reader.done()) return fault(CKR_DEVICE_ERROR, "a stored RSA key is damaged");
  }
  return assemble(crypto, numbers);
}

core::ByteView rsa_component(core::ByteView value, CK_ATTRIBUTE_TYPE type) {
  core::Reader reader(value);
  for (const auto& component : kSecrets) {
    const auto number = reader.lv();
    if (component.type == type) return number;
  }
  return {};
}

}  // namespace tallystick::token
