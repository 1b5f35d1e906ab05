// Session: one application's view of a token, with at most one operation of each kind. Calls on one
// session run one after another; calls on different sessions run beside each other.
#pragma once

#include <vector>

#include "pkcs11/engine/output.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {

class Session {
 public:
  Session(CK_SESSION_HANDLE handle, std::shared_ptr<Token> token, bool read_write);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  [[nodiscard]] bool read_write() const { return read_write_; }
  [[nodiscard]] Token& token() { return *token_; }
  [[nodiscard]] CK_STATE state() const;
  // Drops its session objects and operations; later calls find it closed.
  void close();

  // With CKU_CONTEXT_SPECIFIC the user's PIN lets the operation go on that was begun last with a
  // key that wants it each time.
  Outcome<void> login(CK_USER_TYPE user, core::ByteView pin);
  Outcome<void> logout();
  Outcome<void> init_pin(core::ByteView pin);
  Outcome<void> set_pin(core::ByteView old_pin, core::ByteView new_pin);
  // C_SessionCancel: ends the operations that the CKF_ bits name.
  Outcome<void> cancel(CK_FLAGS flags);

  // Objects.
  Outcome<CK_OBJECT_HANDLE> create(const Template& wanted);
  Outcome<CK_OBJECT_HANDLE> copy(CK_OBJECT_HANDLE handle, const Template& wanted);
  Outcome<void> destroy(CK_OBJECT_HANDLE handle);
  Outcome<CK_ULONG> object_size(CK_OBJECT_HANDLE handle);
  // Fills the caller's array as C_GetAttributeValue does.
  Outcome<void> get_attributes(CK_OBJECT_HANDLE handle, std::span<CK_ATTRIBUTE> attributes);
  Outcome<void> set_attributes(CK_OBJECT_HANDLE handle, const Template& wanted);
  Outcome<void> find_start(const Template& pattern);
  Outcome<std::size_t> find_next(std::span<CK_OBJECT_HANDLE> out);
  Outcome<void> find_end();

  // Operations. A null mechanism ends the active one (3.0).
  Outcome<void> encrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> encrypt(core::ByteView in, Output out);
  Outcome<void> encrypt_update(core::ByteView in, Output out);
  Outcome<void> encrypt_finish(Output out);
  Outcome<void> decrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> decrypt(core::ByteView in, Output out);
  Outcome<void> decrypt_update(core::ByteView in, Output out);
  Outcome<void> decrypt_finish(Output out);
  Outcome<void> digest_start(const CK_MECHANISM* mechanism);
  Outcome<void> digest(core::ByteView in, Output out);
  Outcome<void> digest_update(core::ByteView in);
  Outcome<void> digest_key(CK_OBJECT_HANDLE key_handle);
  Outcome<void> digest_finish(Output out);
  Outcome<void> sign_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> sign(core::ByteView in, Output out);
  Outcome<void> sign_update(core::ByteView in);
  Outcome<void> sign_finish(Output out);
  Outcome<void> verify_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> verify(core::ByteView in, core::ByteView signature);
  Outcome<void> verify_update(core::ByteView in);
  Outcome<void> verify_finish(core::ByteView signature);

  // Keys.
  Outcome<CK_OBJECT_HANDLE> generate(const CK_MECHANISM& mechanism, const Template& wanted);
  struct Pair {
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
  };
  Outcome<Pair> generate_pair(const CK_MECHANISM& mechanism, const Template& wanted_public,
                              const Template& wanted_private);
  Outcome<void> wrap(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping_key,
                     CK_OBJECT_HANDLE key, Output out);
  Outcome<CK_OBJECT_HANDLE> unwrap(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                   core::ByteView blob, const Template& wanted);
  Outcome<CK_OBJECT_HANDLE> derive(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base_key,
                                   const Template& wanted);

  Outcome<void> random(core::MutableByteView out);
  Outcome<void> seed_random(core::ByteView seed);

 private:
  // An operation with what it was begun under.
  template <typename T>
  struct Active {
    std::unique_ptr<T> operation;
    std::uint64_t login_epoch = 0;  // 0: the key is public, a logout does not end it
    bool in_parts = false;
    bool wants_pin = false;   // nothing is done before C_Login(CKU_CONTEXT_SPECIFIC)
    std::uint64_t order = 0;  // rises with every C_...Init of the session
  };

  [[nodiscard]] Caller caller() const;
  // The object behind a handle, if the login may see it; `rv` is what a stale handle answers.
  Outcome<ObjectPtr> object(CK_OBJECT_HANDLE handle, CK_RV rv = CKR_OBJECT_HANDLE_INVALID);
  struct Chosen {
    const Mechanism* mechanism;
    Parameter parameter;
    ObjectPtr key;
  };
  Outcome<Chosen> choose(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key_handle, Use use,
                         CK_RV bad_handle = CKR_KEY_HANDLE_INVALID);
  Outcome<Parameter> parameter_of(const CK_MECHANISM& mechanism) const;
  // Gives the new object its attributes, keeps it in the session or the token, and its handle.
  Outcome<CK_OBJECT_HANDLE> keep(Request request, Produced produced);
  Outcome<CK_OBJECT_HANDLE> store(Draft draft, ChangeSet also, const ObjectPtr& replaces);
  Outcome<void> open_check() const TS_REQUIRES(mutex_);
  Outcome<void> login_for_operation(core::ByteView pin);

  // Which of the operations below, so that it is touched only under the lock.
  template <typename T>
  using Slot = Active<T> Session::*;
  template <typename T>
  using Factory = Outcome<std::unique_ptr<T>> (*Mechanism::*)(const OperationInput&);
  template <typename T>
  Outcome<T*> active(Active<T>& slot) TS_REQUIRES(mutex_);
  struct Waiting {
    bool* wants_pin = nullptr;
    std::uint64_t order = 0;
  };
  template <typename T>
  void find_waiting(Active<T>& slot, Waiting& latest) TS_REQUIRES(mutex_);

  // The shape of every call on an operation (session_step.h): C_...Init, then any of the others.
  enum class Step : std::uint8_t { kOnce, kPart, kEnd };
  template <typename T, typename Make>
  Outcome<void> begin(Slot<T> which, const CK_MECHANISM* mechanism, Make make);
  template <typename T, typename Body>
  Outcome<void> run(Slot<T> which, Step step, Body body);
  // What the calls of several kinds of operation have in common.
  template <typename T>
  Outcome<void> start(Slot<T> which, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle,
                      Use use, Factory<T> factory);
  template <typename T>
  Outcome<void> feed(Slot<T> which, core::ByteView in);
  template <typename T>
  Outcome<void> sum(Slot<T> which, Step step, core::ByteView in, Output out);
  Outcome<void> cipher(Slot<CipherOperation> which, Step step, core::ByteView in, Output out);

  const CK_SESSION_HANDLE handle_;
  const std::shared_ptr<Token> token_;
  const bool read_write_;

  mutable Mutex mutex_;
  bool closed_ TS_GUARDED_BY(mutex_) = false;
  std::uint64_t begun_ TS_GUARDED_BY(mutex_) = 0;
  Active<CipherOperation> encrypt_ TS_GUARDED_BY(mutex_);
  Active<CipherOperation> decrypt_ TS_GUARDED_BY(mutex_);
  Active<SignOperation> sign_ TS_GUARDED_BY(mutex_);
  Active<VerifyOperation> verify_ TS_GUARDED_BY(mutex_);
  Active<DigestOperation> digest_ TS_GUARDED_BY(mutex_);
  bool finding_ TS_GUARDED_BY(mutex_) = false;
  std::vector<CK_OBJECT_HANDLE> found_ TS_GUARDED_BY(mutex_);
  std::size_t found_next_ TS_GUARDED_BY(mutex_) = 0;
};

}  // namespace tallystick::token
