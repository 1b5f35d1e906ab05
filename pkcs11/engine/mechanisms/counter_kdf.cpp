// The KDF in counter mode of SP 800-108 with HMAC or AES-CMAC (PKCS#11 3.0, CKM_SP800_108_*).
//
// The caller says what goes into each MAC and in which order: the counter, the length of what is
// derived, bytes of his own. libcrypto's KDF knows one order only, so that the MACs are run here.
#include <algorithm>
#include <variant>

#include "core/crypto/mac.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr CK_ULONG kMostParts = 64;
constexpr CK_ULONG kMostKeys = 64;
// Of all byte arrays together.
constexpr std::size_t kMostBytes = 64UL << 10;
constexpr CK_ULONG kLargestKey = 4096;

// A number as it stands in the input of a MAC.
struct NumberFormat {
  bool little_endian = false;
  std::size_t size = 0;  // bytes
};

struct Counter {
  NumberFormat format;
};
struct Length {
  NumberFormat format;
  bool of_segments = false;  // whole MACs, or the keys alone
};
using Part = std::variant<Counter, Length, core::Bytes>;

struct CounterKdf {
  CK_MECHANISM_TYPE prf = 0;
  std::vector<Part> parts;
};

Outcome<NumberFormat> number_format(CK_BBOOL little_endian, CK_ULONG bits, CK_ULONG most) {
  if (little_endian > CK_TRUE) return bad_parameter("a boolean that is neither true nor false");
  if (bits == 0 || bits > most || bits % 8 != 0) return bad_parameter("a number of no such width");
  return NumberFormat{little_endian == CK_TRUE, bits / 8};
}

// False where the number is wider than its place.
bool put_number(const NumberFormat& format, std::uint64_t number, core::Bytes& out) {
  core::Bytes bytes(format.size);
  for (std::size_t i = 0; i < format.size; ++i) {
    bytes[format.little_endian ? i : format.size - 1 - i] = static_cast<std::uint8_t>(number);
    number >>= 8U;
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
  return number == 0;
}

template <typename T>
Outcome<T> structure_in(const CK_PRF_DATA_PARAM& param) {
  if (param.pValue == nullptr || param.ulValueLen != sizeof(T)) {
    return bad_parameter("not the size of the data field");
  }
  T out;
  std::memcpy(&out, param.pValue, sizeof out);
  return out;
}

// `room` is what byte arrays may still take.
Outcome<Part> part_in(const CK_PRF_DATA_PARAM& param, std::size_t& room) {
  switch (param.type) {
    case CK_SP800_108_ITERATION_VARIABLE: {
      auto wanted = structure_in<CK_SP800_108_COUNTER_FORMAT>(param);
      if (!wanted) return std::move(wanted).error();
      auto format = number_format(wanted->bLittleEndian, wanted->ulWidthInBits, 32);
      if (!format) return std::move(format).error();
      return Part(Counter{*format});
    }
    case CK_SP800_108_DKM_LENGTH: {
      auto wanted = structure_in<CK_SP800_108_DKM_LENGTH_FORMAT>(param);
      if (!wanted) return std::move(wanted).error();
      auto format = number_format(wanted->bLittleEndian, wanted->ulWidthInBits, 64);
      if (!format) return std::move(format).error();
      const bool of_segments = wanted->dkmLengthMethod == CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS;
      if (!of_segments && wanted->dkmLengthMethod != CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS) {
        return bad_parameter("not one of the lengths");
      }
      return Part(Length{*format, of_segments});
    }
    case CK_SP800_108_BYTE_ARRAY: {
      auto bytes = copy_memory(param.pValue, param.ulValueLen, room);
      if (!bytes) return std::move(bytes).error();
      room -= bytes->size();
      return Part(*std::move(bytes));
    }
    default:
      return bad_parameter("a data field that the counter mode does not have");
  }
}

template <typename T>
std::ptrdiff_t count_of(const std::vector<Part>& parts) {
  return std::ranges::count_if(parts,
                               [](const Part& part) { return std::holds_alternative<T>(part); });
}

Outcome<CounterKdf> counter_kdf_in(const Parameter& parameter) {
  auto params = parameter.as<CK_SP800_108_KDF_PARAMS>();
  if (!params) return std::move(params).error();
  auto fields = copy_array(params->pDataParams, params->ulNumberOfDataParams, kMostParts);
  if (!fields) return std::move(fields).error();
  CounterKdf kdf;
  kdf.prf = params->prfType;
  std::size_t room = kMostBytes;
  for (const auto& field : *fields) {
    auto part = part_in(field, room);
    if (!part) return std::move(part).error();
    kdf.parts.push_back(*std::move(part));
  }
  if (count_of<Counter>(kdf.parts) != 1) return bad_parameter("one counter, neither none nor more");
  if (count_of<Length>(kdf.parts) > 1) return bad_parameter("more than one length");
  return kdf;
}

Outcome<std::vector<FurtherKey>> further_keys(const Parameter& parameter) {
  auto params = parameter.as<CK_SP800_108_KDF_PARAMS>();
  if (!params) return std::move(params).error();
  auto keys =
      copy_array(params->pAdditionalDerivedKeys, params->ulAdditionalDerivedKeys, kMostKeys);
  if (!keys) return std::move(keys).error();
  std::vector<FurtherKey> out;
  for (const auto& key : *keys) {
    if (key.phKey == nullptr) return bad_parameter("a key without a place for its handle");
    auto attributes = copy_array(key.pTemplate, key.ulAttributeCount, Template::kMaxAttributes);
    if (!attributes) return std::move(attributes).error();
    FurtherKey further{{}, key.phKey};
    auto wanted = Template::read(attributes->data(), attributes->size());
    if (!wanted) return further.refused(std::move(wanted).error());
    further.wanted = *std::move(wanted);
    out.push_back(std::move(further));
  }
  return out;
}

// The MAC under the base key; each goes with keys of its own types.
Outcome<core::Mac> keyed_prf(const core::Crypto& crypto, CK_MECHANISM_TYPE prf, const Object& key) {
  const auto type = key.key_type();
  const auto hash = any_hash_with(&DigestNumbers::hmac, prf);
  if (!hash && prf != CKM_AES_CMAC) return bad_parameter("a MAC that is not offered");
  const bool fits = hash ? type == CKK_GENERIC_SECRET || type == digest_numbers_of(*hash).hmac_key
                         : type == CKK_AES;
  if (!fits) return wrong_key_type("the MAC does not work with this key");
  auto mac =
      hash ? core::Mac::hmac(crypto, *hash, key.value()) : core::Mac::cmac(crypto, key.value());
  if (!mac) return from_core(mac.error(), CKR_FUNCTION_FAILED);
  return *std::move(mac);
}

Outcome<WantedKey> wanted_key(const Template& wanted) {
  auto key = wanted_secret(wanted);
  if (key && !key->length) return incomplete_template("CKA_VALUE_LEN is missing");
  return key;
}

// What the MACs of one call have in common.
struct Run {
  const core::Mac& prf;
  const std::vector<Part>& parts;
  std::uint64_t keys_bits = 0;
  std::uint64_t segments_bits = 0;
};

Outcome<void> segment(const Run& run, std::uint64_t counter, core::MutableByteView out) {
  core::Bytes input;
  for (const auto& part : run.parts) {
    bool fits = true;
    if (const auto* const at = std::get_if<Counter>(&part)) {
      fits = put_number(at->format, counter, input);
    } else if (const auto* const length = std::get_if<Length>(&part)) {
      fits = put_number(length->format, length->of_segments ? run.segments_bits : run.keys_bits,
                        input);
    } else {
      const auto& bytes = std::get<core::Bytes>(part);
      input.insert(input.end(), bytes.begin(), bytes.end());
    }
    if (!fits) return bad_parameter("a counter or length wider than its place");
  }
  auto mac = run.prf.copy();
  if (!mac) return from_core(mac.error(), CKR_FUNCTION_FAILED);
  if (auto fed = mac->update(input); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
  if (auto done = mac->finish(out); !done) return from_core(done.error(), CKR_FUNCTION_FAILED);
  return {};
}

// Each key takes whole segments: what is left of its last one is nobody's.
Outcome<Produced> derive(const DeriveInput& input) {
  auto kdf = counter_kdf_in(input.parameter);
  if (!kdf) return std::move(kdf).error();
  auto prf = keyed_prf(input.context.crypto, kdf->prf, *input.base_key);
  if (!prf) return std::move(prf).error();
  auto first = wanted_key(input.wanted);
  if (!first) return std::move(first).error();
  std::vector<WantedKey> wanted = {*first};
  for (const auto& further : input.further) {
    auto key = wanted_key(further.wanted);
    if (!key) return further.refused(std::move(key).error());
    wanted.push_back(*key);
  }
  const auto segments_of = [&](const WantedKey& key) {
    return (*key.length + prf->size() - 1) / prf->size();
  };
  Run run{*prf, kdf->parts};
  for (const auto& key : wanted) {
    run.keys_bits += 8 * *key.length;
    run.segments_bits += 8 * prf->size() * segments_of(key);
  }
  Produced produced;
  std::uint64_t counter = 0;
  for (const auto& key : wanted) {
    core::Secret value(segments_of(key) * prf->size());
    for (std::size_t at = 0; at < value.size(); at += prf->size()) {
      auto made = segment(run, ++counter, value.span().subspan(at, prf->size()));
      if (!made) return std::move(made).error();
    }
    value.truncate(*key.length);
    auto secret = secret_of(key.type, std::move(value));
    if (!secret) return secret;
    if (&key == &wanted.front()) {
      produced.object = std::move(secret->object);
    } else {
      produced.further.push_back(std::move(secret->object));
    }
  }
  return produced;
}

}  // namespace

void register_counter_kdf(MechanismTable& table) {
  Mechanism mechanism;
  mechanism.type = CKM_SP800_108_COUNTER_KDF;
  mechanism.min_key_size = 1;
  mechanism.max_key_size = kLargestKey;
  mechanism.key_types = {CKK_GENERIC_SECRET, CKK_AES};
  for (const auto& hash : kDigestNumbers) mechanism.key_types.push_back(hash.hmac_key);
  mechanism.further_keys = &further_keys;
  mechanism.derive = &derive;
  table.add(std::move(mechanism));
}

}  // namespace tallystick::token
