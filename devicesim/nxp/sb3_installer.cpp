#include "devicesim/nxp/sb3_installer.h"

#include <algorithm>

#include "core/base/little_endian.h"
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;
using core::sb3::Command;
using core::sb3::CommandTag;

namespace {

constexpr std::uint8_t kCommandCheck = 8;

Error over() {
  return {ErrorCode::kLifeCycle, "the installation is over: finished, refused or cut off"};
}

Error at_commands(ErrorCode code, const Command& command, const char* why) {
  return {code, std::string(core::sb3::command_name(command.tag)) + ": " + why, kCommandCheck};
}

}  // namespace

Sb3Installer::Sb3Installer(Part& part, std::uint64_t total_length) : part_(&part) {
  part.sb3_installer_ = this;
  reader_.emplace(*part.crypto_, total_length, static_cast<core::sb3::Target&>(*this));
}

Sb3Installer::~Sb3Installer() { detach(); }

void Sb3Installer::detach() {
  reader_.reset();          // abandons what it has staged
  Sb3Installer::abandon();  // also from the destructor
  if (part_ != nullptr) part_->sb3_installer_ = nullptr;
  part_ = nullptr;
}

void Sb3Installer::abandon() {
  change_.reset();
  next_.reset();
  nxp_ = {};
  hsm_.reset();
  held_.clear();
}

Status Sb3Installer::update(core::ByteView data) {
  if (!reader_) return over();
  auto updated = reader_->update(data);
  if (!updated) detach();
  return updated;
}

Status Sb3Installer::finish() {
  if (!reader_) return over();
  if (auto whole = reader_->finish(); !whole) {
    detach();
    return whole;
  }
  auto next = *std::move(next_);
  next.nxp = std::make_shared<const NxpState>(std::move(nxp_));
  const auto change = std::move(change_);
  detach();
  return change->finish(std::move(next));
}

Result<core::sb3::Authority> Sb3Installer::authority(const core::sb3::Header& unverified,
                                                     const core::sb3::Certificate& certificate) {
  if (unverified.variant.curve != core::Curve::kP256) {
    return Error{ErrorCode::kMalformed, "the part takes SB3.1 containers with SHA-256", 1};
  }
  auto hsm = core::DeviceHsm::take_in(*part_->crypto_, *part_->running_, certificate.enc_oem_share);
  if (!hsm) return std::move(hsm).error();
  hsm_ = *std::move(hsm);
  return hsm_->authority(unverified.variant);
}

Status Sb3Installer::admit(const core::sb3::Header& header, const core::sb3::Certificate&) {
  constexpr std::uint32_t kOemImage = 6;
  if (header.image_type != kOemImage) {
    return Error{ErrorCode::kNotPermitted, "the container is the chip maker's, not an OEM's", 5};
  }
  const auto owner = hsm_->owner();
  if (!owner) return owner.error();
  const auto& state = part_->state_;
  if (state.owner && !core::equal_in_constant_time(*state.owner, *owner)) {
    return Error{ErrorCode::kWrongOwner, "the part belongs to another OEM share", 5};
  }
  if (state.nxp) nxp_ = state.nxp->clone();
  if (header.firmware_version < nxp_.minimum_firmware_version) {
    return Error{ErrorCode::kRollback, "the container's firmware is older than one that was loaded",
                 6};
  }
  nxp_.minimum_firmware_version = header.firmware_version;
  auto change = part_->change_flash(Part::FlashContents::kKept);
  if (!change) return std::move(change).error();
  change_ = *std::move(change);
  next_ = state;
  next_->owner = *owner;
  return {};
}

Status Sb3Installer::check_range(const Command& command) const {
  if (command.memory != 0 || !in_flash(part_->memory_map(), command.address, command.length)) {
    return at_commands(ErrorCode::kInvalidArgument, command, "the range is not in the flash");
  }
  return {};
}

Status Sb3Installer::begin(const Command& command) {
  command_ = command;
  held_.clear();
  switch (command.tag) {
    case CommandTag::kErase:
    case CommandTag::kFillMemory:
      return check_range(command);
    case CommandTag::kLoad:
      address_ = command.address;
      return check_range(command);
    case CommandTag::kProgramFuses:
      if (command.address > kFuseWords || command.length / 4 > kFuseWords - command.address) {
        return at_commands(ErrorCode::kInvalidArgument, command, "the part has not these fuses");
      }
      return {};
    case CommandTag::kLoadKeyBlob:
      if (command.length > kMostKeyBlob || (command.id != core::DeviceHsm::kInternalKek &&
                                            command.id != core::DeviceHsm::kExternalKek)) {
        return at_commands(ErrorCode::kNotPermitted, command, "no such key-encryption key");
      }
      return {};
    case CommandTag::kFirmwareVersionCheck:
      return check_version();
    default:
      break;
  }
  return at_commands(ErrorCode::kNotPermitted, command, "the part does not do this");
}

Status Sb3Installer::data(core::ByteView piece) {
  if (command_.tag == CommandTag::kLoad) {
    auto wrote = change_->write(address_, piece);
    address_ += piece.size();
    return wrote;
  }
  held_.insert(held_.end(), piece.begin(), piece.end());
  return {};
}

Status Sb3Installer::end() {
  switch (command_.tag) {
    case CommandTag::kErase:
      return erase();
    case CommandTag::kFillMemory:
      return fill();
    case CommandTag::kProgramFuses:
      return program_fuses();
    case CommandTag::kLoadKeyBlob:
      return load_key();
    default:
      return {};
  }
}

// Whole sectors, as many as the range touches.
Status Sb3Installer::erase() {
  if (command_.length == 0) return {};
  const auto& map = part_->memory_map();
  const auto first = (command_.address - map.flash_base) / kFlashSector * kFlashSector;
  const auto last = command_.address - map.flash_base + command_.length - 1;
  const auto end = std::min((last / kFlashSector + 1) * kFlashSector, map.flash_size);
  return change_->erase(map.flash_base + first, end - first);
}

Status Sb3Installer::fill() {
  core::Bytes block;
  while (block.size() < kFlashSector) core::little_endian::append32(block, command_.value);
  std::uint64_t address = command_.address;
  for (std::uint64_t left = command_.length; left > 0;) {
    const auto piece = core::ByteView(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size())));
    if (auto wrote = change_->write(address, piece); !wrote) return wrote;
    address += piece.size();
    left -= piece.size();
  }
  return {};
}

Status Sb3Installer::program_fuses() {
  auto index = static_cast<std::size_t>(command_.address);
  for (core::ByteView rest = held_; rest.size() >= 4; rest = rest.subspan(4)) {
    const auto bits = core::little_endian::load32(rest);
    if (auto blown = next_->fuses.blow(index++, bits); !blown) return blown;
  }
  return {};
}

Status Sb3Installer::load_key() {
  auto stored = hsm_->unwrap_stored_key(held_);
  if (!stored) return std::move(stored).error();
  if (nxp_.keys.size() == NxpState::kMostLoadedKeys && !nxp_.keys.contains(command_.address)) {
    return at_commands(ErrorCode::kNotPermitted, command_, "the part has no room for further keys");
  }
  nxp_.keys.insert_or_assign(command_.address, LoadedKey{static_cast<std::uint32_t>(stored->type),
                                                         std::move(stored->key)});
  return {};
}

// Counters are the part's floor of firmware versions, whichever is named.
Status Sb3Installer::check_version() const {
  const auto floor = part_->state_.nxp ? part_->state_.nxp->minimum_firmware_version : 0;
  if (command_.value >= floor) return {};
  return at_commands(ErrorCode::kRollback, command_, "the part has run a newer version");
}

}  // namespace tallystick::device
