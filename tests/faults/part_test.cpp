// A part's real file: the process that has it open is killed at each storage call, and storage
// calls fail. tests/devicesim cuts the power in a memory of its own; here are the file, its locks
// and its name (D02, D03).
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"
#include "tests/faults/support/points.h"
#include "tests/faults/support/process.h"
#include "tests/faults/support/storage_tap.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;
using device::Part;

struct Change {
  const char* name;
  const char* from;  // the prepared part; empty: none yet
  std::function<core::Status(const std::string& path)> make;
  // Leads to a state in which a change of several steps may be cut, too; empty: there is none.
  std::function<core::Status(const std::string& path)> on_the_way = {};
};

// What a part shows of itself.
std::string shown(const World& world, const std::string& path) {
  auto opened = Part::open(world.crypto_ptr(), path);
  if (!opened) return "does not open: " + opened.error().message;
  auto& part = **opened;
  const auto info = part.info();
  std::string text = info.certified ? "certified" : "not certified";
  text += info.family_id ? ", of a family" : ", of no family";
  if (info.software) text += ", software " + std::to_string(info.software->version);
  if (info.returned) text += ", returned";
  if (part.running() == nullptr) return text + ", nothing runs";
  return text + ", " + ::testing::PrintToString(snapshot(part));
}

class PartFiles : public ::testing::Test {
 protected:
  PartFiles() {
    const auto blank = scratch_.file("blank");
    done(with_status(Part::create(world_.crypto_ptr(), blank, manufacture_for(world_))));
    const auto copied = [&](const char* name, const char* from,
                            const std::function<void(Part&)>& change) {
      fs::copy_file(scratch_.file(from), scratch_.file(name));
      auto part = value(Part::open(world_.crypto_ptr(), scratch_.file(name)));
      change(*part);
    };
    copied("filled", "blank", [&](Part& part) {
      done(part.fill_immutable_memory(
          world_.family_blob(core::FamilyRole::kPart, part.public_key())));
    });
    copied("ready", "filled", [&](Part& part) {
      done(part.store_certificate(world_.certificate(core::DeviceKind::kPart, part.public_key())));
      done(part.load_software(world_.software()));
      done(part.reset());
    });
    copied("provisioned", "ready", [&](Part& part) { done(program(part, blob_, package_one_)); });
    copied("loaded", "provisioned",
           [&](Part& part) { done(part.load_software(world_.software(2))); });
    copied("bootable", "ready", [&](Part& part) {
      const auto image = application_image(world_.crypto(), oem_.key(), {3, 2});
      done(program(part, blob_, oem_.package(application_plan({image}))));
    });
    copied("challenged", "provisioned",
           [&](Part& part) { challenge_ = value(part.make_debug_challenge()); });
  }

  std::vector<Change> changes() {
    const auto on_part = [this](std::function<core::Status(Part&)> change) {
      return [this, change = std::move(change)](const std::string& path) -> core::Status {
        auto part = Part::open(world_.crypto_ptr(), path);
        if (!part) return part.error();
        return change(**part);
      };
    };
    return {
        {"create", "",
         [this](const std::string& path) {
           return with_status(Part::create(world_.crypto_ptr(), path, manufacture_for(world_)));
         }},
        {"fill the immutable memory", "blank", on_part([this](Part& part) {
           return part.fill_immutable_memory(
               world_.family_blob(core::FamilyRole::kPart, part.public_key()));
         })},
        {"store the certificate", "filled", on_part([this](Part& part) {
           return part.store_certificate(
               world_.certificate(core::DeviceKind::kPart, part.public_key()));
         })},
        {"load software and reset", "provisioned", on_part([this](Part& part) {
           if (auto loaded = part.load_software(world_.software(2)); !loaded) return loaded;
           return part.reset();
         })},
        {"power on with newer software", "loaded",
         on_part([](Part& part) { return part.blow_fuse(3, 1); })},
        {"install", "ready",
         on_part([this](Part& part) { return program(part, blob_, package_one_); })},
        {"update", "provisioned",
         on_part([this](Part& part) { return program(part, blob_, package_two_); })},
        {"lock", "provisioned", on_part([](Part& part) { return part.lock(); })},
        {"blow a fuse", "provisioned", on_part([](Part& part) { return part.blow_fuse(7, 0xA5); })},
        {"boot", "bootable", on_part(boot)},
        {"boot and confirm", "bootable", on_part([](Part& part) {
           if (auto booted = boot(part); !booted) return booted;
           return part.confirm_application();
         }),
         on_part(boot)},
        {"ask for a debug challenge", "provisioned",
         on_part([](Part& part) { return with_status(part.make_debug_challenge()); })},
        {"open the debug port", "challenged", on_part([this](Part& part) {
           // A try that was cut off has spent the challenge.
           const auto waiting = part.debug_challenge();
           const auto challenge = waiting ? waiting : part.make_debug_challenge();
           if (!challenge) return core::Status(challenge.error());
           return part.open_debug(debug_token(world_.crypto(), oem_.key(), *challenge));
         }),
         on_part([this](Part& part) -> core::Status {
           auto wrong = debug_token(world_.crypto(), oem_.key(), challenge_);
           wrong.back() ^= 1;
           if (part.open_debug(wrong).error().code == core::ErrorCode::kBadSignature) return {};
           return core::Error{};
         })},
    };
  }

  template <typename T>
  static core::Status with_status(const core::Result<T>& result) {
    if (!result) return result.error();
    return {};
  }

  static core::Status boot(Part& part) {
    const auto report = part.boot();
    if (!report) return report.error();
    return {};
  }

  [[nodiscard]] std::string folder() const { return scratch_.file("trial"); }
  [[nodiscard]] std::string path() const { return folder() + "/part"; }
  void set_up(const Change& change) const {
    fs::remove_all(folder());
    fs::create_directory(folder());
    if (*change.from != 0) fs::copy_file(scratch_.file(change.from), path());
  }
  [[nodiscard]] std::string state() const {
    return fs::exists(path()) ? shown(world_, path()) : "none";
  }

  // A state between two that were both made durable by the same change, or the two themselves.
  struct Between {
    std::vector<std::string> states;
    [[nodiscard]] bool holds(const std::string& state) const {
      return std::ranges::find(states, state) != states.end();
    }
  };
  Between between(const Change& change) {
    Between out;
    set_up(change);
    out.states.push_back(state());
    set_up(change);
    done(change.make(path()));
    out.states.push_back(state());
    if (change.on_the_way) {
      set_up(change);
      done(change.on_the_way(path()));
      out.states.push_back(state());
    }
    if (std::string_view(change.name) == "load software and reset") {
      // Two changes of state, of which the second only takes effect: stored is running, at the next
      // power-on.
      return out;
    }
    EXPECT_NE(out.states[0], out.states[1]) << change.name;
    return out;
  }

  World world_;
  Scratch scratch_;
  OemDesk oem_{world_};
  core::DebugChallenge challenge_;
  PackagePlan plan_one_ = small_plan(1, 1);
  PackagePlan plan_two_ = small_plan(2, 50);
  core::Bytes blob_ = oem_.share_blob();
  core::Bytes package_one_ = oem_.package(plan_one_);
  core::Bytes package_two_ = oem_.package(plan_two_);
};

TEST_F(PartFiles, D02_D03_AKillAtEachStorageCallLeavesTheOldStateOrTheNew) {
  Figures figures("kill, part");
  for (const auto& change : changes()) {
    const auto allowed = between(change);
    figures.operation();
    for (std::uint64_t at = 0;; ++at) {
      SCOPED_TRACE(std::string(change.name) + ", killed at call " + std::to_string(at));
      set_up(change);
      const auto ran = run_to_kill(folder(), at, [&] { return change.make(path()).ok(); });
      figures.point();
      const auto now = state();
      EXPECT_TRUE(allowed.holds(now)) << now;
      if (ran.acknowledged) {
        EXPECT_EQ(now, allowed.states[1]) << "lost";
      }
      if (ran.killed && now != allowed.states[1]) {
        EXPECT_THAT(change.make(path()), Succeeds());
        EXPECT_EQ(state(), allowed.states[1]);
      }
      if (HasFailure()) return;
      if (!ran.killed) {
        EXPECT_TRUE(ran.acknowledged);
        EXPECT_GE(at, 3U);
        break;
      }
    }
  }
}

TEST_F(PartFiles, D02_D03_FailingCallsAreReportedAndLeaveTheOldStateOrTheNew) {
  for (const auto& method : failing_methods()) {
    Figures figures(std::string(method.name) + ", part");
    for (const auto& change : changes()) {
      const auto allowed = between(change);
      figures.operation();
      auto plan = method.plan;
      for (plan.at = 0;; ++plan.at) {
        SCOPED_TRACE(std::string(change.name) + ", " + method.name + " at call " +
                     std::to_string(plan.at));
        set_up(change);
        StorageTap::watch(folder());
        StorageTap::arm(plan);
        const auto result = change.make(path());
        (void)StorageTap::disarm();
        figures.point();
        const bool struck = StorageTap::struck();
        const auto now = state();
        if (result.ok()) {
          EXPECT_EQ(now, allowed.states[1]);
        } else {
          EXPECT_THAT(result, FailsWith(core::ErrorCode::kStorage));
          EXPECT_TRUE(allowed.holds(now)) << now;
          // On a disk that refuses all changes the unfinished file cannot be removed either.
          const bool removable = !(plan.lasting && plan.counted == Counted::kChanges);
          if (*change.from == 0 && removable) {
            EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()),
                      now == "none" ? 0 : 1);
          }
          if (now != allowed.states[1]) {
            EXPECT_THAT(change.make(path()), Succeeds());
            EXPECT_EQ(state(), allowed.states[1]);
          }
        }
        if (HasFailure()) return;
        if (!struck) break;
      }
    }
  }
}

}  // namespace
}  // namespace tallystick::test
