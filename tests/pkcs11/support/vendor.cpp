#include "tests/pkcs11/support/vendor.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"

namespace tallystick::test {
namespace {

constexpr std::string_view kRndInput = "random input of an OEM for tests";

core::Bytes p256_scalar(core::ByteView pkcs8) {
  const auto* cursor = pkcs8.data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(pkcs8.size())), &EVP_PKEY_free);
  BIGNUM* number = nullptr;
  if (!key || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
    throw std::runtime_error("fixture: not an EC key in PKCS#8");
  }
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owner(number, &BN_free);
  core::Bytes scalar(32);
  if (BN_bn2binpad(number, scalar.data(), 32) != 32) throw std::runtime_error("fixture: scalar");
  return scalar;
}

}  // namespace

Mechanism family_gen(core::ByteView family_id, unsigned flags, unsigned further_shares,
                     core::ByteView icm_public_key) {
  core::Writer out;
  out.bytes(family_id).u8(static_cast<std::uint8_t>(flags));
  out.u8(static_cast<std::uint8_t>(further_shares)).bytes(icm_public_key);
  return {CKM_TS_FAMILY_GEN, out.take()};
}

Mechanism share_gen(core::ByteView family_id, core::ByteView oem_id, std::uint32_t sw_floor,
                    core::ByteView rnd_input) {
  core::Writer out;
  out.bytes(family_id).bytes(oem_id).u32(sw_floor).bytes(rnd_input);
  return {CKM_TS_OEM_SHARE_GEN, out.take()};
}

Mechanism with_byte(CK_MECHANISM_TYPE type, unsigned byte) {
  return {type, {static_cast<std::uint8_t>(byte)}};
}

Mechanism asset_key_derive(core::Suite suite, std::string_view label) {
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(suite)).text(label);
  return {CKM_TS_ASSET_KEY_DERIVE, out.take()};
}

Mechanism asset_generate(unsigned type, std::string_view name, std::uint32_t index,
                         std::uint32_t length) {
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(type)).u32(index).u32(length).text(name);
  return {CKM_TS_ASSET_GENERATE, out.take()};
}

Mechanism share_for_device(const core::Crypto& crypto, const core::Context& context,
                           const core::EcPrivateKey& oem_key, core::ByteView minter,
                           std::uint64_t number, std::uint64_t limit, core::Suite suite) {
  const auto job_id = core::array_of<16>(core::bytes_of("job of the tests"));
  const auto message = value(core::grant_message(crypto, context, job_id, limit, minter));
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(suite)).bytes(job_id).u64(number).u64(limit);
  out.bytes(oem_key.public_xy()).bytes(value(oem_key.sign(crypto, {message})));
  return {CKM_TS_SHARE_FOR_DEVICE, out.take()};
}

Mechanism regenerate(const core::Crypto& crypto, const core::EcPrivateKey& oem_key,
                     core::ByteView device_id, core::ByteView nonce, core::ByteView blob) {
  const auto message =
      value(core::regeneration_message(crypto, core::array_of<32>(device_id), nonce, blob));
  core::Writer out;
  out.bytes(oem_key.public_xy()).bytes(value(oem_key.sign(crypto, {message})));
  return {CKM_TS_MASTER_SHARE_WRAP, out.take()};
}

Mechanism seal(core::ByteView context) { return {CKM_TS_SEAL, {context.begin(), context.end()}}; }
Mechanism open(core::ByteView context) { return {CKM_TS_OPEN, {context.begin(), context.end()}}; }

CK_OBJECT_HANDLE device_key(const Session& session, CK_OBJECT_CLASS object_class) {
  const auto found =
      session.find(Attributes().number(CKA_CLASS, object_class).text(CKA_LABEL, "device"));
  if (found.size() != 1) throw std::runtime_error("the token has not one device key");
  return found.front();
}

core::Bytes device_xy(const Session& session) {
  return public_xy(session, device_key(session, CKO_PUBLIC_KEY));
}

core::Bytes device_id(const Session& session) {
  return must(session.get(device_key(session, CKO_PUBLIC_KEY), CKA_TS_DEVICE_ID));
}

core::Bytes device_nonce(const Session& session) {
  return must(session.get(device_key(session, CKO_PUBLIC_KEY), CKA_TS_NONCE));
}

CK_OBJECT_HANDLE family_key(const Session& session, core::ByteView family_id) {
  const auto found = session.find(
      Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY).bytes(CKA_TS_FAMILY_ID, family_id));
  if (found.size() != 1) throw std::runtime_error("the token has not that family once");
  return found.front();
}

Answer<CK_OBJECT_HANDLE> take_family(Session& session, const World& world, core::FamilyRole role) {
  const auto& fingerprint = world.fingerprint();
  return session.unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                        device_key(session, CKO_PRIVATE_KEY),
                        world.family_blob(role, device_xy(session)), {});
}

core::Bytes import_form(const core::Family& family) {
  const auto form = core::encode_family_import(family);
  return {form.view().begin(), form.view().end()};
}

Answer<CK_OBJECT_HANDLE> import_family(Session& session, core::ByteView form) {
  return session.create(Attributes()
                            .number(CKA_CLASS, CKO_SECRET_KEY)
                            .number(CKA_KEY_TYPE, CKK_TS_FAMILY)
                            .bytes(CKA_VALUE, form));
}

Answer<CK_OBJECT_HANDLE> install(Session& session, core::ByteView image) {
  return session.create(Attributes().number(CKA_CLASS, CKO_TS_SOFTWARE).bytes(CKA_VALUE, image));
}

CK_OBJECT_HANDLE import_device(Session& session, core::ByteView xy, core::ByteView certificate,
                               bool with_certificate) {
  if (with_certificate) {
    (void)must(session.create(Attributes()
                                  .number(CKA_CLASS, CKO_CERTIFICATE)
                                  .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
                                  .flag(CKA_TOKEN, true)
                                  .bytes(CKA_SUBJECT, {})
                                  .bytes(CKA_VALUE, certificate)));
  }
  return must(session.create(
      ec_public_key(core::Curve::kP256, xy).flag(CKA_TOKEN, true).flag(CKA_WRAP, true)));
}

core::Context context_of(const Session& session, CK_OBJECT_HANDLE share) {
  core::Context context;
  context.family_id = core::array_of<16>(must(session.get(share, CKA_TS_FAMILY_ID)));
  context.oem_id = core::array_of<32>(must(session.get(share, CKA_TS_OEM_ID)));
  context.share_id = core::array_of<16>(must(session.get(share, CKA_TS_SHARE_ID)));
  context.sw_floor = static_cast<std::uint32_t>(session.number(share, CKA_TS_SW_FLOOR));
  return context;
}

CK_OBJECT_HANDLE master_key(Session& session, CK_OBJECT_HANDLE share) {
  return must(session.derive(CKM_TS_MASTER_KEY_DERIVE, share, {}));
}

CK_OBJECT_HANDLE asset_key(Session& session, CK_OBJECT_HANDLE share, std::string_view label,
                           core::Suite suite) {
  return must(session.derive(asset_key_derive(suite, label), master_key(session, share), {}));
}

std::size_t object_count(const Session& session) { return session.find({}).size(); }

FamilyToken::FamilyToken(const FamilyOptions& options)
    : world_(options.world),
      oem_key_(value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384))) {
  (void)must(take_family(session(), world_, options.role));
  if (options.software) {
    (void)must(install(session(), world_.software(1, kForAll, options.permissions)));
  }
}

core::OemId FamilyToken::oem_id() const {
  return value(core::key_id(world_.crypto(), oem_key_.public_xy()));
}

CK_OBJECT_HANDLE FamilyToken::family() { return family_key(session(), world_.family().id); }

Answer<CK_OBJECT_HANDLE> FamilyToken::make_share(std::uint32_t sw_floor, const Attributes& more) {
  return session().generate(
      share_gen(world_.family().id, oem_id(), sw_floor, core::bytes_of(kRndInput)), more);
}

Answer<CK_OBJECT_HANDLE> FamilyToken::take_share(const OemDesk& desk) {
  return session().unwrap(CKM_TS_OEM_SHARE_WRAP, family(), desk.share_blob(), {});
}

SealingDevice sealing_device(Session& session, CK_OBJECT_HANDLE share, core::Suite suite) {
  SealingDevice device;
  device.context = context_of(session, share);
  device.seal = [&session, share, suite](core::ByteView context, core::ByteView content) {
    const auto asset = value(core::parse_asset_context(context));
    const auto label = core::label_for(asset.entry.kind, asset.entry.name);
    const auto key = asset_key(session, share, label, suite);
    auto mechanism = seal(context);
    if (!asset.entry.is_key()) {
      return must(session.encrypt(mechanism, key, {content.begin(), content.end()}));
    }
    const auto object = asset.entry.kind == core::AssetKind::kPrivateKey
                            ? ec_private_key(core::Curve::kP256, p256_scalar(content))
                            : secret_key(CKK_GENERIC_SECRET, content);
    const auto asset_object = must(session.create(Attributes(object).flag(CKA_EXTRACTABLE, true)));
    return must(session.wrap(mechanism, key, asset_object));
  };
  device.tag = [&session, share, suite](core::ByteView tagged) {
    const auto k_auth = asset_key(session, share, core::kLabelAuth, suite);
    return core::array_of<16>(
        must(session.sign(CKM_AES_CMAC, k_auth, {tagged.begin(), tagged.end()})));
  };
  return device;
}

}  // namespace tallystick::test
