#include "core/sb3/reader.h"

#include <algorithm>

#include "core/base/little_endian.h"
#include "core/crypto/hash.h"

namespace tallystick::core::sb3 {
namespace {

Error at_check(Error error, std::uint8_t check) {
  if (error.check == 0) error.check = check;
  return error;
}

Error bad_signature(const char* what, std::uint8_t check) {
  return {ErrorCode::kBadSignature, what, check};
}

}  // namespace

Reader::Reader(const Crypto& crypto, std::uint64_t total_length, Target& target)
    : crypto_(&crypto), total_(total_length), target_(&target) {}

Reader::~Reader() {
  if (abandonable_) target_->abandon();
}

Status Reader::refuse(Error error) {
  refusal_ = error;
  buffer_ = {};
  cipher_.reset();
  commands_.reset();
  if (abandonable_) target_->abandon();
  abandonable_ = false;
  return error;
}

Status Reader::update(ByteView data) {
  if (refusal_) return *refusal_;
  while (!data.empty()) {
    if (header_ && number_ == header_->block_count) {
      return refuse({ErrorCode::kMalformed, "the container has extra bytes", 4});
    }
    const auto count = std::min(data.size(), wanted_ - buffer_.size());
    buffer_.insert(buffer_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    data = data.subspan(count);
    if (buffer_.size() < wanted_) return {};
    if (auto taken = take_buffer(); !taken) return refuse(std::move(taken).error());
  }
  return {};
}

Status Reader::finish() {
  if (refusal_) return *refusal_;
  const bool complete = header_ && number_ == header_->block_count;
  if (!complete) {
    return refuse({ErrorCode::kMalformed, "the container is cut", 4});
  }
  if (auto whole = commands_->finish(); !whole) return refuse(std::move(whole).error());
  abandonable_ = false;
  refusal_ = Error{ErrorCode::kInvalidArgument, "the container was taken already", 0};
  return {};
}

Status Reader::take_buffer() {
  if (header_) return take_block();
  return unverified_ ? take_block0() : take_header();
}

Status Reader::take_header() {
  auto header = parse_header(buffer_);
  if (!header) return std::move(header).error();
  // No other length is read on, whatever the header claims.
  if (header->block0_length != header->variant.block0_size()) {
    return Error{ErrorCode::kMalformed, "block 0 has not the length of a Device-HSM file's", 1};
  }
  unverified_ = *header;
  wanted_ = header->block0_length;
  return {};
}

Status Reader::take_block0() {
  const auto variant = unverified_->variant;
  const ByteView block0 = buffer_;
  const auto manifest = block0.first(variant.manifest_size());
  const auto certificate =
      parse_certificate(variant, manifest.subspan(variant.certificate_offset()));
  if (!certificate) return certificate.error();
  auto authority = target_->authority(*unverified_, *certificate);
  if (!authority) return at_check(std::move(authority).error(), 2);

  const auto refused = bad_signature("the container's signature does not verify", 3);
  if (!equal_in_constant_time(authority->signer, certificate->signer)) return refused;
  const auto key = EcPublicKey::from_xy(*crypto_, variant.curve, authority->signer);
  if (!key || !key->verify(*crypto_, {manifest}, block0.subspan(manifest.size()))) return refused;

  auto cipher = BlockCipher::create(*crypto_, authority->part_common_key.view(),
                                    unverified_->timestamp, variant.key_bits());
  if (!cipher) return std::move(cipher).error();
  if (unverified_->block_count == 0 || file_size(*unverified_) != total_) {
    return Error{ErrorCode::kMalformed, "the container is cut or has extra bytes", 4};
  }
  header_ = unverified_;
  abandonable_ = true;
  if (auto admitted = target_->admit(*header_, *certificate); !admitted) {
    return at_check(std::move(admitted).error(), 5);
  }
  cipher_ = *std::move(cipher);
  const auto hash = manifest.subspan(kHeaderSize, variant.hash_size());
  next_hash_.assign(hash.begin(), hash.end());
  commands_.emplace(std::uint64_t{header_->block_count} * kDataSize,
                    static_cast<CommandSink&>(*target_));
  buffer_.clear();
  wanted_ = variant.block_size();
  return {};
}

Status Reader::take_block() {
  const auto& variant = header_->variant;
  const auto refused = bad_signature("a block of the container is not the one that was signed", 7);
  Bytes hash(variant.hash_size());
  if (auto hashed = digest(*crypto_, variant.hash(), {buffer_}, hash); !hashed) return hashed;
  if (!equal_in_constant_time(hash, next_hash_)) return refused;
  const auto next = ByteView(buffer_).subspan(4, variant.hash_size());
  const bool last = number_ + 1 == header_->block_count;
  if (little_endian::load32(buffer_) != number_ + 1 || all_zero(next) != last) return refused;
  next_hash_.assign(next.begin(), next.end());
  ++number_;

  auto data = Secret::copy_of(ByteView(buffer_).last(kDataSize));
  buffer_.clear();
  if (auto opened = cipher_->decrypt(number_, data.span()); !opened) return opened;
  auto taken = commands_->update(data.view());
  if (!taken) return at_check(std::move(taken).error(), 8);
  return {};
}

}  // namespace tallystick::core::sb3
