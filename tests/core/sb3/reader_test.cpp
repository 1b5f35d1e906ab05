// SB3.1 files: what is written is what is read, and nothing is used that was not verified first.
#include "core/sb3/reader.h"

#include "core/base/little_endian.h"
#include "core/crypto/hash.h"
#include "tests/core/sb3/file_world.h"

namespace tallystick::core::testing {
namespace {

using sb3::Command;
using sb3::CommandTag;
using sb3::CommandWriter;

struct Planned {
  Command command;
  Bytes data;
};

// One of every kind.
std::vector<Planned> every_command() {
  std::vector<Planned> out;
  const auto add = [&out](Command command, Bytes data = {}) {
    if (command.has_data()) command.length = static_cast<std::uint32_t>(data.size());
    out.push_back({command, std::move(data)});
  };
  add({.tag = CommandTag::kErase, .address = 0x1000, .length = 0x2000, .memory = 9});
  add({.tag = CommandTag::kLoad, .address = 0x1000, .memory = 9}, random_bytes(700));
  add({.tag = CommandTag::kLoad, .address = 0x5000}, Bytes());
  add({.tag = CommandTag::kLoad, .address = 0x5000}, random_bytes(16));
  add({.tag = CommandTag::kProgramFuses, .address = 3}, random_bytes(12));
  add({.tag = CommandTag::kProgramIfr, .address = 0x20}, random_bytes(9));
  add({.tag = CommandTag::kLoadCmac, .address = 0x100}, random_bytes(17));
  add({.tag = CommandTag::kLoadHashLocking, .address = 0x200, .memory = 1}, random_bytes(33));
  add({.tag = CommandTag::kCopy,
       .address = 1,
       .length = 2,
       .memory = 3,
       .destination = 4,
       .destination_memory = 5});
  add({.tag = CommandTag::kLoadKeyBlob, .address = 0x80, .id = 17}, random_bytes(48));
  add({.tag = CommandTag::kConfigureMemory, .address = 0x20000000, .memory = 9});
  add({.tag = CommandTag::kFillMemory, .address = 0x300, .length = 0x40, .value = 0xA5A5A5A5});
  add({.tag = CommandTag::kFirmwareVersionCheck, .value = 7, .id = 2});
  add({.tag = CommandTag::kCall, .address = 0x1001});
  add({.tag = CommandTag::kExecute, .address = 0x1001});
  return out;
}

CommandWriter written(const std::vector<Planned>& plan) {
  CommandWriter out;
  for (const auto& [command, data] : plan) must(out.add(command, data));
  return out;
}

class Sb3Files : public ::testing::TestWithParam<Curve> {
 protected:
  Sb3World world_{GetParam()};
  std::vector<Planned> plan_ = every_command();
  Bytes file_ = world_.file(written(plan_));

  // It was refused before anything of it was used, at `check`.
  void expect_untouched(ByteView file, int check, std::uint64_t announced) {
    RecordingTarget target(world_);
    EXPECT_TRUE(refused_at(read_file(target, file, 333, announced), check));
    EXPECT_TRUE(target.taken.empty());
    EXPECT_EQ(target.abandoned, target.admitted);
  }
  void expect_untouched(ByteView file, int check) { expect_untouched(file, check, file.size()); }

  [[nodiscard]] std::size_t block0() const { return world_.variant.block0_size(); }
  [[nodiscard]] std::size_t block() const { return world_.variant.block_size(); }
};
INSTANTIATE_TEST_SUITE_P(Both, Sb3Files, ::testing::Values(Curve::kP256, Curve::kP384),
                         [](const auto& tested) {
                           return tested.param == Curve::kP256 ? "Sha256" : "Sha384";
                         });

TEST_P(Sb3Files, AreReadAsTheyWereWrittenInPiecesOfAnySize) {
  for (const std::size_t piece : {1UL, 7UL, 256UL, 292UL, 100000UL}) {
    RecordingTarget target(world_);
    ASSERT_TRUE(is_ok(read_file(target, file_, piece))) << piece;
    ASSERT_EQ(target.taken.size(), plan_.size());
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      EXPECT_EQ(target.taken[i].command, plan_[i].command) << i;
      EXPECT_EQ(target.taken[i].data, plan_[i].data) << i;
    }
    EXPECT_EQ(target.ended, plan_.size());
    EXPECT_EQ(target.abandoned, 0U);
  }
}

TEST_P(Sb3Files, HaveTheSizesThatTheirFormatNames) {
  const bool sha256 = GetParam() == Curve::kP256;
  EXPECT_EQ(block(), sha256 ? 292U : 308U);
  EXPECT_EQ(world_.variant.certificate_offset(), sha256 ? 92U : 108U);
  EXPECT_EQ((file_.size() - block0()) % block(), 0U);
  if (!sha256) return;
  EXPECT_EQ(block0(), 284U);
  EXPECT_EQ(world_.variant.manifest_size(), 220U);
  EXPECT_EQ(world_.variant.certificate_size(), 128U);
  EXPECT_EQ(array_of<48>(ByteView(file_).subspan(172)), world_.certificate.enc_oem_share);
  EXPECT_EQ(to_hex(ByteView(file_).first(8)), "7362763301000300");
  EXPECT_EQ(to_hex(ByteView(file_).subspan(92, 16)), "63686472010002008000000011000080");
}

TEST_P(Sb3Files, EncryptTheirBlocks) {
  for (const auto& [command, data] : plan_) {
    if (data.size() < 16) continue;
    EXPECT_EQ(std::search(file_.begin(), file_.end(), data.begin(), data.begin() + 16),
              file_.end());
  }
}

TEST_P(Sb3Files, D10_P02_FlippedBitsAreRefusedBeforeTheirBlockIsUsed) {
  for (std::size_t at = 0; at < file_.size(); at += at < block0() ? 1U : 5U) {
    auto damaged = file_;
    damaged[at] ^= static_cast<std::uint8_t>(1U << at % 8);
    RecordingTarget target(world_);
    const auto refused = read_file(target, damaged);
    ASSERT_FALSE(refused.ok()) << at;
    EXPECT_EQ(target.abandoned, target.admitted) << at;
    if (at < block0()) {
      EXPECT_LE(refused.error().check, 3) << at;
      EXPECT_EQ(target.admitted, 0U) << at;
      continue;
    }
    EXPECT_TRUE(refused_at(refused, 7)) << at;
    // Only blocks before the damaged one were decrypted.
    EXPECT_LE(target.bytes_seen, (at - block0()) / block() * sb3::kDataSize) << at;
  }
}

TEST_P(Sb3Files, P01_CutsAndExtraBytesAreRefused) {
  for (std::size_t size = 0; size < file_.size(); size += size < block0() ? 1U : 5U) {
    const auto cut = ByteView(file_).first(size);
    RecordingTarget honest(world_);
    ASSERT_TRUE(refused_at(read_file(honest, cut), 4)) << size;
    EXPECT_EQ(honest.abandoned, honest.admitted) << size;
    RecordingTarget lied_to(world_);
    ASSERT_TRUE(refused_at(read_file(lied_to, cut, 1000, file_.size()), 4)) << size;
    EXPECT_EQ(lied_to.abandoned, lied_to.admitted) << size;
  }
  auto longer = file_;
  longer.push_back(0);
  expect_untouched(longer, 4);
  RecordingTarget target(world_);
  EXPECT_TRUE(refused_at(read_file(target, longer, 1000, file_.size()), 4));
  EXPECT_EQ(target.abandoned, 1U);
}

TEST_P(Sb3Files, D10_AnotherSignersFileIsRefusedThoughItsOwnSignatureHolds) {
  Sb3World stranger(GetParam());
  stranger.part_common_key = world_.part_common_key;
  expect_untouched(stranger.file(written(plan_)), 3);
}

TEST_P(Sb3Files, D10_OnlyTheSignerThatBelongsToTheShareMayBeNamed) {
  // Its signature is the right one's: the certificate only says that it is another's.
  world_.certificate.signer =
      to_bytes(must(EcPrivateKey::generate(crypto(), GetParam())).public_xy());
  expect_untouched(world_.file(written(plan_)), 3);
}

TEST_P(Sb3Files, D10_ASignerThatIsNoPointOfTheCurveIsRefused) {
  class Credulous : public RecordingTarget {
   public:
    using RecordingTarget::RecordingTarget;
    Result<sb3::Authority> authority(const sb3::Header&, const sb3::Certificate& given) override {
      return sb3::Authority{given.signer, Secret(32)};
    }
  };
  world_.certificate.signer.back() ^= 1U;
  Credulous target(world_);
  EXPECT_TRUE(refused_at(read_file(target, world_.file(written(plan_))), 3));
  EXPECT_EQ(target.admitted, 0U);
}

TEST_P(Sb3Files, P01_ABlockZeroOfAnotherLengthIsNotReadOn) {
  auto claimed = file_;
  for (const std::uint32_t length : {0U, 60U, 283U, 285U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    Bytes field;
    little_endian::append32(field, length);
    std::copy(field.begin(), field.end(), claimed.begin() + 32);
    expect_untouched(claimed, 1);
  }
}

TEST_P(Sb3Files, D10_TheTargetIsAskedForNothingBeforeTheSignatureHeld) {
  RecordingTarget target(world_);
  target.verdict = Error{ErrorCode::kShareRefused, "not mine", 0};
  EXPECT_TRUE(refused_at(read_file(target, file_), 2));
  EXPECT_EQ(target.admitted, 0U);
  RecordingTarget picky(world_);
  picky.admission = Error{ErrorCode::kRollback, "old", 6};
  EXPECT_TRUE(refused_at(read_file(picky, file_), 6));
  EXPECT_TRUE(picky.taken.empty());
  EXPECT_EQ(picky.abandoned, 1U);
}

TEST_P(Sb3Files, AreAbandonedOnceWhenTheTargetRefusesACommandOrTheStreamEnds) {
  RecordingTarget target(world_);
  target.fail_at_command = 2;
  {
    sb3::Reader reader(crypto(), file_.size(), target);
    EXPECT_TRUE(refused_at(reader.update(file_), 8));
    EXPECT_FALSE(reader.update({file_}).ok()) << "it stays refused";
    EXPECT_FALSE(reader.finish().ok());
  }
  EXPECT_EQ(target.taken.size(), 2U);
  EXPECT_EQ(target.abandoned, 1U);
  RecordingTarget left_alone(world_);
  {
    sb3::Reader reader(crypto(), file_.size(), left_alone);
    EXPECT_TRUE(is_ok(reader.update(ByteView(file_).first(block0() + block()))));
    EXPECT_TRUE(reader.header().has_value());
  }
  EXPECT_EQ(left_alone.abandoned, 1U);
}

TEST_P(Sb3Files, P03_BlocksInAnotherOrderOrFromAnotherFileAreRefused) {
  auto swapped = file_;
  std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(block0()),
                   swapped.begin() + static_cast<std::ptrdiff_t>(block0() + block()),
                   swapped.begin() + static_cast<std::ptrdiff_t>(block0() + block()));
  expect_untouched(swapped, 7);
  // The same head and commands, sealed again: the hash is of this very block.
  auto other = world_.file(written(every_command()));
  std::copy(file_.begin(), file_.begin() + static_cast<std::ptrdiff_t>(block0()), other.begin());
  expect_untouched(other, 7);
}

// A changed file with the hashes and the signature that it would have, had its signer made it so.
Bytes signed_anew(const Sb3World& world, Bytes file) {
  const auto& variant = world.variant;
  const auto put = [&file](ByteView what, std::size_t at) {
    std::ranges::copy(what, file.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (auto at = file.size(); at > variant.block0_size();) {
    at -= variant.block_size();
    Bytes hash(variant.hash_size());
    must(
        digest(crypto(), variant.hash(), {ByteView(file).subspan(at, variant.block_size())}, hash));
    put(hash, at == variant.block0_size() ? sb3::kHeaderSize : at - variant.block_size() + 4);
  }
  const auto manifest = ByteView(file).first(variant.manifest_size());
  put(must(world.signer.sign(crypto(), {manifest})), variant.manifest_size());
  return file;
}

TEST_P(Sb3Files, P03_BlocksWithAnotherNumberAreRefusedThoughSigned) {
  RecordingTarget target(world_);
  ASSERT_TRUE(is_ok(read_file(target, signed_anew(world_, file_))));
  for (std::size_t at = 0; at < 4; ++at) {
    auto misnumbered = file_;
    misnumbered[block0() + at] ^= 3U;
    expect_untouched(signed_anew(world_, misnumbered), 7);
  }
}

TEST_P(Sb3Files, P03_TheLastBlockNamesNoNextOneThoughSigned) {
  auto endless = file_;
  endless[endless.size() - block() + 4] = 1;
  RecordingTarget target(world_);
  EXPECT_TRUE(refused_at(read_file(target, signed_anew(world_, endless)), 7));
  EXPECT_LT(target.ended, plan_.size());
  EXPECT_EQ(target.abandoned, 1U);
}

TEST_P(Sb3Files, P01_WithoutBlocksAreRefusedThoughSigned) {
  auto none = to_bytes(ByteView(file_).first(block0()));
  std::fill_n(none.begin() + 12, 4, std::uint8_t{0});
  RecordingTarget target(world_);
  EXPECT_TRUE(refused_at(read_file(target, signed_anew(world_, none)), 4));
  EXPECT_EQ(target.admitted, 0U);
}

}  // namespace
}  // namespace tallystick::core::testing
