// Packets: the payload of a CMD frame, a command of the host or the part's response.
//
//   u8 tag ‖ u8 flags ‖ u8 0 ‖ u8 number of parameters ‖ that many u32
//
// Integers are little-endian.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "devicesim/mboot/status_code.h"

namespace tallystick::mboot {

enum class Tag : std::uint8_t {
  kFlashEraseAll = 0x01,
  kFlashEraseRegion = 0x02,
  kReadMemory = 0x03,
  kWriteMemory = 0x04,
  kFillMemory = 0x05,
  kGetProperty = 0x07,
  kReceiveSbFile = 0x08,
  kExecute = 0x09,
  kCall = 0x0A,
  kReset = 0x0B,
  kSetProperty = 0x0C,
  kFlashProgramOnce = 0x0E,
  kFlashReadOnce = 0x0F,
  kFlashReadResource = 0x10,
  kConfigureMemory = 0x11,
  kGenerateKeyBlob = 0x13,
  kFuseProgram = 0x14,
  kKeyProvisioning = 0x15,
  kTrustProvisioning = 0x16,
  kFuseRead = 0x17,
  kUpdateLifeCycle = 0x18,

  // Responses
  kGenericResponse = 0xA0,
  kReadMemoryResponse = 0xA3,
  kGetPropertyResponse = 0xA7,
  kFlashReadOnceResponse = 0xAF,
  kFlashReadResourceResponse = 0xB0,
  kGenerateKeyBlobResponse = 0xB3,
  kKeyProvisioningResponse = 0xB5,
  kTrustProvisioningResponse = 0xB6,
};
// For people; "unknown command" for any other number.
std::string_view tag_name(Tag tag);

constexpr std::uint8_t kFirstResponse = 0x80;  // tags from here on are a part's to say

constexpr std::uint8_t kDataPhaseFollows = 1;  // in flags
constexpr std::size_t kPacketHead = 4;
// An operation, its four address and size pairs: more than the 32 bytes of older parts.
constexpr std::size_t kMostParameters = 9;
constexpr std::size_t kMostPacket = kPacketHead + 4 * kMostParameters;

struct Packet {
  Tag tag{};
  std::uint8_t flags = 0;
  std::vector<std::uint32_t> parameters;

  bool operator==(const Packet&) const = default;
  [[nodiscard]] bool has_data_phase() const { return (flags & kDataPhaseFollows) != 0; }
};

// At most kMostParameters.
core::Bytes encode_packet(const Packet& packet);
// Nothing when the bytes are not exactly a packet: a parameter too many or too few, a reserved
// byte.
std::optional<Packet> decode_packet(core::ByteView bytes);

// What most commands end with: A0[status, tag].
Packet generic_response(StatusCode status, Tag command);
// `tag` with a status and values behind it.
Packet response(Tag tag, StatusCode status, std::initializer_list<std::uint32_t> values = {});

}  // namespace tallystick::mboot
