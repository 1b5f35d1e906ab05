// Session: one application's view of a token, with at most one operation of each kind. Calls on one
// session run one after another; calls on different sessions run beside each other.
#pragma once

#include <atomic>
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

  // A signature that is known from the start (3.2).
  Outcome<void> verify_signature_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle,
                                       core::ByteView signature);
  Outcome<void> verify_signature(core::ByteView in);
  Outcome<void> verify_signature_update(core::ByteView in);
  Outcome<void> verify_signature_finish();

  // Message after message under one key (3.0). A message goes in one piece, or is begun and goes in
  // parts of which the last is marked.
  enum class Direction : std::uint8_t { kEncrypt, kDecrypt };
  Outcome<void> messages_start(Direction direction, const CK_MECHANISM* mechanism,
                               CK_OBJECT_HANDLE key_handle);
  Outcome<void> message(Direction direction, const CallParameter& parameter, core::ByteView aad,
                        core::ByteView in, Output out);
  Outcome<void> message_begin(Direction direction, const CallParameter& parameter,
                              core::ByteView aad);
  Outcome<void> message_next(Direction direction, const CallParameter& parameter, core::ByteView in,
                             bool last, Output out);
  Outcome<void> messages_finish(Direction direction);
  Outcome<void> sign_messages_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> sign_message(const CallParameter& parameter, core::ByteView in, Output out);
  Outcome<void> sign_message_begin(const CallParameter& parameter);
  Outcome<void> sign_message_next(const CallParameter& parameter, core::ByteView in);
  Outcome<void> sign_message_last(const CallParameter& parameter, core::ByteView in, Output out);
  Outcome<void> sign_messages_finish();
  Outcome<void> verify_messages_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle);
  Outcome<void> verify_message(const CallParameter& parameter, core::ByteView in,
                               core::ByteView signature);
  Outcome<void> verify_message_begin(const CallParameter& parameter);
  Outcome<void> verify_message_next(const CallParameter& parameter, core::ByteView in);
  Outcome<void> verify_message_last(const CallParameter& parameter, core::ByteView in,
                                    core::ByteView signature);
  Outcome<void> verify_messages_finish();

  // C_GetOperationState, C_SetOperationState: digests into which no key went.
  Outcome<void> save_state(Output ticket);
  Outcome<void> restore_state(core::ByteView ticket, CK_OBJECT_HANDLE encryption_key,
                              CK_OBJECT_HANDLE authentication_key);

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
  Outcome<void> wrap_authenticated(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping_key,
                                   CK_OBJECT_HANDLE key, core::ByteView aad, Output out);
  Outcome<CK_OBJECT_HANDLE> unwrap_authenticated(const CK_MECHANISM& mechanism,
                                                 CK_OBJECT_HANDLE unwrapping_key,
                                                 core::ByteView blob, const Template& wanted,
                                                 core::ByteView aad);
  Outcome<CK_OBJECT_HANDLE> derive(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base_key,
                                   const Template& wanted);
  // Nothing when only the length of the ciphertext was asked for.
  Outcome<std::optional<CK_OBJECT_HANDLE>> encapsulate(const CK_MECHANISM& mechanism,
                                                       CK_OBJECT_HANDLE public_key,
                                                       const Template& wanted, Output ciphertext);
  Outcome<CK_OBJECT_HANDLE> decapsulate(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE private_key,
                                        core::ByteView ciphertext, const Template& wanted);

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
    bool holds_key = false;   // a key's value went in: the state is not given out
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
  // The further key that the parameter names, if it names one.
  Outcome<ObjectPtr> second_key(const Chosen& chosen);
  Outcome<std::vector<FurtherKey>> further_keys(const Chosen& chosen);
  Outcome<CK_OBJECT_HANDLE> keep_with(Request request, Produced produced,
                                      std::span<const FurtherKey> further);
  struct Wrapping {
    Chosen with;
    ObjectPtr key;
  };
  Outcome<Wrapping> choose_wrapping(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping_key,
                                    CK_OBJECT_HANDLE key);
  // `unwrap(const Mechanism&, const UnwrapInput&)` gives what came out.
  template <typename Unwrap>
  Outcome<CK_OBJECT_HANDLE> unwrap_by(const CK_MECHANISM& mechanism,
                                      CK_OBJECT_HANDLE unwrapping_key, core::ByteView blob,
                                      const Template& wanted, Unwrap unwrap);
  Outcome<Parameter> parameter_of(const CK_MECHANISM& mechanism) const;
  // Gives the new object its attributes, keeps it in the session or the token, and its handle.
  Outcome<CK_OBJECT_HANDLE> keep(Request request, Produced produced);
  Outcome<CK_OBJECT_HANDLE> store(Draft draft, ChangeSet also, const ObjectPtr& replaces);
  // All of them or none, in their order; their attributes are decided.
  Outcome<std::vector<CK_OBJECT_HANDLE>> store_all(std::vector<Draft> drafts);
  Outcome<ObjectIndex::Found> store_here(Draft draft);
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

  template <typename T>
  Outcome<T*> permitted(Active<T>& slot) TS_REQUIRES(mutex_);

  // The shape of every call on an operation (session_step.h): C_...Init, then any of the others.
  enum class Step : std::uint8_t { kOnce, kPart, kEnd };
  template <typename T, typename Make>
  Outcome<void> begin(Slot<T> which, const CK_MECHANISM* mechanism, Make make);
  template <typename T, typename Body>
  Outcome<void> run(Slot<T> which, Step step, Body body);
  // What the calls of several kinds of operation have in common.
  template <typename T, typename Offers, typename Make>
  Outcome<void> begin_keyed(Slot<T> which, const CK_MECHANISM* mechanism,
                            CK_OBJECT_HANDLE key_handle, Use use, Offers offers, Make make);
  template <typename T>
  Outcome<void> start(Slot<T> which, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle,
                      Use use, Factory<T> factory);
  template <typename T>
  Outcome<void> feed(Slot<T> which, core::ByteView in);
  template <typename T>
  Outcome<void> sum(Slot<T> which, Step step, core::ByteView in, Output out);
  Outcome<void> cipher(Slot<CipherOperation> which, Step step, core::ByteView in, Output out);

  // What verifies a signature that came first.
  struct KnownSignature {
    std::unique_ptr<VerifyOperation> operation;
    core::Bytes signature;
    Outcome<void> update(core::ByteView in) { return operation->update(in); }
  };

  // Signs or verifies message after message: an operation for each.
  template <typename T>
  struct Repeated {
    Outcome<std::unique_ptr<T>> (*factory)(const OperationInput&);
    Context context;
    Chosen chosen;
    std::unique_ptr<T> current;
    // Makes `current` anew.
    Outcome<void> renew();
  };
  enum class MessageStep : std::uint8_t { kOnce, kBegin, kNext, kLast };
  template <typename T, typename Body>
  Outcome<void> run_message(Slot<T> which, MessageStep step, Body body);
  template <typename T>
  Outcome<void> start_repeated(Slot<Repeated<T>> which, const CK_MECHANISM* mechanism,
                               CK_OBJECT_HANDLE key_handle, Use use, Factory<T> factory);
  template <typename T>
  Outcome<void> begin_repeated(Slot<Repeated<T>> which, const CallParameter& parameter);
  template <typename T>
  Outcome<void> feed_repeated(Slot<Repeated<T>> which, const CallParameter& parameter,
                              core::ByteView in);
  Outcome<void> sign_repeated(MessageStep step, const CallParameter& parameter, core::ByteView in,
                              Output out);
  Outcome<void> verify_repeated(MessageStep step, const CallParameter& parameter, core::ByteView in,
                                core::ByteView signature);
  template <typename T>
  Outcome<void> finish_messages(Slot<T> which);
  static Slot<MessageOperation> messages_of(Direction direction);

  // Ends all operations but searches.
  void end_operations() TS_REQUIRES(mutex_);
  // How many operations are active, searches not counted.
  int active_operations() TS_REQUIRES(mutex_);

  const CK_SESSION_HANDLE handle_;
  const std::shared_ptr<Token> token_;
  const bool read_write_;
  // Whether it ever had an object of its own: most have none, and end without a look at the index.
  std::atomic<bool> owns_objects_{false};

  mutable Mutex mutex_;
  bool closed_ TS_GUARDED_BY(mutex_) = false;
  std::uint64_t begun_ TS_GUARDED_BY(mutex_) = 0;
  Active<CipherOperation> encrypt_ TS_GUARDED_BY(mutex_);
  Active<CipherOperation> decrypt_ TS_GUARDED_BY(mutex_);
  Active<SignOperation> sign_ TS_GUARDED_BY(mutex_);
  Active<VerifyOperation> verify_ TS_GUARDED_BY(mutex_);
  Active<DigestOperation> digest_ TS_GUARDED_BY(mutex_);
  Active<KnownSignature> known_signature_ TS_GUARDED_BY(mutex_);
  Active<MessageOperation> encrypt_messages_ TS_GUARDED_BY(mutex_);
  Active<MessageOperation> decrypt_messages_ TS_GUARDED_BY(mutex_);
  Active<Repeated<SignOperation>> sign_messages_ TS_GUARDED_BY(mutex_);
  Active<Repeated<VerifyOperation>> verify_messages_ TS_GUARDED_BY(mutex_);
  bool finding_ TS_GUARDED_BY(mutex_) = false;
  std::vector<CK_OBJECT_HANDLE> found_ TS_GUARDED_BY(mutex_);
  std::size_t found_next_ TS_GUARDED_BY(mutex_) = 0;
};

}  // namespace tallystick::token
