#include "devicesim/line/part_target.h"

#include <algorithm>
#include <array>

#include "devicesim/mboot/little_endian.h"

namespace tallystick::device {

using core::ErrorCode;
using core::Status;
using mboot::Reply;
using mboot::StatusCode;
using mboot::Tag;

namespace {

// mboot's memories by number: the part has the one that is addressed.
constexpr std::uint32_t kInternalMemory = 0;

bool in_fuses(std::uint64_t first, std::uint64_t words) {
  return first <= kFuseWords && words <= kFuseWords - first;
}

// What a part whose line is closed by its fuse answers all the same: who it is, and the way to its
// debug port. Reset and RAM need no part.
bool answers_when_closed(Tag command) {
  return command == Tag::kGetProperty || command == Tag::kSetProperty ||
         command == Tag::kReceiveSbFile;
}

// After the authenticity of a file is in doubt there is one status, whatever the check was.
StatusCode status_of_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kMalformed:
      return StatusCode::kInvalidArgument;
    case ErrorCode::kWrongFamily:
    case ErrorCode::kShareRefused:
      return StatusCode::kBadKek;
    case ErrorCode::kSoftwareTooOld:
    case ErrorCode::kRollback:
      return StatusCode::kRollbackBlocked;
    case ErrorCode::kNotPermitted:
    case ErrorCode::kCountedFamily:
    case ErrorCode::kWrongRecipient:
    case ErrorCode::kGrantRefused:
    case ErrorCode::kConsentRefused:
    case ErrorCode::kWrongOwner:
    case ErrorCode::kWrongProduct:
    case ErrorCode::kAlreadyPresent:
    case ErrorCode::kLifeCycle:
      return StatusCode::kSecurityViolation;
    case ErrorCode::kTagMismatch:
    case ErrorCode::kBadSignature:
    case ErrorCode::kInconsistent:
    case ErrorCode::kOpenFailed:
    case ErrorCode::kProofRefused:
      return StatusCode::kSignature;
    case ErrorCode::kStorage:
    case ErrorCode::kCrypto:
      return StatusCode::kFail;
  }
  return StatusCode::kFail;
}

}  // namespace

struct PartTarget::Command {
  Tag tag;
  std::size_t least;  // parameters
  std::size_t most;
  bool data_from_host;
  Reply (PartTarget::*run)(const Parameters&);
  bool looks_itself = false;  // whether data of the host is to follow hangs on the parameters
};

// All that the part does; the bits of the property follow from it.
const PartTarget::Command* PartTarget::find(Tag tag) {
  static constexpr std::array kCommands = {
      Command{Tag::kFlashEraseAll, 0, 1, false, &PartTarget::flash_erase_all},
      Command{Tag::kFlashEraseRegion, 2, 3, false, &PartTarget::flash_erase_region},
      Command{Tag::kReadMemory, 2, 3, false, &PartTarget::read_memory},
      Command{Tag::kWriteMemory, 2, 3, true, &PartTarget::write_memory},
      Command{Tag::kFillMemory, 3, 3, false, &PartTarget::fill_memory},
      Command{Tag::kGetProperty, 1, 2, false, &PartTarget::get_property},
      Command{Tag::kReceiveSbFile, 1, 1, true, &PartTarget::receive_sb_file},
      Command{Tag::kReset, 0, 0, false, &PartTarget::reset},
      Command{Tag::kSetProperty, 2, 2, false, &PartTarget::set_property},
      Command{Tag::kFlashProgramOnce, 3, 4, false, &PartTarget::flash_program_once},
      Command{Tag::kFlashReadOnce, 2, 2, false, &PartTarget::flash_read_once},
      Command{Tag::kFlashReadResource, 3, 3, false, &PartTarget::flash_read_resource},
      Command{Tag::kGenerateKeyBlob, 3, 3, false, &PartTarget::generate_key_blob, true},
      Command{Tag::kFuseProgram, 2, 3, true, &PartTarget::fuse_program},
      Command{Tag::kKeyProvisioning, 1, 3, false, &PartTarget::key_provisioning, true},
      Command{Tag::kTrustProvisioning, 1, 9, false, &PartTarget::trust_provisioning},
      Command{Tag::kFuseRead, 2, 3, false, &PartTarget::fuse_read},
      Command{Tag::kUpdateLifeCycle, 1, 1, false, &PartTarget::update_life_cycle},
  };
  const auto* const found = std::ranges::find(kCommands, tag, &Command::tag);
  return found == kCommands.end() ? nullptr : found;
}

std::uint32_t PartTarget::command_bitmap() {
  std::uint32_t bits = 0;
  for (unsigned tag = 1; tag <= 32; ++tag) {
    if (find(static_cast<Tag>(tag)) != nullptr) bits |= 1U << (tag - 1);
  }
  return bits;
}

PartTarget::PartTarget(PowerOn power_on, Log log)
    : power_on_(std::move(power_on)), log_(std::move(log)) {}

Reply PartTarget::execute(const mboot::Packet& command) {
  command_ = command.tag;
  const auto* const known = find(command.tag);
  if (known == nullptr) {
    note(StatusCode::kUnknownCommand);
    return answer(StatusCode::kUnknownCommand);
  }
  const auto count = command.parameters.size();
  data_announced_ = command.has_data_phase();
  if (count < known->least || count > known->most ||
      (!known->looks_itself && data_announced_ != known->data_from_host)) {
    note(StatusCode::kInvalidArgument, "parameters or data phase are not those of the command");
    if (command.tag != Tag::kTrustProvisioning) return answer(StatusCode::kInvalidArgument);
    // Its response carries a value whatever happens.
    return {mboot::response(Tag::kTrustProvisioningResponse, StatusCode::kInvalidArgument, {0})};
  }
  auto reply = (this->*known->run)(command.parameters);
  if (reply.data == Reply::Data::kNone) {
    note(static_cast<StatusCode>(reply.packet.parameters.front()));
  }
  return reply;
}

StatusCode PartTarget::write(core::ByteView data) {
  return transfer_ ? status_of_transfer(transfer_->write(data)) : StatusCode::kFail;
}

StatusCode PartTarget::read(core::MutableByteView out) {
  return transfer_ ? status_of(transfer_->read(out)) : StatusCode::kFail;
}

StatusCode PartTarget::finish() {
  if (!transfer_) return StatusCode::kFail;
  const auto status = status_of_transfer(transfer_->finish());
  transfer_.reset();
  // A token has erased the part: what its keys made goes with them.
  if (part_ && part_->returned()) forget_keys();
  if (status == StatusCode::kSuccess) note(status);
  return status;
}

void PartTarget::abandon() { transfer_.reset(); }

void PartTarget::forget_keys() {
  transfer_.reset();
  trust_.clear();
  keys_.clear();
  ram_.clear();
}

void PartTarget::power_off() {
  forget_keys();
  part_.reset();
}

Reply PartTarget::flash_erase_all(const Parameters& in) {
  if (!in.empty() && in[0] != kInternalMemory) return answer(StatusCode::kInvalidArgument);
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  auto change = on->change_flash(Part::FlashContents::kErased);
  if (!change) return answer(Status(change.error()));
  return answer((*change)->finish());
}

Reply PartTarget::flash_erase_region(const Parameters& in) {
  if (in.size() > 2 && in[2] != kInternalMemory) return answer(StatusCode::kInvalidArgument);
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  const auto& map = on->memory_map();
  if (!in_flash(map, in[0], in[1])) return answer(StatusCode::kMemoryRange);
  const auto from = in[0] - map.flash_base;
  const auto to = from + in[1];
  if (from % kSector != 0 || (to % kSector != 0 && to != map.flash_size)) {
    return answer(StatusCode::kFlashAlignment);
  }
  auto change = on->change_flash(Part::FlashContents::kKept);
  if (!change) return answer(Status(change.error()));
  if (auto erased = (*change)->erase(in[0], in[1]); !erased) return answer(erased);
  return answer((*change)->finish());
}

Reply PartTarget::read_memory(const Parameters& in) {
  const auto refuse = [](StatusCode status) {
    return Reply{mboot::response(Tag::kReadMemoryResponse, status, {0})};
  };
  if (in.size() > 2 && in[2] != kInternalMemory) return refuse(StatusCode::kInvalidArgument);
  if (Ram::contains(in[0], in[1])) {
    return give(Tag::kReadMemoryResponse, read_ram(ram_, in[0]), in[1]);
  }
  auto* const on = part();
  if (on == nullptr) return refuse(unavailable_);
  if (!in_flash(on->memory_map(), in[0], in[1])) return refuse(StatusCode::kMemoryRange);
  // All of it, before the first byte goes out.
  if (const auto may = on->check_flash_read(in[0], in[1]); !may) return refuse(status_of(may));
  return give(Tag::kReadMemoryResponse, read_flash(*on, in[0]), in[1]);
}

Reply PartTarget::write_memory(const Parameters& in) {
  if (in.size() > 2 && in[2] != kInternalMemory) return answer(StatusCode::kInvalidArgument);
  if (Ram::contains(in[0], in[1])) return take(write_ram(ram_, in[0]), in[1]);
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  if (!in_flash(on->memory_map(), in[0], in[1])) return answer(StatusCode::kMemoryRange);
  auto transfer = write_flash(*on, in[0]);
  if (!transfer) return answer(Status(transfer.error()));
  return take(*std::move(transfer), in[1]);
}

Reply PartTarget::fill_memory(const Parameters& in) {
  TransferPtr transfer;
  if (Ram::contains(in[0], in[1])) {
    transfer = write_ram(ram_, in[0]);
  } else {
    auto* const on = part();
    if (on == nullptr) return answer(unavailable_);
    if (!in_flash(on->memory_map(), in[0], in[1])) return answer(StatusCode::kMemoryRange);
    auto writing = write_flash(*on, in[0]);
    if (!writing) return answer(Status(writing.error()));
    transfer = *std::move(writing);
  }
  core::Bytes block;
  while (block.size() < kSector) mboot::append32(block, in[2]);
  for (std::uint64_t left = in[1]; left > 0;) {
    const auto piece = core::ByteView(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size())));
    if (auto wrote = transfer->write(piece); !wrote) return answer(wrote);
    left -= piece.size();
  }
  return answer(transfer->finish());
}

Reply PartTarget::get_property(const Parameters& in) {
  Parameters words;
  const auto status = property(in[0], in.size() > 1 ? in[1] : 0, words);
  auto packet = mboot::response(Tag::kGetPropertyResponse, status);
  packet.parameters.insert(packet.parameters.end(), words.begin(), words.end());
  return {std::move(packet)};
}

Reply PartTarget::receive_sb_file(const Parameters& in) {
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  if (in[0] == 0) return answer(StatusCode::kInvalidArgument);
  // Whatever else it takes, a locked part refuses: there is no need to hear it to its end.
  if (on->life_cycle() >= LifeCycle::kLocked && in[0] != core::kDebugTokenSize) {
    return answer(StatusCode::kSecurityViolation);
  }
  return take(receive_file(*on, in[0]), in[0]);
}

Reply PartTarget::reset(const Parameters&) {
  power_off();
  return answer(StatusCode::kSuccess);
}

Reply PartTarget::set_property(const Parameters& in) {
  if (is_vendor_property(in[0])) return set_vendor_property(in[0], in[1]);
  Parameters words;
  const auto status = property(in[0], 0, words);
  return answer(status == StatusCode::kSuccess ? StatusCode::kReadOnlyProperty : status);
}

Reply PartTarget::flash_program_once(const Parameters& in) {
  const auto words = std::span(in).subspan(2);
  if (in[1] != 4 * words.size()) return answer(StatusCode::kInvalidArgument);
  if (!in_fuses(in[0], words.size())) return answer(StatusCode::kMemoryRange);
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  return answer(on->blow_fuses(in[0], words));
}

Reply PartTarget::flash_read_once(const Parameters& in) {
  const auto refuse = [](StatusCode status) {
    return Reply{mboot::response(Tag::kFlashReadOnceResponse, status, {0})};
  };
  if (in[1] != 4 && in[1] != 8) return refuse(StatusCode::kInvalidArgument);
  if (!in_fuses(in[0], in[1] / 4)) return refuse(StatusCode::kMemoryRange);
  auto* const on = part();
  if (on == nullptr) return refuse(unavailable_);
  auto packet = mboot::response(Tag::kFlashReadOnceResponse, StatusCode::kSuccess, {in[1]});
  for (std::size_t i = 0; i < in[1] / 4; ++i) {
    const auto word = on->read_fuse(in[0] + i);
    if (!word) return refuse(status_of(Status(word.error())));
    packet.parameters.push_back(*word);
  }
  return {std::move(packet)};
}

Reply PartTarget::fuse_program(const Parameters& in) {
  if (in.size() > 2 && in[2] != kInternalMemory) return answer(StatusCode::kInvalidArgument);
  if (in[1] == 0 || in[1] % 4 != 0) return answer(StatusCode::kInvalidArgument);
  if (!in_fuses(in[0], in[1] / 4)) return answer(StatusCode::kMemoryRange);
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  return take(program_fuses(*on, in[0]), in[1]);
}

Reply PartTarget::fuse_read(const Parameters& in) {
  const auto refuse = [](StatusCode status) {
    return Reply{mboot::response(Tag::kReadMemoryResponse, status, {0})};
  };
  if (in.size() > 2 && in[2] != kInternalMemory) return refuse(StatusCode::kInvalidArgument);
  if (in[1] == 0 || in[1] % 4 != 0) return refuse(StatusCode::kInvalidArgument);
  if (!in_fuses(in[0], in[1] / 4)) return refuse(StatusCode::kMemoryRange);
  auto* const on = part();
  if (on == nullptr) return refuse(unavailable_);
  core::Bytes bytes;
  for (std::size_t i = 0; i < in[1] / 4; ++i) {
    const auto word = on->read_fuse(in[0] + i);
    if (!word) return refuse(status_of(Status(word.error())));
    mboot::append32(bytes, *word);
  }
  return give(Tag::kReadMemoryResponse, device::give(std::move(bytes)), in[1]);
}

Part* PartTarget::part() {
  if (!part_) {
    auto opened = power_on_();
    if (!opened) {
      unavailable_ = StatusCode::kFail;
      note(unavailable_, opened.error().message);
      return nullptr;
    }
    part_ = *std::move(opened);
  }
  if (part_->isp_closed() && !answers_when_closed(command_)) {
    unavailable_ = StatusCode::kSecurityViolation;
    note(unavailable_, "the part's line is closed");
    return nullptr;
  }
  return part_.get();
}

Reply PartTarget::answer(StatusCode status) const {
  return {mboot::generic_response(status, command_)};
}

Reply PartTarget::answer(const Status& status) { return answer(status_of(status)); }

Reply PartTarget::take(TransferPtr transfer, std::uint64_t length) {
  transfer_ = std::move(transfer);
  auto reply = answer(StatusCode::kSuccess);
  reply.data = Reply::Data::kFromHost;
  reply.length = length;
  return reply;
}

Reply PartTarget::give(Tag tag, TransferPtr transfer, std::uint64_t length) {
  transfer_ = std::move(transfer);
  Reply reply{mboot::response(tag, StatusCode::kSuccess, {static_cast<std::uint32_t>(length)})};
  reply.packet.flags = mboot::kDataPhaseFollows;
  reply.data = Reply::Data::kToHost;
  reply.length = length;
  return reply;
}

StatusCode PartTarget::status_of(const Status& status) {
  if (status) return StatusCode::kSuccess;
  const auto code = status_of_error(status.error().code);
  note(code, status.error().message);
  return code;
}

StatusCode PartTarget::status_of_transfer(const Status& status) {
  if (!status) {
    if (const auto word = transfer_->word_for(status.error())) {
      note(*word, status.error().message);
      return *word;
    }
  }
  return status_of(status);
}

void PartTarget::note(StatusCode status, const std::string& why) const {
  if (!log_) return;
  std::string line(mboot::tag_name(command_));
  line += ": ";
  line += mboot::status_name(status);
  if (!why.empty()) line += ": " + why;
  log_(line);
}

}  // namespace tallystick::device
