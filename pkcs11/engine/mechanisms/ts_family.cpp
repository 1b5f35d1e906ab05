// Families: born, imported, sealed to a device, opened by one (CKM_TS_FAMILY_GEN, _WRAP).
#include "core/base/reader.h"
#include "core/ts1/family_blob.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

// Whether a family of this id is in the token already is seen when the new one is stored.
Outcome<Produced> generate_family(const GenerateInput& input) {
  core::Reader in(input.parameter.bytes());
  const auto id = in.array<16>();
  const auto flags = in.u8();
  const auto further = in.u8();
  const auto icm = in.take(core::kIcmKeySize);
  if (!in.done()) return bad_parameter("CKM_TS_FAMILY_GEN takes 114 bytes");
  auto family = core::generate_family(input.context.crypto, id, flags, further, icm);
  if (!family) return from_core(family.error(), CKR_MECHANISM_PARAM_INVALID);
  return Produced{family_draft(*std::move(family)), {}, nullptr};
}

Outcome<Produced> import_family(const CreateInput& input) {
  const auto value = input.wanted.find(CKA_VALUE);
  if (!value) return incomplete_template("a family is imported by CKA_VALUE");
  auto family = core::parse_family_import(input.context.crypto, *value);
  if (!family) return from_core(family.error(), CKR_ATTRIBUTE_VALUE_INVALID);
  return Produced{family_draft(*std::move(family)), {}, nullptr};
}

Outcome<core::FamilyRole> role_parameter(const Parameter& parameter) {
  const auto bytes = parameter.bytes();
  if (bytes.size() != 1 || bytes[0] < CK_TS_ROLE_PROVISIONING || bytes[0] > CK_TS_ROLE_PART) {
    return bad_parameter("CKM_TS_FAMILY_WRAP takes a role of 2, 3 or 4");
  }
  return static_cast<core::FamilyRole>(bytes[0]);
}

Outcome<core::Bytes> wrap_family(const WrapInput& input) {
  auto role = role_parameter(input.parameter);
  if (!role) return std::move(role).error();
  auto family = family_of(*input.key);
  if (!family) return fault(CKR_KEY_NOT_WRAPPABLE, "CKM_TS_FAMILY_WRAP wraps families");
  // What a provisioning or station token holds goes into no part, whoever asks.
  const auto kind =
      *role == core::FamilyRole::kPart ? core::DeviceKind::kPart : core::DeviceKind::kToken;
  auto recipient =
      certified_device(input.context, *input.wrapping_key, (*family)->family.icm_public_key, kind);
  if (!recipient) return std::move(recipient).error();
  auto blob = core::seal_family_blob(input.context.crypto, (*family)->family, *role, *recipient);
  if (!blob) return from_core(blob.error(), CKR_KEY_NOT_WRAPPABLE);
  return *std::move(blob);
}

// Lengths are not random, so that a blob to nobody has the right one.
Outcome<std::size_t> wrapped_family_size(const WrapInput& input) {
  auto blob = wrap_family(input);
  if (!blob) return std::move(blob).error();
  return blob->size();
}

Outcome<Produced> unwrap_family(const UnwrapInput& input) {
  const auto fingerprint = input.parameter.bytes();
  if (fingerprint.size() != 32) {
    return bad_parameter("CKM_TS_FAMILY_WRAP takes the fingerprint of K_PUK_ICM_PROV, 32 bytes");
  }
  auto device_key = device_key_of(input.context.crypto, *input.unwrapping_key);
  if (!device_key) {
    return fault(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, "a family opens with the device key");
  }
  bool present = false;
  auto family =
      core::open_family_blob(input.context.crypto, input.blob, core::array_of<32>(fingerprint),
                             (*device_key)->key, [&](const core::FamilyId& id) {
                               present = input.context.token.find_family(id) != nullptr;
                               return present;
                             });
  if (present) return fault(CKR_FUNCTION_REJECTED, "a family of this id is in the token already");
  if (!family) return from_core(family.error(), CKR_WRAPPED_KEY_INVALID);
  return Produced{family_draft(*std::move(family)), {}, nullptr};
}

}  // namespace

void register_ts_family(MechanismTable& table) {
  Mechanism gen;
  gen.type = CKM_TS_FAMILY_GEN;
  gen.generate = generate_family;
  table.add(std::move(gen));

  Mechanism wrap;
  wrap.type = CKM_TS_FAMILY_WRAP;
  wrap.key_types = {CKK_EC};
  wrap.authenticated = true;
  wrap.for_managed = true;
  wrap.carries_managed = true;
  wrap.wrapped_size = wrapped_family_size;
  wrap.wrap = wrap_family;
  wrap.unwrap = unwrap_family;
  table.add(std::move(wrap));

  table.add(Creator{CKO_SECRET_KEY, CKK_TS_FAMILY, import_family});
}

}  // namespace tallystick::token
