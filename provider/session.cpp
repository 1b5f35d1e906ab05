#include "provider/session.h"

#include <cstring>

#include "provider/epoch.h"
#include "provider/mechanism_names.h"

namespace tallystick::provider {
namespace {

// No answer that the provider asks for is longer; a module that claims more is not believed.
constexpr CK_ULONG kMostAnswer = 16UL * 1024UL * 1024UL;
// Names, ids, public keys, those of ML-DSA, too; certificates may be longer.
constexpr std::size_t kUsualAnswer = 4096;
// More idle sessions than this are closed. A server with more threads opens some anew.
constexpr std::size_t kMostIdle = 64;
// The longest RSA plaintext, of keys of 16384 bits.
constexpr std::size_t kMostPlain = 2048;

// The const of input buffers, which the 2.40 prototypes lack.
CK_BYTE* in(core::ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }
CK_ULONG length(core::ByteView bytes) { return static_cast<CK_ULONG>(bytes.size()); }

}  // namespace

Template readable_secret(std::size_t size) {
  Template made;
  made.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
      .flag(CKA_TOKEN, false)
      .flag(CKA_SENSITIVE, false)
      .flag(CKA_EXTRACTABLE, true)
      .number(CKA_VALUE_LEN, size);
  return made;
}

Session::Session(Session&& other) noexcept
    : module_(other.module_),
      life_(std::move(other.life_)),
      name_(std::move(other.name_)),
      handle_(other.handle_),
      discarded_(other.discarded_) {}

Session::~Session() {
  // One that was begun before a fork is the parent's.
  if (!life_ || life_->epoch != process_epoch() || process_exits()) return;
  if (!discarded_) {
    const std::lock_guard lock(lists_lock());
    if (life_->idle.size() < kMostIdle) {
      life_->idle.push_back(handle_);
      return;
    }
  }
  call(&CK_FUNCTION_LIST::C_CloseSession);
}

Failure Session::failed(const std::string& what, CK_RV rv) {
  // An operation may still be active in it.
  discard();
  return from_rv(Reason::kOperation, name_ + ": " + what, rv);
}

Outcome<std::vector<ObjectHandle>> Session::find(Template& wanted) {
  CK_RV rv = call(&CK_FUNCTION_LIST::C_FindObjectsInit, wanted.data(), wanted.size());
  if (rv != CKR_OK) return failed("search", rv);
  std::vector<ObjectHandle> found;
  std::vector<ObjectHandle> some(64);
  CK_ULONG count = 0;
  do {
    rv = call(&CK_FUNCTION_LIST::C_FindObjects, some.data(), static_cast<CK_ULONG>(some.size()),
              &count);
    if (rv == CKR_OK) {
      found.insert(found.end(), some.begin(), some.begin() + static_cast<long>(count));
    }
  } while (rv == CKR_OK && count > 0);
  call(&CK_FUNCTION_LIST::C_FindObjectsFinal);
  if (rv != CKR_OK) return failed("search", rv);
  return found;
}

// Nearly every value fits at the first call, which far modules are slow at; and p11-kit 0.24 does
// not carry the length of a list of mechanisms alone.
Outcome<core::Bytes> Session::attribute(ObjectHandle object, CK_ATTRIBUTE_TYPE type) {
  core::Bytes value(kUsualAnswer);
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  for (int tries = 0; rv == CKR_BUFFER_TOO_SMALL && tries < 3; ++tries) {
    wanted.pValue = value.data();
    wanted.ulValueLen = static_cast<CK_ULONG>(value.size());
    rv = call(&CK_FUNCTION_LIST::C_GetAttributeValue, object, &wanted, CK_ULONG{1});
    if (rv != CKR_BUFFER_TOO_SMALL) break;
    // Not every module tells the length then.
    wanted.pValue = nullptr;
    wanted.ulValueLen = 0;
    const CK_RV asked = call(&CK_FUNCTION_LIST::C_GetAttributeValue, object, &wanted, CK_ULONG{1});
    if (asked != CKR_OK) return failed("attribute", asked);
    if (wanted.ulValueLen > kMostAnswer) return failed("attribute", CKR_DEVICE_ERROR);
    value.resize(wanted.ulValueLen);
  }
  if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE) return core::Bytes();
  if (rv != CKR_OK) return failed("attribute", rv);
  if (wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION) return core::Bytes();
  if (wanted.ulValueLen > value.size()) return failed("attribute", CKR_DEVICE_ERROR);
  value.resize(wanted.ulValueLen);
  return value;
}

Outcome<core::Secret> Session::take_secret(ObjectHandle object, std::size_t most) {
  core::Secret value(most);
  CK_ATTRIBUTE wanted{CKA_VALUE, value.span().data(), static_cast<CK_ULONG>(value.size())};
  const CK_RV rv = call(&CK_FUNCTION_LIST::C_GetAttributeValue, object, &wanted, CK_ULONG{1});
  if (auto done = destroy(object); !done) return std::move(done).error();
  if (rv != CKR_OK) return failed("value", rv);
  if (wanted.ulValueLen > value.size()) return failed("value", CKR_DEVICE_ERROR);
  value.truncate(wanted.ulValueLen);
  return value;
}

Outcome<CK_ULONG> Session::number(ObjectHandle object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise) {
  auto value = attribute(object, type);
  if (!value) return std::move(value).error();
  if (value->size() == 1) return CK_ULONG{value->front()};
  CK_ULONG number = otherwise;
  if (value->size() == sizeof number) std::memcpy(&number, value->data(), sizeof number);
  return number;
}

Done Session::destroy(ObjectHandle object) {
  const CK_RV rv = call(&CK_FUNCTION_LIST::C_DestroyObject, object);
  if (rv != CKR_OK) return failed("destroy", rv);
  return {};
}

Done Session::authenticate_use(const core::Secret* pin) {
  if (pin == nullptr) return {};
  const CK_RV rv = call(&CK_FUNCTION_LIST::C_Login, CK_USER_TYPE{CKU_CONTEXT_SPECIFIC},
                        in(pin->view()), length(pin->view()));
  if (rv != CKR_OK) return failed("login for this use of the key", rv);
  return {};
}

Outcome<core::Bytes> Session::sign(Mechanism& mechanism, ObjectHandle key, core::ByteView data,
                                   std::size_t longest, const core::Secret* pin) {
  CK_MECHANISM used = mechanism.get();
  const auto what = [&used] { return "sign by " + mechanism_name(used.mechanism); };
  CK_RV rv = call(&CK_FUNCTION_LIST::C_SignInit, &used, key);
  if (rv != CKR_OK) return failed(what(), rv);
  if (auto done = authenticate_use(pin); !done) return std::move(done).error();
  core::Bytes signature(longest);
  auto size = static_cast<CK_ULONG>(signature.size());
  rv = call(&CK_FUNCTION_LIST::C_Sign, in(data), length(data), signature.data(), &size);
  if (rv == CKR_BUFFER_TOO_SMALL && size <= kMostAnswer) {
    signature.resize(size);
    rv = call(&CK_FUNCTION_LIST::C_Sign, in(data), length(data), signature.data(), &size);
  }
  if (rv != CKR_OK) return failed(what(), rv);
  if (size > signature.size()) return failed(what(), CKR_DEVICE_ERROR);
  signature.resize(size);
  return signature;
}

Outcome<core::Secret> Session::decrypt(Mechanism& mechanism, ObjectHandle key, core::ByteView data,
                                       const core::Secret* pin) {
  CK_MECHANISM used = mechanism.get();
  const std::string what = "decrypt by " + mechanism_name(used.mechanism);
  CK_RV rv = call(&CK_FUNCTION_LIST::C_DecryptInit, &used, key);
  if (rv != CKR_OK) return failed(what, rv);
  if (auto done = authenticate_use(pin); !done) return std::move(done).error();
  core::Secret plain(kMostPlain);
  auto size = static_cast<CK_ULONG>(plain.size());
  rv = call(&CK_FUNCTION_LIST::C_Decrypt, in(data), length(data), plain.span().data(), &size);
  if (rv != CKR_OK) return failed(what, rv);
  if (size > plain.size()) return failed(what, CKR_DEVICE_ERROR);
  plain.truncate(size);
  return plain;
}

Outcome<ObjectHandle> Session::derive(Mechanism& mechanism, ObjectHandle base, Template& key) {
  CK_MECHANISM used = mechanism.get();
  ObjectHandle derived = 0;
  const CK_RV rv =
      call(&CK_FUNCTION_LIST::C_DeriveKey, &used, base, key.data(), key.size(), &derived);
  if (rv != CKR_OK) return failed("derive by " + mechanism_name(used.mechanism), rv);
  return derived;
}

Outcome<ObjectHandle> Session::decapsulate(Mechanism& mechanism, ObjectHandle private_key,
                                           core::ByteView ciphertext, Template& key) {
  CK_MECHANISM used = mechanism.get();
  ObjectHandle opened = 0;
  const CK_RV rv = call(&CK_FUNCTION_LIST_3_2::C_DecapsulateKey, &used, private_key, key.data(),
                        key.size(), in(ciphertext), length(ciphertext), &opened);
  if (rv != CKR_OK) return failed("decapsulate by " + mechanism_name(used.mechanism), rv);
  return opened;
}

Outcome<ObjectHandle> Session::generate(Mechanism& mechanism, Template& key) {
  CK_MECHANISM used = mechanism.get();
  ObjectHandle made = 0;
  const CK_RV rv = call(&CK_FUNCTION_LIST::C_GenerateKey, &used, key.data(), key.size(), &made);
  if (rv != CKR_OK) return failed("generate by " + mechanism_name(used.mechanism), rv);
  return made;
}

Outcome<std::pair<ObjectHandle, ObjectHandle>> Session::generate_pair(Mechanism& mechanism,
                                                                      Template& public_key,
                                                                      Template& private_key) {
  CK_MECHANISM used = mechanism.get();
  std::pair<ObjectHandle, ObjectHandle> pair{};
  const CK_RV rv =
      call(&CK_FUNCTION_LIST::C_GenerateKeyPair, &used, public_key.data(), public_key.size(),
           private_key.data(), private_key.size(), &pair.first, &pair.second);
  if (rv != CKR_OK) return failed("generate by " + mechanism_name(used.mechanism), rv);
  return pair;
}

}  // namespace tallystick::provider
