// Power cuts in what happens to a part after it was programmed: boots, and the way back to its
// owner.
#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/power_cuts.h"

namespace tallystick::test {
namespace {

using device::Part;

core::Status boot(Part& part) {
  const auto report = part.boot();
  if (!report) return report.error();
  return {};
}

class ProductPowerCuts : public PowerCuts {
 protected:
  // Two applications, the newer one with a floor.
  Medium with_applications() {
    auto medium = std::make_shared<Medium>(ready());
    const auto image = [&](std::uint32_t version, std::uint32_t floor) {
      return application_image(world_.crypto(), oem_.key(), {version, floor});
    };
    done(program(*reopened(world_, medium), blob_,
                 oem_.package(application_plan({image(4, 0), image(7, 5)}))));
    return *medium;
  }
  core::Bytes token_for(const core::DebugChallenge& challenge) const {
    return debug_token(world_.crypto(), oem_.key(), challenge);
  }
  // After a cut the challenge may be spent, and another is asked for.
  core::Status give_back(Part& part) const {
    auto waiting = part.debug_challenge();
    if (!waiting) waiting = part.make_debug_challenge();
    if (!waiting) return std::move(waiting).error();
    return part.open_debug(token_for(*waiting));
  }
  // On the way a try is spent and the part is not yet erased.
  core::Status spend_a_try(Part& part) const {
    auto bad = token_for(value(part.debug_challenge()));
    bad.back() ^= 1;
    if (part.open_debug(bad).ok()) return core::Error{};
    return {};
  }
};

TEST_F(ProductPowerCuts, D02_InABootCountTheAttemptBeforeItIsMadeOrMakeNone) {
  cut_everywhere(with_applications(), boot);
}

TEST_F(ProductPowerCuts, S19_D02_InAConfirmationLeaveTheFloorWhereItWasOrWhereItGoes) {
  cut_everywhere(
      with_applications(),
      [](Part& part) {
        if (auto booted = boot(part); !booted) return booted;
        return part.confirm_application();
      },
      [](Part& part, const Medium&, bool confirmed) {
        EXPECT_EQ(part.info().boot.floor, confirmed ? 5U : 0U);
      },
      {boot});
}

TEST_F(ProductPowerCuts, NeverHideThatAnApplicationWasStarted) {
  const auto base = with_applications();
  const auto total = count_changes(base, boot);
  for (std::uint64_t at = 0; at < total; ++at) {
    for (const auto cut : kCuts) {
      const auto medium = std::make_shared<Medium>(base);
      bool runs = false;
      {
        const auto part = reopened(world_, medium, Failure{at + open_changes_, true});
        (void)part->boot();
        runs = part->application().has_value();
      }
      EXPECT_FALSE(runs) << "the power went before the attempt was counted";
      medium->power_cut(cut, static_cast<std::uint32_t>(at));
      const auto part = reopened(world_, medium);
      for (unsigned i = 0; i < device::kBootAttempts; ++i) (void)part->boot();
      EXPECT_EQ(value(part->boot()).chosen, 1U) << "no cut gives an attempt more than there are";
    }
  }
}

TEST_F(ProductPowerCuts, D09_WhileAChallengeIsMadeLeaveNoneOrOne) {
  cut_everywhere(provisioned(), [](Part& part) -> core::Status {
    auto made = part.make_debug_challenge();
    if (!made) return made.error();
    return {};
  });
}

TEST_F(ProductPowerCuts, D09_AGuessIsSpentWheneverItWasLookedAt) {
  auto medium = std::make_shared<Medium>(provisioned());
  const auto challenge = value(reopened(world_, medium)->make_debug_challenge());
  auto bad = token_for(challenge);
  bad.back() ^= 1;
  const auto guess = [&](Part& part) { return part.open_debug(bad); };
  for (std::uint64_t at = 0; at < 4; ++at) {
    for (const auto cut : kCuts) {
      const auto copy = std::make_shared<Medium>(*medium);
      {
        const auto part = reopened(world_, copy, Failure{at, true});
        EXPECT_THAT(guess(*part), FailsWith(core::ErrorCode::kStorage))
            << "no answer about the signature before the try is durable";
      }
      copy->power_cut(cut, static_cast<std::uint32_t>(at));
      const auto part = reopened(world_, copy);
      EXPECT_FALSE(part->returned());
      const bool spent = part->info().debug_tries_left < device::kDebugTries;
      EXPECT_EQ(part->debug_challenge().ok(), !spent) << "challenge and try go together";
    }
  }
}

TEST_F(ProductPowerCuts, D02_D03_D09_OnTheWayBackLeaveAWholePartOrAnErasedOne) {
  const auto base = std::make_shared<Medium>(provisioned());
  (void)value(reopened(world_, base)->make_debug_challenge());
  std::vector<core::Bytes> secrets;
  const auto add = [&](core::ByteView bytes) { secrets.emplace_back(bytes.begin(), bytes.end()); };
  {
    auto file = value(device::PartFile::open(
        world_.crypto(), std::make_unique<MediumStorage>(std::make_shared<Medium>(*base))));
    const auto state = file.take_state();
    add(value(state.device_key->scalar()).view());
    add(state.installed->proof_key.view());
    add(state.immutable.family()->k_oem_share.view());
  }
  for (const auto& secret : secrets) ASSERT_TRUE(base->contains(secret));

  cut_everywhere(
      *base, [&](Part& part) { return give_back(part); },
      [&](Part& part, const Medium& medium, bool returned) {
        EXPECT_EQ(part.returned(), returned);
        EXPECT_EQ(any_asset_in(medium, plan_one_), !returned);
        for (const auto& secret : secrets) EXPECT_EQ(medium.contains(secret), !returned);
        core::Bytes out(16);
        EXPECT_EQ(part.read_debug(0, out).ok(), returned);
        if (!returned) {
          EXPECT_EQ(value(part.read_flash(0, 40000)), plan_one_.assets[0].content)
              << "it is still the product that it was";
        }
      },
      {[&](Part& part) { return spend_a_try(part); }});
}

// Of a part that has its key from a PUF, what was sealed to that key goes, and with the helper data
// the way to regenerate it.
TEST_F(ProductPowerCuts, D02_D03_D09_OnTheWayBackLeaveAWholePufPartOrAnErasedOne) {
  const auto base = new_medium();
  auto made = manufacture_for(world_);
  made.key = device::KeySource::kPuf;
  auto fresh =
      value(Part::create_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(base), made));
  const auto id = fresh->id();
  make_ready(world_, *fresh, world_.software());
  done(program(*fresh, blob_, package_one_));
  (void)value(fresh->make_debug_challenge());
  fresh.reset();
  const auto record = record_range(*base, 0);
  core::Bytes kept(static_cast<std::size_t>(record.end - record.from));
  base->read(record.from, kept);
  const auto helper_data = core::ByteView(kept).subspan(100, 64);
  const auto sealed = core::ByteView(kept).last(64);

  cut_everywhere(
      *base, [&](Part& part) { return give_back(part); },
      [&](Part& part, const Medium& medium, bool returned) {
        EXPECT_EQ(part.returned(), returned);
        EXPECT_EQ(part.id(), id);
        EXPECT_EQ(any_asset_in(medium, plan_one_), !returned);
        if (returned) {
          EXPECT_FALSE(medium.contains(helper_data));
          EXPECT_FALSE(medium.contains(sealed));
        } else {
          EXPECT_TRUE(medium.contains(helper_data));
        }
      },
      {[&](Part& part) { return spend_a_try(part); }});
}

}  // namespace
}  // namespace tallystick::test
