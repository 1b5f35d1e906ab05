// The database's schema and the way from older ones to it.
#pragma once

#include "pkcs11/engine/sqlite.h"

namespace tallystick::token {

// Makes the tables in an empty database.
Outcome<void> create_schema(const Database& database);
// Brings an older schema up to date in one transaction, then compares what is there, statement for
// statement, with what this version makes. CKR_TOKEN_NOT_RECOGNIZED when it differs or is newer.
Outcome<void> check_schema(const Database& database);

}  // namespace tallystick::token
