#include "core/ts1/seal.h"

#include <algorithm>
#include <cstring>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kLabel = "c2sp.org/chunked-encryption@v1+";
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;

std::string_view aead_name(Suite suite) {
  return suite == Suite::kGcm ? "AEAD_AES_256_GCM" : "AEAD_AES_256_CCM";
}

AeadAlgorithm aead_algorithm(Suite suite) {
  return suite == Suite::kGcm ? AeadAlgorithm::kGcm : AeadAlgorithm::kCcm;
}

struct StreamKeys {
  Aead aead;
  ByteArray<kNonceSize> base_nonce;
  ByteArray<kCommitmentSize> commitment;
};

Result<StreamKeys> derive_stream_keys(const Crypto& crypto, Suite suite, ByteView key,
                                      ByteView context, ByteView salt) {
  if (key.size() != kKeySize || salt.size() != kSaltSize) {
    return Error{ErrorCode::kInvalidArgument, "not the size of a sealing key or salt", 0};
  }
  Writer info;
  info.text(kLabel).text(aead_name(suite)).u8(0).bytes(salt).bytes(context);
  auto okm =
      hkdf_expand(crypto, Hash::kSha512, key, info.view(), kKeySize + kNonceSize + kCommitmentSize);
  if (!okm) return std::move(okm).error();
  auto aead = Aead::create(crypto, aead_algorithm(suite), okm->view().first(kKeySize));
  if (!aead) return std::move(aead).error();
  return StreamKeys{*std::move(aead), array_of<kNonceSize>(okm->view().subspan(kKeySize)),
                    array_of<kCommitmentSize>(okm->view().last(kCommitmentSize))};
}

// base_nonce XOR the chunk's index as 12 bytes, big-endian.
ByteArray<kNonceSize> chunk_nonce(const ByteArray<kNonceSize>& base, std::uint64_t index) {
  auto nonce = base;
  const auto counter = be64(index);
  for (std::size_t i = 0; i < counter.size(); ++i) {
    nonce[kNonceSize - counter.size() + i] ^= counter[i];
  }
  return nonce;
}

Error open_failed() { return {ErrorCode::kOpenFailed, "the sealed bytes do not open", 0}; }

}  // namespace

Result<std::uint64_t> sealed_length(std::uint64_t plaintext_length) {
  if (plaintext_length >= kPlaintextLimit) {
    return Error{ErrorCode::kInvalidArgument, "plaintexts are shorter than 2^40 bytes", 0};
  }
  return kSealPrefix + plaintext_length + Aead::kTagSize * (plaintext_length / kChunkSize + 1);
}

Sealer::Sealer(Aead aead, ByteArray<12> nonce, ByteArray<kSealPrefix> prefix)
    : aead_(std::move(aead)),
      base_nonce_(nonce),
      prefix_(prefix),
      pending_(kChunkSize),
      sealed_(kSealedChunkSize) {}

Result<Sealer> Sealer::create(const Crypto& crypto, Suite suite, ByteView key, ByteView context) {
  ByteArray<kSaltSize> salt{};
  if (auto filled = crypto.random(salt); !filled) return std::move(filled).error();
  return create_with_salt(crypto, suite, key, context, salt);
}

Result<Sealer> Sealer::create_with_salt(const Crypto& crypto, Suite suite, ByteView key,
                                        ByteView context, ByteView salt) {
  auto keys = derive_stream_keys(crypto, suite, key, context, salt);
  if (!keys) return std::move(keys).error();
  ByteArray<kSealPrefix> prefix{};
  std::copy(salt.begin(), salt.end(), prefix.begin());
  std::copy(keys->commitment.begin(), keys->commitment.end(), prefix.begin() + kSaltSize);
  return Sealer(std::move(keys->aead), keys->base_nonce, prefix);
}

Status Sealer::emit_prefix(const ByteSink& out) {
  if (prefix_sent_) return {};
  prefix_sent_ = true;
  return out(prefix_);
}

Status Sealer::emit_chunk(ByteView plaintext, const ByteSink& out) {
  const auto sealed = MutableByteView(sealed_).first(plaintext.size() + Aead::kTagSize);
  if (auto done = aead_.seal(chunk_nonce(base_nonce_, index_), {}, plaintext, sealed); !done) {
    return done;
  }
  ++index_;
  return out(sealed);
}

Status Sealer::update(ByteView plaintext, const ByteSink& out) {
  if (spent_) return Error{ErrorCode::kInvalidArgument, "the stream has ended", 0};
  if (auto sent = emit_prefix(out); !sent) return sent;
  while (!plaintext.empty()) {
    // Whole chunks go through without a copy.
    if (filled_ == 0 && plaintext.size() >= kChunkSize) {
      if (auto sent = emit_chunk(plaintext.first(kChunkSize), out); !sent) return sent;
      plaintext = plaintext.subspan(kChunkSize);
      continue;
    }
    const auto count = std::min(plaintext.size(), kChunkSize - filled_);
    std::memcpy(pending_.span().data() + filled_, plaintext.data(), count);
    filled_ += count;
    plaintext = plaintext.subspan(count);
    if (filled_ == kChunkSize) {
      filled_ = 0;
      if (auto sent = emit_chunk(pending_.view(), out); !sent) return sent;
    }
  }
  return {};
}

Status Sealer::finish(const ByteSink& out) {
  if (spent_) return Error{ErrorCode::kInvalidArgument, "the stream has ended", 0};
  spent_ = true;
  if (auto sent = emit_prefix(out); !sent) return sent;
  return emit_chunk(pending_.view().first(filled_), out);
}

Opener::Opener(const Crypto& crypto, Suite suite, ByteView key, ByteView context)
    : crypto_(&crypto),
      suite_(suite),
      key_(Secret::copy_of(key)),
      context_(context.begin(), context.end()),
      plain_(kChunkSize) {
  pending_.reserve(kSealedChunkSize);
}

Result<Opener> Opener::create(const Crypto& crypto, Suite suite, ByteView key, ByteView context) {
  if (key.size() != kKeySize) {
    return Error{ErrorCode::kInvalidArgument, "not the size of a sealing key", 0};
  }
  return Opener(crypto, suite, key, context);
}

Status Opener::fail() {
  failed_ = true;
  aead_.reset();
  return open_failed();
}

// The prefix is complete: derive the keys and compare the commitment before any chunk.
Status Opener::start() {
  const ByteView prefix(pending_);
  auto keys = derive_stream_keys(*crypto_, suite_, key_.view(), context_, prefix.first(kSaltSize));
  if (!keys) return std::move(keys).error();
  if (!equal_in_constant_time(keys->commitment, prefix.last(kCommitmentSize))) return fail();
  aead_.emplace(std::move(keys->aead));
  base_nonce_ = keys->base_nonce;
  pending_.clear();
  key_ = Secret();
  return {};
}

Status Opener::emit_chunk(ByteView sealed, const ByteSink& out) {
  const auto plaintext = plain_.span().first(sealed.size() - Aead::kTagSize);
  if (!aead_->open(chunk_nonce(base_nonce_, index_), {}, sealed, plaintext)) return fail();
  ++index_;
  auto taken = out(plaintext);
  wipe(plaintext);
  return taken;
}

Status Opener::update(ByteView sealed, const ByteSink& out) {
  if (failed_) return open_failed();
  while (!sealed.empty()) {
    // A chunk of full size is never the last one, so it is opened as soon as it is complete.
    const auto wanted = aead_ ? kSealedChunkSize : kSealPrefix;
    if (aead_ && pending_.empty() && sealed.size() >= wanted) {
      if (auto sent = emit_chunk(sealed.first(wanted), out); !sent) return sent;
      sealed = sealed.subspan(wanted);
      continue;
    }
    const auto count = std::min(sealed.size(), wanted - pending_.size());
    pending_.insert(pending_.end(), sealed.begin(),
                    sealed.begin() + static_cast<std::ptrdiff_t>(count));
    sealed = sealed.subspan(count);
    if (pending_.size() < wanted) break;
    if (!aead_) {
      if (auto started = start(); !started) return started;
    } else {
      if (auto sent = emit_chunk(pending_, out); !sent) return sent;
      pending_.clear();
    }
  }
  return {};
}

Status Opener::finish(const ByteSink& out) {
  if (failed_ || !aead_ || pending_.size() < Aead::kTagSize) return fail();
  auto sent = emit_chunk(pending_, out);
  failed_ = true;  // spent
  return sent;
}

Result<Bytes> seal(const Crypto& crypto, Suite suite, ByteView key, ByteView context,
                   ByteView plaintext, ByteView fixed_salt) {
  auto sealer = fixed_salt.empty()
                    ? Sealer::create(crypto, suite, key, context)
                    : Sealer::create_with_salt(crypto, suite, key, context, fixed_salt);
  if (!sealer) return std::move(sealer).error();
  Bytes out;
  const ByteSink append = [&out](ByteView piece) -> Status {
    out.insert(out.end(), piece.begin(), piece.end());
    return {};
  };
  if (auto fed = sealer->update(plaintext, append); !fed) return std::move(fed).error();
  if (auto ended = sealer->finish(append); !ended) return std::move(ended).error();
  return out;
}

Result<Secret> open(const Crypto& crypto, Suite suite, ByteView key, ByteView context,
                    ByteView sealed) {
  auto opener = Opener::create(crypto, suite, key, context);
  if (!opener) return std::move(opener).error();
  Secret out(sealed.size());
  std::size_t filled = 0;
  const ByteSink append = [&out, &filled](ByteView piece) -> Status {
    if (!piece.empty()) std::memcpy(out.span().data() + filled, piece.data(), piece.size());
    filled += piece.size();
    return {};
  };
  if (auto fed = opener->update(sealed, append); !fed) return std::move(fed).error();
  if (auto ended = opener->finish(append); !ended) return std::move(ended).error();
  out.truncate(filled);
  return out;
}

}  // namespace tallystick::core
