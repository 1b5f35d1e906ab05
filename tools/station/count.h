// Count: which parts are done, which are being worked on and where, and how many there may be. A
// part takes its place before anything is spent on it, and gives it back only when it is known not
// to hold the package: a part whose end nobody saw keeps its place until it is seen again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tools/station/procedure.h"

namespace tallystick::station {

class Count {
 public:
  // 0: as many as come.
  explicit Count(std::uint64_t most) : most_(most) {}

  // From the record of earlier runs.
  void was_begun(const core::DeviceId& part) { unresolved_.insert(part); }
  void was_done(const core::DeviceId& part);
  void was_not_made(const core::DeviceId& part) { unresolved_.erase(part); }

  // What to say to a part that asks. After kTaken it is in work at that port.
  Place take(const core::DeviceId& part, const std::string& port);
  // It left the work, done.
  void done(const core::DeviceId& part);
  // It left the work at that port otherwise.
  void left(const core::DeviceId& part, const std::string& port, Made made);

  [[nodiscard]] std::uint64_t most() const { return most_; }
  [[nodiscard]] std::uint64_t done_count() const { return done_.size(); }
  [[nodiscard]] const std::set<core::DeviceId>& unresolved() const { return unresolved_; }
  [[nodiscard]] bool is_done(const core::DeviceId& part) const { return done_.contains(part); }
  // The job has all the parts that it is for.
  [[nodiscard]] bool complete() const { return most_ != 0 && done_.size() >= most_; }
  // A part that is new could have a place now.
  [[nodiscard]] bool has_room() const {
    return most_ == 0 || done_.size() + in_work_.size() + unresolved_.size() < most_;
  }

 private:
  std::uint64_t most_;
  std::set<core::DeviceId> done_;
  std::map<core::DeviceId, std::string> in_work_;
  std::set<core::DeviceId> unresolved_;  // and not in work
};

}  // namespace tallystick::station
