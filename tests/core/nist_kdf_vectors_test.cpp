// NIST's counter-mode cases (ACVP and CAVP) give the fixed input data whole, while counter_kdf()
// puts it together from label and context. So a KDF in this file, made of core's HMAC alone, is
// shown right by every case, and counter_kdf() then has to agree with it on each key and hash.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

struct KdfCase {
  Hash hash{};
  Bytes key;
  Bytes fixed;
  std::size_t counter_bits = 0;
  std::size_t counter_at_bit = 0;  // bits of `fixed` before the counter
  std::size_t output_bits = 0;
  Bytes output;
};

bool bit_of(ByteView bytes, std::size_t at) {
  return (unsigned{bytes[at / 8]} >> (7 - at % 8) & 1U) != 0;
}

// `counter` put between two bits of the fixed data.
Bytes spliced(const KdfCase& test, std::uint32_t counter) {
  const auto number = be32(counter);
  Bytes out((test.counter_bits + 8 * test.fixed.size()) / 8);
  std::size_t at = 0;
  const auto push = [&](bool bit) {
    if (bit) out[at / 8] = static_cast<std::uint8_t>(out[at / 8] | 0x80U >> at % 8);
    ++at;
  };
  for (std::size_t i = 0; i < test.counter_at_bit; ++i) push(bit_of(test.fixed, i));
  for (std::size_t i = 32 - test.counter_bits; i < 32; ++i) push(bit_of(number, i));
  for (std::size_t i = test.counter_at_bit; i < 8 * test.fixed.size(); ++i) {
    push(bit_of(test.fixed, i));
  }
  return out;
}

Bytes reference_kdf(const KdfCase& test) {
  Bytes out;
  for (std::uint32_t i = 1; 8 * out.size() < test.output_bits; ++i) {
    const auto block = must(hmac_secret(crypto(), test.hash, test.key, {spliced(test, i)}));
    out.insert(out.end(), block.view().begin(), block.view().end());
  }
  out.resize((test.output_bits + 7) / 8);
  if (const auto rest = test.output_bits % 8; rest != 0) {
    out.back() = static_cast<std::uint8_t>(out.back() & 0xFFU << (8 - rest));
  }
  return out;
}

// Label and context from the case's own bytes, output long enough for several blocks.
bool counter_kdf_agrees(const KdfCase& test) {
  const auto split = test.fixed.size() / 3;
  const auto label = ByteView(test.fixed).first(split);
  const auto context = ByteView(test.fixed).subspan(split);
  for (const std::size_t size : {hash_size(test.hash), 3 * hash_size(test.hash) - 5}) {
    KdfCase profile{test.hash, test.key, {}, 32, 0, 8 * size, {}};
    profile.fixed =
        concatenated({label, Bytes(1), context, be32(static_cast<std::uint32_t>(8 * size))});
    const auto made = counter_kdf(crypto(), test.hash, test.key, label, context, size);
    if (!made.ok() || !equal_in_constant_time(made->view(), reference_kdf(profile))) return false;
  }
  return true;
}

bool holds(const KdfCase& test) {
  return reference_kdf(test) == test.output && counter_kdf_agrees(test);
}

TEST(NistKdf, AcvpCounterModeWithHmac) {
  Tally tally("acvp/KDF-1.0.json");
  const std::map<std::string, Hash> hashes = {{"HMAC-SHA2-256", Hash::kSha256},
                                              {"HMAC-SHA2-384", Hash::kSha384},
                                              {"HMAC-SHA2-512", Hash::kSha512}};
  const auto vectors = load_vectors("acvp/KDF-1.0.json");
  for (const auto& group : vectors.at("testGroups")) {
    ASSERT_EQ(group.at("kdfMode"), "counter");
    const auto where = string_of(group, "counterLocation");
    for (const auto& one : group.at("tests")) {
      KdfCase test;
      test.hash = hashes.at(string_of(group, "macMode"));
      test.key = hex_of(one, "keyIn");
      test.fixed = hex_of(one, "fixedData");
      test.counter_bits = group.at("counterLength").get<std::size_t>();
      test.counter_at_bit = where == "before fixed data" ? 0
                            : where == "after fixed data"
                                ? 8 * test.fixed.size()
                                : one.at("breakLocation").get<std::size_t>();
      test.output_bits = group.at("keyOutLength").get<std::size_t>();
      test.output = hex_of(one, "keyOut");
      const bool held = holds(test);
      EXPECT_TRUE(held) << one.at("tcId");
      tally.passed(held);
    }
  }
  tally.expect(540, 540);
}

TEST(NistKdf, CavpCounterModeWithHmac) {
  Tally tally("cavp/KDFCTR_gen.rsp");
  const std::map<std::string, Hash> hashes = {{"HMAC_SHA224", Hash::kSha224},
                                              {"HMAC_SHA256", Hash::kSha256},
                                              {"HMAC_SHA384", Hash::kSha384},
                                              {"HMAC_SHA512", Hash::kSha512}};
  std::istringstream lines(read_vector("cavp/KDFCTR_gen.rsp"));
  std::map<std::string, std::string> field;
  std::string line;
  while (std::getline(lines, line)) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ']')) line.pop_back();
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.front() == '#') continue;
    auto name = line.substr(line.front() == '[' ? 1 : 0, equals);
    name = name.substr(0, name.find_first_of(" ="));
    field[name] = line.substr(line.find_first_not_of(' ', equals + 1));
    if (name != "KO") continue;
    const auto& where = field.at("CTRLOCATION");
    const auto before = where == "MIDDLE_FIXED" ? from_hex(field.at("DataBeforeCtrData")) : Bytes();
    KdfCase test;
    test.hash = hashes.at(field.at("PRF"));
    test.key = from_hex(field.at("KI"));
    test.fixed = where == "MIDDLE_FIXED"
                     ? concatenated({before, from_hex(field.at("DataAfterCtrData"))})
                     : from_hex(field.at("FixedInputData"));
    test.counter_bits = std::stoul(field.at("RLEN"));
    test.counter_at_bit = where == "BEFORE_FIXED"  ? 0
                          : where == "AFTER_FIXED" ? 8 * test.fixed.size()
                                                   : 8 * before.size();
    test.output_bits = std::stoul(field.at("L"));
    test.output = from_hex(field.at("KO"));
    const bool held = holds(test);
    EXPECT_TRUE(held) << field.at("PRF") << " " << where << " " << field.at("COUNT");
    tally.passed(held);
  }
  tally.expect(1920, 1920);
}

}  // namespace
}  // namespace tallystick::core::testing
