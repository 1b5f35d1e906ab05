// Seal: one construction for everything that is encrypted, c2sp.org/chunked-encryption with
// SHA-512 (section 4 of docs/formats.md). Key-committing, in chunks of 16 KiB, so that a stream of
// any length needs the memory of one chunk and no byte comes out before its tag was checked.
#pragma once

#include <functional>
#include <optional>

#include "core/crypto/aead.h"
#include "core/ts1/context.h"

namespace tallystick::core {

constexpr std::size_t kSaltSize = 24;
constexpr std::size_t kCommitmentSize = 32;
constexpr std::size_t kSealPrefix = kSaltSize + kCommitmentSize;
constexpr std::size_t kChunkSize = 16384;
constexpr std::size_t kSealedChunkSize = kChunkSize + Aead::kTagSize;
constexpr std::uint64_t kPlaintextLimit = 1ULL << 40U;  // plaintexts are shorter

// 56 + length + 16 × (floor(length / 16384) + 1); kInvalidArgument from 2^40 on.
Result<std::uint64_t> sealed_length(std::uint64_t plaintext_length);

// Takes output in pieces, in order. An error stops the stream and is passed on.
using ByteSink = std::function<Status(ByteView)>;

class Sealer {
 public:
  // `key` of 32 bytes. The salt comes from the generator. Nothing goes out before the first call
  // of update or finish.
  static Result<Sealer> create(const Crypto& crypto, Suite suite, ByteView key, ByteView context);
  // With a salt that is given, for known answers only: a salt must never serve twice.
  static Result<Sealer> create_with_salt(const Crypto& crypto, Suite suite, ByteView key,
                                         ByteView context, ByteView salt);

  Status update(ByteView plaintext, const ByteSink& out);
  // Seals the last, short chunk. The sealer is spent.
  Status finish(const ByteSink& out);

 private:
  Sealer(Aead aead, ByteArray<12> nonce, ByteArray<kSealPrefix> prefix);
  Status emit_chunk(ByteView plaintext, const ByteSink& out);
  Status emit_prefix(const ByteSink& out);

  Aead aead_;
  ByteArray<12> base_nonce_;
  ByteArray<kSealPrefix> prefix_;
  Secret pending_;  // of one chunk
  Bytes sealed_;    // of one sealed chunk
  std::size_t filled_ = 0;
  std::uint64_t index_ = 0;
  bool prefix_sent_ = false;
  bool spent_ = false;
};

class Opener {
 public:
  static Result<Opener> create(const Crypto& crypto, Suite suite, ByteView key, ByteView context);

  // Gives out the plaintext of every whole chunk whose tag holds. kOpenFailed, for the commitment
  // as for every tag, ends the stream: nothing of that chunk or after it comes out.
  Status update(ByteView sealed, const ByteSink& out);
  // Opens the last chunk; kOpenFailed when the stream ends anywhere else than after it.
  Status finish(const ByteSink& out);

 private:
  Opener(const Crypto& crypto, Suite suite, ByteView key, ByteView context);
  Status start();
  Status emit_chunk(ByteView sealed, const ByteSink& out);
  Status fail();

  const Crypto* crypto_;
  Suite suite_;
  Secret key_;
  Bytes context_;
  std::optional<Aead> aead_;
  ByteArray<12> base_nonce_{};
  Bytes pending_;  // prefix, later of one sealed chunk
  Secret plain_;   // of one chunk
  std::uint64_t index_ = 0;
  bool failed_ = false;
};

// In one go, for small secrets (shares, blobs). `seal` gives salt ‖ commitment ‖ chunks; the
// salt is fresh where a known answer does not fix it.
Result<Bytes> seal(const Crypto& crypto, Suite suite, ByteView key, ByteView context,
                   ByteView plaintext, ByteView fixed_salt = {});
Result<Secret> open(const Crypto& crypto, Suite suite, ByteView key, ByteView context,
                    ByteView sealed);

}  // namespace tallystick::core
