// Settings: what the configuration file says, read once by C_Initialize. The file is
// $TALLYSTICK_CONF, else tallystick/tallystick.toml under $XDG_CONFIG_HOME (~/.config), else
// /etc/tallystick/tallystick.toml: the first of them that is there, and no other.
#pragma once

#include <string>
#include <string_view>

#include "pkcs11/engine/fault.h"

namespace tallystick::token {

// One member per key of the file (docs/pkcs11.md); what is not set stays as here.
struct Settings {
  // [token] directory: the folder with the tokens, absolute. Empty: the usual one.
  std::string directory;
  // [log] file: absolute, or "stderr". Empty: no log.
  std::string log;
  // [mechanisms]: off because their padding tells about the plaintext (A31); on for ordinary keys
  // where old files need them.
  bool rsa_pkcs1_decrypt = false;
  bool rsa_raw = false;
  // Off because NSS derives in whatever token offers it and then cannot unwrap a PKCS#12 file
  // there.
  bool pkcs5_pbkd2 = false;
};

// The settings of this process. Without a file they are the defaults. CKR_GENERAL_ERROR for a file
// that cannot be read, that others than the user and root may write to, or that has anything wrong
// in it: a token does not start with half of what it was told.
Outcome<Settings> read_settings();
// `name` stands for the file in messages: "name, line 3: ...".
Outcome<Settings> parse_settings(const std::string& name, std::string_view text);

}  // namespace tallystick::token
