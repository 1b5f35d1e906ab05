// Making SB3.1 containers: commands as bytes, and the file around them. The same pieces serve a
// client that has a part encrypt the blocks and sign the manifest.
#pragma once

#include <functional>

#include "core/sb3/ckdf.h"
#include "core/sb3/command.h"
#include "core/sb3/layout.h"

namespace tallystick::core::sb3 {

// Appends commands. Data is as long as Command::length says; nothing where there is none.
class CommandWriter {
 public:
  // kInvalidArgument for a length that is not the data's, or that the command cannot say.
  Status add(const Command& command, ByteView data = {});
  // The section with all commands, in pieces of 256 bytes, at least one.
  [[nodiscard]] Result<std::vector<Secret>> blocks() const;

 private:
  WipedBytes commands_;
};

// Encrypts one block's data in place; what hsm_enc_blk does on a part.
using BlockSealer = std::function<Status(std::uint32_t number, MutableByteView data)>;
// Signs a manifest: r ‖ s.
using ManifestSigner = std::function<Result<Bytes>(ByteView manifest)>;

// The whole file. Of the header the block count, the length of block 0 and the variant's fields are
// set here. kInvalidArgument for a certificate that is not of the variant.
Result<Bytes> build_file(const Crypto& crypto, Header header, const Certificate& certificate,
                         std::vector<Secret> blocks, const BlockSealer& seal,
                         const ManifestSigner& sign);

}  // namespace tallystick::core::sb3
