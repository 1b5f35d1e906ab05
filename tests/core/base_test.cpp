#include <gtest/gtest.h>
#include <openssl/err.h>

#include <memory>
#include <new>

#include "core/base/reader.h"
#include "core/base/result.h"

namespace tallystick::core {
namespace {

TEST(Reader, ReadsBigEndianIntegersAndFields) {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 2, 0xAA, 0xBB};
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607U);
  EXPECT_EQ(reader.u64(), 0x08090A0B0C0D0E0FULL);
  EXPECT_EQ(to_hex(reader.lv()), "aabb");
  EXPECT_TRUE(reader.done());
}

TEST(Reader, StaysFailedAfterTheFirstShortRead) {
  const Bytes bytes = {1, 2, 3};
  Reader reader(bytes);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "a later read that would fit gives nothing either";
  EXPECT_TRUE(reader.take(1).empty());
  EXPECT_EQ((reader.array<2>()), (ByteArray<2>{}));
  EXPECT_FALSE(reader.done());
}

TEST(Reader, IsNotDoneWhileBytesAreLeft) {
  const Bytes bytes = {1, 2};
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.done());
  EXPECT_EQ(reader.rest().size(), 1U);
}

TEST(Reader, TakesNothingFromALengthThatIsLargerThanItsInput) {
  const Bytes bytes = {0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3};
  Reader reader(bytes);
  EXPECT_TRUE(reader.lv().empty());
  EXPECT_FALSE(reader.ok());
}

TEST(Reader, FailsOnAnEmptyViewButTakesZeroBytesFromIt) {
  Reader reader({});
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(reader.take(0).empty());
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.u16(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(Writer, WritesWhatTheReaderReads) {
  Writer writer;
  writer.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090A0B0C0D0E0FULL);
  writer.text("TS1").zeros(2).lv(Bytes{0xEE}).bytes(Bytes{0xDD});
  EXPECT_EQ(to_hex(writer.view()), "0102030405060708090a0b0c0d0e0f545331000000000001eedd");
  EXPECT_EQ(writer.size(), 26U);
  EXPECT_EQ(writer.take().size(), 26U);
}

TEST(Integers, AreEncodedBigEndian) {
  EXPECT_EQ(to_hex(be32(0x01020304)), "01020304");
  EXPECT_EQ(to_hex(be64(0x0102030405060708ULL)), "0102030405060708");
}

TEST(BytesFunctions, CompareByContentAndLength) {
  const Bytes a = {1, 2, 3};
  const Bytes b = {1, 2, 4};
  EXPECT_TRUE(equal_in_constant_time(a, Bytes({1, 2, 3})));
  EXPECT_FALSE(equal_in_constant_time(a, b));
  EXPECT_FALSE(equal_in_constant_time(a, ByteView(a).first(2)));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(BytesFunctions, SeeAnyByteThatIsNotZero) {
  EXPECT_TRUE(all_zero({}));
  EXPECT_TRUE(all_zero(Bytes(40, 0)));
  for (std::size_t i = 0; i < 40; ++i) {
    Bytes bytes(40, 0);
    bytes[i] = 0x80;
    EXPECT_FALSE(all_zero(bytes)) << i;
  }
}

TEST(BytesFunctions, ConvertBetweenTextAndBytes) {
  EXPECT_EQ(text_of(bytes_of("share")), "share");
  EXPECT_EQ(to_hex(bytes_of("TS")), "5453");
  EXPECT_EQ(to_hex(Bytes{0x0f, 0xa0}), "0fa0");
}

TEST(ResultType, HoldsAValueOrAnError) {
  const Result<int> value(7);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value, 7);
  const Result<int> error(Error{ErrorCode::kRollback, "older", 9});
  ASSERT_FALSE(error.ok());
  EXPECT_FALSE(static_cast<bool>(error));
  EXPECT_EQ(error.error().code, ErrorCode::kRollback);
  EXPECT_EQ(error.error().check, 9);
  EXPECT_EQ(error.error().message, "older");
}

TEST(ResultType, GivesAwayWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(3));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 3);
  const std::unique_ptr<int> taken = *std::move(value);
  EXPECT_EQ(*taken, 3);
}

TEST(ResultType, OfNothingIsOkUntilItCarriesAnError) {
  EXPECT_TRUE(Status().ok());
  Status failed = Error{ErrorCode::kStorage, "full", 0};
  EXPECT_FALSE(static_cast<bool>(failed));
  EXPECT_EQ(std::move(failed).error().message, "full");
}

TEST(CryptoErrors, CarryTheReasonAndEmptyTheQueue) {
  ERR_raise(ERR_LIB_EVP, ERR_R_INTERNAL_ERROR);
  const auto error = crypto_error("deriving");
  EXPECT_EQ(error.code, ErrorCode::kCrypto);
  EXPECT_TRUE(error.message.starts_with("deriving ("));
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_EQ(crypto_error("deriving").message, "deriving");
}

TEST(CryptoErrors, OfMissingMemoryAreTheSameAsEverywhereElse) {
  ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
  EXPECT_THROW((void)crypto_error("deriving"), std::bad_alloc);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace tallystick::core
