// A part behind its serial line: what a host says, in frames and in garbage, with resets, silences
// and hosts that vanish in between. Whatever it was, the part says whole frames, one CMD or DATA at
// a time, and serves the next host; what it held when it lost power it holds afterwards.
//
// Input: until it is used up, u8 step and what that takes.
#include "devicesim/line/part_target.h"
#include "devicesim/line/vendor_properties.h"
#include "devicesim/mboot/session.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/parts.h"

using namespace tallystick;
using mboot::FrameType;

namespace {

class Conversation {
 public:
  explicit Conversation(std::shared_ptr<core::Bytes> file)
      : target_([file] { return fuzz::part_on(file); }) {}

  // The last frame's type that was said to these bytes; nothing when none was.
  std::optional<FrameType> say(core::ByteView bytes) {
    std::optional<FrameType> last;
    for (;;) {
      const auto answer = session_.receive(bytes);
      if (answer.bytes.empty()) break;
      last = check(answer.bytes);
    }
    fuzz::expect(bytes.empty(), "a session takes all that comes");
    return last;
  }
  std::optional<FrameType> say(FrameType type) {
    core::Bytes bytes;
    mboot::append_frame(bytes, type);
    return say(bytes);
  }
  std::optional<FrameType> say(FrameType type, core::ByteView payload) {
    core::Bytes bytes;
    mboot::append_frame(bytes, type, payload);
    return say(bytes);
  }
  void say_file(core::ByteView file) {
    const mboot::Packet packet{mboot::Tag::kReceiveSbFile,
                               mboot::kDataPhaseFollows,
                               {static_cast<std::uint32_t>(file.size())}};
    (void)say(FrameType::kCommand, mboot::encode_packet(packet));
    (void)say(FrameType::kAck);
    while (!file.empty()) {
      const auto piece = file.first(std::min(file.size(), target_.largest_packet()));
      file = file.subspan(piece.size());
      (void)say(FrameType::kData, piece);
    }
    (void)say(FrameType::kAck);
  }

  void step(fuzz::Input& in) {
    switch (in.u8() % 13U) {
      case 0:
        (void)say(in.chunk());
        break;
      case 1:
        (void)say(FrameType::kData, in.chunk());
        break;
      case 2:
        (void)say(FrameType::kAck);
        break;
      case 3:
        (void)say(FrameType::kNack);
        break;
      case 4:
        (void)say(FrameType::kAbort);
        break;
      case 5:
        fuzz::expect(session_.within_frame() || say(FrameType::kPing) == FrameType::kPingResponse,
                     "a ping is answered");
        break;
      case 6:
        session_.silence();
        break;
      case 7:
        session_.hang_up();
        break;
      case 8:
        session_.hang_up();
        target_.power_off();
        break;
      case 9:
        say_file(in.take(in.u16()));
        break;
      case 12: {
        const auto tag = in.flag() ? mboot::Tag::kSetProperty : mboot::Tag::kGetProperty;
        const auto id = static_cast<std::uint32_t>(device::VendorProperty::kBoot) + in.u8() % 5U;
        (void)say(FrameType::kCommand, mboot::encode_packet({tag, 0, {id, in.u8()}}));
        break;
      }
      default: {
        mboot::Packet packet{static_cast<mboot::Tag>(in.u8()), in.u8(), {}};
        for (auto n = in.u8() % 10U; n > 0; --n) packet.parameters.push_back(in.u32());
        (void)say(FrameType::kCommand, mboot::encode_packet(packet));
      }
    }
  }

  void end() {
    session_.silence();
    fuzz::expect(say(FrameType::kPing) == FrameType::kPingResponse, "the next host is served");
    fuzz::expect(
        say(FrameType::kCommand, mboot::encode_packet({mboot::Tag::kGetProperty, 0, {1, 0}})) ==
            FrameType::kCommand,
        "and its command answered");
    session_.hang_up();
    target_.power_off();
  }

 private:
  static FrameType check(core::ByteView said) {
    mboot::FrameReader reader(device::PartTarget::kLargestPacket);
    unsigned to_acknowledge = 0;
    while (!said.empty()) {
      fuzz::expect(reader.next(said) == mboot::FrameReader::Event::kFrame, "frames are whole");
      const auto type = reader.type();
      if (type == FrameType::kCommand || type == FrameType::kData) ++to_acknowledge;
    }
    fuzz::expect(to_acknowledge <= 1, "one frame at a time is to be acknowledged");
    return reader.type();
  }

  device::PartTarget target_;
  mboot::Session session_{target_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes ready = fuzz::ready_part();
  const auto file = std::make_shared<core::Bytes>(ready);
  fuzz::Input in(data, size);
  {
    Conversation conversation(file);
    for (unsigned i = 0; i < 64 && !in.empty(); ++i) conversation.step(in);
    conversation.end();
  }
  const auto part = fuzz::part_on(file);
  fuzz::expect(part.ok() && (*part)->running() != nullptr, "the part starts afterwards");
  const bool installed = (*part)->info().package.has_value();
  fuzz::expect(installed == ((*part)->life_cycle() > device::LifeCycle::kProvisioning),
               "a package is installed whole or not at all");
  return 0;
}
