// The commands inside an SB3.1 container: what a boot loader is to do, one after another.
//
//   section = u32 1 ‖ u32 1 ‖ u32 length of the commands ‖ u32 0 ‖ commands, zeros to the block's
//   end command = u32 55AAAA55 ‖ u32 address ‖ u32 length ‖ u32 tag, what the tag asks for, its
//   data and
//             zeros to 16 bytes
#pragma once

#include <string_view>

#include "core/base/bytes.h"

namespace tallystick::core::sb3 {

constexpr std::size_t kCommandSize = 16;  // commands begin at multiples of it

enum class CommandTag : std::uint32_t {
  kErase = 0x01,
  kLoad = 0x02,
  kExecute = 0x03,
  kCall = 0x04,
  kProgramFuses = 0x05,
  kProgramIfr = 0x06,
  kLoadCmac = 0x07,
  kCopy = 0x08,
  kLoadHashLocking = 0x09,
  kLoadKeyBlob = 0x0A,
  kConfigureMemory = 0x0B,
  kFillMemory = 0x0C,
  kFirmwareVersionCheck = 0x0D,
};
// As the tools that make such files call it; "unknown command" for any other number.
std::string_view command_name(CommandTag tag);

// Which fields a command has; the others are 0.
//
//   kErase                 address, length, memory
//   kLoad, kLoadCmac, kLoadHashLocking    address, length (of its data), memory
//   kExecute, kCall        address
//   kProgramFuses          address (of the first fuse), length (of its data: 4 bytes a fuse)
//   kProgramIfr            address, length (of its data)
//   kCopy                  address, length, memory, destination, destination_memory
//   kLoadKeyBlob           address (its place in the key store), length (of its data), id (of the
//                          key-encryption key)
//   kConfigureMemory       address (of the configuration), memory
//   kFillMemory            address, length, value (the pattern)
//   kFirmwareVersionCheck  value, id (of the counter)
struct Command {
  CommandTag tag{};
  std::uint32_t address = 0;
  std::uint32_t length = 0;
  std::uint32_t memory = 0;
  std::uint32_t value = 0;
  std::uint32_t id = 0;
  std::uint32_t destination = 0;
  std::uint32_t destination_memory = 0;

  bool operator==(const Command&) const = default;
  // Data of `length` bytes follows it.
  [[nodiscard]] bool has_data() const;
};

}  // namespace tallystick::core::sb3
