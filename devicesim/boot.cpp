#include "devicesim/boot.h"

#include <algorithm>
#include <tuple>

#include "core/crypto/hash.h"

namespace tallystick::device {
namespace {

using core::Result;

constexpr std::size_t kReadBlock = 32UL * 1024;

SlotVerdict verdict_of_check(std::uint8_t check) {
  if (check == 1) return SlotVerdict::kNoImage;
  if (check == 2) return SlotVerdict::kBadSignature;
  return SlotVerdict::kBadHeader;
}

Result<core::ByteArray<48>> digest_of(const core::Crypto& crypto, PartFile& file, unsigned bank,
                                      Place place) {
  auto hasher = core::Hasher::create(crypto, core::Hash::kSha384);
  if (!hasher) return std::move(hasher).error();
  core::Secret block(kReadBlock);
  while (place.length > 0) {
    const auto count = std::min<std::uint64_t>(place.length, block.size());
    const auto piece = block.span().first(static_cast<std::size_t>(count));
    if (auto read = file.read_bank(bank, place.offset, piece); !read) return read.error();
    if (auto updated = hasher->update(piece); !updated) return updated.error();
    place.offset += count;
    place.length -= count;
  }
  core::ByteArray<48> digest{};
  if (auto finished = hasher->finish(digest); !finished) return finished.error();
  return digest;
}

Result<SlotReport> check_slot(const core::Crypto& crypto, PartFile& file, const PartState& state,
                              const ApplicationSlot& slot) {
  SlotReport report;
  report.slot = slot.slot;
  report.attempts = slot.attempts;
  report.confirmed = slot.confirmed;
  const auto& head = state.installed->head;
  const auto entry = std::ranges::find(head.entries, slot.slot, &core::PackageEntry::slot);
  if (entry == head.entries.end()) return report;
  auto place = asset_place(state.immutable.manufacture().memory, *entry,
                           static_cast<std::size_t>(entry - head.entries.begin()));
  if (place.length < core::kApplicationPrefix) return report;
  core::ByteArray<core::kApplicationPrefix> prefix{};
  if (auto read = file.read_bank(state.active_bank, place.offset, prefix); !read) {
    return read.error();
  }
  auto header = core::check_application_head(crypto, prefix, place.length, head.oem_public_key());
  if (!header) {
    report.verdict = verdict_of_check(header.error().check);
    return report;
  }
  report.header = *std::move(header);
  if (report.header.version < state.boot.floor) {
    report.verdict = SlotVerdict::kBelowFloor;
    return report;
  }
  place.offset += core::kApplicationPrefix;
  place.length -= core::kApplicationPrefix;
  const auto digest = digest_of(crypto, file, state.active_bank, place);
  if (!digest) return digest.error();
  if (!core::equal_in_constant_time(*digest, report.header.payload_digest)) {
    report.verdict = SlotVerdict::kWrongContents;
  } else if (!slot.confirmed && slot.attempts >= kBootAttempts) {
    report.verdict = SlotVerdict::kGivenUp;
  } else {
    report.verdict = SlotVerdict::kValid;
  }
  return report;
}

}  // namespace

std::string_view verdict_text(SlotVerdict verdict) {
  switch (verdict) {
    case SlotVerdict::kValid:
      return "valid";
    case SlotVerdict::kNoImage:
      return "no application image, or damaged";
    case SlotVerdict::kBadSignature:
      return "the owner's signature does not verify";
    case SlotVerdict::kBadHeader:
      return "its header is not of format 1";
    case SlotVerdict::kBelowFloor:
      return "its version is below the floor";
    case SlotVerdict::kWrongContents:
      return "its contents are not the signed ones";
    case SlotVerdict::kGivenUp:
      return "given up: started too often and never confirmed";
  }
  return "";
}

const SlotReport* BootReport::chosen_slot() const {
  if (!chosen) return nullptr;
  const auto found = std::ranges::find(slots, *chosen, &SlotReport::slot);
  return found == slots.end() ? nullptr : &*found;
}

Result<std::vector<SlotReport>> check_applications(const core::Crypto& crypto, PartFile& file,
                                                   const PartState& state) {
  std::vector<SlotReport> reports;
  if (!state.installed) return reports;
  for (const auto& slot : state.boot.slots) {
    auto report = check_slot(crypto, file, state, slot);
    if (!report) return std::move(report).error();
    reports.push_back(*std::move(report));
  }
  return reports;
}

std::optional<std::uint32_t> choose_application(const std::vector<SlotReport>& slots) {
  const SlotReport* best = nullptr;
  for (const auto& slot : slots) {
    if (slot.verdict != SlotVerdict::kValid) continue;
    if (best == nullptr || std::tuple(slot.header.version, slot.confirmed) >
                               std::tuple(best->header.version, best->confirmed)) {
      best = &slot;
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->slot;
}

}  // namespace tallystick::device
