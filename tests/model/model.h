// Model: what a token should answer to a call, and what state it is in afterwards. Written from
// docs/pkcs11.md, docs/threats.md and the standard.
//
// Where a call breaks several rules at once, the standard leaves open which of them the answer
// names: the model gives the set, and any of them is right. Where it breaks one, there is one
// answer; where it breaks none, it must be CKR_OK.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "tests/model/call.h"
#include "tests/model/rule.h"

namespace tallystick::model {

class Verdict {
 public:
  void add(CK_RV fault) { faults_.insert(fault); }
  void add_if(bool broken, CK_RV fault) {
    if (broken) faults_.insert(fault);
  }
  // May be answered beside what else may: where the standard allows it and nothing decides.
  void perhaps(CK_RV fault) { perhaps_.insert(fault); }
  void merge(const Verdict& other);
  [[nodiscard]] bool clean() const { return faults_.empty(); }
  [[nodiscard]] bool allows(CK_RV rv) const;
  [[nodiscard]] bool exact() const { return faults_.size() < 2 && perhaps_.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::set<CK_RV> faults_;
  std::set<CK_RV> perhaps_;
};

// The types of secret keys that calls are made with.
inline bool is_secret_type(CK_KEY_TYPE key_type) {
  return key_type == CKK_AES || key_type == CKK_GENERIC_SECRET || key_type == CKK_HKDF ||
         key_type == CKK_SHA256_HMAC;
}

// What a key is made of. All objects that hold the same have one Value, both halves of a pair too.
struct Value {
  std::optional<Bytes> bytes;  // where the caller has seen it, or given it
  bool shown = false;          // some object has given it away, as its attributes allow
  std::size_t size = 0;
  int encoded = -1;  // of a private key: the value that its PKCS#8 is
};

// Values that whoever attacks brings along begin so; all others are somebody's secret.
constexpr std::uint8_t kKnownMark = 0xAA;
inline bool is_known(const Bytes& bytes) { return !bytes.empty() && bytes[0] == kKnownMark; }

// Which of the token's own things a managed object is; what is no key is fixed.
enum class Managed { kNo, kDevice, kFamily, kFixed, kShare, kMaster, kAsset, kOther };

struct Object {
  Ref ref = 0;
  unsigned slot = 0;
  CK_OBJECT_HANDLE handle = 0;  // 0 while nobody has seen it
  Ref session = 0;              // 0 for token objects
  std::map<CK_ATTRIBUTE_TYPE, Bytes> attributes;
  std::map<CK_ATTRIBUTE_TYPE, Template> arrays;
  std::map<CK_ATTRIBUTE_TYPE, Bytes> seen;  // what the model cannot know, since it was first read
  int value = -1;
  // What the first object of its kind could do; copies take it with them (A01).
  bool has_ciphered = false;
  bool has_wrapped = false;
  Managed managed = Managed::kNo;
  bool role_oem = false;  // of shares and what is derived from them: made here, or taken in
  std::string label;      // of an asset key

  [[nodiscard]] CK_ULONG number(CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] bool flag(CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] CK_OBJECT_CLASS object_class() const { return number(CKA_CLASS); }
  [[nodiscard]] CK_KEY_TYPE key_type() const { return number(CKA_KEY_TYPE); }
  [[nodiscard]] bool on_token() const { return session == 0; }
  [[nodiscard]] bool hides_value() const;
};

struct Operation {
  CK_MECHANISM_TYPE mechanism = 0;
  int value = -1;
  CK_KEY_TYPE key_type = 0;
  bool ends_with_login = false;
  bool wants_pin = false;
  bool took_key = false;
  bool tags_packages = false;  // K_AUTH: nothing but a package of its own
  unsigned order = 0;
};

struct Session {
  Ref ref = 0;
  CK_SESSION_HANDLE handle = 0;
  unsigned slot = 0;
  bool read_write = false;
  std::map<Use, Operation> operations;
  std::optional<std::vector<CK_OBJECT_HANDLE>> found;
};

enum class Login { kNobody, kUser, kSo };

struct Token {
  Login login = Login::kNobody;
  Bytes user_pin;
  Bytes so_pin;
  unsigned user_tries = 0;
  unsigned so_tries = 0;
  bool makes_shares = true;  // what the installed software permits
  bool takes_shares = true;
};

// What a call gave out that later calls take in.
struct Output {
  CK_MECHANISM_TYPE mechanism = 0;
  int key = -1;  // the value that it is under
  Bytes bytes;
  std::optional<Bytes> data;  // what the caller put in
  int wrapped = -1;           // or the value of the key that was wrapped
  bool signature = false;     // and nothing that opens
  bool vouched = false;       // under a key that the SO trusts
};

struct Plan {
  Verdict verdict;
  Object object;  // what is made, where the verdict is clean
};

class Model {
 public:
  static constexpr unsigned kTokens = 2;
  static constexpr unsigned kMostTries = 10;

  Rules rules;
  std::map<Ref, Session> sessions;
  std::map<Ref, Object> objects;  // those that exist
  std::map<Ref, CK_OBJECT_HANDLE> gone;
  std::map<Ref, Output> outputs;
  std::vector<Value> values;
  std::array<Token, kTokens> tokens;
  unsigned begun = 0;  // operations

  [[nodiscard]] bool on(Rule rule) const { return rules.on(rule); }

  // ---- What is there ----
  [[nodiscard]] Session* session(Ref ref);
  // What the session may use; null where its handle is invalid.
  [[nodiscard]] Object* object(const Session& from, Ref ref);
  [[nodiscard]] bool visible(const Object& object) const;
  [[nodiscard]] CK_OBJECT_HANDLE handle(Ref ref) const;
  int new_value(std::size_t size, const std::optional<Bytes>& bytes = std::nullopt);
  // The same for the same name.
  int value_named(const std::string& name, std::size_t size,
                  const std::optional<Bytes>& bytes = std::nullopt);
  // What wrapping the key gives to be encrypted.
  int encoded(const Object& key);
  void show(int value, const Bytes& bytes);
  void keep(Ref ref, CK_OBJECT_HANDLE handle, Object object);
  void forget(Ref ref);

  // ---- Sessions and login (model_sessions.cpp) ----
  Verdict expect_open(const Call& call) const;
  Verdict expect_login(const Call& call, const Session& session) const;
  Verdict expect_init_pin(const Call& call, const Session& session) const;
  Verdict expect_set_pin(const Call& call, const Session& session) const;
  CK_STATE state(const Session& session) const;
  void did_open(const Call& call, CK_SESSION_HANDLE handle);
  void did_close(Ref ref);
  void did_login(const Call& call, Session& session, CK_RV rv);
  void did_set_pin(const Call& call, const Session& session, CK_RV rv);
  void did_init_pin(const Call& call, const Session& session);
  void did_logout(unsigned slot);

  // ---- Objects (model_objects.cpp) ----
  Plan plan_create(const Call& call, const Session& session);
  Plan plan_copy(const Call& call, const Session& session);
  Plan plan_set(const Call& call, const Session& session);
  Verdict expect_destroy(const Call& call, const Session& session);
  // What reading says: CKR_OK with the value, or without one where the model does not know it.
  struct Reading {
    CK_RV rv = CKR_OK;
    std::optional<Bytes> value;
    bool may_be_absent = false;
  };
  Reading read(const Object& object, CK_ATTRIBUTE_TYPE type) const;
  std::vector<CK_OBJECT_HANDLE> matching(unsigned slot, const Template& pattern) const;

  // ---- Keys (model_keys.cpp) ----
  Plan plan_generate(const Call& call, const Session& session);
  std::pair<Plan, Plan> plan_pair(const Call& call, const Session& session);
  Plan plan_unwrap(const Call& call, const Session& session);
  Plan plan_derive(const Call& call, const Session& session);
  Verdict expect_wrap(const Call& call, const Session& session);

  // ---- Operations (model_operations.cpp) ----
  Verdict expect_init(const Call& call, Session& session);
  void did_init(const Call& call, Session& session);
  // The operation, unless it has ended.
  Operation* operation(Session& session, Use use) const;
  struct Run {
    Verdict verdict;
    std::optional<Bytes> data;  // that comes out, where it is known
    std::size_t size = 0;       // of what comes out, where it is known
    bool gives_secret = false;  // what comes out should never have been let in
    int gives = -1;             // the value that comes out
  };
  Run expect_run(const Call& call, Session& session);
  Verdict expect_digest_key(const Call& call, Session& session);

 private:
  std::map<std::string, int> named_;
  void use_faults(const Object* key, Use use, const Call& call, Verdict& verdict) const;
  void wrap_faults(const Object& wrapping, const Object& key, Verdict& verdict) const;
  void vendor_wrap_faults(const Object& wrapping, const Object& key, Verdict& verdict) const;
  Plan plan_share(const Call& call, const Session& session);
  Plan plan_taken_share(const Call& call, const Session& session, const Object* key);
  Plan plan_vendor_derive(const Call& call, const Session& session, const Object* base);
  void lay_changes(Way way, const Object& from, const Call& call, bool so, Plan& plan) const;
};

// What a mechanism does, to what keys.
struct Mechanism {
  CK_MECHANISM_TYPE type;
  std::set<Use> uses;
  std::set<CK_KEY_TYPE> key_types;
};
const Mechanism* mechanism_of(CK_MECHANISM_TYPE type);
// SP 800-57 part 1, table 2.
unsigned strength(const Object& key, const Value& value);

// Faults of a template before anything is made of it.
void reading_faults(const Template& attributes, const Rules& rules, Verdict& verdict);

}  // namespace tallystick::model
