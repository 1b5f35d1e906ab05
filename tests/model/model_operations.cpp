// The model: encryption, decryption, signatures, digests.
#include <algorithm>

#include "tests/model/model.h"

namespace tallystick::model {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kOaepOverhead = 42;  // with SHA-1
constexpr std::size_t kPkcs1Overhead = 11;
constexpr std::size_t kMostOfHash = 512;

// What encryption of so many bytes gives; nothing where they are too many or too few.
std::optional<std::size_t> encrypted_size(const Operation& operation, std::size_t size,
                                          std::size_t modulus) {
  switch (operation.mechanism) {
    case CKM_AES_GCM:
      return size + kTag;
    case CKM_AES_CBC_PAD:
      return size / kBlock * kBlock + kBlock;
    case CKM_AES_KEY_WRAP:
      if (size % 8 != 0 || size < kBlock) return std::nullopt;
      return size + 8;
    case CKM_AES_KEY_WRAP_KWP:
      if (size == 0) return std::nullopt;
      return (size + 7) / 8 * 8 + 8;
    case CKM_RSA_PKCS_OAEP:
      if (size + kOaepOverhead > modulus) return std::nullopt;
      return modulus;
    case CKM_RSA_PKCS:
      if (size + kPkcs1Overhead > modulus) return std::nullopt;
      return modulus;
    default:
      return std::nullopt;
  }
}

std::size_t signature_size(const Operation& operation, std::size_t modulus) {
  switch (operation.mechanism) {
    case CKM_AES_CMAC:
      return kBlock;
    case CKM_SHA256_HMAC:
      return 32;
    case CKM_RSA_PKCS:
      return modulus;
    default:
      return 64;
  }
}

// ECDSA signs the number in the leftmost bits of its input, as many as the curve's order has (FIPS
// 186-5, 6.4.1): what comes behind them and zeros in front make no difference.
Bytes signed_part(CK_MECHANISM_TYPE mechanism, Bytes data) {
  constexpr std::size_t kOrder = 32;
  if (mechanism != CKM_ECDSA) return data;
  data.resize(std::min(data.size(), kOrder));
  data.erase(data.begin(), std::ranges::find_if(data, [](std::uint8_t byte) { return byte != 0; }));
  return data;
}

bool takes(const Operation& operation, std::size_t size, std::size_t modulus) {
  if (operation.mechanism == CKM_ECDSA) return size >= 1 && size <= kMostOfHash;
  // A padding around nothing is nobody's signature; the standard does not say.
  if (operation.mechanism == CKM_RSA_PKCS) return size >= 1 && size + kPkcs1Overhead <= modulus;
  return true;
}

}  // namespace

Operation* Model::operation(Session& session, Use use) const {
  const auto at = session.operations.find(use);
  return at == session.operations.end() ? nullptr : &at->second;
}

Verdict Model::expect_init(const Call& call, Session& session) {
  Verdict verdict;
  if (call.shape == Shape::kNullPointer) return verdict;  // no mechanism: what runs is ended
  verdict.add_if(operation(session, call.use) != nullptr && on(Rule::kOneOperation),
                 CKR_OPERATION_ACTIVE);
  if (call.use == Use::kDigest) {
    verdict.add_if(call.mechanism != CKM_SHA256, CKR_MECHANISM_INVALID);
    verdict.add_if(call.shape == Shape::kBadParameter, CKR_MECHANISM_PARAM_INVALID);
    return verdict;
  }
  use_faults(object(session, call.object), call.use, call, verdict);
  return verdict;
}

void Model::did_init(const Call& call, Session& session) {
  if (call.shape == Shape::kNullPointer) {
    session.operations.erase(call.use);
    return;
  }
  Operation made;
  made.mechanism = call.mechanism;
  made.order = ++begun;
  if (const auto* const key = object(session, call.object)) {
    if (call.use != Use::kDigest) {
      made.value = key->value;
      made.key_type = key->key_type();
      made.tags_packages = key->managed == Managed::kAsset && key->label == "TS1/AUTH";
      made.ends_with_login = key->flag(CKA_PRIVATE);
      made.wants_pin = key->flag(CKA_ALWAYS_AUTHENTICATE) && on(Rule::kWantsPin);
    }
  }
  session.operations[call.use] = made;
}

Model::Run Model::expect_run(const Call& call, Session& session) {
  Run run;
  auto& verdict = run.verdict;
  const auto* const active = operation(session, call.use);
  verdict.add_if(active == nullptr, CKR_OPERATION_NOT_INITIALIZED);
  verdict.add_if(active != nullptr && active->wants_pin, CKR_USER_NOT_LOGGED_IN);
  if (!verdict.clean()) return run;
  const auto modulus =
      active->value < 0 ? 0 : values.at(static_cast<std::size_t>(active->value)).size;
  const auto given = outputs.find(call.blob);
  const auto size = call.bytes.size();
  switch (call.use) {
    case Use::kEncrypt: {
      const auto out = encrypted_size(*active, size, modulus);
      verdict.add_if(!out, CKR_DATA_LEN_RANGE);
      run.size = out.value_or(0);
      break;
    }
    case Use::kDecrypt: {
      const bool opens = given != outputs.end() && !given->second.signature &&
                         given->second.mechanism == active->mechanism &&
                         given->second.key == active->value && call.shape != Shape::kTampered;
      if (!opens) {
        verdict.add(CKR_ENCRYPTED_DATA_INVALID);
        verdict.perhaps(CKR_ENCRYPTED_DATA_LEN_RANGE);
        // One padding in 256 is right by chance.
        if (active->mechanism == CKM_AES_CBC_PAD) verdict.perhaps(CKR_OK);
        return run;
      }
      run.data = given->second.data;
      run.gives = given->second.wrapped;
      if (run.gives >= 0) {
        const auto& value = values.at(static_cast<std::size_t>(run.gives));
        run.gives_secret = !value.shown && !given->second.vouched;
        run.data = value.bytes;
      }
      return run;
    }
    case Use::kSign:
      verdict.add_if(active->tags_packages, CKR_DATA_INVALID);
      verdict.add_if(!takes(*active, size, modulus), CKR_DATA_LEN_RANGE);
      run.size = signature_size(*active, modulus);
      break;
    case Use::kVerify: {
      const bool holds = given != outputs.end() && given->second.signature &&
                         given->second.mechanism == active->mechanism &&
                         given->second.key == active->value && given->second.data &&
                         signed_part(active->mechanism, *given->second.data) ==
                             signed_part(active->mechanism, call.bytes) &&
                         call.shape != Shape::kTampered;
      if (!takes(*active, size, modulus)) verdict.add(CKR_DATA_LEN_RANGE);
      if (!holds) {
        verdict.add(CKR_SIGNATURE_INVALID);
        verdict.perhaps(CKR_SIGNATURE_LEN_RANGE);
      }
      return run;
    }
    default:
      run.size = 32;
      break;
  }
  if (call.shape == Shape::kTooSmall) {
    if (verdict.clean()) {
      verdict.add(CKR_BUFFER_TOO_SMALL);
    } else {
      verdict.perhaps(CKR_BUFFER_TOO_SMALL);
    }
  }
  // Asking for a length need not look at the data.
  if (call.shape == Shape::kLengthOnly && !verdict.clean()) verdict.perhaps(CKR_OK);
  return run;
}

Verdict Model::expect_digest_key(const Call& call, Session& session) {
  Verdict verdict;
  verdict.add_if(operation(session, Use::kDigest) == nullptr, CKR_OPERATION_NOT_INITIALIZED);
  const auto* const key = object(session, call.object);
  verdict.add_if(key == nullptr, CKR_KEY_HANDLE_INVALID);
  if (key == nullptr) return verdict;
  verdict.add_if(
      key->object_class() != CKO_SECRET_KEY || (key->hides_value() && on(Rule::kDigestReadable)),
      CKR_KEY_INDIGESTIBLE);
  return verdict;
}

}  // namespace tallystick::model
