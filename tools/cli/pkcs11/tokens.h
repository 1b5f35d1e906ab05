// From a pkcs11: URI to a session with the one token it names.
#pragma once

#include "tools/cli/environment.h"
#include "tools/cli/pkcs11/session.h"

namespace tallystick::cli {

struct Access {
  bool writable = false;
  bool login = false;
};
constexpr Access kLookOnly{false, false};
constexpr Access kLoggedIn{false, true};
constexpr Access kWritable{true, true};
// For who logs in by himself: the security officer.
constexpr Access kWritableNoLogin{true, false};

// The token that `uri` names; an empty text stands for the only token of the default module. More
// than one match is an error, never a guess. A wrong PIN is tried once.
Outcome<Session> open_token(Environment& env, const std::string& uri, Access access);
Outcome<Session> open_token(Environment& env, const Uri& uri, Access access);

// The user's PIN: from the URI, the source for all tokens, the environment or the terminal.
Outcome<core::Secret> user_pin(Environment& env, const Uri& uri, const Session& session);
// Logs the user in unless that is done already or the token needs none.
Done log_in(Environment& env, const Uri& uri, Session& session);

}  // namespace tallystick::cli
