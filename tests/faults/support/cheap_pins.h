// In a program with this file a PIN's hash costs next to nothing, so that thousands of logins can
// be tried. All the rest of a login is as it is.
#pragma once

namespace tallystick::test {

// The mark in a record of storage calls where a PIN begins to be hashed: from there on it is being
// compared.
inline constexpr const char* kPinLookedAt = "a PIN is looked at";

}  // namespace tallystick::test
