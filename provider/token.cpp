#include "provider/token.h"

#include <algorithm>
#include <cstring>

#include "provider/epoch.h"

namespace tallystick::provider {
namespace {

std::atomic<std::uint64_t> generations{0};

// The texts that make out a token; flags and free memory change.
bool same_token(const CK_TOKEN_INFO& a, const CK_TOKEN_INFO& b) {
  return std::memcmp(a.label, b.label, sizeof a.label) == 0 &&
         std::memcmp(a.serialNumber, b.serialNumber, sizeof a.serialNumber) == 0 &&
         std::memcmp(a.model, b.model, sizeof a.model) == 0 &&
         std::memcmp(a.manufacturerID, b.manufacturerID, sizeof a.manufacturerID) == 0;
}

bool user_state(CK_STATE state) {
  return state == CKS_RO_USER_FUNCTIONS || state == CKS_RW_USER_FUNCTIONS;
}

}  // namespace

Token::Token(Module& module, const client::Slot& slot)
    : module_(module), info_(slot.token), name_("token " + slot.label()) {}

Token::~Token() {
  if (!life_ || life_->epoch != process_epoch() || process_exits()) return;
  if (life_->anchor != 0) life_->idle.push_back(life_->anchor);
  for (const CK_SESSION_HANDLE handle : life_->idle) {
    module_.call(&CK_FUNCTION_LIST::C_CloseSession, handle);
  }
}

Outcome<std::shared_ptr<Life>> Token::life() {
  {
    const std::lock_guard lock(lists_lock());
    if (life_ && life_->epoch == process_epoch()) return life_;
  }
  return begin_life();
}

Outcome<std::shared_ptr<Life>> Token::begin_life() {
  auto fresh = std::make_shared<Life>();
  fresh->epoch = process_epoch();
  fresh->generation = ++generations;
  if (auto done = module_.initialise(); !done) return std::move(done).error();
  const auto slots = module_.slots();
  if (!slots) return slots.error();
  const auto found = std::find_if(slots->begin(), slots->end(), [this](const client::Slot& slot) {
    return slot.answer == CKR_OK && same_token(slot.token, info_);
  });
  if (found == slots->end()) return from_rv(Reason::kToken, name_, CKR_TOKEN_NOT_PRESENT);
  fresh->slot = found->id;
  const std::lock_guard lock(lists_lock());
  // Another thread may have been faster.
  if (!life_ || life_->epoch != process_epoch()) life_ = std::move(fresh);
  return life_;
}

bool Token::begins_anew(const Life& stale, CK_RV rv) {
  switch (rv) {
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
      // The caller looks for the object again; the sessions are as good as before.
      return true;
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_SLOT_ID_INVALID:
      break;
    default:
      return false;
  }
  const std::lock_guard lock(lists_lock());
  if (life_.get() == &stale) life_.reset();
  return true;
}

Outcome<CK_SESSION_HANDLE> Token::open(const Life& life, CK_FLAGS more) const {
  CK_SESSION_HANDLE handle = 0;
  const CK_RV rv =
      module_.call(&CK_FUNCTION_LIST::C_OpenSession, life.slot, CKF_SERIAL_SESSION | more,
                   static_cast<void*>(nullptr), CK_NOTIFY{nullptr}, &handle);
  if (rv != CKR_OK) return from_rv(Reason::kToken, name_ + ": open a session", rv);
  return handle;
}

Outcome<Session> Token::session(bool writable) {
  for (bool again = false;; again = true) {
    auto current = life();
    if (!current) return std::move(current).error();
    Life& life = **current;
    bool login_again = false;
    CK_SESSION_HANDLE handle = 0;
    {
      const std::lock_guard lock(lists_lock());
      login_again = logged_in_once_ && !life.logged_in;
      if (!writable && !login_again && !life.idle.empty()) {
        handle = life.idle.back();
        life.idle.pop_back();
      }
    }
    if (login_again) {
      const std::lock_guard lock(life.login);
      if (auto done = keep_login(life); !done) return std::move(done).error();
    }
    if (handle == 0) {
      auto opened = open(life, writable ? CKF_RW_SESSION : 0UL);
      if (!opened) {
        // What was known of the module may be stale.
        if (!again && begins_anew(life, opened.error().rv)) continue;
        return std::move(opened).error();
      }
      handle = *opened;
    }
    Session session(module_, *std::move(current), name_, handle);
    // Sessions that may write are made for one use.
    if (writable) session.discard();
    return session;
  }
}

bool Token::logged_in() const {
  const std::lock_guard lock(lists_lock());
  return life_ && life_->epoch == process_epoch() && life_->logged_in;
}

std::shared_ptr<const core::Secret> Token::pin() const {
  const std::lock_guard lock(lists_lock());
  return pin_;
}

bool Token::refused_before(const core::Secret& pin) const {
  const std::lock_guard lock(lists_lock());
  return std::any_of(refused_.begin(), refused_.end(), [&pin](const auto& refused) {
    return core::equal_in_constant_time(refused->view(), pin.view());
  });
}

Done Token::try_pin(Life& life, const std::shared_ptr<const core::Secret>& pin) {
  if (pin && refused_before(*pin)) {
    return fail(Reason::kPin, name_ + ": the PIN was refused before and is not tried again");
  }
  if (life.anchor == 0) {
    auto opened = open(life, 0);
    if (!opened) return std::move(opened).error();
    life.anchor = *opened;
  }
  CK_BYTE* bytes = pin ? const_cast<CK_BYTE*>(pin->view().data()) : nullptr;
  const CK_ULONG size = pin ? static_cast<CK_ULONG>(pin->size()) : 0;
  const CK_RV rv =
      module_.call(&CK_FUNCTION_LIST::C_Login, life.anchor, CK_USER_TYPE{CKU_USER}, bytes, size);
  const std::lock_guard lock(lists_lock());
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    life.logged_in = true;
    logged_in_once_ = true;
    pin_ = pin;
    return {};
  }
  if (pin && rv == CKR_PIN_INCORRECT) refused_.push_back(pin);
  return from_rv(Reason::kPin, name_, rv);
}

Done Token::keep_login(Life& life) {
  if (life.logged_in) return {};
  return try_pin(life, pin());
}

Done Token::login(const PinSource& source, bool may_ask) {
  auto current = life();
  if (!current) return std::move(current).error();
  Life& life = **current;
  const std::lock_guard lock(life.login);
  if (life.logged_in) return {};
  std::shared_ptr<const core::Secret> pin = this->pin();
  const bool keypad = (info_.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
  if (!pin && !keypad) {
    auto given = source.given();
    if (!given) return std::move(given).error();
    std::optional<core::Secret> found = *std::move(given);
    if (!found && may_ask) {
      // Somebody else of this process may have logged in.
      auto opened = open(life, 0);
      CK_SESSION_INFO state{};
      if (opened && module_.call(&CK_FUNCTION_LIST::C_GetSessionInfo, *opened, &state) == CKR_OK &&
          user_state(state.state)) {
        life.anchor = *opened;
        life.logged_in = true;
        return {};
      }
      if (opened) module_.call(&CK_FUNCTION_LIST::C_CloseSession, *opened);
      found = source.asked(name_);
    }
    if (!found) {
      return fail(Reason::kPin, name_ +
                                    ": no PIN: give pin-value or pin-source in the URI, "
                                    "tallystick-pin in openssl.cnf, or TALLYSTICK_PIN");
    }
    pin = std::make_shared<const core::Secret>(*std::move(found));
  }
  return try_pin(life, pin);
}

std::shared_ptr<Token> Tokens::at(Module& module, const client::Slot& slot) {
  const std::lock_guard lock(lists_lock());
  for (const auto& token : tokens_) {
    if (&token->module() == &module && same_token(token->info(), slot.token)) return token;
  }
  tokens_.push_back(std::make_shared<Token>(module, slot));
  return tokens_.back();
}

}  // namespace tallystick::provider
