// Reader: an SB3.1 container as a stream, in pieces of any size. Nothing of it is used before it
// was verified: block 0 by its signature, under a key that the target vouches for, and every other
// block by the hash that the one before it carries. It holds block 0 and one block at a time.
//
// Checks, in this order; Error::check is the number of the one that refused:
//   1 form of block 0: magic, version, variant, lengths, certificate block     kMalformed
//   2 the certificate's ENC(OEM_SHARE) opens                                   the target's
//   3 the signer is the one that belongs to that share, and its signature holds   kBadSignature
//   4 length of the file                                                       kMalformed
//   5 owner and other conditions                                               the target's
//   6 firmware version not below the minimum                                   the target's
//   7 each block: hash, number, hash of the next                               kBadSignature
//   8 the commands: form (kMalformed), and what the target says to them
#pragma once

#include <optional>

#include "core/sb3/ckdf.h"
#include "core/sb3/command_reader.h"
#include "core/sb3/layout.h"

namespace tallystick::core::sb3 {

// What a file's share stands for.
struct Authority {
  Bytes signer;            // X ‖ Y: the only key whose signature counts
  Secret part_common_key;  // 16 or 32 bytes
};

// The part that a file is for. After admit() was called, either the reader's finish() succeeds or
// abandon() is called, once.
class Target : public CommandSink {
 public:
  // Check 2. The header is not verified yet: only its variant may be used, to choose a curve.
  virtual Result<Authority> authority(const Header& unverified, const Certificate& certificate) = 0;
  // Checks 5 and 6, after the signature held.
  virtual Status admit(const Header& header, const Certificate& certificate) = 0;
  virtual void abandon() = 0;
};

class Reader {
 public:
  // `total_length`: bytes of the whole file, as announced; not believed. Target and Crypto outlive
  // the reader.
  Reader(const Crypto& crypto, std::uint64_t total_length, Target& target);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  // Abandons what was not finished.
  ~Reader();

  Status update(ByteView data);
  // After the last byte.
  Status finish();
  // Set once block 0 was verified.
  [[nodiscard]] const std::optional<Header>& header() const { return header_; }

 private:
  Status refuse(Error error);
  // The next `wanted_` bytes are in buffer_.
  Status take_buffer();
  Status take_header();
  Status take_block0();
  Status take_block();

  const Crypto* crypto_;
  std::uint64_t total_;
  Target* target_;
  Bytes buffer_;
  std::size_t wanted_ = kHeaderSize;
  std::optional<Header> unverified_;
  std::optional<Header> header_;
  Bytes next_hash_;
  std::uint32_t number_ = 0;  // of the last block that was taken
  std::optional<BlockCipher> cipher_;
  std::optional<CommandReader> commands_;
  std::optional<Error> refusal_;
  bool abandonable_ = false;
};

}  // namespace tallystick::core::sb3
