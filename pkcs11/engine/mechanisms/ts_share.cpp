// OEM_SHARE: made, given out, taken in, regenerated (CKM_TS_OEM_SHARE_GEN, _OEM_SHARE_WRAP,
// _MASTER_SHARE_WRAP, _SHARE_FOR_DEVICE).
#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kPublicKey = 96;
constexpr std::size_t kSignature = 96;

Outcome<Produced> made(core::Result<core::OemShare> share, CK_RV rv) {
  if (!share) return from_core(share.error(), rv);
  return Produced{share_draft(*std::move(share)), {}, nullptr};
}

Outcome<core::Bytes> given(core::Result<core::Bytes> blob) {
  if (!blob) return from_core(blob.error(), CKR_MECHANISM_PARAM_INVALID);
  return *std::move(blob);
}

Outcome<Produced> generate_share(const GenerateInput& input) {
  core::Reader in(input.parameter.bytes());
  const auto family_id = in.array<16>();
  const auto oem_id = in.array<32>();
  const auto sw_floor = in.u32();
  const auto oem_rnd_input = in.rest();
  if (!in.ok() || oem_rnd_input.size() < core::kLeastRndInput ||
      oem_rnd_input.size() > core::kMostRndInput) {
    return bad_parameter("CKM_TS_OEM_SHARE_GEN takes 68 to 116 bytes");
  }
  auto running = Running::find(input.context, family_id);
  if (!running) return std::move(running).error();
  return made(running->software().make_share(oem_id, sw_floor, oem_rnd_input),
              CKR_MECHANISM_PARAM_INVALID);
}

Outcome<core::Suite> suite_parameter(core::ByteView bytes) {
  const auto suite = bytes.size() == 1 ? core::suite_from(bytes[0])
                                       : core::Error{core::ErrorCode::kMalformed, {}, 0};
  if (!suite) return bad_parameter("the parameter is one byte, a suite of 1 or 2");
  return *suite;
}

// The share to be wrapped, and the family that wraps it.
struct Wrapping {
  std::shared_ptr<const SharePayload> share;
  Running running;
};

Outcome<Wrapping> wrapping(const WrapInput& input) {
  auto share = share_of(*input.key);
  if (!share) return fault(CKR_KEY_NOT_WRAPPABLE, "the mechanism wraps an OEM_SHARE");
  if (!input.key->flag(CKA_EXTRACTABLE)) {
    return fault(CKR_KEY_UNEXTRACTABLE, "the share set is not extractable");
  }
  auto running = Running::find(input.context, (*share)->share.context.family_id);
  if (!running) return std::move(running).error();
  return Wrapping{*std::move(share), *std::move(running)};
}

// The same where the wrapping key is the family object itself.
Outcome<Wrapping> family_wrapping(const WrapInput& input) {
  auto family = family_of(*input.wrapping_key);
  if (!family) return std::move(family).error();
  auto both = wrapping(input);
  if (both && (*family)->family.id != both->share->share.context.family_id) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "the share set is of another family");
  }
  return both;
}

Outcome<core::Bytes> wrap_share(const WrapInput& input) {
  auto suite = suite_parameter(input.parameter.bytes());
  if (!suite) return std::move(suite).error();
  auto both = family_wrapping(input);
  if (!both) return std::move(both).error();
  return given(both->running.software().give_share(both->share->share, *suite));
}

Outcome<core::Bytes> wrap_master(const WrapInput& input) {
  auto suite = suite_parameter(input.parameter.bytes());
  if (!suite) return std::move(suite).error();
  auto both = family_wrapping(input);
  if (!both) return std::move(both).error();
  return given(both->running.software().give_master(both->share->share, *suite));
}

Outcome<core::Bytes> wrap_for_device(const WrapInput& input) {
  core::Reader in(input.parameter.bytes());
  const auto suite = core::suite_from(in.u8());
  core::DeviceBlobRequest request;
  request.job_id = in.array<16>();
  request.number = in.u64();
  request.limit = in.u64();
  request.oem_public_key = in.array<kPublicKey>();
  request.grant = in.array<kSignature>();
  if (!in.done() || !suite) return bad_parameter("CKM_TS_SHARE_FOR_DEVICE takes 225 bytes");
  auto both = wrapping(input);
  if (!both) return std::move(both).error();
  auto recipient =
      certified_device(input.context, *input.wrapping_key, both->running.family().icm_public_key);
  if (!recipient) return std::move(recipient).error();
  auto own = own_device_key(input.context);
  if (!own) return std::move(own).error();
  return given(both->running.software().give_for_device(both->share->share, *suite, request,
                                                        (*own)->key, *recipient));
}

// A blob's length does not depend on its salts: the size question runs the same code.
template <Outcome<core::Bytes> (*kWrap)(const WrapInput&)>
Outcome<std::size_t> size_of(const WrapInput& input) {
  auto blob = kWrap(input);
  if (!blob) return std::move(blob).error();
  return blob->size();
}

Outcome<Running> running_of(const UnwrapInput& input) {
  auto family = family_of(*input.unwrapping_key);
  if (!family) return std::move(family).error();
  return Running::find(input.context, (*family)->family.id);
}

// Role 1 where a family unwraps, role 3 where the device key does: never one for the other.
Outcome<void> expect_role(core::ByteView blob, core::BlobRole role) {
  const auto parsed = core::parse_share_blob(blob);
  if (!parsed || parsed->header.role != role) {
    return fault(CKR_WRAPPED_KEY_INVALID, "not a share blob of the role that is unwrapped here");
  }
  return {};
}

Outcome<Produced> unwrap_share(const UnwrapInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto running = running_of(input);
  if (!running) return std::move(running).error();
  if (auto fits = expect_role(input.blob, core::BlobRole::kShare); !fits) {
    return std::move(fits).error();
  }
  return made(running->software().take_share(input.blob, nullptr), CKR_WRAPPED_KEY_INVALID);
}

Outcome<Produced> unwrap_for_device(const UnwrapInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto device_key = device_key_of(input.context.crypto, *input.unwrapping_key);
  if (!device_key) {
    return fault(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
                 "a share blob of role 3 opens with the device key");
  }
  if (auto fits = expect_role(input.blob, core::BlobRole::kDevice); !fits) {
    return std::move(fits).error();
  }
  const auto parsed = core::parse_share_blob(input.blob);
  auto running = Running::find(input.context, parsed->header.context.family_id);
  if (!running) return std::move(running).error();
  return made(running->software().take_share(input.blob, &(*device_key)->key),
              CKR_WRAPPED_KEY_INVALID);
}

// FIG. 4. The nonce that the OEM consented under is used up in the same transaction in which the
// share appears; of two calls with one consent, one fails.
Outcome<Produced> regenerate(const UnwrapInput& input) {
  core::Reader in(input.parameter.bytes());
  const auto oem_public_key = in.take(kPublicKey);
  const auto consent = in.take(kSignature);
  if (!in.done()) return bad_parameter("CKM_TS_MASTER_SHARE_WRAP takes 192 bytes");
  auto running = running_of(input);
  if (!running) return std::move(running).error();
  // The change is prepared first and the nonce read from the very snapshot that it replaces: when
  // somebody else uses the nonce up meanwhile, the change is refused.
  ChangeSet spent;
  if (auto renewed = input.context.token.renew_device_nonce(spent); !renewed) {
    return std::move(renewed).error();
  }
  const auto& device = spent.replaced().front().old->attributes();
  const auto device_id = device.bytes(CKA_TS_DEVICE_ID);
  const auto nonce = device.bytes(CKA_TS_NONCE);
  if (device_id.size() != 32 || nonce.size() != 32) {
    return storage_failed("the device key has no id or nonce");
  }
  auto produced = made(running->software().regenerate(input.blob, core::array_of<32>(device_id),
                                                      nonce, oem_public_key, consent),
                       CKR_WRAPPED_KEY_INVALID);
  if (produced) produced->also = std::move(spent);
  return produced;
}

Mechanism wrapping_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.key_types = {key_type};
  mechanism.authenticated = true;
  mechanism.for_managed = true;
  mechanism.carries_managed = true;
  return mechanism;
}

}  // namespace

void register_ts_share(MechanismTable& table) {
  Mechanism gen;
  gen.type = CKM_TS_OEM_SHARE_GEN;
  gen.generate = generate_share;
  table.add(std::move(gen));

  auto share = wrapping_mechanism(CKM_TS_OEM_SHARE_WRAP, CKK_TS_FAMILY);
  share.wrapped_size = size_of<wrap_share>;
  share.wrap = wrap_share;
  share.unwrap = unwrap_share;
  table.add(std::move(share));

  auto master = wrapping_mechanism(CKM_TS_MASTER_SHARE_WRAP, CKK_TS_FAMILY);
  master.wrapped_size = size_of<wrap_master>;
  master.wrap = wrap_master;
  master.unwrap = regenerate;
  table.add(std::move(master));

  auto device = wrapping_mechanism(CKM_TS_SHARE_FOR_DEVICE, CKK_EC);
  device.wrapped_size = size_of<wrap_for_device>;
  device.wrap = wrap_for_device;
  device.unwrap = unwrap_for_device;
  table.add(std::move(device));
}

}  // namespace tallystick::token
