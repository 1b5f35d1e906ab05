#include "devicesim/mboot/packet.h"

#include "devicesim/mboot/little_endian.h"

namespace tallystick::mboot {

std::string_view tag_name(Tag tag) {
  switch (tag) {
    case Tag::kFlashEraseAll:
      return "flash-erase-all";
    case Tag::kFlashEraseRegion:
      return "flash-erase-region";
    case Tag::kReadMemory:
      return "read-memory";
    case Tag::kWriteMemory:
      return "write-memory";
    case Tag::kFillMemory:
      return "fill-memory";
    case Tag::kGetProperty:
      return "get-property";
    case Tag::kReceiveSbFile:
      return "receive-sb-file";
    case Tag::kExecute:
      return "execute";
    case Tag::kCall:
      return "call";
    case Tag::kReset:
      return "reset";
    case Tag::kSetProperty:
      return "set-property";
    case Tag::kFlashProgramOnce:
      return "flash-program-once";
    case Tag::kFlashReadOnce:
      return "flash-read-once";
    case Tag::kFlashReadResource:
      return "flash-read-resource";
    case Tag::kConfigureMemory:
      return "configure-memory";
    case Tag::kGenerateKeyBlob:
      return "generate-key-blob";
    case Tag::kFuseProgram:
      return "fuse-program";
    case Tag::kKeyProvisioning:
      return "key-provisioning";
    case Tag::kTrustProvisioning:
      return "trust-provisioning";
    case Tag::kFuseRead:
      return "fuse-read";
    case Tag::kUpdateLifeCycle:
      return "update-life-cycle";
    case Tag::kGenericResponse:
    case Tag::kReadMemoryResponse:
    case Tag::kGetPropertyResponse:
    case Tag::kFlashReadOnceResponse:
    case Tag::kFlashReadResourceResponse:
    case Tag::kGenerateKeyBlobResponse:
    case Tag::kKeyProvisioningResponse:
    case Tag::kTrustProvisioningResponse:
      return "response";
  }
  return "unknown command";
}

core::Bytes encode_packet(const Packet& packet) {
  core::Bytes out = {static_cast<std::uint8_t>(packet.tag), packet.flags, 0,
                     static_cast<std::uint8_t>(packet.parameters.size())};
  for (const auto parameter : packet.parameters) append32(out, parameter);
  return out;
}

std::optional<Packet> decode_packet(core::ByteView bytes) {
  if (bytes.size() < kPacketHead || bytes.size() > kMostPacket || bytes[2] != 0) {
    return std::nullopt;
  }
  if (bytes.size() != kPacketHead + 4UL * bytes[3]) return std::nullopt;
  Packet packet;
  packet.tag = static_cast<Tag>(bytes[0]);
  packet.flags = bytes[1];
  for (auto rest = bytes.subspan(kPacketHead); !rest.empty(); rest = rest.subspan(4)) {
    packet.parameters.push_back(load32(rest));
  }
  return packet;
}

Packet generic_response(StatusCode status, Tag command) {
  return response(Tag::kGenericResponse, status, {static_cast<std::uint32_t>(command)});
}

Packet response(Tag tag, StatusCode status, std::initializer_list<std::uint32_t> values) {
  Packet packet;
  packet.tag = tag;
  packet.parameters.push_back(static_cast<std::uint32_t>(status));
  packet.parameters.insert(packet.parameters.end(), values);
  return packet;
}

}  // namespace tallystick::mboot
