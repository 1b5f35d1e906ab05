// HMAC with every hash: whole, shortened, and keys for it.
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/mac_operation.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

// What PKCS#11 calls the things that belong to the HMAC of one hash.
struct Names {
  core::Hash hash;
  CK_MECHANISM_TYPE general;
  CK_MECHANISM_TYPE key_gen;
  bool for_managed = false;
};

constexpr auto kNames = std::to_array<Names>({
    {core::Hash::kSha1, CKM_SHA_1_HMAC_GENERAL, CKM_SHA_1_KEY_GEN},
    {core::Hash::kSha224, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_KEY_GEN},
    {core::Hash::kSha256, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_KEY_GEN, true},
    {core::Hash::kSha384, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_KEY_GEN, true},
    {core::Hash::kSha512, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_KEY_GEN, true},
    {core::Hash::kSha512_224, CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_KEY_GEN},
    {core::Hash::kSha512_256, CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_KEY_GEN},
    {core::Hash::kSha3_224, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_KEY_GEN},
    {core::Hash::kSha3_256, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_KEY_GEN},
    {core::Hash::kSha3_384, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_KEY_GEN},
    {core::Hash::kSha3_512, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_KEY_GEN},
});
static_assert(kNames.size() == core::kHashCount);

constexpr CK_ULONG kLargestKey = 4096;

// A shortened MAC copies the same keyed state as the whole one.
template <std::size_t kAt>
Outcome<core::Mac> keyed(const OperationInput& input) {
  return keyed_mac(input, digest_numbers_of(kNames[kAt].hash).hmac, [&input] {
    return core::Mac::hmac(input.context.crypto, kNames[kAt].hash, input.key->value());
  });
}

template <typename Base, typename Operation, std::size_t kAt>
Outcome<std::unique_ptr<Base>> make_hmac(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto mac = keyed<kAt>(input);
  if (!mac) return std::move(mac).error();
  const auto size = mac->size();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(mac), size));
}

template <typename Base, typename Operation, std::size_t kAt>
Outcome<std::unique_ptr<Base>> make_general(const OperationInput& input) {
  auto size = general_length(input.parameter, core::hash_size(kNames[kAt].hash));
  if (!size) return std::move(size).error();
  auto mac = keyed<kAt>(input);
  if (!mac) return std::move(mac).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(mac), *size));
}

template <std::size_t kAt>
Outcome<Produced> generate_key(const GenerateInput& input) {
  return make_secret(input, digest_numbers_of(kNames[kAt].hash).hmac_key, kShortestSecret);
}

Mechanism mechanism_of(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = 1;
  mechanism.max_key_size = kLargestKey;
  mechanism.key_types = {CKK_GENERIC_SECRET, key_type};
  return mechanism;
}

template <std::size_t kAt>
void register_one(MechanismTable& table) {
  const auto& names = kNames[kAt];
  const auto& numbers = digest_numbers_of(names.hash);
  auto hmac = mechanism_of(numbers.hmac, numbers.hmac_key);
  hmac.for_managed = names.for_managed;
  hmac.sign = &make_hmac<SignOperation, MacSign, kAt>;
  hmac.verify = &make_hmac<VerifyOperation, MacVerify, kAt>;
  table.add(std::move(hmac));

  auto general = mechanism_of(names.general, numbers.hmac_key);
  general.sign = &make_general<SignOperation, MacSign, kAt>;
  general.verify = &make_general<VerifyOperation, MacVerify, kAt>;
  table.add(std::move(general));

  auto key_gen = mechanism_of(names.key_gen, numbers.hmac_key);
  key_gen.min_key_size = kShortestSecret;
  key_gen.generate = &generate_key<kAt>;
  table.add(std::move(key_gen));
}

template <std::size_t... kAt>
void register_all(MechanismTable& table, std::index_sequence<kAt...> /*all*/) {
  (register_one<kAt>(table), ...);
}

}  // namespace

void register_hmacs(MechanismTable& table) {
  register_all(table, std::make_index_sequence<kNames.size()>());
}

}  // namespace tallystick::token
