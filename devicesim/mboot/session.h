// Session: one part's side of the conversation on a line. It takes bytes as they come and gives the
// bytes to say, and does no I/O.
//
// After each CMD or DATA frame of its own it waits for the host's ACK before it says the next; a
// NACK has the frame said again. Hosts lose ACKs, when they flush what they have just written: a
// CMD or DATA frame, or a ping, stands for the ACK of the frame before it. A host that begins anew
// in the middle of a data phase, with a ping or a command, is another one: the phase is abandoned.
//
// A terminal that somebody has set to echo gives a part its own words back. It drops what only
// parts say, a response or DATA while it gives DATA, so that it does not talk to itself for ever.
#pragma once

#include "devicesim/mboot/frame_reader.h"
#include "devicesim/mboot/target.h"

namespace tallystick::mboot {

class Session {
 public:
  // The target outlives the session.
  explicit Session(Target& target);

  struct Answer {
    core::ByteView bytes;  // until the next call; empty when there is nothing to say
    // To a ping: what was said before and has not been taken yet is of no use to this host.
    bool begins_anew = false;
  };
  // Takes bytes from the front of `input` until there is something to say. When the answer is empty
  // the input is used up.
  Answer receive(core::ByteView& input);

  // Part of a frame has come.
  [[nodiscard]] bool within_frame() const { return reader_.within_frame(); }
  // The line has been silent for so long that the rest of that frame will not come.
  void silence() { reader_.restart(); }
  // The host is gone: what was under way is abandoned.
  void hang_up();

 private:
  enum class State : std::uint8_t {
    kReady,       // for a command
    kAnswered,    // the last frame of a command is said and not acknowledged
    kOpening,     // as kAnswered, and DATA of the host is to follow
    kTakingData,  // DATA of the host is to come
    kGivingData,  // a frame is said and not acknowledged, and DATA of ours, or the end, follows it
  };

  void take_frame();
  void take_damaged();
  void take_ack();
  void take_nack();
  void take_abort();
  void take_command();
  void take_data();
  // Ends the data phase that is under way, without a word.
  void abandon();
  void give_data();
  void end(StatusCode status);

  void say(FrameType type) { append_frame(out_, type); }
  void say(FrameType type, core::ByteView payload);

  Target& target_;
  FrameReader reader_;
  State state_ = State::kReady;
  Tag command_{};               // whose data phase it is
  std::uint64_t left_ = 0;      // bytes of it
  StatusCode outcome_{};        // of giving data, but for finish()
  core::Bytes out_;             // the answer
  core::Bytes unacknowledged_;  // the last CMD or DATA frame that was said
};

}  // namespace tallystick::mboot
