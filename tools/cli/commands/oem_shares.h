// What making and regenerating shares have in common: the blobs that come of it.
#pragma once

#include "tools/cli/commands/command_line.h"
#include "tools/cli/environment.h"
#include "tools/cli/pkcs11/token_client.h"

namespace tallystick::cli {

struct BlobOptions {
  std::string suite = "gcm";
  std::string blobs = "auto";
  std::string directory;
};
void add_blob_options(Command command, BlobOptions& options);

// kFile when the directory holds another share set.
Done check_directory(const std::string& folder, const core::ShareId& share_id);
// Takes the blobs out of the token and writes them with shares.json; all or nothing leaves the
// token.
Done give_blobs(TokenClient& token, const FamilyInfo& family, const ShareInfo& share,
                const BlobOptions& options);
void tell_share(Environment& env, const ShareInfo& share, const std::string& directory);

}  // namespace tallystick::cli
