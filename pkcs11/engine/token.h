// Token: what is in one slot, initialised or not, as one process sees it: the login, the objects,
// the store behind them. Everything here may be called from any thread. No operation with a key
// runs under a lock; a login hashes its PIN under login_mutex_, and rows are opened under
// reload_mutex_, both in the module's own library context, so that nothing comes back in. The
// order of the locks: login_mutex_, reload_mutex_, mutex_, the index's own.
#pragma once

#include <atomic>
#include <string>

#include "pkcs11/engine/coverage.h"
#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/object_index.h"
#include "pkcs11/engine/pin.h"
#include "pkcs11/engine/policy.h"
#include "pkcs11/engine/root_key.h"
#include "pkcs11/engine/settings.h"
#include "pkcs11/engine/store.h"

namespace tallystick::token {

class Log;
class NonceBook;
class SavedStates;

// What all tokens of a module share.
struct Services {
  std::shared_ptr<const core::Crypto> crypto;
  std::shared_ptr<const MechanismTable> mechanisms;
  std::shared_ptr<const Policy> policy;
  std::shared_ptr<HandleSource> handles;
  std::shared_ptr<Log> log;
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<NonceBook> nonces;
  std::shared_ptr<SavedStates> saved_states;
};

enum class Login : std::uint8_t { kNone, kUser, kSo };

struct TokenInfo {
  bool initialized = false;
  bool user_pin_set = false;
  core::Bytes label;   // 32 bytes, blank padded
  std::string serial;  // 16 hexadecimal digits
  unsigned user_tries_left = 0;
  unsigned so_tries_left = 0;
  CK_ULONG sessions = 0;
  CK_ULONG rw_sessions = 0;
};

class Token {
 public:
  Token(CK_SLOT_ID slot, std::string directory, Services services);
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token();

  [[nodiscard]] CK_SLOT_ID slot() const { return slot_; }
  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] Context context() { return {*services_.crypto, *this}; }

  // ---- For mechanisms ----

  // All objects of the token and its sessions that satisfy every pair, whether the caller may see
  // them or not. Sensitive values never match.
  Outcome<std::vector<ObjectPtr>> find(const AttributeSet& pattern);
  // The family of this id; null when the token has none.
  [[nodiscard]] ObjectPtr find_family(core::ByteView family_id);
  // The installed software image of a family (class CKO_TS_SOFTWARE); null when there is none.
  [[nodiscard]] ObjectPtr find_software(core::ByteView family_id);
  // The device key; null in a slot without a token.
  [[nodiscard]] ObjectPtr device_private_key();
  [[nodiscard]] ObjectPtr device_public_key();
  // Adds to `changes` a fresh CKA_TS_NONCE on both halves of the device key. Of two sets that
  // were made from the same nonce only one can be committed.
  Outcome<void> renew_device_nonce(ChangeSet& changes);
  // Makes the changes durable, in one transaction, before it returns; then shows them. Private
  // objects need the user's login. Of immutable objects a family has one of each class. Returns the
  // added objects' snapshots in their order.
  Outcome<std::vector<ObjectPtr>> commit(ChangeSet changes);

  // ---- For sessions ----

  // Opens a token that another process has made in this slot since.
  Outcome<void> probe();
  // Sees what other processes committed. Cheap when they did not.
  Outcome<void> refresh();
  Outcome<TokenInfo> info();
  [[nodiscard]] Login login_state() const { return login_.load(std::memory_order_acquire); }
  // Rises with every login, logout and forced logout: what was begun under an older number with a
  // private key is over.
  [[nodiscard]] std::uint64_t login_epoch() const {
    return login_epoch_.load(std::memory_order_acquire);
  }

  // Refused where another process has made a token since the application was told by info() that
  // there is none: it would be made anew, by whoever has the same SO PIN.
  Outcome<void> initialize(core::ByteView so_pin, core::ByteView label);
  Outcome<void> login(CK_USER_TYPE user, core::ByteView pin);
  // Checks the PIN of the user, who is logged in, once more; every try counts. CKR_PIN_LOCKED ends
  // the login.
  Outcome<void> authenticate(core::ByteView pin);
  Outcome<void> logout();
  Outcome<void> init_pin(core::ByteView pin);
  Outcome<void> set_pin(bool so, core::ByteView old_pin, core::ByteView new_pin);

  // CKR_SESSION_READ_WRITE_SO_EXISTS for a read-only session beside the SO's login.
  Outcome<void> session_opened(bool read_write);
  // Ends the login with the last session.
  void session_closed(bool read_write);
  // Keeps a session object; a private one only while the user is logged in.
  Outcome<CK_OBJECT_HANDLE> keep(ObjectPtr object, CK_SESSION_HANDLE session);
  // The handle of an object that was just made. An object that is gone again, with a logout say,
  // has a handle that is valid nowhere.
  [[nodiscard]] CK_OBJECT_HANDLE handle_of(const Object& object);

  // As find(), in the order of the handles.
  Outcome<std::vector<ObjectIndex::Found>> search(std::span<const ObjectIndex::Pattern> pattern);
  [[nodiscard]] ObjectIndex& objects() { return objects_; }
  // Whether the current login may see the object.
  [[nodiscard]] bool visible(const Object& object) const;

 private:
  struct Opened {
    std::unique_ptr<RootKey> root;
    std::unique_ptr<RowSealer> root_rows;  // public and immutable rows
    std::unique_ptr<Store> store;
    TokenRecord record;
    std::uint64_t sequence = 0;  // how far its changes were read; under reload_mutex_
  };

  // Null in a slot without a token; stays once it is there.
  [[nodiscard]] Opened* opened() const { return opened_.load(std::memory_order_acquire); }
  Outcome<std::unique_ptr<Opened>> open_files();
  Outcome<std::unique_ptr<RowSealer>> make_root_sealer(const RootKey& root,
                                                       const TokenId& token_id) const;
  // Reads what was committed since, and only then says that it is known.
  Outcome<void> catch_up(Opened& opened) TS_REQUIRES(reload_mutex_);
  Outcome<void> reload(Opened& opened) TS_REQUIRES(reload_mutex_);
  // The object of a row that is newer than what is known of it; null when there is none or the row
  // is private and `private_rows` null.
  Outcome<ObjectPtr> open_row(const Opened& opened, const ObjectRow& row,
                              const RowSealer* private_rows) TS_REQUIRES(reload_mutex_);
  using Places = std::vector<ObjectIndex::Place>;
  // What can be opened of the rows, ready to be shown.
  Outcome<Places> open_rows(const Opened& opened, const std::vector<ObjectRow>& rows,
                            const RowSealer* private_rows) TS_REQUIRES(reload_mutex_);
  // Shows objects; private ones only while the login under which they were opened lasts.
  void show(Places places, const std::shared_ptr<const RowSealer>& private_rows) noexcept
      TS_REQUIRES(reload_mutex_);
  // CKR_FUNCTION_REJECTED for a second immutable object of a class and family.
  Outcome<void> check_single(const std::vector<ObjectPtr>& added) TS_REQUIRES(reload_mutex_);
  Outcome<ObjectPtr> new_object(Draft draft) const;
  // Reads the rows that a search may find and that are not in the index yet.
  Outcome<void> read_for(Opened& opened, std::span<const ObjectIndex::Pattern> pattern);
  Outcome<std::vector<ObjectRow>> rows_for(Opened& opened, const StoreQuery& query,
                                           const RowSealer* private_rows);
  // Opens what can be opened and shows it.
  Outcome<void> take_rows(const Opened& opened, const std::vector<ObjectRow>& rows,
                          const std::shared_ptr<const RowSealer>& private_rows)
      TS_REQUIRES(reload_mutex_);
  // Among the immutable objects, which are in the index from the beginning.
  ObjectPtr find_immutable(const AttributeSet& pattern) const;
  ObjectPtr find_device(CK_OBJECT_CLASS object_class);
  struct RightPin {
    core::Secret key;
    PinRow row;
  };
  Outcome<RightPin> check_pin(Opened& opened, PinRole role, core::ByteView pin);
  Outcome<void> first_initialize(core::ByteView so_pin, core::ByteView label);
  Outcome<void> initialize_again(Opened& opened, core::ByteView so_pin, core::ByteView label);
  // What a login must still find when it takes effect: a session, and for the SO no read-only one.
  Outcome<void> may_log_in(Login wanted) const TS_REQUIRES(mutex_);
  void begin_login(Login login) TS_REQUIRES(mutex_);
  void end_login() TS_REQUIRES(mutex_);

  const CK_SLOT_ID slot_;
  const std::string directory_;
  const Services services_;
  ObjectIndex objects_;
  Coverage coverage_;

  // Held across a login, C_InitToken, C_InitPIN and C_SetPIN, so that each sees the state it began
  // with; nothing else waits for it.
  Mutex login_mutex_;
  std::atomic<Login> login_{Login::kNone};
  std::atomic<std::uint64_t> login_epoch_{1};

  // Guards the members below, for short.
  Mutex mutex_;
  std::unique_ptr<Opened> files_ TS_GUARDED_BY(mutex_);
  std::atomic<Opened*> opened_{nullptr};
  // The application was told that the slot has no token, and nothing else since; a session tells
  // it.
  std::atomic<bool> told_empty_{false};
  // Only while the user is logged in.
  std::shared_ptr<const RowSealer> private_rows_ TS_GUARDED_BY(mutex_);
  std::uint64_t pin_epoch_at_login_ TS_GUARDED_BY(mutex_) = 0;
  CK_ULONG sessions_ TS_GUARDED_BY(mutex_) = 0;
  CK_ULONG rw_sessions_ TS_GUARDED_BY(mutex_) = 0;

  // Held while rows are read into the index, and from a commit until its objects stand there.
  // Taken before mutex_.
  Mutex reload_mutex_;
};

}  // namespace tallystick::token
