#include "devicesim/puf/identity.h"

#include "core/crypto/kdf.h"
#include "devicesim/puf/fuzzy_extractor.h"

namespace tallystick::device::puf {
namespace {

using core::Result;

Result<Identity> identity_from(const core::Crypto& crypto, core::Bytes helper,
                               const core::Secret& key) {
  const auto expand = [&](std::string_view label, std::size_t size) {
    return core::hkdf_expand(crypto, core::Hash::kSha256, key.view(), core::bytes_of(label), size);
  };
  auto value = expand("TSPUF/DEVICE-KEY", 48);
  if (!value) return std::move(value).error();
  auto scalar = core::ec_scalar_from(crypto, core::Curve::kP256, value->view());
  if (!scalar) return std::move(scalar).error();
  auto device_key = core::EcPrivateKey::from_scalar(crypto, core::Curve::kP256, scalar->view());
  if (!device_key) return std::move(device_key).error();
  auto storage_key = expand("TSPUF/STORAGE", 32);
  if (!storage_key) return std::move(storage_key).error();
  return Identity{std::move(helper),
                  std::make_shared<const core::EcPrivateKey>(*std::move(device_key)),
                  *std::move(storage_key)};
}

}  // namespace

Result<Identity> new_identity(const core::Crypto& crypto, core::ByteView start_up) {
  auto enrolment = enrol(crypto, start_up);
  if (!enrolment) return std::move(enrolment).error();
  return identity_from(crypto, std::move(enrolment->helper), enrolment->key);
}

Result<Identity> same_identity(const core::Crypto& crypto, core::ByteView helper,
                               core::ByteView start_up) {
  auto key = regenerate(crypto, helper, start_up);
  if (!key) return std::move(key).error();
  return identity_from(crypto, {helper.begin(), helper.end()}, *key);
}

}  // namespace tallystick::device::puf
