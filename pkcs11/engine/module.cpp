#include "pkcs11/engine/module.h"

#include "core/crypto/crypto.h"
#include "pkcs11/engine/files.h"
#include "pkcs11/engine/log.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/nonce_book.h"
#include "pkcs11/engine/saved_states.h"

namespace tallystick::token {

Outcome<std::shared_ptr<Module>> Module::create(ModuleOptions options) {
  auto settings = std::make_shared<Settings>();
  if (options.settings) {
    *settings = *std::move(options.settings);
  } else {
    auto read = read_settings();
    if (!read) {
      // Nobody has said yet where the log is, and the user must see why nothing works.
      Log::standard_error().failure("configuration", read.error());
      return std::move(read).error();
    }
    *settings = *std::move(read);
  }
  auto crypto = core::Crypto::create();
  if (!crypto) return from_core(crypto.error(), CKR_GENERAL_ERROR);
  if (options.home.empty()) {
    auto home = home_directory(settings->directory);
    if (!home) return std::move(home).error();
    options.home = *std::move(home);
  }
  // Nothing is made yet: a program that only looks must not fail where it may not write.
  auto directory = absolute_path(options.home + "/tokens");
  if (!directory) return std::move(directory).error();

  auto mechanisms = std::make_shared<MechanismTable>();
  register_standard_mechanisms(*mechanisms, *settings, **crypto);
  register_ts_mechanisms(*mechanisms);

  Services services;
  services.crypto = *std::move(crypto);
  services.mechanisms = std::move(mechanisms);
  services.policy = std::make_shared<Policy>(std::move(options.hooks));
  services.handles =
      options.handles ? std::move(options.handles) : std::make_shared<HandleSource>();
  services.log = std::make_shared<Log>(settings->log);
  services.settings = std::move(settings);
  services.nonces = std::make_shared<NonceBook>();
  services.saved_states = std::make_shared<SavedStates>();
  std::shared_ptr<Module> module(new Module(std::move(services), *std::move(directory)));
  if (auto found = module->find_slots(); !found) return std::move(found).error();
  return module;
}

Module::~Module() {
  const WriteLock lock(sessions_mutex_);
  for (const auto& [handle, session] : sessions_) session->close();
}

Outcome<std::vector<CK_SLOT_ID>> Module::find_slots() {
  auto entries = numbered_entries(tokens_directory_);
  if (!entries) return std::move(entries).error();
  auto& numbers = *entries;
  numbers.push_back(numbers.empty() ? 0 : numbers.back() + 1);
  const WriteLock lock(slots_mutex_);
  for (const auto number : numbers) {
    if (slots_.contains(number)) continue;
    slots_.emplace(number,
                   std::make_shared<Token>(number, tokens_directory_ + "/" + std::to_string(number),
                                           services_));
  }
  // A slot that was the last and whose token never came to be stays, since sessions may be open.
  std::vector<CK_SLOT_ID> out;
  for (const auto& [number, token] : slots_) out.push_back(number);
  return out;
}

std::vector<CK_SLOT_ID> Module::slots() const {
  const ReadLock lock(slots_mutex_);
  std::vector<CK_SLOT_ID> out;
  for (const auto& [number, token] : slots_) out.push_back(number);
  return out;
}

Outcome<std::shared_ptr<Token>> Module::token(CK_SLOT_ID slot) const {
  const ReadLock lock(slots_mutex_);
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return fault(CKR_SLOT_ID_INVALID, "no such slot");
  return at->second;
}

Outcome<CK_SESSION_HANDLE> Module::open_session(CK_SLOT_ID slot, CK_FLAGS flags) {
  if ((flags & CKF_SERIAL_SESSION) == 0) {
    return fault(CKR_SESSION_PARALLEL_NOT_SUPPORTED, "CKF_SERIAL_SESSION is missing");
  }
  auto found = token(slot);
  if (!found) return std::move(found).error();
  const bool read_write = (flags & CKF_RW_SESSION) != 0;
  if (auto probed = (*found)->probe(); !probed) return std::move(probed).error();

  const WriteLock lock(sessions_mutex_);
  if (sessions_.size() >= kMaxSessions) return fault(CKR_SESSION_COUNT, "too many sessions");
  const auto handle = services_.handles->next();
  auto& token = **found;
  const auto at =
      sessions_.emplace(handle, std::make_shared<Session>(handle, *std::move(found), read_write))
          .first;
  // Last, since nothing takes it back but closing the session.
  if (auto counted = token.session_opened(read_write); !counted) {
    sessions_.erase(at);
    return std::move(counted).error();
  }
  return handle;
}

Outcome<void> Module::close_session(CK_SESSION_HANDLE handle) {
  std::shared_ptr<Session> session;
  {
    const WriteLock lock(sessions_mutex_);
    const auto at = sessions_.find(handle);
    if (at == sessions_.end()) return fault(CKR_SESSION_HANDLE_INVALID, "no such session");
    session = std::move(at->second);
    sessions_.erase(at);
  }
  session->close();
  return {};
}

Outcome<void> Module::close_all_sessions(CK_SLOT_ID slot) {
  auto wanted = token(slot);
  if (!wanted) return std::move(wanted).error();
  std::vector<std::shared_ptr<Session>> closing;
  {
    const WriteLock lock(sessions_mutex_);
    // Room for all of them first: a session that has left the map is closed, whatever happens.
    closing.reserve(sessions_.size());
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      if (&at->second->token() == wanted->get()) {
        closing.push_back(std::move(at->second));
        at = sessions_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (const auto& session : closing) session->close();
  return {};
}

Outcome<std::shared_ptr<Session>> Module::session(CK_SESSION_HANDLE handle) const {
  const ReadLock lock(sessions_mutex_);
  const auto at = sessions_.find(handle);
  if (at == sessions_.end()) return fault(CKR_SESSION_HANDLE_INVALID, "no such session");
  return at->second;
}

}  // namespace tallystick::token
