// The token's folder: directories 0700, files 0600, links not followed, everything synced (A75).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

// The folder with the tokens: $TALLYSTICK_HOME, else `configured` where it is not empty, else
// $XDG_DATA_HOME/tallystick, else ~/.local/share/tallystick. The variables are ignored in a
// privileged program (A76).
Outcome<std::string> home_directory(const std::string& configured);
// $XDG_CONFIG_HOME, else ~/.config, likewise.
Outcome<std::string> config_directory();
// Makes the directory and its parents. Links on the way are the user's business; the last part must
// be a directory of the user's own that no one else may write to. Gives its path without links.
Outcome<std::string> make_directory(const std::string& path);
// The same of a directory that is there; nothing when it is not.
Outcome<std::optional<std::string>> own_directory(const std::string& path);
// Not dependent on the working directory; nothing need be there.
Outcome<std::string> absolute_path(const std::string& path);
// The existing directory's path without links; nothing when it is not there.
std::optional<std::string> real_directory(const std::string& path);

// Creates the file with these bytes and syncs it; fails when anything of that name is there.
Outcome<void> write_new_file(const std::string& path, core::ByteView bytes);
// A file of at most `cap` bytes that is the user's own, regular, and nobody else's to read.
Outcome<core::Secret> read_small_file(const std::string& path, std::size_t cap);
// A regular file of at most `cap` bytes that nobody but the user and root can have written; links
// are followed. Nothing when there is no such file.
Outcome<std::optional<core::Bytes>> read_trusted_file(const std::string& path, std::size_t cap);
// The checks of read_small_file() without reading; false when there is no such file.
Outcome<bool> check_private_file(const std::string& path);

// Which file a path names, whatever is in it; nothing when there is none.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  bool operator==(const FileIdentity&) const = default;
};
std::optional<FileIdentity> identity_of(const std::string& path);

// A new empty directory in `parent` for making something in one step. Whoever makes it locks it,
// and the parent meanwhile: what nobody has locked any more was left by a process that died, and
// goes.
Outcome<std::string> make_scratch_directory(const std::string& parent);
// Renames, refusing to replace anything, and syncs the parent; false when `to` exists. After an
// error it stands where it stood.
Outcome<bool> publish_directory(const std::string& from, const std::string& to);
// Removes a directory and the files in it.
void remove_directory(const std::string& path);

// The entries of a directory that are decimal numbers without leading zeros, ascending; none when
// it is not there or not the user's to read.
Outcome<std::vector<CK_ULONG>> numbered_entries(const std::string& path);

}  // namespace tallystick::token
