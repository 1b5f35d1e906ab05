// The known answers of the profile (tests/vectors/ts1), file by file: equal byte for byte where the
// profile is deterministic, signatures verified.
#include <gtest/gtest.h>

#include <map>

#include "core/certificate/device_certificate.h"
#include "core/ts1/family_blob.h"
#include "core/ts1/proof.h"
#include "core/ts1/software.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

std::string hex_of(const Secret& secret) { return to_hex(secret.view()); }
using testing::hex_of;

Context context_of(const nlohmann::json& test) {
  return {array_from_hex<16>(string_of(test, "family_id")),
          array_from_hex<32>(string_of(test, "oem_id")),
          array_from_hex<16>(string_of(test, "share_id")),
          test.at("sw_floor").get<std::uint32_t>()};
}

// The fields of 72 encoded bytes.
Context context_from(ByteView ctx) {
  Context out;
  out.family_id = array_of<16>(ctx.subspan(4));
  out.oem_id = array_of<32>(ctx.subspan(20));
  out.share_id = array_of<16>(ctx.subspan(52));
  out.sw_floor = static_cast<std::uint32_t>(ctx[68]) << 24U |
                 static_cast<std::uint32_t>(ctx[69]) << 16U |
                 static_cast<std::uint32_t>(ctx[70]) << 8U | ctx[71];
  return out;
}

std::vector<Secret> secrets_of(const nlohmann::json& list) {
  std::vector<Secret> out;
  for (const auto& one : list) out.push_back(Secret::copy_of(from_hex(one.get<std::string>())));
  return out;
}

EcPrivateKey key_of(const nlohmann::json& test, const char* member, Curve curve) {
  return must(EcPrivateKey::from_scalar(crypto(), curve, hex_of(test, member)));
}

// Runs `check` on every case; it fails a case by failing an assertion.
void run(const std::string& file, std::size_t total,
         const std::function<void(const nlohmann::json&)>& check) {
  Tally tally(file);
  const auto vectors = load_vectors(file);
  int number = 0;
  for (const auto& test : vectors.at("tests")) {
    SCOPED_TRACE(file + " " + std::to_string(number++));
    const bool failed_before = ::testing::Test::HasFailure();
    check(test);
    tally.passed(failed_before || !::testing::Test::HasFailure());
  }
  tally.expect(total, total);
}

TEST(Ts1Vectors, S09_S11_Derivations) {
  run("ts1/derivation.json", 32, [](const nlohmann::json& test) {
    const auto context = context_of(test);
    EXPECT_EQ(to_hex(context.encode()), string_of(test, "ctx"));
    const auto rnd_share = hex_of(test, "rnd_share");
    const auto input = hex_of(test, "oem_rnd_input");
    const auto share = must(derive_oem_share(crypto(), context, rnd_share, input));
    EXPECT_EQ(hex_of(share), string_of(test, "oem_share"));
    const auto master =
        must(derive_master_key(crypto(), context, secrets_of(test.at("shares")), share.view()));
    EXPECT_EQ(hex_of(master), string_of(test, "k_mk"));
    EXPECT_EQ(hex_of(must(derive_seed(crypto(), context, rnd_share, input))),
              string_of(test, "seed"));
    ASSERT_FALSE(test.at("keys").empty());
    for (const auto& key : test.at("keys")) {
      const auto suite = must(suite_from(key.at("suite").get<std::uint8_t>()));
      EXPECT_EQ(hex_of(must(derive_asset_key(crypto(), context, master.view(), suite,
                                             string_of(key, "label")))),
                string_of(key, "key"));
    }
  });
}

TEST(Ts1Vectors, S21_GeneratedAssets) {
  run("ts1/generated_assets.json", 42, [](const nlohmann::json& test) {
    GeneratedAsset asset;
    asset.type = must(generated_type_from(string_of(test, "type")));
    asset.name = string_of(test, "name");
    asset.index = test.at("index").get<std::uint32_t>();
    asset.length = test.value("length", 0U);
    const auto seed = hex_of(test, "seed");
    const auto value =
        must(generate_asset(crypto(), context_from(hex_of(test, "ctx")), seed, asset));
    EXPECT_EQ(hex_of(value), string_of(test, "value"));
    const auto packaged = must(package_form(crypto(), asset.type, value.view()));
    // EC and Ed25519 keys travel as PKCS#8 around the value, all others as they are.
    const std::map<std::string, std::size_t> pkcs8 = {
        {"p256", 138}, {"p384", 185}, {"ed25519", 48}};
    const auto wrapped = pkcs8.find(string_of(test, "type"));
    if (wrapped == pkcs8.end()) {
      EXPECT_EQ(hex_of(packaged), hex_of(value));
    } else {
      EXPECT_EQ(packaged.size(), wrapped->second);
      const auto octet_string = (value.size() == 48 ? "0430" : "0420") + hex_of(value);
      EXPECT_NE(hex_of(packaged).find(octet_string), std::string::npos);
    }
  });
}

TEST(Ts1Vectors, S12_SealWithAGivenSalt) {
  run("ts1/seal.json", 20, [](const nlohmann::json& test) {
    const auto suite = must(suite_from(test.at("suite").get<std::uint8_t>()));
    const auto key = hex_of(test, "key");
    const auto context = hex_of(test, "context");
    const auto plaintext = hex_of(test, "plaintext");
    const auto expected = hex_of(test, "sealed");
    EXPECT_EQ(must(sealed_length(plaintext.size())), expected.size());
    Bytes sealed;
    const ByteSink collect = [&sealed](ByteView piece) -> Status {
      sealed.insert(sealed.end(), piece.begin(), piece.end());
      return {};
    };
    auto sealer =
        must(Sealer::create_with_salt(crypto(), suite, key, context, hex_of(test, "salt")));
    must(sealer.update(plaintext, collect));
    must(sealer.finish(collect));
    EXPECT_TRUE(sealed == expected);
    const auto opened = must(open(crypto(), suite, key, context, expected));
    EXPECT_TRUE(equal_in_constant_time(opened.view(), plaintext));
  });
}

void check_device_blob_case(const nlohmann::json& test, const Context& context, Suite suite) {
  const auto device = key_of(test, "device_private_key", Curve::kP256);
  const auto minter = key_of(test, "minter_private_key", Curve::kP256);
  const auto oem = key_of(test, "oem_private_key", Curve::kP384);
  const auto ephemeral = key_of(test, "ephemeral_private_key", Curve::kP256);
  const auto device_id = must(key_id(crypto(), device.public_xy()));
  EXPECT_EQ(to_hex(device_id), string_of(test, "device_id"));
  EXPECT_EQ(to_hex(minter.public_xy()), string_of(test, "minter_public_key"));

  DeviceBlobRequest request;
  request.job_id = array_from_hex<16>(string_of(test, "job_id"));
  request.number = test.at("number").get<std::uint64_t>();
  request.limit = test.at("limit").get<std::uint64_t>();
  request.oem_public_key = array_of<96>(oem.public_xy());
  request.grant = array_from_hex<96>(string_of(test, "grant"));
  const auto message =
      must(grant_message(crypto(), context, request.job_id, request.limit, minter.public_xy()));
  EXPECT_EQ(to_hex(message), string_of(test, "grant_message"));
  EXPECT_TRUE(is_ok(oem.public_key().verify(crypto(), {message}, request.grant)));

  const auto inner = hex_of(test.at("salts"), "role3_inner");
  const auto outer = hex_of(test.at("salts"), "role3_outer");
  const auto expected = hex_of(test, "role3");
  const auto share = hex_of(test, "oem_share");
  const auto k_oem_share = hex_of(test, "k_oem_share");
  const auto made = must(seal_device_blob(crypto(), suite, context, k_oem_share, share, request,
                                          minter, device.public_key(), {outer, inner, &ephemeral}));
  const auto signed_part = kDeviceBlobSize - 64;
  EXPECT_EQ(to_hex(ByteView(made).first(signed_part)),
            to_hex(ByteView(expected).first(signed_part)));
  EXPECT_TRUE(is_ok(minter.public_key().verify(crypto(), {ByteView(made).first(signed_part)},
                                               ByteView(made).last(64))));
  for (const auto& blob : {made, expected}) {
    const auto parsed = must(parse_share_blob(blob));
    EXPECT_TRUE(is_ok(check_device_blob(crypto(), parsed, device_id)));
    EXPECT_EQ(hex_of(must(open_device_blob(crypto(), parsed, k_oem_share, device))), to_hex(share));
  }
}

void check_regeneration_case(const nlohmann::json& test, const Context& context) {
  const auto role2 = hex_of(test, "role2");
  const auto parsed = must(parse_share_blob(role2));
  EXPECT_EQ(parsed.header.role, BlobRole::kMaster);
  const auto origin = must(open_master_blob(crypto(), parsed, hex_of(test, "k_oem_master_share")));
  EXPECT_EQ(hex_of(origin.rnd_share), string_of(test, "rnd_share"));
  EXPECT_EQ(hex_of(origin.oem_rnd_input), string_of(test, "oem_rnd_input"));
  EXPECT_EQ(hex_of(must(derive_oem_share(crypto(), context, origin.rnd_share.view(),
                                         origin.oem_rnd_input.view()))),
            string_of(test, "oem_share"));
  const auto device_id = array_from_hex<32>(string_of(test, "device_id"));
  const auto nonce = hex_of(test, "nonce");
  EXPECT_EQ(to_hex(must(regeneration_message(crypto(), device_id, nonce, role2))),
            string_of(test, "regeneration_message"));
  EXPECT_TRUE(is_ok(check_consent(crypto(), device_id, nonce, role2, hex_of(test, "oem_public_key"),
                                  hex_of(test, "regeneration_signature"))));
}

TEST(Ts1Vectors, S01_S05_ShareBlobsOfAllRoles) {
  run("ts1/share_blobs.json", 8, [](const nlohmann::json& test) {
    const auto context = context_of(test);
    const auto suite = must(suite_from(test.at("suite").get<std::uint8_t>()));
    const auto share = hex_of(test, "oem_share");
    const auto k_oem_share = hex_of(test, "k_oem_share");

    const auto salt1 = hex_of(test.at("salts"), "role1");
    const auto role1 =
        must(seal_share_blob(crypto(), suite, context, k_oem_share, share, {salt1, {}, nullptr}));
    EXPECT_EQ(to_hex(role1), string_of(test, "role1"));
    const auto parsed = must(parse_share_blob(role1));
    EXPECT_EQ(parsed.header.context, context);
    EXPECT_EQ(parsed.header.suite, suite);
    EXPECT_EQ(hex_of(must(open_share_blob(crypto(), parsed, k_oem_share))), to_hex(share));

    const auto salt2 = hex_of(test.at("salts"), "role2");
    const ShareOrigin origin{Secret::copy_of(hex_of(test, "rnd_share")),
                             Secret::copy_of(hex_of(test, "oem_rnd_input"))};
    EXPECT_EQ(
        to_hex(must(seal_master_blob(crypto(), suite, context, hex_of(test, "k_oem_master_share"),
                                     origin, {salt2, {}, nullptr}))),
        string_of(test, "role2"));
    check_regeneration_case(test, context);
    check_device_blob_case(test, context, suite);
  });
}

TEST(Ts1Vectors, S08_SoftwareImages) {
  run("ts1/software.json", 4, [](const nlohmann::json& test) {
    const auto image = hex_of(test, "image");
    const auto icm = hex_of(test, "icm_public_key");
    const auto family = array_from_hex<16>(string_of(test, "family_id"));
    const auto version = test.at("version").get<std::uint32_t>();
    const auto software =
        must(verify_software(crypto(), image, icm, family, FamilyRole::kPart, version));
    EXPECT_EQ(software.header.version, version);
    EXPECT_EQ(software.header.name, string_of(test, "name"));
    EXPECT_EQ(software.header.family_id, family);
    std::vector<PermissionRecord> permits;
    for (const auto& one : test.at("permits")) {
      permits.push_back(
          {one.at("operation").get<std::uint16_t>(), one.at("argument").get<std::uint32_t>()});
    }
    EXPECT_EQ(software.permissions.records(), permits);
    EXPECT_TRUE(is_ok(verify_software_signature(crypto(), image, icm)));
    // Put together from its fields it is the same image.
    const auto payload = must(Permissions::encode(permits));
    const auto header = must(software_header(crypto(), software.header, payload));
    EXPECT_EQ(to_hex(must(assemble_software(header, ByteView(image).subspan(128, 96), payload))),
              to_hex(image));
  });
}

TEST(Ts1Vectors, FamilyBlobsAndImports) {
  run("ts1/family_blobs.json", 6, [](const nlohmann::json& test) {
    const auto device = key_of(test, "device_private_key", Curve::kP256);
    const auto ephemeral = key_of(test, "ephemeral_private_key", Curve::kP256);
    const auto icm_key = key_of(test, "icm_private_key", Curve::kP384);
    const auto blob = hex_of(test, "blob");
    const auto role = static_cast<FamilyRole>(test.at("role").get<std::uint8_t>());
    const auto import_value = hex_of(test, "import_value");
    const auto family = must(parse_family_import(crypto(), import_value));
    EXPECT_EQ(family.role, FamilyRole::kIcm);
    EXPECT_EQ(to_hex(family.icm_public_key), string_of(test, "icm_public_key"));
    EXPECT_EQ(hex_of(encode_family_import(family)), to_hex(import_value));

    const auto salt = hex_of(test, "salt");
    auto made =
        must(seal_family_blob(crypto(), family, role, device.public_key(), {&ephemeral, salt}));
    EXPECT_EQ(to_hex(made), to_hex(ByteView(blob).first(blob.size() - 96)));
    const auto signature = must(icm_key.sign(crypto(), {made}));
    made.insert(made.end(), signature.begin(), signature.end());

    const auto fingerprint = must(icm_fingerprint(crypto(), family.icm_public_key));
    for (const auto& one : {blob, made}) {
      const auto opened = must(open_family_blob(crypto(), one, fingerprint, device,
                                                [](const FamilyId&) { return false; }));
      EXPECT_EQ(opened.role, role);
      EXPECT_EQ(opened.flags, test.at("flags").get<std::uint8_t>());
      EXPECT_EQ(to_hex(opened.id), string_of(test, "family_id"));
      ASSERT_EQ(opened.shares.size(), test.at("shares").size());
      for (std::size_t i = 0; i < opened.shares.size(); ++i) {
        EXPECT_EQ(hex_of(opened.shares[i]), test.at("shares")[i].get<std::string>());
      }
      EXPECT_EQ(hex_of(opened.k_oem_share), string_of(test, "k_oem_share"));
      ASSERT_EQ(opened.k_oem_master_share.has_value(), test.at("carries_master_share").get<bool>());
      if (opened.k_oem_master_share) {
        EXPECT_EQ(hex_of(*opened.k_oem_master_share), string_of(test, "k_oem_master_share"));
      }
    }
  });
}

TEST(Ts1Vectors, Proofs) {
  run("ts1/proofs.json", 4, [](const nlohmann::json& test) {
    const auto key = key_of(test, "device_private_key", Curve::kP256);
    EXPECT_EQ(to_hex(key.public_xy()), string_of(test, "device_public_key"));
    const auto challenge = hex_of(test, "challenge");
    Proof proof;
    proof.part_id = must(key_id(crypto(), key.public_xy()));
    proof.life_cycle = test.at("life_cycle").get<std::uint8_t>();
    proof.software_version = test.at("software_version").get<std::uint32_t>();
    proof.context = array_from_hex<72>(string_of(test, "ctx"));
    proof.suite = test.at("suite").get<std::uint8_t>();
    proof.package_version = test.at("package_version").get<std::uint32_t>();
    for (const auto& slot : test.at("slots")) {
      auto entry = hex_of(slot, "entry");
      entry.resize(kPackageEntrySize);
      auto mac =
          must(start_slot_mac(crypto(), hex_of(test, "k_proof"), challenge, proof.part_id, entry));
      must(mac.update(hex_of(slot, "plaintext")));
      ProofSlot out{slot.at("slot").get<std::uint32_t>(), {}};
      must(mac.finish(out.mac));
      proof.slots.push_back(out);
    }
    EXPECT_EQ(to_hex(encode_proof_body(proof)), string_of(test, "proof_without_signature"));
    must(sign_proof(crypto(), challenge, key, proof));
    EXPECT_TRUE(is_ok(
        key.public_key().verify(crypto(), {hex_of(test, "signed_message")}, proof.signature)));
    EXPECT_TRUE(is_ok(check_proof_signature(crypto(), challenge, key.public_key(), proof)));
    const auto given = hex_of(test, "proof");
    const auto parsed = must(parse_proof(given));
    EXPECT_EQ(to_hex(encode_proof(parsed)), to_hex(given));
    EXPECT_EQ(to_hex(encode_proof_body(parsed)), to_hex(encode_proof_body(proof)));
    EXPECT_TRUE(is_ok(check_proof_signature(crypto(), challenge, key.public_key(), parsed)));
  });
}

}  // namespace
}  // namespace tallystick::core::testing
