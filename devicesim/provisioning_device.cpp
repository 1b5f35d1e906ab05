#include "devicesim/provisioning_device.h"

#include <utility>

#include "core/base/reader.h"
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

namespace {

constexpr const char* kWhat = "act as provisioning device";

}  // namespace

ProvisioningDevice::ProvisioningDevice(Part& part) : part_(&part), reset_(part.resets_) {}

Result<ProvisioningDevice> ProvisioningDevice::on(Part& part) {
  if (auto checked = part.check_programmable(Action::kActAsDevice, kWhat); !checked) {
    return checked.error();
  }
  if (!part.running()->family().k_oem_master_share) {
    return Error{ErrorCode::kNotPermitted,
                 std::string(kWhat) + ": the part's family is not uniform"};
  }
  return ProvisioningDevice(part);
}

Result<const core::ProvisioningSoftware*> ProvisioningDevice::software() const {
  if (part_->resets_ != reset_ || part_->running() == nullptr) {
    return Error{ErrorCode::kLifeCycle, "the part was reset; its share set is gone"};
  }
  if (auto permitted = part_->check_state(Action::kActAsDevice, kWhat); !permitted) {
    return permitted.error();
  }
  return part_->running();
}

Result<const core::ProvisioningSoftware*> ProvisioningDevice::software_with_share() const {
  auto running = software();
  if (running && !share_) {
    return Error{ErrorCode::kInvalidArgument, "the part has made no share set yet"};
  }
  return running;
}

Status ProvisioningDevice::make_share(const core::OemId& oem_id, std::uint32_t sw_floor,
                                      core::ByteView oem_rnd_input) {
  auto running = software();
  if (!running) return std::move(running).error();
  auto share = (*running)->make_share(oem_id, sw_floor, oem_rnd_input);
  if (!share) return std::move(share).error();
  share_ = *std::move(share);
  return {};
}

Result<core::ByteArray<32>> ProvisioningDevice::consent_nonce() {
  core::ByteArray<32> nonce{};
  if (auto filled = part_->crypto_->random(nonce); !filled) return filled.error();
  nonce_ = nonce;
  return nonce;
}

Status ProvisioningDevice::regenerate(core::ByteView master_blob, core::ByteView oem_public_key,
                                      core::ByteView consent) {
  auto running = software();
  if (!running) return std::move(running).error();
  const auto nonce = std::exchange(nonce_, std::nullopt);
  if (!nonce) return Error{ErrorCode::kConsentRefused, "ask for a nonce before each attempt"};
  auto share = (*running)->regenerate(master_blob, part_->id(), *nonce, oem_public_key, consent);
  if (!share) return std::move(share).error();
  share_ = *std::move(share);
  return {};
}

Result<core::Context> ProvisioningDevice::context() const {
  if (auto running = software_with_share(); !running) return std::move(running).error();
  return share_->context;
}

Result<core::Bytes> ProvisioningDevice::give_share(core::Suite suite) const {
  auto running = software_with_share();
  if (!running) return std::move(running).error();
  return (*running)->give_share(*share_, suite);
}

Result<core::Bytes> ProvisioningDevice::give_master(core::Suite suite) const {
  auto running = software_with_share();
  if (!running) return std::move(running).error();
  return (*running)->give_master(*share_, suite);
}

Result<core::AssetKey> ProvisioningDevice::asset_key(core::Suite suite,
                                                     std::string_view label) const {
  auto running = software_with_share();
  if (!running) return std::move(running).error();
  auto master_key = (*running)->derive_master_key(*share_);
  if (!master_key) return std::move(master_key).error();
  return (*running)->derive_asset_key(*master_key, suite, label);
}

Result<core::Sealer> ProvisioningDevice::seal_asset(core::ByteView context) const {
  auto parsed = core::parse_asset_context(context);
  if (!parsed) return std::move(parsed).error();
  auto key =
      asset_key(parsed->header.suite, core::label_for(parsed->entry.kind, parsed->entry.name));
  if (!key) return std::move(key).error();
  auto sealer = part_->running()->seal_asset(*key, context);
  if (!sealer) return std::move(sealer).error();
  return std::move(sealer->stream);
}

Result<core::Bytes> ProvisioningDevice::seal_generated(core::ByteView context,
                                                       const core::GeneratedAsset& asset) const {
  auto running = software_with_share();
  if (!running) return std::move(running).error();
  auto parsed = core::parse_asset_context(context);
  if (!parsed) return std::move(parsed).error();
  auto value = (*running)->generate(*share_, asset);
  if (!value) return std::move(value).error();
  auto form = core::package_form(*part_->crypto_, asset.type, value->view());
  if (!form) return std::move(form).error();
  if (asset.name != parsed->entry.name || form->size() != parsed->entry.plaintext_length) {
    return Error{ErrorCode::kInvalidArgument, "the generated asset is not the entry's"};
  }
  auto sealer = seal_asset(context);
  if (!sealer) return std::move(sealer).error();
  core::Bytes sealed;
  const core::ByteSink sink = [&sealed](core::ByteView piece) -> Status {
    sealed.insert(sealed.end(), piece.begin(), piece.end());
    return {};
  };
  if (auto done = sealer->update(form->view(), sink); !done) return done.error();
  if (auto done = sealer->finish(sink); !done) return done.error();
  return sealed;
}

Result<core::ByteArray<16>> ProvisioningDevice::tag_package(core::ByteView tagged) const {
  auto running = software_with_share();
  if (!running) return std::move(running).error();
  if (tagged.size() < core::kPackageHeaderSize) {
    return Error{ErrorCode::kMalformed, "there is no package header to tag"};
  }
  auto suite = core::suite_from(tagged[6]);
  if (!suite) return std::move(suite).error();
  auto key = asset_key(*suite, core::kLabelAuth);
  if (!key) return std::move(key).error();
  return (*running)->tag_package(*key, tagged);
}

}  // namespace tallystick::device
