// SB3.1 files for tests: one of each variant, and a target that remembers what it was told.
#pragma once

#include <functional>

#include "core/sb3/reader.h"
#include "core/sb3/writer.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {

// A signer, a part common key and a share that belong together.
struct Sb3World {
  explicit Sb3World(Curve curve = Curve::kP256)
      : variant{curve},
        signer(must(EcPrivateKey::generate(crypto(), curve))),
        part_common_key(random_bytes(32)) {
    certificate.signer = to_bytes(signer.public_xy());
    certificate.enc_oem_share = random_array<sb3::kEncShareSize>();
    header.variant = variant;
    header.timestamp = 0x30123456;
    header.firmware_version = 5;
    header.flags = 1;
    header.description = {'t', 'e', 's', 't'};
  }

  sb3::Variant variant;
  EcPrivateKey signer;
  Bytes part_common_key;
  sb3::Certificate certificate;
  sb3::Header header;

  [[nodiscard]] Bytes file(std::vector<Secret> blocks) const {
    const auto cipher = must(
        sb3::BlockCipher::create(crypto(), part_common_key, header.timestamp, variant.key_bits()));
    return must(sb3::build_file(
        crypto(), header, certificate, std::move(blocks),
        [&](std::uint32_t number, MutableByteView data) { return cipher.encrypt(number, data); },
        [&](ByteView manifest) { return signer.sign(crypto(), {manifest}); }));
  }
  [[nodiscard]] Bytes file(const sb3::CommandWriter& commands) const {
    return file(must(commands.blocks()));
  }
  // Blocks of bytes that may be no commands at all.
  [[nodiscard]] Bytes file_of(ByteView data) const {
    std::vector<Secret> blocks;
    for (; !data.empty(); data = data.subspan(sb3::kDataSize)) {
      blocks.push_back(Secret::copy_of(data.first(sb3::kDataSize)));
    }
    return file(std::move(blocks));
  }
};

class RecordingTarget : public sb3::Target {
 public:
  explicit RecordingTarget(const Sb3World& world) : world_(&world) {}

  struct Taken {
    sb3::Command command;
    Bytes data;
    bool operator==(const Taken&) const = default;
  };
  std::vector<Taken> taken;
  std::size_t bytes_seen = 0;
  std::size_t asked = 0;
  std::size_t admitted = 0;
  std::size_t ended = 0;
  std::size_t abandoned = 0;
  Status verdict;    // of authority()
  Status admission;  // of admit()
  int fail_at_command = -1;

  Result<sb3::Authority> authority(const sb3::Header&, const sb3::Certificate& given) override {
    ++asked;
    if (!verdict) return verdict.error();
    EXPECT_EQ(given.enc_oem_share.size(), sb3::kEncShareSize);
    return sb3::Authority{to_bytes(world_->signer.public_xy()),
                          Secret::copy_of(world_->part_common_key)};
  }
  Status admit(const sb3::Header& header, const sb3::Certificate&) override {
    ++admitted;
    EXPECT_GT(header.block_count, 0U);
    return admission;
  }
  Status begin(const sb3::Command& command) override {
    EXPECT_EQ(ended, taken.size()) << "a command begins after the one before has ended";
    if (fail_at_command == static_cast<int>(taken.size())) {
      return Error{ErrorCode::kNotPermitted, "no more", 0};
    }
    taken.push_back({command, {}});
    return {};
  }
  Status data(ByteView piece) override {
    bytes_seen += piece.size();
    taken.back().data.insert(taken.back().data.end(), piece.begin(), piece.end());
    return {};
  }
  Status end() override {
    ++ended;
    return {};
  }
  void abandon() override { ++abandoned; }

 private:
  const Sb3World* world_;
};

inline Status read_file(RecordingTarget& target, ByteView file, std::size_t piece,
                        std::uint64_t announced) {
  sb3::Reader reader(crypto(), announced, target);
  while (!file.empty()) {
    const auto count = std::min(piece, file.size());
    if (auto taken = reader.update(file.first(count)); !taken) return taken;
    file = file.subspan(count);
  }
  return reader.finish();
}
inline Status read_file(RecordingTarget& target, ByteView file, std::size_t piece = 1000) {
  return read_file(target, file, piece, file.size());
}

}  // namespace tallystick::core::testing
