#include "devicesim/line/vendor_properties.h"

#include <algorithm>

#include "devicesim/line/part_target.h"
#include "devicesim/mboot/little_endian.h"

namespace tallystick::device {

using core::Status;
using mboot::Reply;
using mboot::StatusCode;

namespace {

using Words = std::vector<std::uint32_t>;

Words words_of(core::ByteView bytes) {
  Words words;
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) words.push_back(mboot::load32(bytes));
  return words;
}

Words words_of(const BootReport& report) {
  std::uint32_t bits = report.chosen ? kBootFound : 0;
  if (report.started) bits |= kBootRuns;
  return {bits, report.chosen.value_or(0), report.floor,
          static_cast<std::uint32_t>(report.slots.size()),
          report.software ? report.software->version : 0};
}

Words words_of(const SlotReport& slot) {
  return {slot.slot,           static_cast<std::uint32_t>(slot.verdict),
          slot.header.version, slot.header.floor,
          slot.attempts,       slot.confirmed ? 1U : 0U};
}

}  // namespace

bool PartTarget::is_vendor_property(std::uint32_t id) {
  return id >= static_cast<std::uint32_t>(VendorProperty::kBoot) &&
         id <= static_cast<std::uint32_t>(VendorProperty::kKeyUse);
}

StatusCode PartTarget::vendor_property(std::uint32_t id, std::uint32_t index, Parameters& out) {
  auto* const on = part();
  if (on == nullptr) return unavailable_;
  switch (static_cast<VendorProperty>(id)) {
    case VendorProperty::kBoot: {
      const auto report = on->boot_report();
      if (!report) return status_of(report.error());
      if (index > report->slots.size()) return StatusCode::kInvalidArgument;
      out = index == 0 ? words_of(*report) : words_of(report->slots[index - 1]);
      return StatusCode::kSuccess;
    }
    case VendorProperty::kLockRehearsal: {
      if (index != static_cast<std::uint32_t>(LifeCycle::kLocked)) {
        return StatusCode::kInvalidArgument;
      }
      const auto rehearsal = on->rehearse_lock();
      if (!rehearsal) return status_of(rehearsal.error());
      for (const auto& line : rehearsal->notes) note(StatusCode::kSuccess, line);
      std::uint32_t bits = 0;
      if (rehearsal->isp_open) bits |= kLockIspOpen;
      if (rehearsal->starts) bits |= kLockStarts;
      if (rehearsal->debug_can_be_opened) bits |= kLockDebug;
      if (!on->certificate().empty()) bits |= kLockCertified;
      const auto verdict =
          rehearsal->refused ? status_of(*rehearsal->refused) : StatusCode::kSuccess;
      out = {static_cast<std::uint32_t>(verdict), bits, rehearsal->starts.value_or(0)};
      return StatusCode::kSuccess;
    }
    case VendorProperty::kDebug: {
      if (index == 2) {
        out = words_of(core::ByteView(on->id()));
        return StatusCode::kSuccess;
      }
      const auto challenge = on->debug_challenge();
      if (index == 1 && challenge) {
        out = words_of(core::ByteView(challenge->nonce));
        return StatusCode::kSuccess;
      }
      if (index != 0) return StatusCode::kInvalidArgument;
      out = {on->returned() ? 1U : 0U, on->info().debug_tries_left, challenge ? 1U : 0U};
      return StatusCode::kSuccess;
    }
    case VendorProperty::kKeyUse:
      break;
  }
  // There is nothing to read of it.
  return StatusCode::kInvalidArgument;
}

Reply PartTarget::set_vendor_property(std::uint32_t id, std::uint32_t value) {
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  const auto property = static_cast<VendorProperty>(id);
  if (property == VendorProperty::kDebug && value == kDebugChallenge) {
    const auto challenge = on->make_debug_challenge();
    return challenge ? answer(StatusCode::kSuccess) : answer(Status(challenge.error()));
  }
  // A closed line takes nothing else.
  if (on->isp_closed()) return answer(StatusCode::kSecurityViolation);
  if (property == VendorProperty::kBoot && value == kBootStart) {
    forget_keys();
    const auto report = on->boot();
    if (!report) return answer(Status(report.error()));
    if (report->started) return answer(StatusCode::kSuccess);
    note(StatusCode::kFail, "the ROM finds no application to start");
    return answer(StatusCode::kFail);
  }
  if (property == VendorProperty::kBoot && value == kBootConfirm) {
    return answer(on->confirm_application());
  }
  if (property == VendorProperty::kKeyUse) return answer(use_key(*on, value));
  return answer(StatusCode::kInvalidArgument);
}

StatusCode PartTarget::use_key(Part& part, std::uint32_t address) {
  using Layout = KeyUseWords;
  if (!Ram::contains(address, 4 * Layout::kCount)) return StatusCode::kMemoryRange;
  core::ByteArray<4 * Layout::kCount> raw{};
  ram_.read(address, raw);
  const auto words = words_of(core::ByteView(raw));
  // A copy of each input: the output may lie over them.
  std::array<core::WipedBytes, 3> inputs;
  constexpr std::array kInputs = {std::pair(Layout::kInput, kMostKeyInput),
                                  std::pair(Layout::kAside, kMostKeyAside),
                                  std::pair(Layout::kBy, kMostKeyAside)};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto [at, most] = kInputs[i];
    if (words[at + 1] > most) return StatusCode::kInvalidArgument;
    if (!Ram::contains(words[at], words[at + 1])) {
      if (words[at + 1] != 0) return StatusCode::kMemoryRange;
      continue;
    }
    inputs[i].resize(words[at + 1]);
    ram_.read(words[at], inputs[i]);
  }
  const auto output = words[Layout::kOutput];
  if (!Ram::contains(output, words[Layout::kOutput + 1])) return StatusCode::kMemoryRange;
  if (words[Layout::kOperation] > UINT8_MAX || words[Layout::kPath] > UINT8_MAX) {
    return StatusCode::kInvalidArgument;
  }
  KeyRequest request;
  request.slot = words[Layout::kSlot];
  request.operation = static_cast<KeyOperation>(words[Layout::kOperation]);
  request.path = static_cast<KeyPath>(words[Layout::kPath]);
  request.input = inputs[0];
  request.aside = inputs[1];
  request.by = inputs[2];
  const auto used = part.use_key(request);
  if (!used) return status_of(used.error());
  if (used->size() > words[Layout::kOutput + 1]) return StatusCode::kInvalidArgument;
  ram_.write(output, used->view());
  core::Bytes length;
  mboot::append32(length, static_cast<std::uint32_t>(used->size()));
  ram_.write(address + 4 * Layout::kOutputLength, length);
  return StatusCode::kSuccess;
}

}  // namespace tallystick::device
