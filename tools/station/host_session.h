// HostSession: the host's side of the conversation on one line. It takes bytes as they come and
// gives the bytes to say, does no I/O and has no clock of its own. One request at a time: a ping,
// or a command with its data phase.
//
// What is damaged on the way is said again: a frame of ours after a NACK, a frame of the part's
// after ours. Silence ends a request, because nothing in the protocol says whether a frame that was
// not acknowledged was taken: saying DATA again would put it into a file twice. Whoever asked then
// begins anew, with a ping.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "devicesim/mboot/frame_reader.h"
#include "devicesim/mboot/packet.h"

namespace tallystick::station {

using Clock = std::chrono::steady_clock;

// How long a part may take.
struct Patience {
  std::chrono::milliseconds ping{1000};
  std::chrono::milliseconds acknowledge{5000};  // of a frame, and the next of its own
  std::chrono::milliseconds answer{30000};      // of a command, when it has all of its data
};

struct Request {
  mboot::Packet packet;  // the flag of a data phase is set where there is data
  mboot::Tag response = mboot::Tag::kGenericResponse;
  // Data for the part. `read` gives the bytes at an offset; false: they cannot be had.
  std::uint64_t length = 0;
  std::function<bool(std::uint64_t offset, core::MutableByteView)> read;
  std::size_t largest_packet = 32;
  // Data from the part, at most.
  std::size_t most_answer = 0;
};

struct Reply {
  mboot::StatusCode status{};
  std::vector<std::uint32_t> values;  // behind the status; a ping's: the version
  core::Bytes data;
  bool noisy = false;  // something was damaged on the way
};

enum class LineTrouble : std::uint8_t {
  kSilent,      // no answer in time
  kDamaged,     // a frame that did not come through however often it was said
  kOutOfStep,   // an answer that does not belong to the request
  kUnreadable,  // the data for the part could not be read
};
const char* trouble_text(LineTrouble trouble);

using Answer = std::variant<Reply, LineTrouble>;

class HostSession {
 public:
  explicit HostSession(Patience patience) : patience_(patience), reader_(kMostPayload) {}

  // A part that was too slow gets twice the time with each try, up to that of an answer: where many
  // are served by one machine, haste would keep all of them from coming to an end.
  void set_tries(unsigned tries) { factor_ = 1U << std::min(tries, 6U); }

  // Only while not busy().
  void ping(Clock::time_point now);
  void ask(Request request, Clock::time_point now);
  [[nodiscard]] bool busy() const { return state_ != State::kIdle; }
  // Ends the request without an answer; within a data phase the part is told.
  void give_up();

  void receive(core::ByteView bytes, Clock::time_point now);
  // When tick() is to be called; nothing while not busy.
  [[nodiscard]] std::optional<Clock::time_point> next_time() const;
  void tick(Clock::time_point now);

  // What became of the request, once.
  std::optional<Answer> take_answer() { return std::exchange(answer_, std::nullopt); }
  // What is to be said, once.
  core::Bytes take_output() { return std::exchange(out_, {}); }
  // The last of the request's data has been said: what it was for may have happened.
  [[nodiscard]] bool whole_said() const { return whole_said_; }
  // How much of it the part has acknowledged.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

  // The longest payload of a frame, in both directions.
  static constexpr std::size_t kMostPayload = 4096;

 private:
  enum class State : std::uint8_t {
    kIdle,
    kPinging,
    kCommandSaid,  // not acknowledged
    kAnswerDue,    // acknowledged; the first response is to come
    kDataSaid,     // not acknowledged
    kEndDue,       // all data is taken, or no more is wanted; the last response is to come
    kTakingData,
  };

  void take_frame(Clock::time_point now);
  void take_damaged(Clock::time_point now);
  void take_packet(Clock::time_point now);
  void begin_data(const mboot::Packet& packet, Clock::time_point now);
  void take_data(Clock::time_point now);
  void say_next_data(Clock::time_point now);
  void say(mboot::FrameType type) { mboot::append_frame(out_, type); }
  void say(mboot::FrameType type, core::ByteView payload);
  void say_again();
  void wait(std::chrono::milliseconds time, Clock::time_point now) {
    deadline_ = now + std::min(factor_ * time, std::max(time, patience_.answer));
  }
  void end(Reply reply);
  void end(LineTrouble trouble);

  // The rest of a frame is not awaited for longer.
  static constexpr std::chrono::milliseconds kSilence{600};
  static constexpr unsigned kMostRepeats = 10;

  Patience patience_;
  unsigned factor_ = 1;
  mboot::FrameReader reader_;
  State state_ = State::kIdle;
  Request request_;
  Clock::time_point deadline_{};
  std::optional<Clock::time_point> frame_deadline_;
  std::uint64_t said_ = 0;  // bytes of the request's data
  std::uint64_t acknowledged_ = 0;
  bool whole_said_ = false;
  std::uint64_t announced_ = 0;  // bytes that the part gives
  Reply reply_;
  unsigned repeats_ = 0;  // of the present frame
  core::Bytes unacknowledged_;
  core::Bytes out_;
  std::optional<Answer> answer_;
};

}  // namespace tallystick::station
