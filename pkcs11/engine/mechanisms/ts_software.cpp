// Provisioning software in the token: C_CreateObject of class CKO_TS_SOFTWARE.
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kFamilyIdAt = 16;

// Where the image says its family stands. Nothing else is read before the signature was checked.
Outcome<ObjectPtr> family_named_by(const Context& context, core::ByteView image) {
  if (image.size() < core::kSoftwarePrefix) return bad_value("not a provisioning software image");
  auto family = context.token.find_family(image.subspan(kFamilyIdAt, 16));
  if (!family) return bad_value("the software is for a family that is not in this token");
  return family;
}

// Verifies the image, and makes it and the family's new minimum version one change.
Outcome<Produced> install(const CreateInput& input) {
  const auto image = input.wanted.find(CKA_VALUE);
  if (!image) return incomplete_template("provisioning software is given by CKA_VALUE");
  auto family_object = family_named_by(input.context, *image);
  if (!family_object) return std::move(family_object).error();
  auto family = family_of(**family_object);
  if (!family) return std::move(family).error();
  const auto minimum = (*family_object)->attributes().number(CKA_TS_SW_VERSION).value_or(0);
  auto software = core::verify_software(
      input.context.crypto, *image, (*family)->family.icm_public_key, (*family)->family.id,
      (*family)->family.role, static_cast<std::uint32_t>(minimum));
  // One answer for every image that is refused; the log says at which check.
  if (!software && software.error().check != 0) return bad_value(software.error().message);
  if (!software) return from_core(software.error(), CKR_ATTRIBUTE_VALUE_INVALID);

  Produced produced;
  auto& draft = produced.object;
  draft.managed = true;
  draft.immutable = true;
  auto& attributes = draft.attributes;
  attributes.set_number(CKA_CLASS, CKO_TS_SOFTWARE).set_flag(CKA_TOKEN, true);
  attributes.set_flag(CKA_PRIVATE, false).set_flag(CKA_MODIFIABLE, false);
  attributes.set_flag(CKA_COPYABLE, false).set_flag(CKA_DESTROYABLE, false);
  attributes.set(CKA_VALUE, *image).set_text(CKA_LABEL, software->header.name);
  attributes.set(CKA_TS_FAMILY_ID, software->header.family_id);
  attributes.set_number(CKA_TS_SW_VERSION, software->header.version);

  auto next = (*family_object)->redraft();
  next.attributes.set_number(CKA_TS_SW_VERSION, software->header.version);
  produced.also.replace(*family_object, std::move(next));
  produced.replaces = input.context.token.find_software(software->header.family_id);
  draft.payload = std::make_shared<const SoftwarePayload>(*std::move(software));
  return produced;
}

}  // namespace

void register_ts_software(MechanismTable& table) {
  table.add(Creator{CKO_TS_SOFTWARE, CK_UNAVAILABLE_INFORMATION, install});
}

}  // namespace tallystick::token
