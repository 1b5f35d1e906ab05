#include "tools/cli/pkcs11/token_client.h"

#include <openssl/x509.h>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"
#include "core/crypto/curve_oids.h"
#include "core/ts1/derive.h"
#include "core/ts1/share_blob.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

constexpr std::string_view kDeviceLabel = "device";

core::ByteView suite_parameter(const core::Suite& suite) {
  static_assert(sizeof(core::Suite) == 1);
  return {reinterpret_cast<const std::uint8_t*>(&suite), 1};
}

template <std::size_t N>
Outcome<core::ByteArray<N>> array_attribute(const Session& session, Handle object,
                                            CK_ATTRIBUTE_TYPE type) {
  auto value = session.attribute(object, type);
  if (!value) return std::move(value).error();
  if (value->size() != N) {
    return token_failure("attribute in " + session.name(), "it has the wrong length");
  }
  return core::array_of<N>(*value);
}

// The subject of a certificate in DER, which PKCS#11 wants beside the certificate.
Outcome<core::Bytes> subject_of(core::ByteView der) {
  const std::uint8_t* at = der.data();
  const core::X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate || at != der.data() + der.size()) {
    return file_failure("certificate", "not an X.509 certificate in DER");
  }
  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  const std::uint8_t* name = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(subject, &name, &size) != 1) {
    return file_failure("certificate", "its subject cannot be read");
  }
  return core::Bytes(name, name + size);
}

struct AssetObject {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE key_type;
};

AssetObject object_for(core::GeneratedType type) {
  using core::GeneratedType;
  switch (type) {
    case GeneratedType::kAes128:
    case GeneratedType::kAes256:
      return {CKO_SECRET_KEY, CKK_AES};
    case GeneratedType::kHmac256:
      return {CKO_SECRET_KEY, CKK_SHA256_HMAC};
    case GeneratedType::kP256:
    case GeneratedType::kP384:
      return {CKO_PRIVATE_KEY, CKK_EC};
    case GeneratedType::kEd25519:
      return {CKO_PRIVATE_KEY, CKK_EC_EDWARDS};
    case GeneratedType::kBytes:
      break;
  }
  return {CKO_SECRET_KEY, CKK_GENERIC_SECRET};
}

}  // namespace

Outcome<DeviceKey> TokenClient::device_key() {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).text(CKA_LABEL, kDeviceLabel);
  auto found = session_.find(wanted);
  if (!found) return std::move(found).error();
  for (const Handle handle : *found) {
    const auto id = array_attribute<32>(session_, handle, CKA_TS_DEVICE_ID);
    if (!id) continue;  // somebody's own key of that label
    auto xy = public_xy_of(session_, handle, core::Curve::kP256);
    if (!xy) return std::move(xy).error();
    const auto computed = core::key_id(*crypto_, *xy);
    if (!computed || *computed != *id) {
      return token_failure(session_.name(), "its device id is not that of its device key");
    }
    auto nonce = session_.attribute(handle, CKA_TS_NONCE);
    return DeviceKey{handle, *id, *std::move(xy), nonce ? *std::move(nonce) : core::Bytes{}};
  }
  return token_failure(session_.name(), "it has no device key", "is it a Tallystick token?");
}

Outcome<Handle> TokenClient::private_device_key() {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, kDeviceLabel);
  auto found = session_.find(wanted);
  if (!found) return std::move(found).error();
  for (const Handle handle : *found) {
    if (session_.attribute(handle, CKA_TS_DEVICE_ID)) return handle;
  }
  return token_failure(session_.name(), "it has no device key", "is it a Tallystick token?");
}

Outcome<FamilyInfo> TokenClient::family_info(Handle handle) {
  const auto id = array_attribute<16>(session_, handle, CKA_TS_FAMILY_ID);
  if (!id) return id.error();
  const auto role = session_.number(handle, CKA_TS_ROLE);
  if (!role) return role.error();
  const auto flags = session_.number(handle, CKA_TS_FAMILY_FLAGS);
  if (!flags) return flags.error();
  const auto version = session_.number(handle, CKA_TS_SW_VERSION);
  auto icm_key = session_.attribute(handle, CKA_TS_ICM_PUBLIC_KEY);
  if (!icm_key) return std::move(icm_key).error();
  return FamilyInfo{handle, *id, *role, *flags, version ? *version : 0, *std::move(icm_key)};
}

Outcome<std::vector<FamilyInfo>> TokenClient::families() {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_TS_FAMILY);
  auto found = session_.find(wanted);
  if (!found) return std::move(found).error();
  std::vector<FamilyInfo> families;
  for (const Handle handle : *found) {
    auto info = family_info(handle);
    if (!info) return std::move(info).error();
    families.push_back(*std::move(info));
  }
  return families;
}

Outcome<FamilyInfo> TokenClient::family(const std::optional<core::FamilyId>& id) {
  auto all = families();
  if (!all) return std::move(all).error();
  std::optional<FamilyInfo> chosen;
  for (FamilyInfo& info : *all) {
    if (id && info.id != *id) continue;
    if (chosen) {
      return token_failure(session_.name(), "it holds several families", "name one by --family");
    }
    chosen = std::move(info);
  }
  if (!chosen) {
    return token_failure(session_.name(),
                         id ? "it does not hold this family" : "it holds no family",
                         "the chip maker puts one in with `icm manufacture-token`");
  }
  return *std::move(chosen);
}

Outcome<FamilyInfo> TokenClient::generate_family(const core::FamilyId& id, std::uint8_t flags,
                                                 std::uint8_t further_shares,
                                                 core::ByteView icm_public_key) {
  core::Writer parameter;
  parameter.bytes(id).u8(flags).u8(further_shares).bytes(icm_public_key);
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_TS_FAMILY).flag(CKA_TOKEN, true);
  auto handle =
      session_.generate("new family", Mechanism(CKM_TS_FAMILY_GEN, parameter.view()), key);
  if (!handle) return std::move(handle).error();
  return family_info(*handle);
}

Outcome<FamilyInfo> TokenClient::import_family(core::ByteView value) {
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_TS_FAMILY)
      .flag(CKA_TOKEN, true)
      .bytes(CKA_VALUE, value);
  auto handle = session_.create("import of the family", key);
  if (!handle) return std::move(handle).error();
  return family_info(*handle);
}

Outcome<Handle> TokenClient::create_certificate(core::ByteView der, const std::string& label,
                                                bool on_token) {
  auto subject = subject_of(der);
  if (!subject) return std::move(subject).error();
  Template object;
  object.number(CKA_CLASS, CKO_CERTIFICATE)
      .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .flag(CKA_TOKEN, on_token)
      .text(CKA_LABEL, label)
      .bytes(CKA_SUBJECT, *subject)
      .bytes(CKA_VALUE, der);
  return session_.create("certificate", object);
}

Done TokenClient::add_certificate(core::ByteView der, const std::string& label) {
  auto handle = create_certificate(der, label, true);
  if (!handle) return std::move(handle).error();
  return {};
}

Outcome<core::Bytes> TokenClient::with_recipient(
    core::ByteView xy, core::ByteView certificate,
    const std::function<Outcome<core::Bytes>(Handle)>& work) {
  auto certificate_object = create_certificate(certificate, "recipient", false);
  if (!certificate_object) return std::move(certificate_object).error();
  Template key;
  key.number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, CKK_EC)
      .flag(CKA_TOKEN, false)
      .text(CKA_LABEL, "recipient")
      .bytes(CKA_EC_PARAMS, core::curve_oid(core::Curve::kP256))
      .bytes(CKA_EC_POINT, point_of_xy(xy))
      .flag(CKA_WRAP, true);
  auto key_object = session_.create("recipient's public key", key);
  Outcome<core::Bytes> result = core::Bytes{};
  if (key_object) {
    result = work(*key_object);
    static_cast<void>(session_.destroy(*key_object));
  } else {
    result = std::move(key_object).error();
  }
  static_cast<void>(session_.destroy(*certificate_object));
  return result;
}

Outcome<core::Bytes> TokenClient::wrap_family(const FamilyInfo& family, core::FamilyRole role,
                                              core::ByteView recipient_xy,
                                              core::ByteView certificate) {
  const auto parameter = static_cast<std::uint8_t>(role);
  return with_recipient(recipient_xy, certificate, [&](Handle recipient) {
    return session_.wrap("family for the device", Mechanism(CKM_TS_FAMILY_WRAP, {&parameter, 1}),
                         recipient, family.handle);
  });
}

Outcome<FamilyInfo> TokenClient::unwrap_family(core::ByteView signed_blob,
                                               const core::ByteArray<32>& fingerprint) {
  auto device = private_device_key();
  if (!device) return std::move(device).error();
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_TS_FAMILY).flag(CKA_TOKEN, true);
  auto handle = session_.unwrap("family blob", Mechanism(CKM_TS_FAMILY_WRAP, fingerprint), *device,
                                signed_blob, key);
  if (!handle) return std::move(handle).error();
  return family_info(*handle);
}

Done TokenClient::install_software(core::ByteView image) {
  Template object;
  object.number(CKA_CLASS, CKO_TS_SOFTWARE).flag(CKA_TOKEN, true).bytes(CKA_VALUE, image);
  auto handle = session_.create("provisioning software", object);
  if (!handle) return std::move(handle).error();
  return {};
}

Outcome<ShareInfo> TokenClient::share_info(Handle handle) {
  ShareInfo info;
  info.handle = handle;
  const auto family = array_attribute<16>(session_, handle, CKA_TS_FAMILY_ID);
  if (!family) return family.error();
  const auto oem = array_attribute<32>(session_, handle, CKA_TS_OEM_ID);
  if (!oem) return oem.error();
  const auto share = array_attribute<16>(session_, handle, CKA_TS_SHARE_ID);
  if (!share) return share.error();
  const auto floor = session_.number(handle, CKA_TS_SW_FLOOR);
  if (!floor) return floor.error();
  const auto role = session_.number(handle, CKA_TS_ROLE);
  if (!role) return role.error();
  info.context = {*family, *oem, *share, static_cast<std::uint32_t>(*floor)};
  info.role = *role;
  return info;
}

Outcome<ShareInfo> TokenClient::make_share(const core::FamilyId& family, const core::OemId& oem,
                                           std::uint32_t sw_floor, core::ByteView rnd_input,
                                           const std::string& label) {
  core::Secret parameter(16 + 32 + 4 + rnd_input.size());
  const auto floor = core::be32(sw_floor);
  auto out = parameter.span();
  for (const core::ByteView part :
       {core::ByteView(family), core::ByteView(oem), core::ByteView(floor), rnd_input}) {
    std::copy(part.begin(), part.end(), out.begin());
    out = out.subspan(part.size());
  }
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE)
      .flag(CKA_TOKEN, true)
      .text(CKA_LABEL, label);
  auto handle =
      session_.generate("new shares", Mechanism(CKM_TS_OEM_SHARE_GEN, parameter.view()), key);
  if (!handle) return std::move(handle).error();
  return share_info(*handle);
}

Outcome<ShareInfo> TokenClient::share(const core::ShareId& id) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE)
      .bytes(CKA_TS_SHARE_ID, id)
      .number(CKA_TS_ROLE, CK_TS_ROLE_OEM);
  auto found = session_.find(wanted);
  if (!found) return std::move(found).error();
  if (found->empty()) {
    return token_failure(session_.name(), "it does not hold the shares " + core::to_hex(id),
                         "`oem regenerate` makes them again from the role 2 blob");
  }
  // Several copies of one share set are the same secret; any of them will do.
  return share_info(found->front());
}

Outcome<core::Bytes> TokenClient::give_share(const ShareInfo& share, core::Suite suite) {
  auto owner = family(share.context.family_id);
  if (!owner) return std::move(owner).error();
  return session_.wrap("share blob for the parts",
                       Mechanism(CKM_TS_OEM_SHARE_WRAP, suite_parameter(suite)), owner->handle,
                       share.handle);
}

Outcome<core::Bytes> TokenClient::give_master_share(const ShareInfo& share, core::Suite suite) {
  auto owner = family(share.context.family_id);
  if (!owner) return std::move(owner).error();
  return session_.wrap("share blob for regeneration",
                       Mechanism(CKM_TS_MASTER_SHARE_WRAP, suite_parameter(suite)), owner->handle,
                       share.handle);
}

Outcome<ShareInfo> TokenClient::regenerate(const FamilyInfo& family, core::ByteView blob,
                                           core::ByteView oem_public_key, core::ByteView consent,
                                           const std::string& label) {
  core::Writer parameter;
  parameter.bytes(oem_public_key).bytes(consent);
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE)
      .flag(CKA_TOKEN, true)
      .text(CKA_LABEL, label);
  auto handle =
      session_.unwrap("regeneration", Mechanism(CKM_TS_MASTER_SHARE_WRAP, parameter.view()),
                      family.handle, blob, key);
  if (!handle) return std::move(handle).error();
  return share_info(*handle);
}

Outcome<core::Bytes> TokenClient::share_for_device(const ShareInfo& share, core::ByteView parameter,
                                                   core::ByteView recipient_xy,
                                                   core::ByteView certificate) {
  return with_recipient(recipient_xy, certificate, [&](Handle recipient) {
    return session_.wrap("share blob for the device", Mechanism(CKM_TS_SHARE_FOR_DEVICE, parameter),
                         recipient, share.handle);
  });
}

Outcome<Handle> TokenClient::master_key(const ShareInfo& share) {
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_TS_MASTER_KEY)
      .flag(CKA_TOKEN, false);
  return session_.derive("master key", Mechanism(CKM_TS_MASTER_KEY_DERIVE), share.handle, key);
}

Outcome<Handle> TokenClient::asset_key(Handle master_key, core::Suite suite, std::string_view label,
                                       std::string_view name) {
  core::Writer parameter;
  parameter.u8(static_cast<std::uint8_t>(suite)).text(label);
  CK_KEY_TYPE type = CKK_TS_ASSET_KEY;
  if (label == core::kLabelAuth) type = CKK_AES;
  if (label == core::kLabelProof) type = CKK_GENERIC_SECRET;
  Template key;
  key.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type).flag(CKA_TOKEN, !name.empty());
  if (!name.empty()) key.text(CKA_LABEL, name);
  return session_.derive("key " + std::string(label),
                         Mechanism(CKM_TS_ASSET_KEY_DERIVE, parameter.view()), master_key, key);
}

Outcome<Handle> TokenClient::generated_asset(const ShareInfo& share,
                                             const core::GeneratedAsset& asset) {
  core::Writer parameter;
  parameter.u8(static_cast<std::uint8_t>(asset.type))
      .u32(asset.index)
      .u32(asset.length)
      .text(asset.name);
  const AssetObject object = object_for(asset.type);
  Template key;
  key.number(CKA_CLASS, object.object_class)
      .number(CKA_KEY_TYPE, object.key_type)
      .flag(CKA_TOKEN, false);
  return session_.derive("generated asset " + asset.name,
                         Mechanism(CKM_TS_ASSET_GENERATE, parameter.view()), share.handle, key);
}

}  // namespace tallystick::cli
