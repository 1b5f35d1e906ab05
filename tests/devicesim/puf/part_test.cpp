// Parts that regenerate their device key at every power-on.
#include <algorithm>

#include "core/base/reader.h"
#include "devicesim/puf/sealed_state.h"
#include "tests/devicesim/puf/support/noise.h"
#include "tests/devicesim/support/parts.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::KeySource;
using device::Part;

// The first bytes of the file: what it is made of.
constexpr std::size_t kHeader = 4096;

// Noise that lets no key come: every cell starts as one.
core::Status all_ones(core::MutableByteView out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  return {};
}

class PufParts : public ::testing::Test {
 protected:
  [[nodiscard]] device::Manufacture manufacture() const {
    auto made = manufacture_for(world_);
    made.key = KeySource::kPuf;
    return made;
  }
  std::unique_ptr<Part> blank(const std::shared_ptr<Medium>& medium) const {
    return value(Part::create_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium),
                                 manufacture()));
  }
  std::unique_ptr<Part> ready(const std::shared_ptr<Medium>& medium) const {
    auto part = blank(medium);
    make_ready(world_, *part, world_.software());
    return part;
  }
  std::unique_ptr<Part> programmed(const std::shared_ptr<Medium>& medium) const {
    auto part = ready(medium);
    done(program(*part, oem_.share_blob(), oem_.package(small_plan())));
    return part;
  }
  [[nodiscard]] core::Result<std::unique_ptr<Part>> open(
      const std::shared_ptr<Medium>& medium, const device::puf::NoiseSource& noise = {}) const {
    return Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium), noise);
  }
  // All but the silicon, which nobody can copy.
  static void copy_storage(const Medium& from, Medium& to) {
    core::Bytes bytes(static_cast<std::size_t>(from.size()) - kHeader);
    from.read(kHeader, bytes);
    to.write(kHeader, bytes);
    to.sync();
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
};

TEST_F(PufParts, HaveTheSameKeyAtEveryPowerOn) {
  const auto id = blank(medium_)->id();
  for (int power_on = 0; power_on < 50; ++power_on) {
    const auto part = value(open(medium_));
    ASSERT_EQ(part->id(), id);
    ASSERT_EQ(part->info().manufacture.key, KeySource::kPuf);
  }
}

TEST_F(PufParts, DoAllThatOtherPartsDo) {
  const auto plan = small_plan();
  const auto package = oem_.package(plan);
  {
    auto part = ready(medium_);
    // A share blob for this very part: sealed to the regenerated key.
    EXPECT_THAT(program(*part, oem_.device_blob(part->public_key()), package), Succeeds());
    EXPECT_THAT(part->lock(), Succeeds());
  }
  auto part = value(open(medium_));
  EXPECT_EQ(part->life_cycle(), device::LifeCycle::kLocked);
  const core::ByteArray<core::kChallengeSize> challenge{7};
  const auto proof = value(core::parse_proof(value(part->prove(challenge))));
  const auto key =
      value(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, part->public_key()));
  EXPECT_THAT(core::check_proof_signature(world_.crypto(), challenge, key, proof), Succeeds());
  EXPECT_EQ(value(part->read_flash(0, 40000)), plan.assets[0].content);
}

TEST_F(PufParts, KeepTheModelThatTheyWereMadeWith) {
  auto made = manufacture();
  made.sram = {60'000, -100'000, 20'000};
  auto created =
      value(Part::create_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium_), made));
  EXPECT_EQ(created->info().manufacture.sram, made.sram);
  created.reset();
  EXPECT_EQ(value(open(medium_))->info().manufacture.sram, made.sram);
}

TEST_F(PufParts, AreNotMadeWithAModelOutOfRange) {
  auto made = manufacture();
  made.sram.error_rate = 500'000;
  EXPECT_THAT(Part::create_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium_), made),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PufParts, StayOffAndAsTheyWereWhenTheirKeyDoesNotComeAndComeOnTheNextTime) {
  const auto id = programmed(medium_)->id();
  const auto before = *medium_;
  for (int power_on = 0; power_on < 3; ++power_on) {
    const auto failed = open(medium_, all_ones);
    ASSERT_THAT(failed, FailsWith(ErrorCode::kOpenFailed));
    EXPECT_THAT(failed.error().message, ::testing::HasSubstr("power it on again"));
    EXPECT_TRUE(*medium_ == before);
  }
  const auto part = value(open(medium_));
  EXPECT_EQ(part->id(), id);
  EXPECT_NE(part->running(), nullptr);
}

TEST_F(PufParts, AreScrapWhenTheirCellsGiveNoKeyAtTheFirstPowerOn) {
  EXPECT_THAT(Part::create_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium_),
                              manufacture(), all_ones),
              FailsWith(ErrorCode::kOpenFailed));
  // Blank silicon is no worse for it.
  EXPECT_THAT(open(medium_), Succeeds());
}

TEST_F(PufParts, StayOffWhenTheNoiseSourceFails) {
  blank(medium_);
  const auto broken = [](core::MutableByteView) -> core::Status {
    return core::Error{ErrorCode::kCrypto, "no noise"};
  };
  EXPECT_THAT(open(medium_, broken), FailsWith(ErrorCode::kCrypto));
  EXPECT_THAT(open(medium_), Succeeds());
}

TEST_F(PufParts, D05_HaveNoSecretInTheirStorage) {
  auto part = programmed(medium_);
  EXPECT_FALSE(medium_->contains(part->running()->family().k_oem_share.view()));
  for (const auto& share : part->running()->family().shares) {
    EXPECT_FALSE(medium_->contains(share.view()));
  }
  EXPECT_FALSE(medium_->contains(oem_.proof_key(core::Suite::kGcm).view()));
  EXPECT_FALSE(medium_->contains(part->certificate()));
  // Of a part with a stored key the same search finds them.
  const auto other = new_medium();
  auto stored = ready_part(world_, "", other);
  EXPECT_TRUE(other->contains(stored->running()->family().k_oem_share.view()));
  EXPECT_TRUE(other->contains(stored->certificate()));
}

TEST_F(PufParts, D05_StayOffWithTheStorageOfAnotherPart) {
  const auto other = new_medium();
  const auto id = programmed(medium_)->id();
  const auto other_id = blank(other)->id();
  copy_storage(*medium_, *other);
  EXPECT_THAT(open(other), FailsWith(ErrorCode::kOpenFailed));
  // The same bytes on their own silicon are a part.
  EXPECT_EQ(value(open(medium_))->id(), id);
  EXPECT_NE(other_id, id);
}

// To one place after the other, as far as each goes.
TEST_F(PufParts, D05_StayOffWithOnePlaceOfAnotherPart) {
  for (const unsigned place : {0U, 1U}) {
    const auto mine = new_medium();
    const auto other = new_medium();
    programmed(mine);
    programmed(other);
    const auto range = record_range(*mine, place);
    core::Bytes record(static_cast<std::size_t>(range.end - range.from));
    mine->read(range.from, record);
    other->write(range.from, record);
    other->sync();
    EXPECT_THAT(open(other), FailsWith(ErrorCode::kStorage));
  }
}

// With its own helper data, so that its key comes, and all else of the other part.
TEST_F(PufParts, D05_StayOffWithTheSealedStateOfAnotherPart) {
  const auto& crypto = world_.crypto();
  const auto mine = sram_of(1);
  const auto others = sram_of(2);
  const auto identity =
      value(device::puf::new_identity(crypto, value(mine.power_on(noise_from(1))).view()));
  const auto other =
      value(device::puf::new_identity(crypto, value(others.power_on(noise_from(2))).view()));
  device::PartState state{device::ImmutableMemory(manufacture())};
  state.device_key = other.device_key;
  const auto sealed = value(device::puf::seal_state(crypto, &other, state));
  EXPECT_THAT(device::puf::open_state(crypto, &other, sealed.view()), Succeeds());
  const auto scalar = value(other.device_key->scalar());
  for (const auto& secret : {scalar.view(), other.storage_key.view()}) {
    EXPECT_EQ(std::search(sealed.view().begin(), sealed.view().end(), secret.begin(), secret.end()),
              sealed.view().end());
  }

  core::Writer mixed;
  mixed.lv(identity.helper).bytes(sealed.view().subspan(4 + other.helper.size()));
  EXPECT_THAT(device::puf::open_state(crypto, &identity, mixed.view()),
              FailsWith(ErrorCode::kOpenFailed));
  // A key is there when helper data are, and not otherwise.
  EXPECT_THAT(device::puf::open_state(crypto, nullptr, sealed.view()),
              FailsWith(ErrorCode::kStorage));
  core::Writer without;
  without.u32(0).bytes(sealed.view().subspan(4 + other.helper.size()));
  EXPECT_THAT(device::puf::open_state(crypto, &other, without.view()),
              FailsWith(ErrorCode::kStorage));
  // Each byte of what is sealed counts, and so do the helper data beside it.
  for (std::size_t at = 0; at < sealed.size(); at += 7) {
    auto changed = core::Bytes(sealed.view().begin(), sealed.view().end());
    changed[at] ^= 4;
    EXPECT_FALSE(device::puf::open_state(crypto, &other, changed).ok()) << at;
  }
}

// A state without helper data is one without a key: nobody gives a part its secrets that way.
TEST_F(PufParts, D05_TakeNoStateInClearThatHoldsSecrets) {
  const auto& crypto = world_.crypto();
  device::PartState state{device::ImmutableMemory(manufacture())};
  const auto in_clear = [&] {
    core::Writer payload;
    payload.u32(0).bytes(value(device::encode_state(state)).view());
    return device::puf::open_state(crypto, nullptr, payload.view());
  };
  EXPECT_THAT(in_clear(), Succeeds());
  state.software = world_.software();
  EXPECT_THAT(in_clear(), FailsWith(ErrorCode::kStorage));
  state.software.clear();
  state.certificate = {1, 2, 3};
  EXPECT_THAT(in_clear(), FailsWith(ErrorCode::kStorage));
  state.certificate.clear();
  state.device_key = std::make_shared<const core::EcPrivateKey>(
      value(core::EcPrivateKey::generate(crypto, core::Curve::kP256)));
  EXPECT_THAT(in_clear(), FailsWith(ErrorCode::kStorage));
  state.device_key = nullptr;
  state.immutable = device::ImmutableMemory(
      manufacture(),
      std::make_shared<const core::Family>(world_.family_for(core::FamilyRole::kPart)));
  EXPECT_THAT(in_clear(), FailsWith(ErrorCode::kStorage));
}

TEST_F(PufParts, D05_AreNotTurnedIntoPartsWithAStoredKey) {
  programmed(medium_);
  const auto stored = new_medium();
  ready_part(world_, "", stored);
  // The state of the part with the stored key on the other's silicon, and the other way round.
  const auto puf = std::make_shared<Medium>(*medium_);
  copy_storage(*stored, *puf);
  EXPECT_FALSE(open(puf).ok());
  copy_storage(*medium_, *stored);
  EXPECT_THAT(open(stored), FailsWith(ErrorCode::kStorage));
}

TEST_F(PufParts, D05_StayOffWithAnyByteOfTheirHelperDataChanged) {
  blank(medium_);
  // Both copies, with a digest that fits: what damage the digest finds is another matter.
  const auto range = record_range(*medium_, 0);
  core::Bytes record(static_cast<std::size_t>(range.end - range.from));
  medium_->read(range.from, record);
  for (std::size_t at = 80; at < 80 + 2648; at += 97) {
    auto changed = record;
    changed[at] ^= 1;
    auto digest = value(core::sha256(
        world_.crypto(), {core::ByteView(changed).first(44), core::ByteView(changed).subspan(76)}));
    std::copy(digest.begin(), digest.end(), changed.begin() + 44);
    const auto copy = std::make_shared<Medium>(*medium_);
    for (const unsigned place : {0U, 1U}) copy->write(kHeader + place * 65536ULL, changed);
    copy->sync();
    ASSERT_THAT(open(copy), FailsWith(ErrorCode::kOpenFailed)) << at;
  }
}

TEST_F(PufParts, AreRefusedWithDamagedSilicon) {
  blank(medium_);
  for (const std::uint64_t at : {0U, 7U, 15U, 16U, 47U, 59U, 60U, 91U}) {
    const auto copy = std::make_shared<Medium>(*medium_);
    copy->flip(at, 0);
    EXPECT_THAT(open(copy), FailsWith(ErrorCode::kStorage)) << at;
  }
}

// A cut during the first power-on, at each write: afterwards there is one key, that of the part if
// it was seen, or the part is still blank.
TEST_F(PufParts, D02_HaveOneKeyWhereverThePowerWentAtTheFirstPowerOn) {
  device::PartState state{device::ImmutableMemory(manufacture())};
  for (const auto cut : {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kOvertaken}) {
    for (std::uint64_t at = 0;; ++at) {
      const auto medium = new_medium();
      MediumStorage storage(medium);
      done(device::PartFile::format(world_.crypto(), storage, state));
      auto first = Part::open_in(world_.crypto_ptr(),
                                 std::make_unique<MediumStorage>(medium, Failure{at, true}));
      const auto seen = first ? std::optional((*first)->id()) : std::nullopt;
      if (first) *first = nullptr;
      medium->power_cut(cut, static_cast<std::uint32_t>(at));
      const auto id = value(open(medium))->id();
      if (seen) {
        EXPECT_EQ(id, *seen);
      }
      EXPECT_EQ(value(open(medium))->id(), id);
      if (seen) break;
      ASSERT_LT(at, 50U);
    }
  }
}

TEST_F(PufParts, SurviveAPowerCutInAnInstallationWhereverItComes) {
  const auto package = oem_.package(small_plan());
  const auto id = ready(medium_)->id();
  for (std::uint64_t at = 0;; ++at) {
    const auto medium = std::make_shared<Medium>(*medium_);
    auto part = value(Part::open_in(world_.crypto_ptr(),
                                    std::make_unique<MediumStorage>(medium, Failure{at, true})));
    const auto installed = program(*part, oem_.share_blob(), package).ok();
    part = nullptr;
    medium->power_cut(Cut::kTorn, static_cast<std::uint32_t>(at));
    part = value(open(medium));
    EXPECT_EQ(part->id(), id);
    if (installed) {
      EXPECT_TRUE(part->info().package.has_value());
      break;
    }
    ASSERT_LT(at, 200U);
  }
}

TEST(PufPartFiles, OpenAgainAndNameTheFileWhenTheyDoNot) {
  const World world;
  const Scratch scratch;
  auto made = manufacture_for(world);
  made.key = KeySource::kPuf;
  const auto path = scratch.file("part");
  const auto id = value(Part::create(world.crypto_ptr(), path, made))->id();
  EXPECT_EQ(value(Part::open(world.crypto_ptr(), path))->id(), id);
  const auto failed = Part::open(world.crypto_ptr(), path, all_ones);
  ASSERT_THAT(failed, FailsWith(ErrorCode::kOpenFailed));
  EXPECT_THAT(failed.error().message, ::testing::StartsWith(path + ": "));
}

}  // namespace
}  // namespace tallystick::test
