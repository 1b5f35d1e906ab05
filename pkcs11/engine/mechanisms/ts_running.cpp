#include "pkcs11/engine/mechanisms/ts_running.h"

#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

// Installed images were verified on their way in; what is read back passes the same checks again.
Outcome<std::shared_ptr<const SoftwarePayload>> software_of(const core::Crypto& crypto,
                                                            const Object& object,
                                                            const core::Family& family) {
  return object.payload<SoftwarePayload>([&]() -> Outcome<std::shared_ptr<const SoftwarePayload>> {
    const auto image = object.attributes().bytes(CKA_VALUE);
    const auto version = object.attributes().number(CKA_TS_SW_VERSION).value_or(0);
    auto software = core::verify_software(crypto, image, family.icm_public_key, family.id,
                                          family.role, static_cast<std::uint32_t>(version));
    if (!software) return from_core(software.error(), CKR_DEVICE_ERROR);
    return std::make_shared<const SoftwarePayload>(*std::move(software));
  });
}

}  // namespace

Outcome<Running> Running::find(const Context& context, core::ByteView family_id) {
  const auto family_object = context.token.find_family(family_id);
  if (!family_object) return not_permitted("the family is not in this token");
  auto family = family_of(*family_object);
  if (!family) return std::move(family).error();
  const auto software_object = context.token.find_software(family_id);
  if (!software_object) {
    return not_permitted("no provisioning software is installed for this family");
  }
  // The two are committed together; an image that is not the family's latest was put back.
  if (software_object->attributes().number(CKA_TS_SW_VERSION) !=
      context.token.find_family(family_id)->attributes().number(CKA_TS_SW_VERSION)) {
    return not_permitted("the installed software is not the one that the family ran last");
  }
  auto software = software_of(context.crypto, *software_object, (*family)->family);
  if (!software) return std::move(software).error();
  return Running(context.crypto, *std::move(family), *std::move(software));
}

Outcome<std::shared_ptr<const DeviceKeyPayload>> own_device_key(const Context& context) {
  const auto object = context.token.device_private_key();
  if (!object) return fault(CKR_TOKEN_NOT_PRESENT, "the token has no device key");
  return device_key_of(context.crypto, *object);
}

Outcome<core::EcPublicKey> certified_device(const Context& context, const Object& public_key,
                                            core::ByteView icm_public_key,
                                            std::optional<core::DeviceKind> kind) {
  const auto refused = fault(CKR_WRAPPING_KEY_HANDLE_INVALID,
                             "no certificate of the ICM for this device key is in the token");
  auto pkey = public_key.pkey(context.crypto);
  if (!pkey) return std::move(pkey).error();
  const auto key = core::EcPublicKey::from_pkey(context.crypto, core::Curve::kP256, *pkey);
  if (!key) return refused;
  // Only certificates that say they are for this key are verified; a token may hold thousands.
  const auto info = public_key.attributes().bytes(CKA_PUBLIC_KEY_INFO);
  auto certificates = context.token.find(
      AttributeSet().set_number(CKA_CLASS, CKO_CERTIFICATE).set(CKA_PUBLIC_KEY_INFO, info));
  if (!certificates) return std::move(certificates).error();
  for (const auto& object : *certificates) {
    auto certificate = core::verify_device_certificate(
        context.crypto, object->attributes().bytes(CKA_VALUE), icm_public_key);
    if (certificate && (!kind || certificate->kind == *kind) &&
        core::equal_in_constant_time(certificate->key.xy(), key->xy())) {
      return std::move(certificate->key);
    }
  }
  return refused;
}

}  // namespace tallystick::token
