// What a part does in the product: it starts an application, and uses its keys.
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

Result<BootReport> Part::boot_report() {
  BootReport report;
  report.floor = state_.boot.floor;
  report.software_error = boot_error_;
  if (software_) report.software = software_->header;
  auto slots = check_applications(*crypto_, file_, state_);
  if (!slots) return std::move(slots).error();
  report.slots = *std::move(slots);
  // Each stage verifies the next: without the first there is no second.
  if (running_ && check_state(Action::kStart, "start")) {
    report.chosen = choose_application(report.slots);
  }
  report.started = application_ && application_ == report.chosen;
  return report;
}

Result<BootReport> Part::boot() {
  if (auto ran = reset(); !ran && ran.error().code == ErrorCode::kStorage) return ran.error();
  auto report = boot_report();
  if (!report) return report;
  auto next = state_;
  next.boot.last = report->chosen;
  std::uint8_t attempts = 0;
  for (auto& slot : next.boot.slots) {
    if (slot.slot != report->chosen) continue;
    // Counted before the application gets a chance to fail.
    if (!slot.confirmed) ++slot.attempts;
    attempts = slot.attempts;
  }
  if (next.boot != state_.boot) {
    if (auto committed = commit(std::move(next)); !committed) return committed.error();
  }
  if (!report->chosen) return report;
  application_ = report->chosen;
  for (auto& slot : report->slots) {
    if (slot.slot != report->chosen) continue;
    slot.attempts = attempts;
    application_floor_ = slot.header.floor;
  }
  report->started = true;
  return report;
}

Status Part::confirm_application() {
  constexpr const char* kWhat = "confirm the application";
  if (auto permitted = check_idle(Action::kStart, kWhat); !permitted) return permitted;
  if (!application_) {
    return Error{ErrorCode::kLifeCycle, std::string(kWhat) + ": none runs since the last reset"};
  }
  auto next = state_;
  for (auto& slot : next.boot.slots) {
    if (slot.slot == application_) slot = {slot.slot, 0, true};
  }
  next.boot.floor = std::max(next.boot.floor, application_floor_);
  if (next.boot == state_.boot) return {};
  return commit(std::move(next));
}

Result<core::Secret> Part::use_key(const KeyRequest& request) {
  constexpr const char* kWhat = "use a key";
  const auto named = [](Error error) {
    error.message = std::string(kWhat) + ": " + error.message;
    return error;
  };
  if (auto permitted = check_state(Action::kUseKey, kWhat); !permitted) return permitted.error();
  if (auto checked = check_running(kWhat); !checked) return checked.error();
  if (!state_.installed) return Error{ErrorCode::kLifeCycle, "use a key: no package is installed"};
  auto used = device::use_key(*crypto_, file_, state_, request);
  if (!used) return named(std::move(used).error());
  return used;
}

}  // namespace tallystick::device
