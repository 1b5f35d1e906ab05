// The boot ROM behind the provisioning software: which of the two application slots it would start
// (section 11 of docs/formats.md). Each image is verified anew where it lies, by the owner's
// signature, its version and its digest; the valid one of the highest version is started, the other
// is what it falls back to. No code runs here: that an application runs is a fact that is recorded.
#pragma once

#include <string>

#include "core/ts1/application.h"
#include "core/ts1/software.h"
#include "devicesim/part_file.h"

namespace tallystick::device {

enum class SlotVerdict : std::uint8_t {
  kValid,
  kNoImage,        // check 1: damaged, or no application image at all
  kBadSignature,   // check 2
  kBadHeader,      // check 3
  kBelowFloor,     // check 4
  kWrongContents,  // check 5: the payload is not the signed one
  kGivenUp,        // check 6: started too often without a word from it
};
std::string_view verdict_text(SlotVerdict verdict);

struct SlotReport {
  std::uint32_t slot = 0;  // of the installed package
  SlotVerdict verdict = SlotVerdict::kNoImage;
  core::ApplicationHeader header;  // from kBelowFloor on; zeros before
  std::uint8_t attempts = 0;
  bool confirmed = false;
};

struct BootReport {
  // The first stage; nothing: none is stored, or the ROM refuses it and no stage follows.
  std::optional<core::SoftwareHeader> software;
  std::optional<core::Error> software_error;
  std::vector<SlotReport> slots;
  std::uint32_t floor = 0;
  // The slot that the ROM takes, and whether it was started just now.
  std::optional<std::uint32_t> chosen;
  bool started = false;

  [[nodiscard]] const SlotReport* chosen_slot() const;
};

// Of every application slot of the installed package. kStorage when the flash cannot be read.
core::Result<std::vector<SlotReport>> check_applications(const core::Crypto& crypto, PartFile& file,
                                                         const PartState& state);
// The highest version that is valid, of equal ones the confirmed, then the first; nothing when none
// is valid.
std::optional<std::uint32_t> choose_application(const std::vector<SlotReport>& slots);

}  // namespace tallystick::device
