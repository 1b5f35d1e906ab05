// What a part offers to the NXP-shaped commands.
#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

Status Part::check_nxp_commands(const char* what) const {
  if (auto checked = check_programmable(Action::kActAsDevice, what); !checked) return checked;
  return core::check_device_hsm(*running_);
}

Result<core::Secret> Part::derive_unique_key(std::string_view purpose) const {
  if (!state_.device_key) return Error{ErrorCode::kLifeCycle, "the part has no device key"};
  const auto scalar = state_.device_key->scalar();
  if (!scalar) return scalar.error();
  core::Writer info;
  info.text(purpose).u8(0).bytes(state_.id);
  return core::hkdf(*crypto_, core::Hash::kSha256, core::bytes_of("TSDH/DEVICE"), scalar->view(),
                    info.view(), core::kSecretSize);
}

Result<std::unique_ptr<Sb3Installer>> Part::install_sb3(std::uint64_t total_length) {
  constexpr const char* kWhat = "install an SB3.1 container";
  if (auto checked = check_nxp_commands(kWhat); !checked) return checked.error();
  if (auto open = check_flash_open(kWhat); !open) return open.error();
  if (sb3_installer_ != nullptr) {
    return Error{ErrorCode::kLifeCycle, "an SB3.1 container is being installed already"};
  }
  return std::unique_ptr<Sb3Installer>(new Sb3Installer(*this, total_length));
}

Result<std::optional<ProvisionedKeys>> Part::stored_keys() const {
  if (!state_.nxp || state_.nxp->key_store.empty()) return std::optional<ProvisionedKeys>{};
  auto keys = ProvisionedKeys::decode(state_.nxp->key_store.view());
  if (!keys) return std::move(keys).error();
  return std::optional<ProvisionedKeys>(*std::move(keys));
}

Status Part::store_keys(const ProvisionedKeys& keys) {
  if (auto checked = check_nxp_commands("store the key store"); !checked) return checked;
  auto nxp = state_.nxp ? state_.nxp->clone() : NxpState{};
  nxp.key_store = core::Secret::copy_of(keys.encode());
  auto next = state_;
  next.nxp = std::make_shared<const NxpState>(std::move(nxp));
  return commit(std::move(next));
}

}  // namespace tallystick::device
