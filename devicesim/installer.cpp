#include "devicesim/installer.h"

#include <algorithm>

#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Status;

namespace {

constexpr auto kMagic = core::kApplicationMagic;

}  // namespace

Installer::Installer(Part& part, std::uint64_t total_length) : part_(&part) {
  part.installer_ = this;
  reader_.emplace(*part.crypto_, total_length, static_cast<core::PackageTarget&>(*this));
}

Installer::~Installer() { detach(); }

void Installer::detach() {
  reader_.reset();  // abandons what it has staged
  if (part_ != nullptr) part_->installer_ = nullptr;
  part_ = nullptr;
}

Status Installer::update(core::ByteView data) {
  if (!reader_) {
    return Error{ErrorCode::kLifeCycle, "the installation is over: finished, refused or cut off"};
  }
  auto updated = reader_->update(data);
  if (!updated) detach();
  return updated;
}

Status Installer::finish() {
  if (!reader_) {
    return Error{ErrorCode::kLifeCycle, "the installation is over: finished, refused or cut off"};
  }
  auto verified = reader_->finish();
  if (!verified) {
    detach();
    return std::move(verified).error();
  }
  auto* const part = part_;
  detach();
  std::ranges::sort(applications_);
  return part->commit_package(*std::move(verified), applications_);
}

const core::ProvisioningSoftware& Installer::running() const { return *part_->running_; }
const core::EcPrivateKey* Installer::device_key() const { return part_->state_.device_key.get(); }
core::ByteView Installer::share_blob() const { return part_->share_blob_; }
std::optional<core::OemId> Installer::owner() const { return part_->state_.owner; }
std::string Installer::product() const { return part_->state_.immutable.manufacture().product; }
std::uint32_t Installer::minimum_package_version() const {
  return part_->state_.minimum_package_version;
}

std::uint32_t Installer::minimum_asset_version(std::uint16_t asset_id) const {
  const auto& minimums = part_->state_.minimum_asset_versions;
  const auto found = minimums.find(asset_id);
  return found == minimums.end() ? 0 : found->second;
}

bool Installer::range_permitted(const core::PackageEntry& entry) const {
  return asset_fits(part_->state_.immutable.manufacture().memory, entry);
}

Status Installer::begin_asset(const core::PackageHead& head, std::size_t index) {
  const auto& minimums = part_->state_.minimum_asset_versions;
  if (index == 0) {
    const auto fresh = std::count_if(head.entries.begin(), head.entries.end(), [&](const auto& e) {
      return minimums.find(e.asset_id) == minimums.end();
    });
    if (minimums.size() + static_cast<std::size_t>(fresh) > kMostAssetIds) {
      return Error{ErrorCode::kInconsistent, "the part has no room for further asset_ids", 9};
    }
  }
  const auto& entry = head.entries[index];
  place_ = asset_place(part_->state_.immutable.manufacture().memory, entry, index);
  may_be_application_ = entry.kind == core::AssetKind::kData;
  slot_ = entry.slot;
  seen_ = 0;
  return {};
}

Status Installer::write_asset(core::ByteView plaintext) {
  if (plaintext.size() > place_.length) {
    return Error{ErrorCode::kMalformed, "an asset is longer than its place"};
  }
  for (const auto byte : plaintext.first(std::min(plaintext.size(), kMagic.size() - seen_))) {
    may_be_application_ = may_be_application_ && byte == static_cast<std::uint8_t>(kMagic[seen_]);
    ++seen_;
  }
  if (auto wrote = part_->file_.write_bank(part_->inactive_bank(), place_.offset, plaintext);
      !wrote) {
    return wrote;
  }
  place_.offset += plaintext.size();
  place_.length -= plaintext.size();
  return {};
}

Status Installer::end_asset() {
  if (place_.length != 0) return Error{ErrorCode::kMalformed, "an asset is shorter than its place"};
  if (!may_be_application_ || seen_ < kMagic.size()) return {};
  if (applications_.size() == kApplicationSlots) {
    return Error{ErrorCode::kInconsistent, "a part has two application slots, no more", 10};
  }
  applications_.push_back(slot_);
  return {};
}

// A failure keeps the file from further use until the part is powered on again, which erases too.
void Installer::abandon() { (void)part_->file_.wipe_bank(part_->inactive_bank()); }

}  // namespace tallystick::device
