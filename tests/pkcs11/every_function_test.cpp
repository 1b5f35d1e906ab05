// A47: eight threads call every function of the module at once, in sessions of their own and in
// sessions that they share. What comes out depends on who was first; here it matters that nothing
// crashes, hangs or races (the thread sanitizer watches), and that the token is sound afterwards.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 60;

// What all threads work on.
struct Common {
  CK_FUNCTION_LIST_3_2* c;
  CK_SLOT_ID slot;
  CK_SLOT_ID other_slot;  // for what would end everybody's sessions
  std::vector<CK_SESSION_HANDLE> sessions;
  CK_OBJECT_HANDLE aes, kek, carried, base;
  KeyPair pair;
};

// Which functions were called, and which of them have ever succeeded.
class Answers {
 public:
  void add(const char* name, CK_RV rv) {
    const std::lock_guard lock(mutex_);
    called_.insert(name);
    if (rv == CKR_OK) succeeded_.insert(name);
  }
  [[nodiscard]] const std::set<std::string>& called() const { return called_; }
  [[nodiscard]] const std::set<std::string>& succeeded() const { return succeeded_; }

 private:
  std::mutex mutex_;
  std::set<std::string> called_;
  std::set<std::string> succeeded_;
};

// One thread's calls.
class Caller {
 public:
  Caller(const Common& common, Answers& answers, unsigned seed)
      : in_(common), answers_(answers), random_(seed) {
    must(in_.c->C_OpenSession(in_.slot, kReadWrite, nullptr, nullptr, &own_));
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { (void)in_.c->C_CloseSession(own_); }

  // Each kind once, in order, in the session of this thread alone.
  void each() {
    for (const auto kind : kKinds) (this->*kind)();
  }
  // Any kind, now and then in a session that others use, too.
  void any() {
    const auto own = own_;
    if (random_() % 3 == 0) own_ = in_.sessions[random_() % in_.sessions.size()];
    // PINs cost a while on purpose.
    const auto kinds = random_() % 40 == 0 ? kKinds.size() : kKinds.size() - 1;
    (this->*kKinds[random_() % kinds])();
    own_ = own;
  }

 private:
  static constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

  template <typename Function, typename... Arguments>
  bool call(const char* name, Function function, Arguments... arguments) {
    const CK_RV rv = function(arguments...);
    answers_.add(name, rv);
    return rv == CKR_OK;
  }
// The function's name stands in the answers.
#define CALL(function, ...) call(#function, in_.c->function __VA_OPT__(, ) __VA_ARGS__)

  void general();
  void sessions();
  void objects();
  void ciphers();
  void digests();
  void signatures();
  void keys();
  void authenticated_keys();
  void cipher_messages();
  void signed_messages();
  void not_offered();
  void pins();
  static constexpr std::array kKinds = {&Caller::general,
                                        &Caller::sessions,
                                        &Caller::objects,
                                        &Caller::ciphers,
                                        &Caller::digests,
                                        &Caller::signatures,
                                        &Caller::keys,
                                        &Caller::authenticated_keys,
                                        &Caller::cipher_messages,
                                        &Caller::signed_messages,
                                        &Caller::not_offered,
                                        &Caller::pins};

  const Common& in_;
  Answers& answers_;
  std::mt19937 random_;
  CK_SESSION_HANDLE own_ = 0;
  core::Bytes data_ = bytes("sixteen bytes of");
  std::array<CK_BYTE, 512> out_{};
  CK_ULONG size_ = 0;

  CK_ULONG* room() {
    size_ = out_.size();
    return &size_;
  }
};

void Caller::general() {
  CK_INFO info{};
  CALL(C_GetInfo, &info);
  CK_FUNCTION_LIST* list = nullptr;
  CALL(C_GetFunctionList, &list);
  std::array<CK_INTERFACE, 8> interfaces{};
  CK_ULONG count = interfaces.size();
  CALL(C_GetInterfaceList, interfaces.data(), &count);
  CK_INTERFACE* one = nullptr;
  CALL(C_GetInterface, nullptr, nullptr, &one, CK_FLAGS{0});
  std::array<CK_SLOT_ID, 16> slots{};
  count = slots.size();
  CALL(C_GetSlotList, CK_BBOOL{CK_FALSE}, slots.data(), &count);
  CK_SLOT_INFO slot{};
  CALL(C_GetSlotInfo, in_.slot, &slot);
  CK_TOKEN_INFO token{};
  CALL(C_GetTokenInfo, in_.slot, &token);
  std::array<CK_MECHANISM_TYPE, 256> mechanisms{};
  count = mechanisms.size();
  CALL(C_GetMechanismList, in_.slot, mechanisms.data(), &count);
  CK_MECHANISM_INFO mechanism{};
  CALL(C_GetMechanismInfo, in_.slot, CK_MECHANISM_TYPE{CKM_AES_GCM}, &mechanism);
  CK_SLOT_ID event = 0;
  CALL(C_WaitForSlotEvent, CK_FLAGS{CKF_DONT_BLOCK}, &event, nullptr);
  CALL(C_SeedRandom, own_, data_.data(), data_.size());
  CALL(C_GenerateRandom, own_, out_.data(), CK_ULONG{32});
  CK_FLAGS flags = 0;
  CALL(C_GetSessionValidationFlags, own_, CK_ULONG{1}, &flags);
}

void Caller::sessions() {
  CK_SESSION_HANDLE session = 0;
  if (!CALL(C_OpenSession, in_.slot, kReadWrite, nullptr, nullptr, &session)) return;
  CK_SESSION_INFO info{};
  CALL(C_GetSessionInfo, session, &info);
  Mechanism sha(CKM_SHA256);
  CALL(C_DigestInit, session, sha.get());
  CALL(C_SessionCancel, session, CK_FLAGS{CKF_DIGEST});
  CALL(C_CloseSession, session);
}

void Caller::objects() {
  auto wanted = Attributes()
                    .number(CKA_CLASS, CKO_DATA)
                    .flag(CKA_TOKEN, random_() % 2 == 0)
                    .text(CKA_LABEL, "everybody's");
  CK_OBJECT_HANDLE object = 0;
  CK_OBJECT_HANDLE copy = 0;
  if (!CALL(C_CreateObject, own_, wanted.data(), wanted.size(), &object)) return;
  CALL(C_CopyObject, own_, object, nullptr, CK_ULONG{0}, &copy);
  auto change = Attributes().text(CKA_VALUE, "changed");
  CALL(C_SetAttributeValue, own_, object, change.data(), change.size());
  CK_ATTRIBUTE read{CKA_VALUE, out_.data(), out_.size()};
  CALL(C_GetAttributeValue, own_, copy, &read, CK_ULONG{1});
  CALL(C_GetObjectSize, own_, copy, &size_);
  auto pattern = Attributes().text(CKA_LABEL, "everybody's");
  std::array<CK_OBJECT_HANDLE, 4> found{};
  CK_ULONG count = 0;
  CALL(C_FindObjectsInit, own_, pattern.data(), pattern.size());
  CALL(C_FindObjects, own_, found.data(), found.size(), &count);
  CALL(C_FindObjectsFinal, own_);
  CALL(C_DestroyObject, own_, object);
  // Perhaps one that another thread has just made.
  CALL(C_DestroyObject, own_, count != 0 ? found[0] : copy);
  CALL(C_DestroyObject, own_, copy);
}

void Caller::ciphers() {
  Mechanism cbc(CKM_AES_CBC_PAD, core::Bytes(16, 1));
  std::array<CK_BYTE, 64> sealed{};
  CK_ULONG sealed_size = sealed.size();
  CALL(C_EncryptInit, own_, cbc.get(), in_.aes);
  CALL(C_Encrypt, own_, data_.data(), data_.size(), sealed.data(), &sealed_size);
  CALL(C_EncryptInit, own_, cbc.get(), in_.aes);
  CALL(C_EncryptUpdate, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_EncryptFinal, own_, out_.data(), room());
  CALL(C_DecryptInit, own_, cbc.get(), in_.aes);
  CALL(C_Decrypt, own_, sealed.data(), sealed_size, out_.data(), room());
  CALL(C_DecryptInit, own_, cbc.get(), in_.aes);
  CALL(C_DecryptUpdate, own_, sealed.data(), sealed_size, out_.data(), room());
  CALL(C_DecryptFinal, own_, out_.data(), room());
}

void Caller::digests() {
  Mechanism sha(CKM_SHA256);
  CALL(C_DigestInit, own_, sha.get());
  CALL(C_Digest, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_DigestInit, own_, sha.get());
  CALL(C_DigestUpdate, own_, data_.data(), data_.size());
  std::array<CK_BYTE, 256> state{};
  CK_ULONG state_size = state.size();
  CALL(C_GetOperationState, own_, state.data(), &state_size);
  CALL(C_SetOperationState, own_, state.data(), state_size, CK_OBJECT_HANDLE{0},
       CK_OBJECT_HANDLE{0});
  CALL(C_DigestFinal, own_, out_.data(), room());
  CALL(C_DigestInit, own_, sha.get());
  CALL(C_DigestKey, own_, in_.base);
  CALL(C_DigestFinal, own_, out_.data(), room());
}

void Caller::signatures() {
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  std::array<CK_BYTE, 64> signature{};
  CK_ULONG size = signature.size();
  CALL(C_SignInit, own_, ecdsa.get(), in_.pair.private_key);
  CALL(C_Sign, own_, data_.data(), data_.size(), signature.data(), &size);
  CALL(C_VerifyInit, own_, ecdsa.get(), in_.pair.public_key);
  CALL(C_Verify, own_, data_.data(), data_.size(), signature.data(), signature.size());
  CALL(C_SignInit, own_, ecdsa.get(), in_.pair.private_key);
  CALL(C_SignUpdate, own_, data_.data(), data_.size());
  size = signature.size();
  CALL(C_SignFinal, own_, signature.data(), &size);
  CALL(C_VerifyInit, own_, ecdsa.get(), in_.pair.public_key);
  CALL(C_VerifyUpdate, own_, data_.data(), data_.size());
  CALL(C_VerifyFinal, own_, signature.data(), signature.size());
  for (const bool in_parts : {false, true}) {
    CALL(C_VerifySignatureInit, own_, ecdsa.get(), in_.pair.public_key, signature.data(),
         signature.size());
    if (in_parts) {
      CALL(C_VerifySignatureUpdate, own_, data_.data(), data_.size());
      CALL(C_VerifySignatureFinal, own_);
    } else {
      CALL(C_VerifySignature, own_, data_.data(), data_.size());
    }
  }
}

void Caller::keys() {
  Mechanism aes(CKM_AES_KEY_GEN);
  auto wanted = aes_template(32);
  CK_OBJECT_HANDLE key = 0;
  if (CALL(C_GenerateKey, own_, aes.get(), wanted.data(), wanted.size(), &key)) {
    CALL(C_DestroyObject, own_, key);
  }
  Mechanism ec(CKM_EC_KEY_PAIR_GEN);
  auto wanted_public = Attributes().bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256));
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  if (CALL(C_GenerateKeyPair, own_, ec.get(), wanted_public.data(), wanted_public.size(), nullptr,
           CK_ULONG{0}, &public_key, &private_key)) {
    CALL(C_DestroyObject, own_, public_key);
    CALL(C_DestroyObject, own_, private_key);
  }
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  auto secret = Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
  if (CALL(C_WrapKey, own_, kwp.get(), in_.kek, in_.carried, out_.data(), room()) &&
      CALL(C_UnwrapKey, own_, kwp.get(), in_.kek, out_.data(), size_, secret.data(), secret.size(),
           &key)) {
    CALL(C_DestroyObject, own_, key);
  }
  Hkdf hkdf(CKM_SHA256);
  auto derived = Attributes(secret).number(CKA_VALUE_LEN, 32);
  if (CALL(C_DeriveKey, own_, hkdf.get(), in_.base, derived.data(), derived.size(), &key)) {
    CALL(C_DestroyObject, own_, key);
  }
}

void Caller::authenticated_keys() {
  GcmMessage message;
  auto mechanism = message.mechanism();
  auto secret = Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
  CK_OBJECT_HANDLE key = 0;
  if (CALL(C_WrapKeyAuthenticated, own_, &mechanism, in_.kek, in_.carried, data_.data(),
           data_.size(), out_.data(), room()) &&
      CALL(C_UnwrapKeyAuthenticated, own_, &mechanism, in_.kek, out_.data(), size_, secret.data(),
           secret.size(), data_.data(), data_.size(), &key)) {
    CALL(C_DestroyObject, own_, key);
  }
}

void Caller::cipher_messages() {
  CK_MECHANISM gcm{CKM_AES_GCM, nullptr, 0};
  GcmMessage message;
  const auto size = GcmMessage::size();
  std::array<CK_BYTE, 64> sealed{};
  CK_ULONG sealed_size = sealed.size();
  CALL(C_MessageEncryptInit, own_, &gcm, in_.aes);
  CALL(C_EncryptMessage, own_, message.get(), size, nullptr, CK_ULONG{0}, data_.data(),
       data_.size(), sealed.data(), &sealed_size);
  CALL(C_MessageDecryptInit, own_, &gcm, in_.aes);
  CALL(C_DecryptMessage, own_, message.get(), size, nullptr, CK_ULONG{0}, sealed.data(),
       sealed_size, out_.data(), room());
  GcmMessage parts;
  CALL(C_EncryptMessageBegin, own_, parts.get(), size, nullptr, CK_ULONG{0});
  sealed_size = sealed.size();
  CALL(C_EncryptMessageNext, own_, parts.get(), size, data_.data(), data_.size(), sealed.data(),
       &sealed_size, CK_FLAGS{CKF_END_OF_MESSAGE});
  CALL(C_MessageEncryptFinal, own_);
  CALL(C_DecryptMessageBegin, own_, parts.get(), size, nullptr, CK_ULONG{0});
  CALL(C_DecryptMessageNext, own_, parts.get(), size, sealed.data(), sealed_size, out_.data(),
       room(), CK_FLAGS{CKF_END_OF_MESSAGE});
  CALL(C_MessageDecryptFinal, own_);
}

void Caller::signed_messages() {
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  std::array<CK_BYTE, 64> signature{};
  CK_ULONG size = signature.size();
  CALL(C_MessageSignInit, own_, ecdsa.get(), in_.pair.private_key);
  CALL(C_SignMessage, own_, nullptr, CK_ULONG{0}, data_.data(), data_.size(), signature.data(),
       &size);
  CALL(C_SignMessageBegin, own_, nullptr, CK_ULONG{0});
  size = signature.size();
  CALL(C_SignMessageNext, own_, nullptr, CK_ULONG{0}, data_.data(), data_.size(), signature.data(),
       &size);
  CALL(C_MessageSignFinal, own_);
  CALL(C_MessageVerifyInit, own_, ecdsa.get(), in_.pair.public_key);
  CALL(C_VerifyMessage, own_, nullptr, CK_ULONG{0}, data_.data(), data_.size(), signature.data(),
       signature.size());
  CALL(C_VerifyMessageBegin, own_, nullptr, CK_ULONG{0});
  CALL(C_VerifyMessageNext, own_, nullptr, CK_ULONG{0}, data_.data(), data_.size(),
       signature.data(), signature.size());
  CALL(C_MessageVerifyFinal, own_);
}

// They answer that they are not offered, or that there is nothing to do.
void Caller::not_offered() {
  Mechanism rsa(CKM_RSA_PKCS);
  CALL(C_SignRecoverInit, own_, rsa.get(), in_.pair.private_key);
  CALL(C_SignRecover, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_VerifyRecoverInit, own_, rsa.get(), in_.pair.public_key);
  CALL(C_VerifyRecover, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_DigestEncryptUpdate, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_DecryptDigestUpdate, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_SignEncryptUpdate, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_DecryptVerifyUpdate, own_, data_.data(), data_.size(), out_.data(), room());
  CALL(C_GetFunctionStatus, own_);
  CALL(C_CancelFunction, own_);
  std::array<CK_UTF8CHAR, 8> name = {'C', '_', 'S', 'i', 'g', 'n'};
  CALL(C_AsyncComplete, own_, name.data(), nullptr);
  CALL(C_AsyncGetID, own_, name.data(), &size_);
  CALL(C_AsyncJoin, own_, name.data(), CK_ULONG{0}, out_.data(), out_.size());
  // Offered where libcrypto has ML-KEM, and never with keys on a curve.
  Mechanism kem(CKM_ML_KEM);
  CK_OBJECT_HANDLE key = 0;
  CALL(C_EncapsulateKey, own_, kem.get(), in_.pair.public_key, nullptr, CK_ULONG{0}, out_.data(),
       room(), &key);
  CALL(C_DecapsulateKey, own_, kem.get(), in_.pair.private_key, nullptr, CK_ULONG{0}, out_.data(),
       size_, &key);
}

// On a token of their own: the last of these end all its sessions, of whichever thread.
void Caller::pins() {
  std::string so_pin = kSoPin;
  std::string pin = kUserPin;
  const auto text = [](std::string& from) { return reinterpret_cast<CK_UTF8CHAR*>(from.data()); };
  CALL(C_CloseAllSessions, in_.other_slot);
  std::string label(32, ' ');
  CALL(C_InitToken, in_.other_slot, text(so_pin), so_pin.size(), text(label));
  CK_SESSION_HANDLE session = 0;
  if (!CALL(C_OpenSession, in_.other_slot, kReadWrite, nullptr, nullptr, &session)) return;
  CALL(C_Login, session, CK_USER_TYPE{CKU_SO}, text(so_pin), so_pin.size());
  CALL(C_InitPIN, session, text(pin), pin.size());
  CALL(C_SetPIN, session, text(so_pin), so_pin.size(), text(so_pin), so_pin.size());
  CALL(C_Logout, session);
  CALL(C_LoginUser, session, CK_USER_TYPE{CKU_USER}, text(pin), pin.size(), nullptr, CK_ULONG{0});
  CALL(C_Logout, session);
  CALL(C_CloseSession, session);
}

// All but C_Initialize and C_Finalize, which have nobody beside them.
constexpr std::size_t kFunctions = sizeof(CK_FUNCTION_LIST_3_2) / sizeof(void*) - 1 - 2;

const std::set<std::string>& never_succeed() {
  static const std::set<std::string> names = {
      "C_WaitForSlotEvent",  "C_SignRecoverInit",     "C_SignRecover",
      "C_VerifyRecoverInit", "C_VerifyRecover",       "C_DigestEncryptUpdate",
      "C_SignEncryptUpdate", "C_DecryptDigestUpdate", "C_DecryptVerifyUpdate",
      "C_GetFunctionStatus", "C_CancelFunction",      "C_AsyncComplete",
      "C_AsyncGetID",        "C_AsyncJoin",           "C_EncapsulateKey",
      "C_DecapsulateKey"};
  return names;
}

TEST(EveryFunction, A47_IsCalledByEightThreadsAtOnce) {
  TestToken token;
  auto& session = token.session();
  Common common{
      .c = token.module().v32(),
      .slot = token.slot(),
      .other_slot = make_token(token.module(), "other"),
      .sessions = {},
      .aes = generate_aes(session),
      .kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true)),
      .carried = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true)),
      .base = must(session.create(Attributes(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 3)))
                                      .flag(CKA_DERIVE, true)
                                      .flag(CKA_SENSITIVE, false)
                                      .flag(CKA_EXTRACTABLE, true))),
      .pair = generate_ec(session)};
  std::vector<std::unique_ptr<Session>> shared;
  for (int i = 0; i < 3; ++i) {
    shared.push_back(std::make_unique<Session>(token.functions(), token.slot()));
    common.sessions.push_back(shared.back()->handle());
  }

  Answers answers;
  Caller(common, answers, 0).each();
  EXPECT_EQ(answers.called().size(), kFunctions);
  for (const auto& name : answers.called()) {
    EXPECT_EQ(answers.succeeded().contains(name), !never_succeed().contains(name)) << name;
  }

  std::vector<std::thread> threads;
  for (unsigned t = 1; t <= kThreads; ++t) {
    threads.emplace_back([&, t] {
      Caller caller(common, answers, t);
      for (int round = 0; round < kRounds; ++round) caller.any();
    });
  }
  for (auto& thread : threads) thread.join();

  const auto signature =
      must(session.sign(CKM_ECDSA_SHA256, common.pair.private_key, bytes("afterwards")));
  EXPECT_THAT(
      session.verify(CKM_ECDSA_SHA256, common.pair.public_key, bytes("afterwards"), signature),
      IsOk());
  token.restart_and_login();
  EXPECT_THAT(token.session().create(Attributes().number(CKA_CLASS, CKO_DATA)).rv, IsOk());
}

}  // namespace
}  // namespace tallystick::test
