// Seeds of the profile's files: one good one for each form and, where a target signs for the
// fuzzer, each way of using it.
#include "core/sb3/writer.h"
#include "core/ts1/proof.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/package.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"

namespace tallystick::fuzz::maker {
namespace {

using core::Bytes;
using core::ByteView;
using test::value;

// A byte of flags before a file.
Bytes with_flags(unsigned flags, ByteView bytes) {
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(flags)).bytes(bytes);
  return out.take();
}

Bytes streamed(unsigned flags, const std::vector<std::uint16_t>& pieces, ByteView bytes) {
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(flags)).u8(static_cast<std::uint8_t>(pieces.size()));
  for (const auto piece : pieces) out.u16(piece);
  out.bytes(bytes);
  return out.take();
}

void packages(const Corpus& corpus) {
  const auto small = small_package();
  const auto chunked = chunked_package();
  const auto head = [](const Bytes& file) {
    return ByteView(file).first(value(core::package_head_size_of(ByteView(file).first(128))));
  };
  corpus.add("core_package_head", "small", head(small));
  corpus.add("core_package_head", "chunked", head(chunked));
  const auto parsed = value(core::parse_package_head(head(small), small.size()));
  corpus.add("core_package_head", "context", parsed.asset_context(0));
  corpus.add("core_package_stream", "small", streamed(0, {}, small));
  corpus.add("core_package_stream", "small-signed", streamed(1, {1, 700, 3}, small));
  corpus.add("core_package_stream", "small-role-3", streamed(2, {50}, small));
  corpus.add("core_package_stream", "small-product", streamed(5, {128}, small));
  corpus.add("core_package_stream", "chunked", streamed(0, {16400, 1, 0, 77}, chunked));
  core::Writer lie;
  lie.u8(8).u8(0).u64(small.size() - 1).bytes(small);
  corpus.add("core_package_stream", "small-longer-than-said", lie.view());
}

void blobs(const Corpus& corpus) {
  const auto& of = world();
  for (const auto suite : {core::Suite::kGcm, core::Suite::kCcm}) {
    const auto name = std::string(suite == core::Suite::kGcm ? "gcm" : "ccm");
    corpus.add("core_share_blob", "role-1-" + name,
               with_flags(0, value(of.oem_device.give_share(of.share, suite))));
    corpus.add("core_share_blob", "role-2-" + name,
               with_flags(0, value(of.oem_device.give_master(of.share, suite))));
  }
  const auto role_3 = of.device_blob();
  corpus.add("core_share_blob", "role-3", with_flags(0, role_3));
  corpus.add("core_share_blob", "role-3-signed", with_flags(1, role_3));
  core::Writer origin;
  origin.lv(Bytes(32, 1)).lv(Bytes(32, 2));
  corpus.add("core_share_blob", "role-2-plaintext", with_flags(2, origin.view()));

  const auto master = value(of.oem_device.give_master(of.share, core::Suite::kGcm));
  core::Writer consent;
  consent.u8(1).bytes(of.token_id).bytes(Bytes(32, 9)).bytes(of.oem.public_xy()).zeros(96);
  corpus.add("core_consent", "good", consent.bytes(master).view());

  const auto family = of.family_blob(core::FamilyRole::kPart, of.part.public_xy());
  corpus.add("core_family_blob", "part", with_flags(0, family));
  corpus.add("core_family_blob", "part-signed", with_flags(1, family));
  corpus.add("core_family_blob", "provisioning",
             with_flags(1, of.family_blob(core::FamilyRole::kProvisioning, of.part.public_xy())));
  corpus.add("core_family_blob", "import",
             with_flags(0, core::encode_family_import(of.icm_family).view()));
  core::Writer payload;
  payload.u8(2).bytes(Bytes(96, 3));
  corpus.add("core_family_blob", "plaintext", with_flags(2, payload.view()));
  corpus.add("core_family_blob", "plaintext-provisioning",
             with_flags(6, payload.bytes(Bytes(32, 4)).view()));
}

void others(const Corpus& corpus) {
  const auto& of = world();
  const auto image = of.software_image();
  corpus.add("core_software_image", "good", with_flags(0, image));
  corpus.add("core_software_image", "signed", with_flags(3, image));
  corpus.add("core_software_image", "permissions",
             with_flags(0, ByteView(image).subspan(core::kSoftwarePrefix)));

  core::Proof proof;
  proof.part_id = of.part_id;
  proof.life_cycle = 2;
  proof.software_version = 3;
  proof.context = of.share.context.encode();
  proof.suite = 1;
  proof.package_version = 4;
  proof.slots = {{1, {}}, {7, {}}};
  test::done(core::sign_proof(of.crypto, core::ByteArray<32>{1, 2, 3}, of.part, proof));
  corpus.add("core_proof", "good", with_flags(0, core::encode_proof(proof)));
  corpus.add("core_proof", "signed", with_flags(1, core::encode_proof(proof)));
  proof.slots.clear();
  corpus.add("core_proof", "nothing-installed", with_flags(1, core::encode_proof(proof)));

  const auto part = of.certificate(core::DeviceKind::kPart, of.part.public_xy());
  corpus.add("core_certificate", "part", with_flags(0, part));
  corpus.add("core_certificate", "token",
             with_flags(0, of.certificate(core::DeviceKind::kToken, of.token.public_xy())));
  corpus.add("core_certificate", "icm", with_flags(0, of.icm_certificate()));
  corpus.add("core_certificate", "to-be-signed",
             with_flags(1, value(core::device_certificate_to_sign(
                               of.crypto, core::DeviceKind::kPart, of.part.public_xy(),
                               of.icm.public_xy(), "Fuzzed ICM", {1700000000, 0}))));
  corpus.add("core_certificate", "icm-to-be-signed",
             with_flags(1, value(core::icm_certificate_to_sign(of.crypto, of.icm.public_xy(),
                                                               "Fuzzed ICM", {1700000000, 0}))));

  const auto text = test::pattern(20000, 1);
  core::Writer seal;
  seal.u8(0).u16(5000).u16(17000).bytes(text);
  corpus.add("core_seal", "chunks", seal.view());
  core::Writer small;
  small.u8(1).u16(0).u16(60).text("a short text");
  corpus.add("core_seal", "short", small.view());
  const auto sealed =
      value(core::seal(of.crypto, core::Suite::kGcm, core::ByteArray<32>{1, 2, 3, 4},
                       core::bytes_of("a context of the fuzzer"), Bytes(100, 7)));
  core::Writer open;
  open.u8(2).u16(30).u16(0).bytes(sealed);
  corpus.add("core_seal", "sealed", open.view());

  const auto name = [&corpus](const char* file, unsigned type, unsigned length,
                              std::string_view text_of_it) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(type)).u32(1).u32(length).text(text_of_it);
    corpus.add("core_names", file, out.view());
  };
  name("p256", 3, 0, "device key");
  name("bytes", 6, 24, "seed \xC3\xA4");
  name("label", 0, 0, "TS1/X/calibration-2");
  name("type", 0, 0, "ed25519");
  name("field", 0, 0, std::string_view("a name in a field of 32 bytes\0\0\0", 32));

  const auto key = [&corpus](const char* file, unsigned flags, ByteView xy, ByteView signature) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(flags)).bytes(xy).bytes(signature);
    corpus.add("core_keys", file, out.view());
  };
  key("p256", 2, of.part.public_xy(), Bytes(64, 1));
  key("p384", 3, of.icm.public_xy(), Bytes(96, 1));
}

// Inputs of the target `sb3`.
void containers(const Corpus& corpus) {
  using core::sb3::Command;
  using core::sb3::CommandTag;
  const auto add = [&corpus](const char* name, unsigned piece,
                             const std::vector<std::pair<Command, Bytes>>& plan) {
    core::sb3::CommandWriter commands;
    for (auto [command, data] : plan) {
      if (command.has_data()) command.length = static_cast<std::uint32_t>(data.size());
      test::done(commands.add(command, data));
    }
    core::Writer out;
    out.u8(1).u8(static_cast<std::uint8_t>(piece));
    for (const auto& block : value(commands.blocks())) out.bytes(block.view());
    corpus.add("core_sb3", name, out.view());
  };
  add("no-command", 0, {});
  add("two-loads", 15,
      {{{.tag = CommandTag::kLoad}, test::pattern(3, 1)},
       {{.tag = CommandTag::kLoad, .address = 16}, test::pattern(16, 2)}});
  add("long-load", 255, {{{.tag = CommandTag::kLoad}, test::pattern(1500, 3)}});
  add("every-command", 48,
      {{{.tag = CommandTag::kErase, .address = 0x1000, .length = 0x2000}, {}},
       {{.tag = CommandTag::kLoad, .address = 0x1000}, test::pattern(300, 4)},
       {{.tag = CommandTag::kProgramFuses, .address = 3}, test::pattern(8, 5)},
       {{.tag = CommandTag::kProgramIfr, .address = 0x20}, test::pattern(9, 6)},
       {{.tag = CommandTag::kLoadCmac, .address = 0x100, .memory = 1}, test::pattern(5, 7)},
       {{.tag = CommandTag::kLoadHashLocking, .address = 0x200}, test::pattern(20, 8)},
       {{.tag = CommandTag::kCopy, .address = 1, .length = 2, .memory = 3, .destination = 4}, {}},
       {{.tag = CommandTag::kLoadKeyBlob, .address = 0x80, .id = 17}, test::pattern(48, 9)},
       {{.tag = CommandTag::kConfigureMemory, .address = 0x20000000, .memory = 9}, {}},
       {{.tag = CommandTag::kFillMemory, .address = 0x300, .length = 64, .value = 0xA5A5A5A5}, {}},
       {{.tag = CommandTag::kFirmwareVersionCheck, .value = 7, .id = 2}, {}},
       {{.tag = CommandTag::kCall, .address = 0x1001}, {}},
       {{.tag = CommandTag::kExecute, .address = 0x1001}, {}}});

  core::sb3::Header header;
  header.block_count = 1;
  header.block0_length = static_cast<std::uint32_t>(header.variant.block0_size());
  core::sb3::Certificate certificate;
  certificate.signer = test::pattern(64, 10);
  for (const unsigned flags : {0U, 2U}) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(flags)).u8(64).bytes(core::sb3::encode_header(header));
    out.zeros(header.variant.hash_size());
    out.bytes(core::sb3::encode_certificate(header.variant, certificate));
    out.zeros(64 + header.variant.block_size());
    corpus.add("core_sb3", flags == 0 ? "unsigned" : "signed-by-us", out.view());
  }
}

}  // namespace

Bytes small_package() {
  using core::AssetKind;
  test::PackagePlan plan;
  plan.product = "gadget";
  plan.assets = {
      test::flash_asset(7, "firmware", 0, test::pattern(300, 1)),
      test::flash_asset(2, "settings", 0x400, test::pattern(40, 2), AssetKind::kConfiguration),
      test::flash_asset(3, "device.crt", 0x500, test::pattern(70, 3), AssetKind::kCertificate),
      test::flash_asset(4, "secret", 0x600, test::pattern(50, 4), AssetKind::kData,
                        core::kAssetWriteOnly),
      test::flash_asset(5, "calibration", 0x700, {}, AssetKind::kFurther),
      test::key_asset(6, "mac key", test::pattern(32, 5)),
      test::key_asset(1, "identity", test::pattern(121, 6), AssetKind::kPrivateKey),
  };
  return package(plan);
}

Bytes chunked_package() {
  test::PackagePlan plan;
  plan.suite = core::Suite::kCcm;
  plan.version = 2;
  plan.assets = {test::flash_asset(1, "firmware", 0, Bytes(17000, 0xEE)),
                 test::flash_asset(2, "chunk", 0x6000, Bytes(core::kChunkSize / 16, 1))};
  return package(plan);
}

void make_core(const Corpus& corpus) {
  packages(corpus);
  blobs(corpus);
  others(corpus);
  containers(corpus);
}

}  // namespace tallystick::fuzz::maker
