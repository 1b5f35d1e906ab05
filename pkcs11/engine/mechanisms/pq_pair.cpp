#include "pkcs11/engine/mechanisms/pq_pair.h"

#include <algorithm>

#include "pkcs11/engine/keys/pq_key.h"

namespace tallystick::token {
namespace {

template <CK_KEY_TYPE kKeyType>
Outcome<ProducedPair> generate_pair(const GeneratePairInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto number = input.wanted_public.number(CKA_PARAMETER_SET);
  if (!number) return std::move(number).error();
  if (!*number) {
    number = input.wanted_private.number(CKA_PARAMETER_SET);
    if (!number) return std::move(number).error();
  }
  if (!*number) return incomplete_template("CKA_PARAMETER_SET is missing");
  auto set = find_parameter_set(kKeyType, **number);
  if (!set) return std::move(set).error();
  auto key = generate_pq_key(input.context.crypto, **set);
  if (!key) return std::move(key).error();
  return pq_pair_drafts(kKeyType, *key);
}

}  // namespace

Mechanism pq_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = ~CK_ULONG{0};
  for (const auto& set : parameter_sets()) {
    if (set.key_type != key_type) continue;
    mechanism.min_key_size = std::min<CK_ULONG>(mechanism.min_key_size, set.public_size);
    mechanism.max_key_size = std::max<CK_ULONG>(mechanism.max_key_size, set.public_size);
  }
  mechanism.key_types = {key_type};
  return mechanism;
}

Mechanism pq_pair_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  auto mechanism = pq_mechanism(type, key_type);
  switch (key_type) {
    case CKK_ML_KEM:
      mechanism.generate_pair = &generate_pair<CKK_ML_KEM>;
      break;
    case CKK_ML_DSA:
      mechanism.generate_pair = &generate_pair<CKK_ML_DSA>;
      break;
    default:
      mechanism.generate_pair = &generate_pair<CKK_SLH_DSA>;
      break;
  }
  return mechanism;
}

}  // namespace tallystick::token
