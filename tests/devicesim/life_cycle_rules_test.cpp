// What may be done to a part in which state of its life: the table of section 8 of
// docs/formats.md, tried out.
#include <gtest/gtest.h>

#include <functional>

#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using device::Part;

class LifeCycleRules : public ::testing::Test {
 protected:
  LifeCycleRules() {
    const auto copied = [&](char from, char to, const std::function<void(Part&)>& change) {
      media_[to] = std::make_shared<Medium>(*media_.at(from));
      change(*reopened(world_, media_[to]));
    };
    media_['b'] = new_medium();
    blank_part(world_, "", media_['b']);
    copied('b', 'p', [&](Part& part) { make_ready(world_, part, world_.software()); });
    copied('p', 'P', [&](Part& part) { done(program(part, oem_.share_blob(), package_)); });
    copied('P', 'L', [](Part& part) { done(part.lock()); });
    copied('P', 'R', [&](Part& part) {
      const auto challenge = value(part.make_debug_challenge());
      done(part.open_debug(debug_token(world_.crypto(), oem_.key(), challenge)));
    });
  }

  template <typename T>
  static core::Status status(const core::Result<T>& result) {
    if (!result) return result.error();
    return {};
  }

  World world_;
  OemDesk oem_{world_};
  Bytes package_ =
      oem_.package(application_plan({application_image(world_.crypto(), oem_.key(), {1, 0})}));
  std::map<char, std::shared_ptr<Medium>>
      media_;  // blank, provisioning, Provisioned, Locked, Returned
};

TEST_F(LifeCycleRules, D01_D02_D09_ForbidWhatTheTableSays) {
  struct Row {
    const char* action;
    std::string_view done_in;
    std::function<core::Status(Part&)> act;
  };
  const std::vector<Row> table = {
      {"fill the immutable memory", "b",
       [&](Part& part) {
         return part.fill_immutable_memory(
             world_.family_blob(core::FamilyRole::kPart, part.public_key()));
       }},
      {"store the certificate", "pP",
       [&](Part& part) {
         return part.store_certificate(
             world_.certificate(core::DeviceKind::kPart, part.public_key()));
       }},
      {"load software", "pP", [&](Part& part) { return part.load_software(world_.software(2)); }},
      {"install a package", "pP",
       [&](Part& part) { return program(part, oem_.share_blob(), package_); }},
      {"blow a fuse", "pP", [](Part& part) { return part.blow_fuse(1, 1); }},
      {"lock", "P", [](Part& part) { return part.lock(); }},
      {"erase the flash", "bp",
       [](Part& part) -> core::Status {
         auto change = part.change_flash(Part::FlashContents::kErased);
         if (!change) return change.error();
         return (*change)->finish();
       }},
      {"read the flash", "bpR",
       [](Part& part) {
         Bytes out(100);
         return part.read_open_flash(0, out);
       }},
      {"read an asset", "PL", [](Part& part) { return status(part.read_flash(0xF000, 10)); }},
      {"read a fuse", "pPL", [](Part& part) { return status(part.read_fuse(1)); }},
      {"prove", "pPL", [](Part& part) { return status(part.prove(core::ByteArray<32>{})); }},
      {"use a key", "PL",
       [](Part& part) {
         device::KeyRequest request;
         request.slot = 41;
         request.operation = device::KeyOperation::kHmac;
         return status(part.use_key(request));
       }},
      {"start an application", "PL",
       [](Part& part) -> core::Status {
         if (value(part.boot()).started) return {};
         return core::Error{};
       }},
      {"ask for a debug challenge", "PL",
       [](Part& part) { return status(part.make_debug_challenge()); }},
      {"read through the debug port", "bpR",
       [](Part& part) {
         Bytes out(100);
         return part.read_debug(0, out);
       }},
  };
  for (const auto& row : table) {
    for (const auto& [state, at_rest] : media_) {
      SCOPED_TRACE(std::string(row.action) + " in " + state);
      const auto medium = std::make_shared<Medium>(*at_rest);
      auto part = reopened(world_, medium);
      const auto result = row.act(*part);
      const bool expected = row.done_in.find(state) != std::string_view::npos;
      EXPECT_EQ(result.ok(), expected) << (result.ok() ? "" : result.error().message);
      part.reset();
      if (!expected) {
        EXPECT_TRUE(*medium == *at_rest) << "what is refused changes nothing";
      }
    }
  }
}

TEST_F(LifeCycleRules, D02_TheRehearsalOfALockSaysWhatTheLockDoes) {
  for (const auto& [state, at_rest] : media_) {
    SCOPED_TRACE(state);
    const auto medium = std::make_shared<Medium>(*at_rest);
    auto part = reopened(world_, medium);
    const auto rehearsal = value(part->rehearse_lock());
    EXPECT_EQ(rehearsal.from, part->life_cycle());
    part.reset();
    EXPECT_TRUE(*medium == *at_rest) << "a rehearsal changes nothing";
    part = reopened(world_, medium);
    const auto locked = part->lock();
    EXPECT_EQ(rehearsal.refused.has_value(), !locked.ok());
    if (!locked) {
      EXPECT_EQ(rehearsal.refused->message, locked.error().message);
    }
  }
}

TEST_F(LifeCycleRules, D02_TheRehearsalTellsOfALineThatCloses) {
  const auto part = reopened(world_, media_['P']);
  EXPECT_TRUE(value(part->rehearse_lock()).isp_open);
  done(part->blow_fuse(device::kIspFuseWord, device::kIspClosedCode));
  const auto rehearsal = value(part->rehearse_lock());
  EXPECT_FALSE(rehearsal.isp_open);
  EXPECT_FALSE(rehearsal.refused.has_value()) << "it may be what is wanted";
  EXPECT_FALSE(rehearsal.notes.empty());
  EXPECT_FALSE(part->isp_closed()) << "not before the lock";
  done(part->lock());
  EXPECT_TRUE(part->isp_closed());
}

TEST_F(LifeCycleRules, StatesOfEarlierVersionsOpenAndNewerOnesAreRefusedInOneLine) {
  const auto medium = media_['P'];
  auto file =
      value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium)));
  auto state = file.take_state();
  state.boot = {};
  const auto encoded = value(device::encode_state(state));
  // Version 1 ended with the installed package.
  constexpr std::size_t kSinceThen = 6 + 11;
  Bytes old(encoded.view().begin(), encoded.view().end() - kSinceThen);
  old.front() = 1;
  const auto read = value(device::decode_state(world_.crypto(), old));
  EXPECT_EQ(read.id, state.id);
  EXPECT_EQ(read.installed->head.raw, state.installed->head.raw);
  EXPECT_TRUE(read.boot.slots.empty());
  EXPECT_EQ(read.debug.tries, 0U);
  const auto again = value(device::encode_state(read));
  EXPECT_EQ(Bytes(again.view().begin(), again.view().end()),
            Bytes(encoded.view().begin(), encoded.view().end()))
      << "the next change writes it anew";
  Bytes newer(encoded.view().begin(), encoded.view().end());
  newer.front() = 3;
  const auto refused = device::decode_state(world_.crypto(), newer);
  ASSERT_THAT(refused, FailsWith(core::ErrorCode::kStorage));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("newer version"));
  newer.front() = 0;
  const auto unknown = device::decode_state(world_.crypto(), newer);
  ASSERT_THAT(unknown, FailsWith(core::ErrorCode::kStorage));
  EXPECT_THAT(unknown.error().message, ::testing::HasSubstr("unknown version"));
  EXPECT_FALSE(device::decode_state(world_.crypto(), Bytes{}).ok());
}

}  // namespace
}  // namespace tallystick::test
