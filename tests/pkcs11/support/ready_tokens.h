// Ready tokens: tokens with both PINs that a run of the tests makes once and every test copies. PIN
// hashes are slow on purpose, and a token of one's own costs three of them. Where they lie is said
// by $TALLYSTICK_READY_TOKENS; a program that is started without it makes its tokens itself.
#pragma once

#include <optional>
#include <string>

#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {

// Makes them in a new folder; an older one goes.
void make_ready_tokens(const std::string& folder);

// Puts a copy of a ready token, labelled "test", into a free slot. Of one process each copy is of
// another token. None when there is no ready token left.
std::optional<CK_SLOT_ID> take_ready_token(const Module& module, const Home& home);

}  // namespace tallystick::test
