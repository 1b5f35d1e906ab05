// Token: initialisation, PINs and login.
#include "core/crypto/crypto.h"
#include "pkcs11/engine/device_key.h"
#include "pkcs11/engine/directory_lock.h"
#include "pkcs11/engine/files.h"
#include "pkcs11/engine/log.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kPrivateKeySize = 32;
constexpr std::size_t kLabelSize = 32;
constexpr std::size_t kSerialBytes = 8;

unsigned tries_left(unsigned spent) { return spent >= kMaxTries ? 0 : kMaxTries - spent; }

// A directory in which something is being made; goes unless it was finished.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)), lock_(path_) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (!path_.empty()) remove_directory(path_);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  std::string path_;
  DirectoryLock lock_;
};

Fault taken_by_another() {
  return fault(CKR_FUNCTION_FAILED, "another process has just initialised this slot");
}

}  // namespace

Outcome<TokenInfo> Token::info() {
  if (auto probed = probe(); !probed) return std::move(probed).error();
  TokenInfo info;
  info.label.assign(kLabelSize, ' ');
  info.serial = std::string(2 * kSerialBytes, ' ');
  {
    const Lock lock(mutex_);
    info.sessions = sessions_;
    info.rw_sessions = rw_sessions_;
  }
  auto* const files = opened();
  told_empty_ = files == nullptr;
  if (files == nullptr) return info;
  auto& store = *files->store;
  if (auto same = store.check_file(); !same) return std::move(same).error();
  auto record = store.token();
  if (!record) return std::move(record).error();
  if (record->token_id != files->record.token_id) {
    return fault(CKR_TOKEN_NOT_RECOGNIZED, directory_ + ": the database is another token's");
  }
  info.initialized = true;
  info.label = record->label;
  info.serial = core::to_hex(core::ByteView(record->token_id).first(kSerialBytes));
  auto user = store.pin(PinRole::kUser);
  if (!user) return std::move(user).error();
  auto so = store.pin(PinRole::kSo);
  if (!so) return std::move(so).error();
  info.user_pin_set = user->has_value();
  info.user_tries_left = *user ? tries_left((*user)->tries) : kMaxTries;
  info.so_tries_left = *so ? tries_left((*so)->tries) : 0;
  return info;
}

Outcome<void> Token::initialize(core::ByteView so_pin, core::ByteView label) {
  const Lock login_lock(login_mutex_);
  {
    const Lock lock(mutex_);
    if (sessions_ != 0) return fault(CKR_SESSION_EXISTS, "sessions are open on the slot");
  }
  if (label.size() != kLabelSize) return bad_arguments("a label has 32 bytes");
  if (auto good = check_pin_length(so_pin); !good) return good;
  if (auto probed = probe(); !probed) return probed;
  auto* const files = opened();
  if (files != nullptr && told_empty_) return taken_by_another();
  if (files != nullptr) return initialize_again(*files, so_pin, label);
  auto made = first_initialize(so_pin, label);
  if (made) told_empty_ = false;
  return made;
}

Outcome<void> Token::first_initialize(core::ByteView so_pin, core::ByteView label) {
  auto parent = make_directory(directory_.substr(0, directory_.rfind('/')));
  if (!parent) return std::move(parent).error();
  std::optional<DirectoryLock> one_at_a_time(*parent);
  one_at_a_time->make_exclusive();
  auto scratch_path = make_scratch_directory(*parent);
  if (!scratch_path) return std::move(scratch_path).error();
  Scratch scratch(*scratch_path);
  one_at_a_time.reset();
  const auto& crypto = *services_.crypto;
  const auto root_path = scratch.path() + "/root.key";
  if (auto made = create_key_file(crypto, root_path); !made) return made;
  auto root = open_key_file(services_.crypto, root_path);
  if (!root) return std::move(root).error();

  TokenRecord record;
  if (auto filled = crypto.random(record.token_id); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  record.label.assign(label.begin(), label.end());
  record.pin_epoch = 1;
  auto check = (*root)->derive(kRootCheck, record.token_id);
  if (!check) return std::move(check).error();
  record.root_check.assign(check->view().begin(), check->view().end());

  auto so_key = crypto.random_secret(kPrivateKeySize);
  if (!so_key) return from_core(so_key.error(), CKR_FUNCTION_FAILED);
  auto so_row = seal_pin(crypto, **root, record.token_id, PinRole::kSo, so_pin, *so_key);
  if (!so_row) return std::move(so_row).error();

  auto sealer = make_root_sealer(**root, record.token_id);
  if (!sealer) return std::move(sealer).error();
  auto device = make_device_key(crypto);
  if (!device) return std::move(device).error();
  std::vector<ObjectRow> rows;
  for (auto* const half : {&device->first, &device->second}) {
    auto object = new_object(std::move(*half));
    if (!object) return std::move(object).error();
    auto row = (*sealer)->seal(**object);
    if (!row) return std::move(row).error();
    rows.push_back(*std::move(row));
  }
  auto set = RowSet::create(services_.crypto, **root, record.token_id);
  if (!set) return std::move(set).error();
  const auto path = scratch.path() + "/token.db";
  if (auto made = Store::create(path, **set, record, *so_row, rows); !made) return made;
  auto published = publish_directory(scratch.path(), directory_);
  if (!published) return std::move(published).error();
  if (!*published) {
    return taken_by_another();
  }
  scratch.keep();
  return {};
}

Outcome<void> Token::initialize_again(Opened& opened, core::ByteView so_pin, core::ByteView label) {
  auto checked = check_pin(opened, PinRole::kSo, so_pin);
  if (!checked) return std::move(checked).error();
  if (auto seen = refresh(); !seen) return seen;

  // The device key's certificates stay with it.
  std::set<ObjectId> keep;
  if (const auto device = device_public_key()) {
    auto certificates =
        find(AttributeSet()
                 .set_number(CKA_CLASS, CKO_CERTIFICATE)
                 .set(CKA_PUBLIC_KEY_INFO, device->attributes().bytes(CKA_PUBLIC_KEY_INFO)));
    if (!certificates) return std::move(certificates).error();
    for (const auto& certificate : *certificates) {
      if (certificate->on_token()) keep.insert(certificate->id());
    }
  }
  return opened.store->reset_token(label, keep);
}

// A try is spent, durably, before the PIN is looked at (A40); the right PIN gives the tries back.
Outcome<Token::RightPin> Token::check_pin(Opened& opened, PinRole role, core::ByteView pin) {
  // No PIN is so long, and nothing reads that far (A60).
  if (pin.size() > kMaxPinLength) return fault(CKR_PIN_INCORRECT, "longer than any PIN");
  if (auto same = opened.store->check_file(); !same) return std::move(same).error();
  // Many processes that log in at once have spent all tries before the first is given them back:
  // who finds none waits for those that are being looked at.
  DirectoryLock trying(directory_);
  auto row = opened.store->spend_try(role);
  if (!row && row.error().rv == CKR_PIN_LOCKED) {
    trying.make_exclusive();
    row = opened.store->spend_try(role);
  }
  if (!row) return std::move(row).error();
  auto key = open_pin(*services_.crypto, *opened.root, opened.record.token_id, *row, pin);
  if (!key) return std::move(key).error();
  if (auto restored = opened.store->restore_tries(role); !restored) {
    return std::move(restored).error();
  }
  return RightPin{*std::move(key), *std::move(row)};
}

Outcome<void> Token::login(CK_USER_TYPE user, core::ByteView pin) {
  const Lock login_lock(login_mutex_);
  if (user != CKU_USER && user != CKU_SO) {
    return fault(CKR_USER_TYPE_INVALID, "neither the user nor the SO");
  }
  const auto wanted = user == CKU_SO ? Login::kSo : Login::kUser;
  if (const auto now = login_state(); now != Login::kNone) {
    return now == wanted ? fault(CKR_USER_ALREADY_LOGGED_IN, "already logged in")
                         : fault(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "the other one is logged in");
  }
  if (auto probed = probe(); !probed) return probed;
  auto* const files = opened();
  if (files == nullptr) return fault(CKR_USER_PIN_NOT_INITIALIZED, "the token is not initialised");
  {
    const Lock lock(mutex_);
    if (auto may = may_log_in(wanted); !may) return may;
  }
  auto& opened = *files;
  // Taken before the PIN is read: a C_InitPIN in between makes it old, and the login ends.
  auto record = opened.store->token();
  if (!record) return std::move(record).error();
  const auto role = user == CKU_SO ? PinRole::kSo : PinRole::kUser;
  auto right = check_pin(opened, role, pin);
  if (!right) return std::move(right).error();
  // The state that was looked at above may have changed while the PIN was hashed.
  if (wanted == Login::kSo) {
    const Lock lock(mutex_);
    if (auto may = may_log_in(wanted); !may) return may;
    begin_login(wanted);
    return {};
  }

  auto rows = std::make_shared<RowSealer>(services_.crypto, opened.record.token_id);
  if (auto kept = rows->key(Tier::kPrivate, std::move(right->key)); !kept) return kept;
  // Private rows without tags are read now, all others when somebody searches for them.
  const Lock reload_lock(reload_mutex_);
  auto untagged = opened.store->beginning(true);
  if (!untagged) return std::move(untagged).error();
  auto places = open_rows(opened, untagged->rows, rows.get());
  if (!places) return std::move(places).error();
  {
    const Lock lock(mutex_);
    if (auto may = may_log_in(wanted); !may) return may;
    private_rows_ = rows;
    pin_epoch_at_login_ = record->pin_epoch;
    begin_login(wanted);
  }
  show(*std::move(places), rows);
  return {};
}

Outcome<void> Token::may_log_in(Login wanted) const {
  if (sessions_ == 0) return fault(CKR_SESSION_HANDLE_INVALID, "the last session was closed");
  if (wanted == Login::kSo && sessions_ != rw_sessions_) {
    return fault(CKR_SESSION_READ_ONLY_EXISTS, "read-only sessions are open");
  }
  return {};
}

void Token::begin_login(Login login) {
  coverage_.begin(login_epoch_.fetch_add(1, std::memory_order_acq_rel) + 1);
  login_.store(login, std::memory_order_release);
}

// One hold of the lock: no session opened and logged in meanwhile loses its login, and nothing
// private is shown afterwards.
void Token::end_login() {
  if (login_state() == Login::kNone) return;
  login_.store(Login::kNone, std::memory_order_release);
  coverage_.begin(login_epoch_.fetch_add(1, std::memory_order_acq_rel) + 1);
  private_rows_.reset();
  objects_.end_login();
}

Outcome<void> Token::logout() {
  const Lock login_lock(login_mutex_);
  const Lock lock(mutex_);
  if (login_state() == Login::kNone) return not_logged_in();
  end_login();
  return {};
}

Outcome<void> Token::init_pin(core::ByteView pin) {
  const Lock login_lock(login_mutex_);
  if (login_state() != Login::kSo) return not_logged_in();
  if (auto good = check_pin_length(pin); !good) return good;
  auto* const files = opened();
  if (files == nullptr) return not_logged_in();
  auto& opened = *files;
  // What stood under the old key is destroyed, not handed over to who knows the new PIN (A43).
  auto key = services_.crypto->random_secret(kPrivateKeySize);
  if (!key) return from_core(key.error(), CKR_FUNCTION_FAILED);
  auto row =
      seal_pin(*services_.crypto, *opened.root, opened.record.token_id, PinRole::kUser, pin, *key);
  if (!row) return std::move(row).error();
  return opened.store->reset_user(*row);
}

Outcome<void> Token::set_pin(bool so, core::ByteView old_pin, core::ByteView new_pin) {
  const Lock login_lock(login_mutex_);
  if (auto good = check_pin_length(new_pin); !good) return good;
  auto* const files = opened();
  if (files == nullptr) return fault(CKR_USER_PIN_NOT_INITIALIZED, "the token is not initialised");
  auto& opened = *files;
  const auto role = so ? PinRole::kSo : PinRole::kUser;
  auto right = check_pin(opened, role, old_pin);
  if (!right) return std::move(right).error();
  auto row =
      seal_pin(*services_.crypto, *opened.root, opened.record.token_id, role, new_pin, right->key);
  if (!row) return std::move(row).error();
  return opened.store->change_pin(right->row, *row);
}

}  // namespace tallystick::token
