// The vendor mechanisms.
#include "core/ts1/package.h"
#include "tests/fuzz/maker/call.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::fuzz::maker {

void make_vendor(const Corpus& corpus, SeedToken& token) {
  const auto& of = world();
  const auto add = [&corpus](const std::string& name, unsigned step, unsigned flags,
                             ByteView bytes) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(step)).u8(static_cast<std::uint8_t>(flags)).bytes(bytes);
    corpus.add("pkcs11_vendor", name, out.view());
  };
  add("role-1", 0, 0, value(of.oem_device.give_share(of.share, core::Suite::kGcm)));
  add("role-2", 1, 1, value(of.oem_device.give_master(of.share, core::Suite::kCcm)));
  const auto own_xy = test::device_xy(token.session());
  const auto own = value(core::EcPublicKey::from_xy(of.crypto, core::Curve::kP256, own_xy));
  core::DeviceBlobRequest request;
  request.number = 1;
  request.limit = 2;
  request.oem_public_key = core::array_of<96>(of.oem.public_xy());
  request.grant = core::array_of<96>(value(
      of.oem.sign(of.crypto, {value(core::grant_message(of.crypto, of.share.context, request.job_id,
                                                        2, of.part.public_xy()))})));
  add("role-3", 2, 0,
      value(of.oem_device.give_for_device(of.share, core::Suite::kGcm, request, of.part, own)));
  add("family", 3, 1, of.family_blob(core::FamilyRole::kStation, own_xy));
  add("software", 4, 1, of.software_image());
  const auto package = small_package();
  const auto size = value(core::package_head_size_of(ByteView(package).first(128)));
  const auto head = value(core::parse_package_head(ByteView(package).first(size), package.size()));
  const auto with_context = [&](std::size_t asset, ByteView bytes) {
    core::Writer out;
    const auto context = head.asset_context(asset);
    out.u8(static_cast<std::uint8_t>(context.size())).bytes(context).bytes(bytes);
    return out.take();
  };
  add("seal", 5, 0, with_context(1, Bytes(40, 1)));
  add("seal-further", 5, 0, with_context(4, {}));
  add("seal-key", 5, 0, with_context(5, {}));
  std::size_t at = size;
  for (std::size_t i = 0; i < 5; ++i) at += head.entries[i].sealed_length;
  add("open-key", 6, 0,
      with_context(5, ByteView(package).subspan(at, head.entries[5].sealed_length)));
  add("tag", 7, 1, head.tagged_bytes());
  core::Writer asset;
  asset.u8(CK_TS_ASSET_P256).u32(1).u32(0).text("device key");
  add("generate", 8, 0, asset.view());
  core::Writer label;
  label.u8(1).text(core::kLabelAuth);
  add("asset-key-oem", 9, 1, label.view());
  add("asset-key-target", 9, 0, label.view());
  core::Writer share;
  share.bytes(of.icm_family.id).bytes(of.share.context.oem_id).u32(1).bytes(Bytes(32, 7));
  add("share", 10, 0, share.view());
  core::Writer family;
  family.text("another family..").u8(2).u8(1).bytes(of.icm.public_xy());
  add("family-gen", 11, 0, family.view());
  auto other = of.icm_family.clone();
  other.id[0] = 'F';
  add("family-import", 11, 1, core::encode_family_import(other).view());
  core::Writer device;
  device.u8(1).text("job of a fuzzer!").u64(1).u64(1000).zeros(192);
  add("share-for-device", 12, 1, device.view());
  add("give-out", 13, 0, Bytes{1});
}

}  // namespace tallystick::fuzz::maker
