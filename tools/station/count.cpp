#include "tools/station/count.h"

namespace tallystick::station {

void Count::was_done(const core::DeviceId& part) {
  unresolved_.erase(part);
  done_.insert(part);
}

Place Count::take(const core::DeviceId& part, const std::string& port) {
  if (done_.contains(part)) return Place::kDone;
  if (in_work_.contains(part)) return Place::kElsewhere;
  // One that was begun before has its place.
  if (unresolved_.erase(part) == 0 && !has_room()) return Place::kFull;
  in_work_.emplace(part, port);
  return Place::kTaken;
}

void Count::done(const core::DeviceId& part) {
  in_work_.erase(part);
  was_done(part);
}

void Count::left(const core::DeviceId& part, const std::string& port, Made made) {
  const auto found = in_work_.find(part);
  if (found == in_work_.end() || found->second != port) return;
  in_work_.erase(found);
  if (made != Made::kNo) unresolved_.insert(part);
}

}  // namespace tallystick::station
