// reject.json: every case is refused, and at the check that it names.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/ts1/family_blob.h"
#include "core/ts1/proof.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/vectors.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

void run(const std::string& kind, std::size_t count,
         const std::function<::testing::AssertionResult(const nlohmann::json&)>& refused) {
  Tally tally("ts1/reject.json, " + kind);
  const auto vectors = load_vectors("ts1/reject.json");
  std::size_t total = 0;
  for (const auto& test : vectors.at("tests")) {
    if (test.at("kind") != kind) continue;
    ++total;
    const auto outcome = refused(test);
    EXPECT_TRUE(outcome) << kind << " " << test.at("refused_at") << ": " << test.at("why");
    tally.passed(static_cast<bool>(outcome));
  }
  EXPECT_EQ(total, count);
  tally.expect(total, count);
}

// A part's family as the vectors give it.
Family family_of(const nlohmann::json& part) {
  Family out;
  out.id = array_from_hex<16>(string_of(part, "family_id"));
  out.flags = part.value("counted", false) ? kFamilyCounted : std::uint8_t{0};
  out.role = FamilyRole::kPart;
  if (part.contains("shares")) {
    for (const auto& share : part.at("shares")) {
      out.shares.push_back(Secret::copy_of(from_hex(share.get<std::string>())));
    }
  }
  out.k_oem_share = Secret::copy_of(hex_of(part, "k_oem_share"));
  return out;
}

std::optional<EcPrivateKey> device_key_of(const nlohmann::json& holder) {
  if (!holder.contains("device_private_key")) return std::nullopt;
  return must(
      EcPrivateKey::from_scalar(crypto(), Curve::kP256, hex_of(holder, "device_private_key")));
}

TEST(Ts1Rejects, S03_S04_S13_S14_S19_S20_Packages) {
  run("package", 55, [](const nlohmann::json& test) {
    const auto& known = test.at("part");
    const auto family = family_of(known);
    const auto software = software_with(every_permission(), family.id,
                                        known.at("software_version").get<std::uint32_t>());
    const ProvisioningSoftware running(crypto(), family, software);
    const auto key = device_key_of(known);
    const auto package = hex_of(test, "package");
    const int check = test.at("refused_at").get<int>();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, package.size() + 1}) {
      FakePart part(running, hex_of(test, "share_blob"), key ? &*key : nullptr);
      if (!known.at("owner").is_null()) {
        part.owner_id = array_from_hex<32>(string_of(known, "owner"));
      }
      if (!known.at("product").is_null()) part.product_name = string_of(known, "product");
      part.minimum_package = known.at("minimum_package_version").get<std::uint32_t>();
      for (const auto& [id, version] : known.at("minimum_asset_versions").items()) {
        part.minimum_assets[static_cast<std::uint16_t>(std::stoul(id))] =
            version.get<std::uint32_t>();
      }
      if (auto outcome = refuses(part, package, check, piece); !outcome) {
        return outcome << " in pieces of " << piece;
      }
    }
    return ::testing::AssertionSuccess();
  });
}

TEST(Ts1Rejects, S07_S08_Software) {
  run("software", 28, [](const nlohmann::json& test) {
    const auto role = static_cast<FamilyRole>(test.at("family_role").get<std::uint8_t>());
    return refused_at(
        verify_software(crypto(), hex_of(test, "image"), hex_of(test, "icm_public_key"),
                        array_from_hex<16>(string_of(test, "family_id")), role,
                        test.at("minimum_version").get<std::uint32_t>()),
        test.at("refused_at").get<int>());
  });
}

TEST(Ts1Rejects, S01_S02_S03_ShareBlobs) {
  run("share_blob", 24, [](const nlohmann::json& test) {
    const auto family = family_of(test);
    const auto software = software_with(every_permission(), family.id,
                                        test.at("software_version").get<std::uint32_t>());
    const ProvisioningSoftware running(crypto(), family, software);
    const auto key = device_key_of(test);
    return refused_at(running.take_share(hex_of(test, "blob"), key ? &*key : nullptr),
                      test.at("refused_at").get<int>());
  });
}

TEST(Ts1Rejects, S05_Regeneration) {
  run("regeneration", 4, [](const nlohmann::json& test) {
    return fails_with(check_consent(crypto(), array_from_hex<32>(string_of(test, "device_id")),
                                    hex_of(test, "nonce"), hex_of(test, "role2"),
                                    hex_of(test, "oem_public_key"), hex_of(test, "signature")),
                      ErrorCode::kConsentRefused);
  });
}

TEST(Ts1Rejects, S15_S16_Seals) {
  run("seal", 38, [](const nlohmann::json& test) {
    const auto suite = must(suite_from(test.at("suite").get<std::uint8_t>()));
    const auto key = hex_of(test, "key");
    const auto context = hex_of(test, "context");
    const auto sealed = hex_of(test, "sealed");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{16400}, sealed.size() + 1}) {
      std::size_t released = 0;
      const ByteSink sink = [&released](ByteView bytes) -> Status {
        released += bytes.size();
        return {};
      };
      auto opener = must(Opener::create(crypto(), suite, key, context));
      Status state;
      for (std::size_t at = 0; state.ok() && at < sealed.size(); at += piece) {
        state =
            opener.update(ByteView(sealed).subspan(at, std::min(piece, sealed.size() - at)), sink);
      }
      if (state.ok()) state = opener.finish(sink);
      if (auto outcome = fails_with(state, ErrorCode::kOpenFailed); !outcome) return outcome;
      if (released % kChunkSize != 0) {
        return ::testing::AssertionFailure() << "bytes of a part of a chunk came out";
      }
    }
    return fails_with(open(crypto(), suite, key, context, sealed), ErrorCode::kOpenFailed);
  });
}

TEST(Ts1Rejects, P04_FamilyBlobs) {
  run("family_blob", 11, [](const nlohmann::json& test) {
    const auto present = test.at("families_present").get<std::vector<std::string>>();
    const auto key = device_key_of(test);
    return refused_at(open_family_blob(crypto(), hex_of(test, "blob"),
                                       array_from_hex<32>(string_of(test, "fingerprint")), *key,
                                       [&present](const FamilyId& id) {
                                         return std::ranges::find(present, to_hex(id)) !=
                                                present.end();
                                       }),
                      test.at("refused_at").get<int>());
  });
}

// What somebody with the shares does: form, signature, then every slot's MAC computed again.
Status check_contents(const nlohmann::json& test, const Proof& proof) {
  const auto challenge = hex_of(test, "challenge");
  const auto& slots = test.at("slots");
  if (slots.size() != proof.slots.size()) return Error{ErrorCode::kProofRefused, "slots", 0};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    auto entry = hex_of(slots[i], "entry");
    entry.resize(kPackageEntrySize);
    auto mac =
        must(start_slot_mac(crypto(), hex_of(test, "k_proof"), challenge, proof.part_id, entry));
    must(mac.update(hex_of(slots[i], "plaintext")));
    ByteArray<48> expected{};
    must(mac.finish(expected));
    if (proof.slots[i].slot != slots[i].at("slot").get<std::uint32_t>() ||
        !equal_in_constant_time(expected, proof.slots[i].mac)) {
      return Error{ErrorCode::kProofRefused, "contents", 0};
    }
  }
  return {};
}

TEST(Ts1Rejects, Proofs) {
  run("proof", 8, [](const nlohmann::json& test) {
    const auto proof = must(parse_proof(hex_of(test, "proof")));
    const auto key =
        must(EcPublicKey::from_xy(crypto(), Curve::kP256, hex_of(test, "device_public_key")));
    auto state = check_proof_signature(crypto(), hex_of(test, "challenge"), key, proof);
    const auto why = string_of(test, "why");
    const bool contents_only =
        why.find("signed") != std::string::npos || why.find("differ") != std::string::npos;
    if (state.ok() != contents_only) {
      return ::testing::AssertionFailure() << "the signature decides otherwise";
    }
    if (state.ok()) state = check_contents(test, proof);
    return fails_with(state, ErrorCode::kProofRefused);
  });
}

}  // namespace
}  // namespace tallystick::core::testing
