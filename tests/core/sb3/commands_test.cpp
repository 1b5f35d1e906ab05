// The commands inside SB3.1 files, signed by who may sign: only those of the format are begun.
#include "core/base/little_endian.h"
#include "core/sb3/command_reader.h"
#include "tests/core/sb3/file_world.h"

namespace tallystick::core::testing {
namespace {

using sb3::CommandReader;

Bytes words(std::initializer_list<std::uint32_t> values) {
  Bytes out;
  for (const auto value : values) little_endian::append32(out, value);
  return out;
}

class Sb3Commands : public ::testing::Test {
 protected:
  Sb3World world_;

  [[nodiscard]] Bytes block(std::initializer_list<ByteView> parts) const {
    auto out = concatenated(parts);
    out.resize((out.size() + sb3::kDataSize - 1) / sb3::kDataSize * sb3::kDataSize);
    return out;
  }
  Status read(ByteView data) {
    target_.emplace(world_);
    return read_file(*target_, world_.file_of(data));
  }
  std::optional<RecordingTarget> target_;
};

constexpr std::uint32_t kMark = 0x55AAAA55;

TEST_F(Sb3Commands, MayBeNone) {
  EXPECT_TRUE(is_ok(read(block({words({1, 1, 0, 0})}))));
  EXPECT_TRUE(target_->taken.empty());
}

TEST_F(Sb3Commands, P03_OfAnotherFormAreRefused) {
  const auto refuses = [&](const Bytes& data) {
    auto refused = refused_at(read(data), 8);
    if (refused && !target_->taken.empty()) refused = ::testing::AssertionFailure() << "begun";
    return refused;
  };
  EXPECT_TRUE(refuses(block({words({2, 1, 0, 0})}))) << "section";
  EXPECT_TRUE(refuses(block({words({1, 2, 0, 0})}))) << "its type";
  EXPECT_TRUE(refuses(block({words({1, 1, 0, 1})}))) << "its reserved word";
  EXPECT_TRUE(refuses(block({words({1, 1, 8, 0})}))) << "half a command";
  EXPECT_TRUE(refuses(block({words({1, 1, 24, 0}), words({kMark, 0, 0, 3})}))) << "one and a half";
  EXPECT_TRUE(refuses(block({words({1, 1, 0, 0}), words({1})}))) << "something behind";
  EXPECT_TRUE(refuses(block({words({1, 1, 0xFFFFFFF0, 0})}))) << "longer than its blocks";
  EXPECT_TRUE(refuses(Bytes(512))) << "no section";
  auto extra = block({words({1, 1, 0, 0})});
  extra.resize(512);
  EXPECT_TRUE(refuses(extra)) << "a block too many";
  EXPECT_TRUE(refuses(block({words({1, 1, 16, 0}), words({kMark + 1, 0, 0, 3})}))) << "mark";
  for (const std::uint32_t tag : {0U, 14U, 0x102U, 0xFFFFFFFFU}) {
    EXPECT_TRUE(refuses(block({words({1, 1, 16, 0}), words({kMark, 0, 0, tag})}))) << tag;
  }
  EXPECT_TRUE(refuses(block({words({1, 1, 16, 0}), words({kMark, 0, 1, 3})}))) << "reserved";
  EXPECT_TRUE(refuses(block({words({1, 1, 32, 0}), words({kMark, 0, 4, 1, 0, 1, 0, 0})})))
      << "reserved";
  EXPECT_TRUE(refuses(block({words({1, 1, 32, 0}), words({kMark, 0, 4, 8, 0, 0, 0, 1})})))
      << "reserved";
  EXPECT_TRUE(refuses(block({words({1, 1, 16, 0}), words({kMark, 0, 4, 1})}))) << "no details";
  EXPECT_TRUE(refuses(block({words({1, 1, 32, 0}), words({kMark, 0, 1, 2, 0, 0, 0, 0})})))
      << "no data";
  EXPECT_TRUE(refused_at(
      read(block({words({1, 1, 48, 0}), words({kMark, 0, 1, 2, 0, 0, 0, 0, 0x0105})})), 8))
      << "data that is not zero padded";
  EXPECT_TRUE(target_->taken.size() == 1 && target_->abandoned == 1);
}

TEST_F(Sb3Commands, P01_LengthsThatOverflowAreRefusedBeforeAnythingIsDone) {
  for (const std::uint32_t length : {240U - 31U, 0x7FFFFFFFU, 0xFFFFFFF0U, 0xFFFFFFFFU}) {
    EXPECT_TRUE(refused_at(
        read(block({words({1, 1, 240, 0}), words({kMark, 0, length, 2, 0, 0, 0, 0})})), 8));
    EXPECT_TRUE(target_->taken.empty()) << length;
    EXPECT_TRUE(refused_at(read(block({words({1, 1, 240, 0}), words({kMark, 0, length, 5})})), 8));
    EXPECT_TRUE(target_->taken.empty()) << length;
  }
  // Fuses of four bytes each, which together are none or one again.
  for (const std::uint32_t fuses : {0x40000000U, 0x40000001U, 0x80000001U, 0xC0000001U}) {
    EXPECT_TRUE(refused_at(read(block({words({1, 1, 32, 0}), words({kMark, 3, fuses, 5})})), 8));
    EXPECT_TRUE(target_->taken.empty()) << fuses;
  }
}

TEST_F(Sb3Commands, P03_HaveZerosInTheirTrailer) {
  const auto head = words({1, 1, 96, 0, kMark, 0x200, 0, 9, 1, 0, 0, 0});
  EXPECT_TRUE(is_ok(read(block({head, Bytes(64)}))));
  for (std::size_t at = 0; at < 64; ++at) {
    Bytes trailer(64);
    trailer[at] = 1;
    EXPECT_TRUE(refused_at(read(block({head, trailer})), 8)) << at;
    EXPECT_EQ(target_->ended, 0U) << at;
  }
}

// The reader of the commands alone, by what its header says.
TEST_F(Sb3Commands, ComeInWholeUnitsAndNoMoreThanWereAnnounced) {
  target_.emplace(world_);
  for (const std::size_t size : {1U, 15U, 17U, 255U}) {
    CommandReader reader(256, *target_);
    EXPECT_TRUE(fails_with(reader.update(Bytes(size)), ErrorCode::kInvalidArgument)) << size;
  }
  const auto none = words({1, 1, 0, 0});
  CommandReader at_once(256, *target_);
  EXPECT_TRUE(
      fails_with(at_once.update(concatenated({none, Bytes(256)})), ErrorCode::kInvalidArgument));
  CommandReader in_pieces(256, *target_);
  EXPECT_TRUE(is_ok(in_pieces.update(block({none}))));
  EXPECT_TRUE(is_ok(in_pieces.finish()));
  EXPECT_TRUE(fails_with(in_pieces.update(Bytes(16)), ErrorCode::kInvalidArgument));
}

TEST_F(Sb3Commands, P01_AreWholeOnlyWhenAllOfThemCameAndWereTaken) {
  target_.emplace(world_);
  CommandReader cut(256, *target_);
  EXPECT_TRUE(is_ok(cut.update(words({1, 1, 0, 0}))));
  EXPECT_TRUE(fails_with(cut.finish(), ErrorCode::kMalformed)) << "zeros are missing";
  CommandReader empty(0, *target_);
  EXPECT_TRUE(fails_with(empty.finish(), ErrorCode::kMalformed)) << "no section";
  CommandReader refused(256, *target_);
  EXPECT_TRUE(fails_with(refused.update(Bytes(256)), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(refused.finish(), ErrorCode::kMalformed)) << "all came, not all was taken";
}

}  // namespace
}  // namespace tallystick::core::testing
