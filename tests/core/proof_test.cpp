#include "core/ts1/proof.h"

#include <gtest/gtest.h>

#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class Proofs : public ::testing::Test {
 protected:
  Signer part_ = make_signer(Curve::kP256);
  Bytes challenge_ = random_bytes(kChallengeSize);

  [[nodiscard]] Proof make(std::size_t slots) const {
    Proof proof;
    proof.part_id = part_.id;
    proof.life_cycle = 3;
    proof.software_version = 7;
    if (slots > 0) {
      proof.context = Context{random_array<16>(), {}, {}, 1}.encode();
      proof.suite = 1;
      proof.package_version = 2;
    }
    for (std::uint32_t i = 0; i < slots; ++i) proof.slots.push_back({3 * i, random_array<48>()});
    must(sign_proof(crypto(), challenge_, part_.key, proof));
    return proof;
  }
};

TEST_F(Proofs, RoundTripWithNoOneAndManySlots) {
  for (const std::size_t slots : {0UL, 1UL, 64UL}) {
    const auto bytes = encode_proof(make(slots));
    EXPECT_EQ(bytes.size(), 115U + 52 * slots + 64);
    const auto parsed = must(parse_proof(bytes));
    EXPECT_EQ(parsed.slots.size(), slots);
    EXPECT_EQ(encode_proof(parsed), bytes);
    EXPECT_TRUE(is_ok(check_proof_signature(crypto(), challenge_, part_.key.public_key(), parsed)));
  }
}

TEST_F(Proofs, RefuseEveryFlippedByte) {
  const auto good = encode_proof(make(2));
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x01U;
    const auto parsed = parse_proof(bad);
    if (!parsed) {
      EXPECT_TRUE(fails_with(parsed, ErrorCode::kMalformed));
      continue;
    }
    EXPECT_TRUE(
        fails_with(check_proof_signature(crypto(), challenge_, part_.key.public_key(), *parsed),
                   ErrorCode::kProofRefused))
        << at;
  }
}

TEST_F(Proofs, RefuseEveryOtherLength) {
  const auto good = encode_proof(make(2));
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_TRUE(fails_with(parse_proof(ByteView(good).first(size)), ErrorCode::kMalformed));
  }
  EXPECT_TRUE(fails_with(parse_proof(concatenated({good, Bytes(1)})), ErrorCode::kMalformed));
}

TEST_F(Proofs, RefuseAFormThatNoPartWrites) {
  auto falling = make(2);
  std::swap(falling.slots[0], falling.slots[1]);
  EXPECT_FALSE(parse_proof(encode_proof(falling)).ok());
  auto twice = make(2);
  twice.slots[1].slot = twice.slots[0].slot;
  EXPECT_FALSE(parse_proof(encode_proof(twice)).ok());
  auto life = make(1);
  life.life_cycle = 4;
  EXPECT_FALSE(parse_proof(encode_proof(life)).ok());
  auto suite = make(1);
  suite.suite = 3;
  EXPECT_FALSE(parse_proof(encode_proof(suite)).ok());
  EXPECT_TRUE(fails_with(parse_proof(encode_proof(make(65))), ErrorCode::kMalformed));
}

TEST_F(Proofs, SayOfAPartWithNothingInstalledThatThereIsNothing) {
  const auto refused = [](const Proof& proof) {
    return fails_with(parse_proof(encode_proof(proof)), ErrorCode::kMalformed);
  };
  auto suite = make(0);
  suite.suite = 1;
  EXPECT_TRUE(refused(suite));
  auto version = make(0);
  version.package_version = 1;
  EXPECT_TRUE(refused(version));
  auto slots = make(0);
  slots.slots.push_back({0, {}});
  EXPECT_TRUE(refused(slots));
  auto no_suite = make(1);
  no_suite.suite = 0;
  EXPECT_TRUE(refused(no_suite));
}

TEST_F(Proofs, HoldForTheirChallengeAndPartOnly) {
  const auto proof = make(1);
  EXPECT_TRUE(
      fails_with(check_proof_signature(crypto(), random_bytes(32), part_.key.public_key(), proof),
                 ErrorCode::kProofRefused));
  const auto other = make_signer(Curve::kP256);
  EXPECT_TRUE(fails_with(check_proof_signature(crypto(), challenge_, other.key.public_key(), proof),
                         ErrorCode::kProofRefused));
  // Another part that signs this one's statement.
  auto stolen = proof;
  stolen.signature =
      other.sign({bytes_of("TS1/PROOF"), Bytes(1), challenge_, encode_proof_body(proof)});
  EXPECT_TRUE(
      fails_with(check_proof_signature(crypto(), challenge_, other.key.public_key(), stolen),
                 ErrorCode::kProofRefused));
}

TEST_F(Proofs, BindTheContentToChallengePartAndEntry) {
  const Bytes key(32, 1);
  const Bytes entry(kPackageEntrySize, 2);
  const auto mac_of = [&](ByteView challenge, const DeviceId& id, ByteView described) {
    auto mac = must(start_slot_mac(crypto(), key, challenge, id, described));
    must(mac.update(Bytes{1, 2, 3}));
    Bytes out(48);
    must(mac.finish(out));
    return out;
  };
  const auto base = mac_of(challenge_, part_.id, entry);
  EXPECT_EQ(base, mac_of(challenge_, part_.id, entry));
  EXPECT_NE(base, mac_of(random_bytes(32), part_.id, entry));
  EXPECT_NE(base, mac_of(challenge_, DeviceId{}, entry));
  auto other = entry;
  other[63] = 3;
  EXPECT_NE(base, mac_of(challenge_, part_.id, other));
  // Only the entry's first 64 bytes count: the digest of sealed bytes is no content.
  other = entry;
  other[64] = 3;
  EXPECT_EQ(base, mac_of(challenge_, part_.id, other));
  EXPECT_EQ(proof_mac_prefix(challenge_, part_.id, entry).size(), 9U + 1 + 32 + 32 + 64);
}

}  // namespace
}  // namespace tallystick::core::testing
