// What the NXP-shaped commands leave in a part, as bytes: each has one form, and every other is
// refused.
#include "devicesim/nxp/nxp_state.h"

#include "core/base/reader.h"
#include "devicesim/nxp/provisioned_keys.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::ErrorCode;
using device::NxpState;
using device::ProvisionedKeys;

// Keys by their number, in whatever order, with their sizes.
using Sizes = std::vector<std::pair<std::uint32_t, std::size_t>>;

Bytes store_of(const Sizes& keys) {
  core::Writer out;
  out.bytes(Bytes(16, 0xAC)).u8(static_cast<std::uint8_t>(keys.size()));
  for (const auto& [type, size] : keys) out.u32(type).lv(pattern(size, type));
  return out.take();
}

Bytes state_of(const Sizes& keys, ByteView store = {}) {
  core::Writer out;
  out.u32(7).u8(static_cast<std::uint8_t>(keys.size()));
  for (const auto& [place, size] : keys) out.u32(place).u32(1).lv(pattern(size, place));
  out.lv(store);
  return out.take();
}

// As many keys as that, at rising places.
Sizes many(std::uint32_t count) {
  Sizes keys;
  for (std::uint32_t i = 0; i < count; ++i) keys.emplace_back(i, 16);
  return keys;
}

// `decode` refuses what is cut anywhere, and what has a byte more.
template <typename Decode>
void expect_no_other_length(const Bytes& good, ErrorCode code, Decode decode) {
  ASSERT_THAT(decode(good), Succeeds());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(decode(ByteView(good).first(size)), FailsWith(code)) << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_THAT(decode(longer), FailsWith(code));
}

TEST(KeyStores, AreReadBackAsTheyWereWritten) {
  const Sizes sizes = {{2, 16}, {3, 64}, {12, 24}};
  const auto good = store_of(sizes);
  const auto read = value(ProvisionedKeys::decode(good));
  EXPECT_EQ(read.size(), sizes.size());
  for (const auto& [type, size] : sizes) {
    EXPECT_TRUE(core::equal_in_constant_time(read.key(type), pattern(size, type))) << type;
  }
  EXPECT_TRUE(core::equal_in_constant_time(read.encode(), good));
  EXPECT_THAT(ProvisionedKeys::decode(store_of({})), Succeeds()) << "nothing but its enrolment";
}

TEST(KeyStores, P02_P03_OfAnotherFormAreNone) {
  expect_no_other_length(store_of({{2, 16}, {11, 32}}), ErrorCode::kMalformed,
                         &ProvisionedKeys::decode);
  const std::vector<Sizes> others = {
      {{2, 16}, {2, 16}}, {{11, 16}, {2, 16}}, {{4, 16}}, {{0xFFFFFFFF, 16}}, {{2, 0}},
      {{2, 8}},           {{2, 15}},           {{2, 17}}, {{2, 72}},          many(17)};
  for (const auto& keys : others) {
    EXPECT_THAT(ProvisionedKeys::decode(store_of(keys)), FailsWith(ErrorCode::kMalformed))
        << ::testing::PrintToString(keys);
  }
}

TEST(NxpStates, AreReadBackAsTheyWereWritten) {
  const auto store = store_of({{2, 16}});
  const auto good = state_of({{0, 16}, {0x80, 32}}, store);
  const auto read = value(device::decode_nxp_state(good));
  EXPECT_EQ(read->minimum_firmware_version, 7U);
  ASSERT_EQ(read->keys.size(), 2U);
  EXPECT_EQ(read->keys.at(0x80).type, 1U);
  EXPECT_TRUE(core::equal_in_constant_time(read->keys.at(0x80).key.view(), pattern(32, 0x80)));
  EXPECT_TRUE(core::equal_in_constant_time(read->key_store.view(), store));
  EXPECT_TRUE(core::equal_in_constant_time(device::encode_nxp_state(*read), good));
  EXPECT_THAT(device::decode_nxp_state(state_of(many(NxpState::kMostLoadedKeys))), Succeeds());
}

TEST(NxpStates, P02_P03_OfAnotherFormAreNone) {
  const auto store = store_of({{2, 16}});
  expect_no_other_length(state_of({{0, 16}, {0x80, 32}}, store), ErrorCode::kStorage,
                         &device::decode_nxp_state);
  const std::vector<Sizes> others = {
      {{5, 16}, {5, 16}}, {{5, 16}, {4, 16}}, {{5, 0}},  {{5, 15}},
      {{5, 24}},          {{5, 33}},          {{5, 64}}, many(NxpState::kMostLoadedKeys + 1)};
  for (const auto& keys : others) {
    EXPECT_THAT(device::decode_nxp_state(state_of(keys)), FailsWith(ErrorCode::kStorage))
        << ::testing::PrintToString(keys);
  }
  for (const auto& bad : {Bytes{0}, store_of({{4, 16}}), Bytes(store.begin(), store.end() - 1)}) {
    EXPECT_THAT(device::decode_nxp_state(state_of({}, bad)), FailsWith(ErrorCode::kStorage));
  }
}

}  // namespace
}  // namespace tallystick::test
