// SHA-2 through C_Digest.
#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

TEST(Digest, KnowsTheHashesOfAbc) {
  TestToken token;
  auto& session = token.session();
  EXPECT_EQ(core::to_hex(must(session.digest(CKM_SHA256, bytes("abc")))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(core::to_hex(must(session.digest(CKM_SHA224, bytes("abc")))),
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(core::to_hex(must(session.digest(CKM_SHA384, bytes("abc")))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(core::to_hex(must(session.digest(CKM_SHA512, bytes("abc")))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, InPartsIsTheSameAsInOne) {
  TestToken token;
  auto& session = token.session();
  const core::Bytes data(1000, 0x5C);
  for (const CK_MECHANISM_TYPE type : {CKM_SHA256, CKM_SHA384, CKM_SHA512}) {
    const auto whole = must(session.digest(type, data));
    for (const std::size_t step : {1UL, 63UL, 64UL, 65UL, 128UL, 999UL}) {
      EXPECT_EQ(must(session.digest_parts(type, data, step)), whole);
    }
    EXPECT_EQ(must(session.digest_parts(type, {}, 1)), must(session.digest(type, {})));
  }
}

TEST(Digest, WorksWithoutALoginAndInAReadOnlySession) {
  TestToken token;
  must(token.session().logout());
  Session read_only(token.functions(), token.slot(), CKF_SERIAL_SESSION);
  EXPECT_EQ(must(read_only.digest(CKM_SHA256, {})).size(), 32U);
}

TEST(Digest, A17_OfAKeyIsForKeysThatMayBeReadAnyway) {
  TestToken token;
  auto& session = token.session();
  const core::Bytes value(32, 9);
  const auto open = must(session.create(secret_key(CKK_GENERIC_SECRET, value)
                                            .flag(CKA_SENSITIVE, false)
                                            .flag(CKA_EXTRACTABLE, true)));
  const auto sensitive = must(session.create(secret_key(CKK_GENERIC_SECRET, value)));
  const auto pair = generate_ec(session);
  Mechanism sha(CKM_SHA256);
  must(token->C_DigestInit(token.handle(), sha.get()));
  EXPECT_THAT(token->C_DigestKey(token.handle(), sensitive), ReturnsRv(CKR_KEY_INDIGESTIBLE));
  EXPECT_THAT(token->C_DigestKey(token.handle(), pair.private_key),
              ReturnsRv(CKR_KEY_INDIGESTIBLE));
  ASSERT_THAT(token->C_DigestKey(token.handle(), open), IsOk());
  core::Bytes out(32);
  CK_ULONG size = out.size();
  must(token->C_DigestFinal(token.handle(), out.data(), &size));
  EXPECT_EQ(out, must(session.digest(CKM_SHA256, value)));
}

}  // namespace
}  // namespace tallystick::test
