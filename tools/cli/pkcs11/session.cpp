#include "tools/cli/pkcs11/session.h"

#include <cstring>

#include "tools/cli/pkcs11/rv.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kPiece = 64UL * 1024;
// No answer that the commands ask for is longer; a module that claims more is not believed.
constexpr CK_ULONG kMostAnswer = 16UL * 1024UL * 1024UL;

// The const of input buffers, which the 2.40 prototypes lack.
CK_BYTE* in(core::ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }
CK_ULONG length(core::ByteView bytes) { return static_cast<CK_ULONG>(bytes.size()); }

// Asks for the length, then for the bytes.
template <typename Call>
Outcome<core::Bytes> sized_answer(const std::string& what, const Call& call) {
  CK_ULONG size = 0;
  CK_RV rv = call(nullptr, &size);
  if (rv != CKR_OK) return from_rv(what, rv);
  if (size > kMostAnswer) return token_failure(what, "the module's answer is too large");
  core::Bytes out(size);
  rv = call(out.data(), &size);
  if (rv != CKR_OK) return from_rv(what, rv);
  if (size > out.size()) return token_failure(what, "the module overran its answer");
  out.resize(size);
  return out;
}

}  // namespace

Outcome<Session> Session::open(std::shared_ptr<Module> module, const Slot& slot, bool writable) {
  CK_SESSION_HANDLE handle = 0;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0UL);
  const CK_RV rv = module->functions().C_OpenSession(slot.id, flags, nullptr, nullptr, &handle);
  if (rv != CKR_OK) return from_rv("token " + slot.label(), rv);
  return Session(std::move(module), slot, handle);
}

Session::Session(Session&& other) noexcept
    : module_(std::move(other.module_)), slot_(other.slot_), handle_(other.handle_) {}

Session::~Session() {
  if (module_) c().C_CloseSession(handle_);
}

bool Session::logged_in() const {
  CK_SESSION_INFO info{};
  if (c().C_GetSessionInfo(handle_, &info) != CKR_OK) return false;
  return info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS ||
         info.state == CKS_RW_SO_FUNCTIONS;
}

Done Session::login(CK_USER_TYPE user, core::ByteView pin) {
  const CK_RV rv =
      c().C_Login(handle_, user, pin.empty() ? nullptr : in(pin), pin.empty() ? 0 : length(pin));
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return {};
  const bool lost = user == CKU_SO && rv == CKR_PIN_LOCKED;
  return from_rv("login to " + name(), rv,
                 lost ? "nothing frees a security officer's PIN; the user's still serves" : "");
}

Done Session::set_user_pin(core::ByteView pin) {
  const CK_RV rv = c().C_InitPIN(handle_, in(pin), length(pin));
  if (rv != CKR_OK) return from_rv("user PIN of " + name(), rv);
  return {};
}

Done Session::change_pin(core::ByteView old_pin, core::ByteView new_pin) {
  const CK_RV rv =
      c().C_SetPIN(handle_, in(old_pin), length(old_pin), in(new_pin), length(new_pin));
  if (rv != CKR_OK) return from_rv("PIN of " + name(), rv);
  return {};
}

Outcome<std::vector<Handle>> Session::find(Template& wanted) {
  const std::string what = "search in " + name();
  CK_RV rv = c().C_FindObjectsInit(handle_, wanted.data(), wanted.size());
  if (rv != CKR_OK) return from_rv(what, rv);
  std::vector<Handle> found;
  std::vector<Handle> some(64);
  CK_ULONG count = 0;
  do {
    rv = c().C_FindObjects(handle_, some.data(), static_cast<CK_ULONG>(some.size()), &count);
    if (rv == CKR_OK)
      found.insert(found.end(), some.begin(), some.begin() + static_cast<long>(count));
  } while (rv == CKR_OK && count > 0);
  c().C_FindObjectsFinal(handle_);
  if (rv != CKR_OK) return from_rv(what, rv);
  return found;
}

Outcome<core::Bytes> Session::attribute(Handle object, CK_ATTRIBUTE_TYPE type) const {
  const std::string what = "attribute in " + name();
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  CK_RV rv = c().C_GetAttributeValue(handle_, object, &wanted, 1);
  if (rv != CKR_OK) return from_rv(what, rv);
  if (wanted.ulValueLen > kMostAnswer) return token_failure(what, "it has no value");
  core::Bytes value(wanted.ulValueLen);
  wanted.pValue = value.data();
  rv = c().C_GetAttributeValue(handle_, object, &wanted, 1);
  if (rv != CKR_OK) return from_rv(what, rv);
  if (wanted.ulValueLen > value.size()) return token_failure(what, "the module overran its answer");
  value.resize(wanted.ulValueLen);
  return value;
}

Outcome<CK_ULONG> Session::number(Handle object, CK_ATTRIBUTE_TYPE type) const {
  auto value = attribute(object, type);
  if (!value) return std::move(value).error();
  CK_ULONG number = 0;
  if (value->size() != sizeof number) {
    return token_failure("attribute in " + name(), "it is not a number");
  }
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

Outcome<Handle> Session::create(const std::string& what, Template& object) {
  Handle handle = 0;
  const CK_RV rv = c().C_CreateObject(handle_, object.data(), object.size(), &handle);
  if (rv != CKR_OK) return from_rv(what, rv);
  return handle;
}

Done Session::destroy(Handle object) {
  const CK_RV rv = c().C_DestroyObject(handle_, object);
  if (rv != CKR_OK) return from_rv("object in " + name(), rv);
  return {};
}

Outcome<Handle> Session::generate(const std::string& what, Mechanism mechanism, Template& key) {
  CK_MECHANISM used = mechanism.get();
  Handle handle = 0;
  const CK_RV rv = c().C_GenerateKey(handle_, &used, key.data(), key.size(), &handle);
  if (rv != CKR_OK) return from_rv(what, rv);
  return handle;
}

Outcome<std::pair<Handle, Handle>> Session::generate_pair(const std::string& what,
                                                          Mechanism mechanism, Template& public_key,
                                                          Template& private_key) {
  CK_MECHANISM used = mechanism.get();
  std::pair<Handle, Handle> pair{};
  const CK_RV rv =
      c().C_GenerateKeyPair(handle_, &used, public_key.data(), public_key.size(),
                            private_key.data(), private_key.size(), &pair.first, &pair.second);
  if (rv != CKR_OK) return from_rv(what, rv);
  return pair;
}

Outcome<core::Bytes> Session::wrap(const std::string& what, Mechanism mechanism, Handle wrapping,
                                   Handle key) {
  CK_MECHANISM used = mechanism.get();
  return sized_answer(what, [&](CK_BYTE* out, CK_ULONG* size) {
    return c().C_WrapKey(handle_, &used, wrapping, key, out, size);
  });
}

Outcome<std::size_t> Session::wrapped_length(const std::string& what, Mechanism mechanism,
                                             Handle wrapping, Handle key) {
  CK_MECHANISM used = mechanism.get();
  CK_ULONG size = 0;
  const CK_RV rv = c().C_WrapKey(handle_, &used, wrapping, key, nullptr, &size);
  if (rv != CKR_OK) return from_rv(what, rv);
  return static_cast<std::size_t>(size);
}

Outcome<Handle> Session::unwrap(const std::string& what, Mechanism mechanism, Handle unwrapping,
                                core::ByteView blob, Template& key) {
  CK_MECHANISM used = mechanism.get();
  Handle handle = 0;
  const CK_RV rv = c().C_UnwrapKey(handle_, &used, unwrapping, in(blob), length(blob), key.data(),
                                   key.size(), &handle);
  if (rv != CKR_OK) return from_rv(what, rv);
  return handle;
}

Outcome<Handle> Session::derive(const std::string& what, Mechanism mechanism, Handle base,
                                Template& key) {
  CK_MECHANISM used = mechanism.get();
  Handle handle = 0;
  const CK_RV rv = c().C_DeriveKey(handle_, &used, base, key.data(), key.size(), &handle);
  if (rv != CKR_OK) return from_rv(what, rv);
  return handle;
}

Outcome<core::Bytes> Session::sign(const std::string& what, Mechanism mechanism, Handle key,
                                   core::ByteView message) {
  CK_MECHANISM used = mechanism.get();
  const CK_RV rv = c().C_SignInit(handle_, &used, key);
  if (rv != CKR_OK) return from_rv(what, rv);
  return sized_answer(what, [&](CK_BYTE* out, CK_ULONG* size) {
    return c().C_Sign(handle_, in(message), length(message), out, size);
  });
}

Done Session::encrypt(const std::string& what, Mechanism mechanism, Handle key,
                      const Source& source, const Sink& sink) {
  CK_MECHANISM used = mechanism.get();
  CK_RV rv = c().C_EncryptInit(handle_, &used, key);
  if (rv != CKR_OK) return from_rv(what, rv);
  core::Secret plain(kPiece);
  // Room for the seal's prefix and the chunk that a piece may complete.
  core::Bytes sealed(2 * kPiece);
  Done ended;
  for (;;) {
    auto got = source(plain.span());
    if (!got) {
      ended = std::move(got).error();
      break;
    }
    if (*got == 0) break;
    auto size = static_cast<CK_ULONG>(sealed.size());
    rv = c().C_EncryptUpdate(handle_, plain.span().data(), static_cast<CK_ULONG>(*got),
                             sealed.data(), &size);
    if (rv != CKR_OK) return from_rv(what, rv);
    if (ended = sink(core::ByteView(sealed).first(size)); !ended) break;
  }
  // Also after an error of ours: it ends the operation in the token.
  auto size = static_cast<CK_ULONG>(sealed.size());
  rv = c().C_EncryptFinal(handle_, sealed.data(), &size);
  if (!ended) return ended;
  if (rv != CKR_OK) return from_rv(what, rv);
  return sink(core::ByteView(sealed).first(size));
}

Outcome<bool> Session::verify(const std::string& what, Mechanism mechanism, Handle key,
                              core::ByteView prefix, const Source& source,
                              core::ByteView signature) {
  CK_MECHANISM used = mechanism.get();
  CK_RV rv = c().C_VerifyInit(handle_, &used, key);
  if (rv != CKR_OK) return from_rv(what, rv);
  rv = c().C_VerifyUpdate(handle_, in(prefix), length(prefix));
  core::Secret piece(kPiece);
  Done ended;
  while (rv == CKR_OK) {
    auto got = source(piece.span());
    if (!got) {
      ended = std::move(got).error();
      break;
    }
    if (*got == 0) break;
    rv = c().C_VerifyUpdate(handle_, piece.span().data(), static_cast<CK_ULONG>(*got));
  }
  if (rv != CKR_OK) return from_rv(what, rv);
  rv = c().C_VerifyFinal(handle_, in(signature), length(signature));
  if (!ended) return std::move(ended).error();
  if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE) return false;
  if (rv != CKR_OK) return from_rv(what, rv);
  return true;
}

}  // namespace tallystick::cli
