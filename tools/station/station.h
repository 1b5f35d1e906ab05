// Station: all ports of a line at once. One thread waits for all of them and takes every part
// through its procedure; a second one makes the record durable. It is told of nothing by the parts
// that it does not check, holds no secret, and can be killed at any time: what was done is in the
// record or in the parts, which prove it.
#pragma once

#include <map>
#include <memory>

#include "tools/station/count.h"
#include "tools/station/seat.h"

namespace tallystick::station {

struct StationOptions {
  std::vector<std::string> ports;
  // Instead of the job's number of parts.
  std::optional<std::uint64_t> parts;
  // Ends when every port has had its part; else, where there is a number of parts, it waits for
  // further ones until there are as many.
  bool once = false;
  // Gives up the parts of earlier runs whose end nobody knows.
  bool release = false;
  unsigned baud = 115200;
  Patience patience;
};

// What a run came to, or has come to so far.
struct Figures {
  std::uint64_t ports = 0;
  std::uint64_t at_work = 0;
  std::uint64_t programmed = 0;
  std::uint64_t found = 0;  // held the package, and were not in the record
  std::uint64_t known = 0;  // the same, and were
  std::uint64_t skipped = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t retries = 0;     // times that a part was begun anew after trouble on its line
  std::uint64_t done = 0;        // in the record, of all runs
  std::uint64_t unresolved = 0;  // begun, and perhaps made
  std::uint64_t parts = 0;       // that the job is for; 0: no end
  double seconds = 0;

  // Of the parts that were tried in this run.
  [[nodiscard]] double yield_percent() const;
  [[nodiscard]] double parts_per_second() const;
};

// A part that did not come to be one of the job's.
struct PartEnd {
  std::string port;
  core::DeviceId part_id{};  // all zero: it is not known
  Verdict verdict;
};

// Who shows a run.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void part_ended(const PartEnd& end) = 0;
  // From time to time.
  virtual void progress(const Figures& figures) = 0;
};

struct RunEnd {
  Figures figures;
  bool interrupted = false;
  std::vector<core::DeviceId> unresolved;
  std::optional<Failure> stopped;  // the record could not be written, or no port can be served
};

// Until it is done or told to end: SIGINT and SIGTERM let the parts that were begun come to their
// end, a second one abandons them. kUsage or kFile before anything was begun.
Outcome<RunEnd> run_station(const std::shared_ptr<const Job>& job, const StationOptions& options,
                            Watcher& watcher);

}  // namespace tallystick::station
