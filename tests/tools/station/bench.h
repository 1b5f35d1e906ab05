// A line in memory for tests of the station: a part behind the simulator's own session, the host's
// session and a procedure in front of it, a clock that is turned by hand, and a line between them
// that loses or changes what a test says.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "devicesim/line/part_target.h"
#include "devicesim/mboot/session.h"
#include "tests/devicesim/support/parts.h"
#include "tests/tools/support.h"
#include "tools/station/job_init.h"
#include "tools/station/procedure.h"

namespace tallystick::station {

using test::OemDesk;
using test::World;

// Counts what a part took for good.
class CountingTarget : public mboot::Target {
 public:
  explicit CountingTarget(device::PartTarget::PowerOn power_on) : part_(std::move(power_on)) {}
  [[nodiscard]] std::uint32_t protocol_version() const override { return part_.protocol_version(); }
  [[nodiscard]] std::size_t largest_packet() const override { return part_.largest_packet(); }
  mboot::Reply execute(const mboot::Packet& command) override {
    command_ = command.tag;
    length_ = command.parameters.empty() ? 0 : command.parameters.front();
    if (command.tag == mboot::Tag::kUpdateLifeCycle) {
      auto reply = part_.execute(command);
      if (reply.packet.parameters.front() == 0) ++locks;
      return reply;
    }
    if (command.tag == mboot::Tag::kReceiveSbFile) offered.push_back(length_);
    return part_.execute(command);
  }
  mboot::StatusCode write(core::ByteView data) override {
    if (first_.empty()) first_.assign(data.begin(), data.end());
    return part_.write(data);
  }
  mboot::StatusCode read(core::MutableByteView out) override { return part_.read(out); }
  mboot::StatusCode finish() override {
    const auto status = part_.finish();
    const bool package = core::text_of(first_).starts_with("TSPK");
    if (package && status == mboot::StatusCode::kSuccess) ++packages;
    first_.clear();
    return status;
  }
  void abandon() override {
    first_.clear();
    part_.abandon();
  }

  unsigned packages = 0;
  unsigned locks = 0;
  std::vector<std::uint32_t> offered;  // lengths of all files that were announced

 private:
  device::PartTarget part_;
  mboot::Tag command_{};
  std::uint32_t length_ = 0;
  core::Bytes first_;
};

// What the line does to a piece of what is said; empty: it is lost.
using Mangle = std::function<core::Bytes(bool to_part, core::Bytes bytes)>;

class LineInMemory {
 public:
  LineInMemory(const World& world, std::shared_ptr<test::Medium> medium)
      : target_([&world, medium] {
          return device::Part::open_in(world.crypto_ptr(),
                                       std::make_unique<test::MediumStorage>(medium));
        }),
        part_(target_) {}

  [[nodiscard]] CountingTarget& target() { return target_; }
  [[nodiscard]] HostSession& host() { return host_; }
  Clock::time_point now() const { return now_; }
  Mangle mangle;
  core::Bytes heard;  // all that went over the line

  // Until the host's request has its answer.
  Answer settle() {
    for (;;) {
      const auto said = carry(true, host_.take_output());
      core::ByteView rest = said;
      while (!rest.empty()) {
        const auto answer = part_.receive(rest);
        if (answer.bytes.empty()) continue;
        host_.receive(carry(false, core::Bytes(answer.bytes.begin(), answer.bytes.end())), now_);
      }
      if (auto answer = host_.take_answer()) return *answer;
      if (!said.empty()) continue;
      // Nobody says anything: time passes.
      const auto next = host_.next_time();
      if (!next) return LineTrouble::kOutOfStep;
      now_ = std::max(now_ + std::chrono::milliseconds(1), *next);
      if (part_.within_frame()) part_.silence();
      host_.tick(now_);
    }
  }
  void pass(std::chrono::milliseconds time) { now_ += time; }

 private:
  core::Bytes carry(bool to_part, core::Bytes bytes) {
    if (bytes.empty()) return bytes;
    heard.insert(heard.end(), bytes.begin(), bytes.end());
    return mangle ? mangle(to_part, std::move(bytes)) : bytes;
  }

  CountingTarget target_;
  mboot::Session part_;
  HostSession host_{Patience{}};
  Clock::time_point now_{};
};

// A chip maker, an OEM, a job in a folder.
class Bench : public ::testing::Test {
 protected:
  explicit Bench(std::uint8_t family_flags = 0) : world_({family_flags, 1}), oem_(world_) {}

  JobSources sources() {
    scratch_.file("in.tspk", core::text_of(oem_.package(plan_)));
    if (!world_.family().counted()) scratch_.file("in.tsos", core::text_of(oem_.share_blob()));
    scratch_.file("in.tssw", core::text_of(world_.software()));
    return {world_.icm_certificate(), scratch_ / "in.tspk", scratch_ / "in.tsos",
            scratch_ / "in.tssw"};
  }
  JobFile job_file() const {
    JobFile file;
    file.icm_fingerprint = world_.fingerprint();
    return file;
  }
  Outcome<std::shared_ptr<const Job>> make(const JobFile& file, const JobSources& from) {
    return make_job(world_.crypto_ptr(), scratch_ / "job", file, from);
  }
  std::shared_ptr<const Job> job(const JobFile& file) {
    auto made = make(file, sources());
    if (made) return *made;
    ADD_FAILURE() << cli::line_of(made.error());
    return nullptr;
  }

  struct Ended {
    Verdict verdict;
    std::optional<Delivery> delivery;
    unsigned retries = 0;
    std::vector<Step> passed;
  };
  // Takes the part through; a place is always free unless a test says otherwise.
  Ended take_through(LineInMemory& line, const std::shared_ptr<const Job>& job,
                     Place place = Place::kTaken) {
    Procedure procedure(job);
    Ended ended;
    auto want = procedure.begin();
    for (;;) {
      for (const auto step : procedure.take_passed()) ended.passed.push_back(step);
      ended.retries = procedure.retries();
      if (auto* const verdict = std::get_if<Verdict>(&want)) {
        ended.verdict = *verdict;
        return ended;
      }
      if (auto* const pause = std::get_if<WantPause>(&want)) {
        line.pass(pause->time);
        want = procedure.paused();
      } else if (std::holds_alternative<WantPlace>(want)) {
        want = procedure.placed(place);
      } else if (auto* const delivery = std::get_if<Delivery>(&want)) {
        ended.delivery = std::move(*delivery);
        want = procedure.delivered();
      } else {
        if (auto* const request = std::get_if<Request>(&want)) {
          line.host().ask(std::move(*request), line.now());
        } else {
          line.host().ping(line.now());
        }
        const auto answer = line.settle();
        const auto* const reply = std::get_if<Reply>(&answer);
        want = reply != nullptr
                   ? procedure.replied(*reply)
                   : procedure.troubled(std::get<LineTrouble>(answer), line.host().whole_said());
      }
    }
  }
  std::shared_ptr<test::Medium> ready(const std::string& product = "") {
    auto medium = test::new_medium();
    test::ready_part(world_, product, medium);
    return medium;
  }
  // With family and certificate, and no software.
  std::shared_ptr<test::Medium> without_software() {
    auto medium = test::new_medium();
    auto part = test::blank_part(world_, "", medium);
    test::done(part->fill_immutable_memory(
        world_.family_blob(core::FamilyRole::kPart, part->public_key())));
    test::done(
        part->store_certificate(world_.certificate(core::DeviceKind::kPart, part->public_key())));
    return medium;
  }

  cli::Scratch scratch_;
  World world_;
  OemDesk oem_;
  test::PackagePlan plan_ = test::small_plan();
};

}  // namespace tallystick::station
