#include "devicesim/flash_change.h"

#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Status;

FlashChange::FlashChange(Part& part) : part_(&part) { part.flash_change_ = this; }

FlashChange::~FlashChange() {
  // A failure keeps the file from further use until the part is powered on again, which erases too.
  if (part_ != nullptr) (void)part_->file_.wipe_bank(part_->inactive_bank());
  detach();
}

void FlashChange::detach() {
  if (part_ != nullptr) part_->flash_change_ = nullptr;
  part_ = nullptr;
}

Status FlashChange::check_range(std::uint64_t address, std::uint64_t length) const {
  if (part_ == nullptr) return Error{ErrorCode::kLifeCycle, "the change is over or cut off"};
  if (!in_flash(part_->memory_map(), address, length)) {
    return Error{ErrorCode::kInvalidArgument, "the range is not in the flash"};
  }
  return {};
}

Status FlashChange::write(std::uint64_t address, core::ByteView data) {
  if (auto checked = check_range(address, data.size()); !checked) return checked;
  return part_->file_.write_bank(part_->inactive_bank(), address - part_->memory_map().flash_base,
                                 data);
}

Status FlashChange::erase(std::uint64_t address, std::uint64_t length) {
  if (auto checked = check_range(address, length); !checked) return checked;
  return part_->file_.erase_in_bank(part_->inactive_bank(),
                                    address - part_->memory_map().flash_base, length);
}

Status FlashChange::finish() {
  if (part_ == nullptr) return check_range(0, 0);
  return finish(part_->state_);
}

Status FlashChange::finish(PartState next) {
  if (auto checked = check_range(part_ == nullptr ? 0 : part_->memory_map().flash_base, 0);
      !checked) {
    return checked;
  }
  auto* const part = part_;
  detach();
  return part->commit_flash(std::move(next));
}

}  // namespace tallystick::device
