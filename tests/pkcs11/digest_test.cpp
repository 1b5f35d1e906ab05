// SHA-1, SHA-2 and SHA-3 through C_Digest.
#include <gtest/gtest.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

struct KnownDigest {
  CK_MECHANISM_TYPE mechanism;
  const char* name;
  const char* of_abc;
};
const KnownDigest kDigests[] = {
    {CKM_SHA_1, "SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CKM_SHA224, "SHA224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {CKM_SHA256, "SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CKM_SHA384, "SHA384",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {CKM_SHA512, "SHA512",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {CKM_SHA512_224, "SHA512224", "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"},
    {CKM_SHA512_256, "SHA512256",
     "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
    {CKM_SHA3_224, "SHA3224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
    {CKM_SHA3_256, "SHA3256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {CKM_SHA3_384, "SHA3384",
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
     "98d88cea927ac7f539f1edf228376d25"},
    {CKM_SHA3_512, "SHA3512",
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
     "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
};

TEST(Digest, KnowsTheHashOfAbc) {
  TestToken token;
  for (const auto& one : kDigests) {
    SCOPED_TRACE(one.name);
    EXPECT_EQ(core::to_hex(must(token.session().digest(one.mechanism, bytes("abc")))), one.of_abc);
  }
}

TEST(Digest, InPartsIsTheSameAsInOne) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kDigests) {
    SCOPED_TRACE(one.name);
    const core::Bytes data(1000, 0x5C);
    const auto type = one.mechanism;
    const auto whole = must(session.digest(type, data));
    for (const std::size_t step : {1UL, 63UL, 64UL, 65UL, 128UL, 144UL, 999UL}) {
      EXPECT_EQ(must(session.digest_parts(type, data, step)), whole);
    }
    EXPECT_EQ(must(session.digest_parts(type, {}, 1)), must(session.digest(type, {})));
  }
}

TEST(Digest, GivesItsLengthForANullOrShortBufferAndGoesOn) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kDigests) {
    SCOPED_TRACE(one.name);
    auto data = bytes("abc");
    must(token->C_DigestInit(token.handle(), Mechanism(one.mechanism).get()));
    CK_ULONG size = 0;
    ASSERT_THAT(token->C_Digest(token.handle(), data.data(), data.size(), nullptr, &size), IsOk());
    core::Bytes out(size + 8, 0xEE);
    CK_ULONG room = size - 1;
    ASSERT_THAT(token->C_Digest(token.handle(), data.data(), data.size(), out.data(), &room),
                ReturnsRv(CKR_BUFFER_TOO_SMALL));
    EXPECT_EQ(room, size);
    EXPECT_EQ(out, core::Bytes(size + 8, 0xEE));
    room = size;
    ASSERT_THAT(token->C_Digest(token.handle(), data.data(), data.size(), out.data(), &room),
                IsOk());
    EXPECT_EQ(room, size);
    out.resize(size);
    EXPECT_EQ(core::to_hex(out), one.of_abc);
    EXPECT_EQ(out, must(session.digest(one.mechanism, data)));
  }
}

TEST(Digest, TakesNoParameter) {
  TestToken token;
  for (const auto& one : kDigests) {
    SCOPED_TRACE(one.name);
    Mechanism with_parameter(one.mechanism, core::Bytes(1));
    EXPECT_THAT(token->C_DigestInit(token.handle(), with_parameter.get()),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
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
