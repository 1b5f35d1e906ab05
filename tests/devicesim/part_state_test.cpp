// The bytes of a part at rest, under the digest that finds damage: whatever is no state of a part
// is refused and never half read, whoever wrote it.
#include "devicesim/part_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::ErrorCode;
using device::PartFile;
using device::PartState;

MATCHER_P(IsDamaged, what, "") {
  if (arg.ok()) {
    *result_listener << "it succeeded";
    return false;
  }
  *result_listener << arg.error().message;
  return arg.error().code == ErrorCode::kStorage &&
         arg.error().message == std::string("the part's state is damaged: ") + what;
}

class PartStates : public ::testing::Test {
 protected:
  using Change = std::function<void(PartState&)>;

  PartStates() {
    const auto medium = new_medium();
    const auto part = ready_part(world_, "", medium);
    const auto image = [&](std::uint32_t version) {
      return application_image(world_.crypto(), oem_.key(), {version, 0});
    };
    done(program(*part, oem_.share_blob(), oem_.package(application_plan({image(1), image(2)}))));
    state_ = value(PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium)))
                 .take_state();
  }

  static Bytes encoded(const PartState& state) {
    const auto bytes = value(device::encode_state(state));
    return {bytes.view().begin(), bytes.view().end()};
  }
  [[nodiscard]] Bytes changed(const Change& change) const {
    auto state = *state_;
    change(state);
    return encoded(state);
  }
  [[nodiscard]] core::Result<PartState> decoded(ByteView bytes) const {
    return device::decode_state(world_.crypto(), bytes);
  }
  // The family with another number of shares than any has.
  [[nodiscard]] Change with_shares(std::size_t count) const {
    return [this, count](PartState& state) {
      auto family = world_.family_for(core::FamilyRole::kPart);
      family.shares.resize(count);
      for (auto& share : family.shares) share = core::Secret(core::kSecretSize);
      state.immutable = device::ImmutableMemory(
          state.immutable.manufacture(), std::make_shared<const core::Family>(std::move(family)));
    };
  }
  static Change with_manufacture(const std::function<void(device::Manufacture&)>& change) {
    return [change](PartState& state) {
      auto manufacture = state.immutable.manufacture();
      change(manufacture);
      state.immutable = device::ImmutableMemory(std::move(manufacture), state.immutable.family());
    };
  }
  // An installed package whose head is other bytes.
  static Change with_head(const std::function<void(Bytes&)>& change) {
    return [change](PartState& state) {
      auto installed = std::make_shared<device::Installed>();
      installed->head = state.installed->head;
      change(installed->head.raw);
      state.installed = std::move(installed);
    };
  }

  World world_{{core::kFamilyUniform, 1}};
  OemDesk oem_{world_};
  std::optional<PartState> state_;
};

TEST_F(PartStates, D02_D10_ThatNoPartHasAreRefused) {
  struct Row {
    const char* field;
    const char* refused_as;
    Change change;
  };
  const std::vector<Row> table = {
      {"no fingerprint", "manufacture",
       with_manufacture([](auto& manufacture) { manufacture.icm_fingerprint = {}; })},
      {"a product that is no text", "manufacture",
       with_manufacture([](auto& manufacture) { manufacture.product = "\xFF"; })},
      {"a flash past the end of the addresses", "manufacture",
       with_manufacture([](auto& manufacture) { manufacture.memory.flash_base = UINT64_MAX; })},
      {"fewer shares than a key takes", "family", with_shares(core::kLeastShares - 1)},
      {"more shares than a key takes", "family", with_shares(core::kMostShares + 1)},
      {"more minimum versions than it can remember", "minimum versions",
       [](auto& state) {
         for (std::uint32_t id = 0; id <= device::kMostAssetIds; ++id) {
           state.minimum_asset_versions[static_cast<std::uint16_t>(id)] = 1;
         }
       }},
      {"a third bank", "bank", [](auto& state) { state.active_bank = 2; }},
      {"an empty head of a package", "package", with_head([](auto& head) { head.clear(); })},
      {"less than a header of a package", "package",
       with_head([](auto& head) { head.resize(core::kPackageHeaderSize - 1); })},
      {"less than a head of a package", "package", with_head([](auto& head) { head.pop_back(); })},
      {"the head of something else", "package", with_head([](auto& head) { head[0] ^= 1; })},
      {"a package of an endless length", "package",
       with_head([](auto& head) { std::fill_n(head.begin() + 88, 8, std::uint8_t{0xFF}); })},
      {"an asset of no kind", "package",
       with_head([](auto& head) { head[core::kPackageHeaderSize + 2] = 3; })},
      {"an asset outside the flash", "package",
       with_head([](auto& head) { head[core::kPackageHeaderSize + 8] = 1; })},
      {"a third application", "boot record",
       [](auto& state) {
         state.boot.slots.push_back({30, 0, false});
       }},
      {"an application started too often", "boot record",
       [](auto& state) { state.boot.slots[0].attempts = device::kBootAttempts + 1; }},
      {"one application twice", "boot record",
       [](auto& state) { state.boot.slots[1].slot = state.boot.slots[0].slot; }},
      {"too many tries at the debug port", "debug record",
       [](auto& state) { state.debug.tries = device::kDebugTries + 1; }},
      {"a former key beside the present one", "two device keys",
       [](auto& state) { state.debug.former_key = core::ByteArray<64>{1}; }},
  };
  EXPECT_THAT(decoded(encoded(*state_)), Succeeds());
  for (const auto& row : table) {
    EXPECT_THAT(decoded(changed(row.change)), IsDamaged(row.refused_as)) << row.field;
  }
}

TEST_F(PartStates, D10_SayWhetherSomethingIsThereInOneWay) {
  struct Row {
    const char* what;
    const char* refused_as;
    Change there;
    Change absent;
  };
  constexpr const char* kForm = "not of the one form";
  const Change as_it_is = [](PartState&) {};
  const std::vector<Row> table = {
      {"the family", kForm, as_it_is,
       [](auto& state) {
         state.immutable = device::ImmutableMemory(state.immutable.manufacture());
       }},
      {"the master share", kForm, as_it_is,
       [this](auto& state) {
         auto family = world_.family_for(core::FamilyRole::kPart);
         family.k_oem_master_share.reset();
         state.immutable =
             device::ImmutableMemory(state.immutable.manufacture(),
                                     std::make_shared<const core::Family>(std::move(family)));
       }},
      {"the device key", kForm, as_it_is, [](auto& state) { state.device_key = nullptr; }},
      {"the owner", kForm, as_it_is, [](auto& state) { state.owner.reset(); }},
      {"the package", kForm, as_it_is, [](auto& state) { state.installed = nullptr; }},
      {"that an application is confirmed", "boot record",
       [](auto& state) { state.boot.slots[0].confirmed = true; }, as_it_is},
      {"the application of the last boot", "boot record", [](auto& state) { state.boot.last = 1; },
       as_it_is},
      {"the challenge", "debug record",
       [](auto& state) { state.debug.nonce = core::ByteArray<32>{1}; }, as_it_is},
      {"the former key", "debug record",
       [](auto& state) {
         state.debug.former_key = core::array_of<64>(state.device_key->public_xy());
         state.device_key = nullptr;
       },
       [](auto& state) { state.device_key = nullptr; }},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    auto there = changed(row.there);
    auto absent = changed(row.absent);
    EXPECT_THAT(decoded(there), Succeeds());
    EXPECT_THAT(decoded(absent), Succeeds());
    const auto at =
        static_cast<std::size_t>(std::ranges::mismatch(there, absent).in1 - there.begin());
    ASSERT_EQ(there[at], 1);
    ASSERT_EQ(absent[at], 0);
    there[at] = 2;
    EXPECT_THAT(decoded(there), IsDamaged(row.refused_as));
  }
}

TEST_F(PartStates, D10_HaveTheirMinimumVersionsInOneOrder) {
  const auto with_ids = [this](std::uint16_t first, std::uint16_t second) {
    return changed([&](PartState& state) {
      state.minimum_asset_versions = {{first, 0x11223344}, {second, 0x11223344}};
    });
  };
  auto bytes = with_ids(0x5A5B, 0x5A5C);
  EXPECT_THAT(decoded(bytes), Succeeds());
  const std::array<std::uint8_t, 6> row = {0x5A, 0x5B, 0x11, 0x22, 0x33, 0x44};
  const auto found = std::search(bytes.begin(), bytes.end(), row.begin(), row.end());
  ASSERT_NE(found, bytes.end());
  for (const auto id : core::ByteArray<2>{0x5C, 0x5D}) {
    found[1] = id;
    EXPECT_THAT(decoded(bytes), IsDamaged("not of the one form")) << "as often, or more";
  }
}

TEST_F(PartStates, D10_WithADeviceKeyThatIsNoneAreRefused) {
  auto bytes = encoded(*state_);
  const auto without = changed([](PartState& state) { state.device_key = nullptr; });
  const auto scalar = std::ranges::mismatch(bytes, without).in1 + 1;
  for (const auto all : core::ByteArray<2>{0x00, 0xFF}) {
    std::fill_n(scalar, 32, all);
    EXPECT_THAT(decoded(bytes), IsDamaged("device key"));
  }
}

TEST_F(PartStates, D02_D03_CutShortOrWithMoreBehindThemAreRefused) {
  const auto bytes = encoded(*state_);
  const auto& raw = state_->installed->head.raw;
  const auto package = std::search(bytes.begin(), bytes.end(), raw.begin(), raw.end());
  const auto begin = static_cast<std::size_t>(package - bytes.begin());
  const auto end = begin + state_->installed->head.raw.size() + 4 +
                   state_->installed->share_blob.size() + 4 + state_->installed->proof_key.size();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto state = decoded(ByteView(bytes).first(size));
    if (size >= begin && size < end) {
      ASSERT_THAT(state, IsDamaged("package")) << size;
    } else {
      ASSERT_THAT(state, FailsWith(ErrorCode::kStorage)) << size;
    }
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(decoded(longer), FailsWith(ErrorCode::kStorage));
  longer =
      changed([](PartState& state) { state.nxp = std::make_shared<const device::NxpState>(); });
  EXPECT_THAT(decoded(longer), Succeeds());
  longer.push_back(0);
  EXPECT_THAT(decoded(longer), IsDamaged("length"));
}

// The header has a digest of its own and says how large the banks are.
TEST_F(PartStates, D10_InAFileOfAnotherSizeAreNoPart) {
  const auto opened = [this](std::uint64_t of_storage, std::uint64_t in_header,
                             std::uint64_t in_state) {
    auto state = *state_;
    with_manufacture([&](auto& made) { made.memory.flash_size = in_state; })(state);
    const auto medium = new_medium(of_storage);
    MediumStorage storage(medium);
    done(PartFile::format(world_.crypto(), storage, state));
    done(device::write_header(world_.crypto(), storage, {in_header, std::nullopt}));
    done(storage.sync());
    return PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium));
  };
  const auto no_part = [](const core::Result<PartFile>& file) {
    ASSERT_THAT(file, FailsWith(ErrorCode::kStorage));
    EXPECT_THAT(file.error().message, ::testing::HasSubstr("not the file of a part"));
  };
  EXPECT_THAT(opened(kSmallFlash, kSmallFlash, kSmallFlash), Succeeds());
  no_part(opened(kSmallFlash, 2 * kSmallFlash, kSmallFlash));
  no_part(opened(2 * kSmallFlash, 2 * kSmallFlash, kSmallFlash));
  no_part(opened(0, 0, 0));
  for (const std::uint64_t size : {0U, 1U, 100U, 4096U}) {
    no_part(PartFile::open(world_.crypto(),
                           std::make_unique<MediumStorage>(std::make_shared<Medium>(size))));
  }
  // Twice that wraps to the size of the storage.
  constexpr auto kWraps = (1ULL << 63U) + kSmallFlash;
  no_part(opened(kSmallFlash, kWraps, kWraps));
}

TEST(Banks, D10_AreReadAndWrittenWithinThemselvesOnly) {
  const World world;
  const auto medium = new_medium();
  blank_part(world, "", medium);
  const auto before = *medium;
  auto file = value(PartFile::open(world.crypto(), std::make_unique<MediumStorage>(medium)));
  const auto size = device::bank_size({0, kSmallFlash});
  struct Range {
    std::uint64_t offset;
    std::size_t length;
  };
  const auto refused = FailsWith(ErrorCode::kInvalidArgument);
  for (unsigned bank = 0; bank < 2; ++bank) {
    for (const auto& [offset, length] :
         {Range{size + 1, 0}, Range{size, 1}, Range{size - 1, 2},
          Range{0, static_cast<std::size_t>(size) + 1}, Range{UINT64_MAX, 1}}) {
      Bytes bytes(length, 1);
      EXPECT_THAT(file.read_bank(bank, offset, bytes), refused) << offset << ", " << length;
      EXPECT_THAT(file.write_bank(bank, offset, bytes), refused) << offset << ", " << length;
      EXPECT_THAT(file.erase_in_bank(bank, offset, length), refused) << offset << ", " << length;
    }
    Bytes last(1);
    EXPECT_THAT(file.read_bank(bank, size - 1, last), Succeeds());
    EXPECT_THAT(file.read_bank(bank, size, {}), Succeeds());
  }
  medium->sync();
  EXPECT_TRUE(*medium == before);
}

}  // namespace
}  // namespace tallystick::test
