// Module: what one C_Initialize makes: the mechanism table, the slots, the sessions. Nothing here
// is global, so a test can have several in one process.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>

#include "pkcs11/engine/mechanisms/standard.h"
#include "pkcs11/engine/session.h"

namespace tallystick::token {

struct ModuleOptions {
  std::string home;                  // empty: what the environment and the settings say
  std::optional<Settings> settings;  // nothing: what read_settings() gives
  Hooks hooks;
  // Given by who makes one module after another, so that a handle of the one before is none of the
  // next; null: a source of its own.
  std::shared_ptr<HandleSource> handles;
};

class Module {
 public:
  static Outcome<std::shared_ptr<Module>> create(ModuleOptions options = {});
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  [[nodiscard]] const Log& log() const { return *services_.log; }
  [[nodiscard]] const MechanismTable& mechanisms() const { return *services_.mechanisms; }

  // Looks for tokens that other processes made, and gives all slots, ascending; the last one is
  // always without a token.
  Outcome<std::vector<CK_SLOT_ID>> find_slots();
  // The slots as they were found last.
  [[nodiscard]] std::vector<CK_SLOT_ID> slots() const;
  Outcome<std::shared_ptr<Token>> token(CK_SLOT_ID slot) const;

  Outcome<CK_SESSION_HANDLE> open_session(CK_SLOT_ID slot, CK_FLAGS flags);
  Outcome<void> close_session(CK_SESSION_HANDLE handle);
  Outcome<void> close_all_sessions(CK_SLOT_ID slot);
  Outcome<std::shared_ptr<Session>> session(CK_SESSION_HANDLE handle) const;

 private:
  static constexpr std::size_t kMaxSessions = 16384;

  Module(Services services, std::string tokens_directory)
      : services_(std::move(services)), tokens_directory_(std::move(tokens_directory)) {}

  const Services services_;
  const std::string tokens_directory_;

  mutable SharedMutex slots_mutex_;
  std::map<CK_SLOT_ID, std::shared_ptr<Token>> slots_ TS_GUARDED_BY(slots_mutex_);
  mutable SharedMutex sessions_mutex_;
  std::unordered_map<CK_SESSION_HANDLE, std::shared_ptr<Session>> sessions_
      TS_GUARDED_BY(sessions_mutex_);
};

}  // namespace tallystick::token
