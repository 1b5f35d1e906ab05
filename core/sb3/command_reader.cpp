#include "core/sb3/command_reader.h"

#include <algorithm>

#include "core/base/little_endian.h"
#include "core/sb3/layout.h"

namespace tallystick::core::sb3 {

using little_endian::load16;
using little_endian::load32;

namespace {

constexpr std::uint32_t kCommandMark = 0x55AAAA55;
constexpr std::uint64_t kHashLockingTrailer = 64;

// The number of the reader's check of the commands.
constexpr std::uint8_t kCheck = 8;

Error malformed(const char* what) { return {ErrorCode::kMalformed, what, kCheck}; }

bool has_details(CommandTag tag) {
  switch (tag) {
    case CommandTag::kErase:
    case CommandTag::kLoad:
    case CommandTag::kLoadCmac:
    case CommandTag::kLoadHashLocking:
    case CommandTag::kCopy:
    case CommandTag::kFillMemory:
      return true;
    default:
      return false;
  }
}

bool known(CommandTag tag) {
  return tag >= CommandTag::kErase && tag <= CommandTag::kFirmwareVersionCheck;
}

}  // namespace

Status CommandReader::update(ByteView data) {
  if (data.size() % kCommandSize != 0 || data.size() > left_) {
    return Error{ErrorCode::kInvalidArgument, "commands come in units of 16 bytes", kCheck};
  }
  left_ -= data.size();
  for (; !data.empty(); data = data.subspan(kCommandSize)) {
    if (auto taken = take(data.first(kCommandSize)); !taken) return taken;
  }
  return {};
}

Status CommandReader::finish() const {
  if (left_ != 0 || expect_ != Expect::kPadding) {
    return malformed("the container's commands are cut");
  }
  return {};
}

Status CommandReader::take(ByteView unit) {
  switch (expect_) {
    case Expect::kSection:
      return take_section(unit);
    case Expect::kCommand:
      return take_command(unit);
    case Expect::kDetails:
      return take_details(unit);
    case Expect::kData:
      return take_data(unit);
    case Expect::kTrailer:
      if (!all_zero(unit)) return malformed("a reserved field of a command is not zero");
      if (auto used = use(unit.size()); !used) return used;
      trailer_left_ -= unit.size();
      return trailer_left_ == 0 ? end() : Status();
    case Expect::kPadding:
      break;
  }
  if (!all_zero(unit)) return malformed("something stands behind the container's commands");
  return {};
}

Status CommandReader::take_section(ByteView unit) {
  section_left_ = load32(unit.subspan(8));
  if (load32(unit) != 1 || load32(unit.subspan(4)) != 1 || load32(unit.subspan(12)) != 0) {
    return malformed("the container's section is of no known kind");
  }
  // As many blocks as the commands need, and no more: one form for one list of commands.
  const auto needed = (kCommandSize + section_left_ + kDataSize - 1) / kDataSize * kDataSize;
  if (section_left_ % kCommandSize != 0 || needed != total_) {
    return malformed("the section has not the length of its blocks");
  }
  expect_ = section_left_ == 0 ? Expect::kPadding : Expect::kCommand;
  return {};
}

Status CommandReader::take_command(ByteView unit) {
  if (auto used = use(unit.size()); !used) return used;
  if (load32(unit) != kCommandMark) return malformed("no command where one should be");
  const auto first = load32(unit.subspan(4));
  const auto second = load32(unit.subspan(8));
  command_ = Command{};
  command_.tag = static_cast<CommandTag>(load32(unit.subspan(12)));
  if (!known(command_.tag)) return malformed("an unknown command");
  switch (command_.tag) {
    case CommandTag::kConfigureMemory:
      command_.memory = first;
      command_.address = second;
      break;
    case CommandTag::kFirmwareVersionCheck:
      command_.value = first;
      command_.id = second;
      break;
    case CommandTag::kLoadKeyBlob:
      command_.address = first;
      command_.id = load16(unit.subspan(8));
      command_.length = load16(unit.subspan(10));
      break;
    case CommandTag::kProgramFuses:
      command_.address = first;
      if (second > UINT32_MAX / 4) return malformed("more fuses than there can be");
      command_.length = 4 * second;
      break;
    case CommandTag::kExecute:
    case CommandTag::kCall:
      command_.address = first;
      if (second != 0) return malformed("a reserved field of a command is not zero");
      break;
    default:
      command_.address = first;
      command_.length = second;
      break;
  }
  if (!has_details(command_.tag)) return begin();
  expect_ = Expect::kDetails;
  return {};
}

Status CommandReader::take_details(ByteView unit) {
  if (auto used = use(unit.size()); !used) return used;
  const auto first = load32(unit);
  ByteView reserved = unit.subspan(4);
  switch (command_.tag) {
    case CommandTag::kFillMemory:
      command_.value = first;
      break;
    case CommandTag::kCopy:
      command_.destination = first;
      command_.memory = load32(unit.subspan(4));
      command_.destination_memory = load32(unit.subspan(8));
      reserved = unit.subspan(12);
      break;
    default:
      command_.memory = first;
      break;
  }
  if (!all_zero(reserved)) return malformed("a reserved field of a command is not zero");
  return begin();
}

Status CommandReader::begin() {
  data_left_ = command_.has_data() ? command_.length : 0;
  trailer_left_ = command_.tag == CommandTag::kLoadHashLocking ? kHashLockingTrailer : 0;
  const auto padded = (data_left_ + kCommandSize - 1) / kCommandSize * kCommandSize;
  if (padded + trailer_left_ > section_left_) {
    return malformed("a command runs past the end of its section");
  }
  if (auto begun = sink_->begin(command_); !begun) return begun;
  if (data_left_ > 0) {
    expect_ = Expect::kData;
    return {};
  }
  return end();
}

Status CommandReader::take_data(ByteView unit) {
  if (auto used = use(unit.size()); !used) return used;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(data_left_, unit.size()));
  if (!all_zero(unit.subspan(size))) return malformed("a command's data is not zero padded");
  data_left_ -= size;
  if (auto taken = sink_->data(unit.first(size)); !taken) return taken;
  return data_left_ == 0 ? end() : Status();
}

Status CommandReader::end() {
  if (trailer_left_ > 0) {
    expect_ = Expect::kTrailer;
    return {};
  }
  expect_ = section_left_ == 0 ? Expect::kPadding : Expect::kCommand;
  return sink_->end();
}

Status CommandReader::use(std::uint64_t size) {
  if (size > section_left_) return malformed("a command runs past the end of its section");
  section_left_ -= size;
  return {};
}

}  // namespace tallystick::core::sb3
