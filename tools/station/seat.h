// Seat: one port of the line and the part in it. It listens until a part answers, takes it through
// its procedure, and then watches for another one. It knows nothing of other seats: places in the
// count and the record are the station's.
#pragma once

#include <memory>

#include "tools/station/port.h"
#include "tools/station/procedure.h"

namespace tallystick::station {

struct SeatOptions {
  Patience patience;
  unsigned baud = 115200;
  // Further parts are waited for at a port; else it has one part, and none is told of.
  bool waits = false;
  std::chrono::milliseconds between_looks{1000};
};

class Seat;

// What a seat tells the station, from within its own calls.
class SeatOwner {
 public:
  virtual ~SeatOwner() = default;
  // To be answered by Seat::placed(), later.
  virtual void place_wanted(Seat& seat, const WantPlace& want) = 0;
  // To be answered by Seat::delivered(), when it is durable.
  virtual void delivery_made(Seat& seat, Delivery delivery) = 0;
  virtual void step_passed(Seat& seat, Step step) = 0;
  virtual void part_ended(Seat& seat, const Verdict& verdict) = 0;
};

class Seat {
 public:
  Seat(std::string name, std::shared_ptr<const Job> job, const SeatOptions& options,
       SeatOwner& owner);
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int descriptor() const { return port_ ? port_->descriptor() : -1; }
  [[nodiscard]] bool is_open() const { return port_.has_value(); }
  // Why not, when it could not be opened.
  Done open(Clock::time_point now);

  // The descriptor is ready.
  void readable(Clock::time_point now);
  void writable(Clock::time_point now);
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  [[nodiscard]] std::optional<Clock::time_point> next_time() const;
  void tick(Clock::time_point now);

  void placed(Place place, Clock::time_point now);
  void delivered(Clock::time_point now);
  // A place has become free for the part that waits here.
  void look_again(Clock::time_point now);

  // There is a part, and it is not done with.
  [[nodiscard]] bool working() const { return phase_ == Phase::kWorking; }
  // It is done with, and is being reset.
  [[nodiscard]] bool parting() const { return phase_ == Phase::kParting; }
  [[nodiscard]] bool waits_for_place() const { return phase_ == Phase::kWaiting; }
  // The part has its place in the count, or is getting it.
  [[nodiscard]] bool begun() const {
    return working() && (awaits_record_ || procedure_->has_place());
  }
  // Nothing will happen here by itself.
  [[nodiscard]] bool at_rest() const {
    return phase_ == Phase::kClosed || phase_ == Phase::kSettled || phase_ == Phase::kWaiting;
  }
  // Null: no part.
  [[nodiscard]] const Procedure* procedure() const { return procedure_ ? &*procedure_ : nullptr; }
  // Of the package, for who watches.
  [[nodiscard]] std::uint64_t bytes_done() const;
  // Lets go of the part, and of the port. Of a part that was begun the owner is told.
  void give_up(const std::string& why);

 private:
  enum class Phase : std::uint8_t {
    kClosed,
    kListening,  // for a part
    kWorking,
    kParting,  // the part is reset
    kSettled,
    kLooking,  // whether it is still the same part
    kWaiting,  // for a place in the count
  };

  void begin(Clock::time_point now);
  void follow(Want want, Clock::time_point now);
  void conclude(const Verdict& verdict, Clock::time_point now);
  void answered(const Answer& answer, Clock::time_point now);
  void listened(const Answer& answer, Clock::time_point now);
  void looked(const Answer& answer, Clock::time_point now);
  void settle(Clock::time_point now);
  void pump(Clock::time_point now);
  void line_gone(const std::string& why);
  void close();

  std::string name_;
  std::shared_ptr<const Job> job_;
  SeatOptions options_;
  SeatOwner& owner_;
  std::optional<Port> port_;
  HostSession session_;
  std::optional<Procedure> procedure_;
  Phase phase_ = Phase::kClosed;
  core::Bytes output_;
  std::optional<Clock::time_point> timer_;
  unsigned unanswered_ = 0;
  bool awaits_record_ = false;
  std::vector<std::uint32_t> settled_id_;  // property 12 of the part that is done with
};

}  // namespace tallystick::station
