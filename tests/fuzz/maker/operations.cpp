// What ciphers, signs and digests.
#include "tests/fuzz/maker/call.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::fuzz::maker {
namespace {

void ciphers(const Corpus& corpus) {
  const auto add = [&corpus](const std::string& name, const Call& call) {
    corpus.add("pkcs11_cipher", name, call.view());
  };
  const auto gcm = [](unsigned flags) {
    return Call()
        .u8(flags)
        .key("aes-cipher")
        .mechanism(CKM_AES_GCM)
        .region(Bytes(12, 1))
        .region(Bytes(5, 2))
        .number(96)
        .number(128);
  };
  const auto ccm = [](unsigned flags, std::size_t size) {
    return Call()
        .u8(flags)
        .key("aes-cipher")
        .mechanism(CKM_AES_CCM)
        .region(Bytes(12, 1))
        .region(Bytes(5, 2))
        .number(size)
        .number(16);
  };
  add("gcm", gcm(0).region(kText));
  add("gcm-decrypt", gcm(1).region(Bytes(32, 3)));
  add("gcm-parts", gcm(2).region(kText).u8(0).region(kText).u8(0));
  add("ccm", ccm(0, kText.size()).region(kText));
  add("ccm-parts", ccm(2, 2 * kText.size()).region(kText).u8(0).region(kText).u8(0));
  add("ctr", Call()
                 .u8(0)
                 .key("aes-16")
                 .mechanism(CKM_AES_CTR)
                 .number(128)
                 .raw(Bytes(16, 9))
                 .region(Bytes(23, 1)));
  for (const auto type : {CKM_AES_CBC, CKM_AES_CBC_PAD}) {
    const auto name = std::string(type == CKM_AES_CBC ? "cbc" : "cbc-pad");
    const auto begin = [type](unsigned flags) {
      return Call().u8(flags).key("aes-cipher").mechanism(type).region(Bytes(16, 4));
    };
    add(name, begin(0).region(kText));
    add(name + "-decrypt", begin(1).region(Bytes(48, 5)));
    add(name + "-parts", begin(2).region(Bytes(9, 1)).u8(0).region(Bytes(7, 1)).u8(0));
  }
  const auto rsa = [](unsigned flags, CK_MECHANISM_TYPE type) {
    return Call()
        .u8(flags)
        .key("rsa-cipher", (flags & 1U) != 0 ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY)
        .mechanism(type);
  };
  add("rsa", rsa(0, CKM_RSA_PKCS).region(kText));
  add("rsa-decrypt", rsa(1, CKM_RSA_PKCS).region(Bytes(256, 1)));
  add("rsa-raw", rsa(0, CKM_RSA_X_509).region(Bytes(256, 1)));
  const auto oaep = [&](unsigned flags) {
    return rsa(flags, CKM_RSA_PKCS_OAEP)
        .hash(CKM_SHA256)
        .number(CKG_MGF1_SHA256)
        .number(CKZ_DATA_SPECIFIED)
        .region(Bytes(3, 1));
  };
  add("oaep", oaep(0).region(kText));
  add("oaep-decrypt", oaep(1).region(Bytes(256, 1)));
  const auto context = value(core::parse_package_head(
      ByteView(small_package()).first(128 + 7 * 128 + 208), small_package().size()));
  add("ts-seal", Call()
                     .u8(0)
                     .key("encd-oem")
                     .mechanism(CKM_TS_SEAL)
                     .region(context.asset_context(1))
                     .region(Bytes(40, 1)));
}

// The form of a mechanism whose parameter is none.
constexpr unsigned kNoParameter = 0xCC;

void messages(const Corpus& corpus) {
  const auto gcm = [](unsigned decrypt, unsigned parts) {
    return Call()
        .u8(decrypt)
        .key("aes-cipher")
        .u8(place_in(kMechanisms, CK_MECHANISM_TYPE{CKM_AES_GCM}))
        .u8(kNoParameter)
        .u8(parts)
        .u8(0)
        .region(Bytes(12, 1))
        .number(0)
        .number(decrypt != 0 ? CKG_NO_GENERATE : CKG_GENERATE)
        .number(128)
        .u8(0)
        .raw(Bytes(16, 0))
        .region(Bytes(4, 1));
  };
  corpus.add("pkcs11_message", "gcm", gcm(0, 0).region(kText).view());
  corpus.add("pkcs11_message", "gcm-parts",
             gcm(0, 1).u8(0).region(kText).u8(1).region(kText).view());
  corpus.add("pkcs11_message", "gcm-decrypt", gcm(1, 0).region(kText).view());
  for (const unsigned parts : {0U, 1U}) {
    Call call;
    call.u8(0)
        .key("aes-cipher")
        .u8(place_in(kMechanisms, CK_MECHANISM_TYPE{CKM_AES_CCM}))
        .u8(kNoParameter)
        .u8(parts)
        .u8(0)
        .number(kText.size())
        .region(Bytes(12, 1))
        .number(0)
        .number(CKG_GENERATE)
        .number(16)
        .u8(0)
        .raw(Bytes(16, 0))
        .region(Bytes(4, 1));
    if (parts != 0) call.u8(1);
    corpus.add("pkcs11_message", parts != 0 ? "ccm-parts" : "ccm", call.region(kText).view());
  }
}

bool is_pss(CK_MECHANISM_TYPE type) {
  for (const auto& hash : test::kHashCases) {
    if (hash.rsa_pss == type) return true;
  }
  return type == CKM_RSA_PKCS_PSS;
}

void signatures(const Corpus& corpus) {
  unsigned number = 0;
  const auto add = [&](unsigned function, std::string_view label, CK_OBJECT_CLASS object_class,
                       CK_MECHANISM_TYPE type, const Call& parameter) {
    Call call;
    call.u8(function).key(label, object_class).mechanism(type).raw(parameter.view());
    call.region(Bytes(32, 1)).region(Bytes(64, 2)).u8(1);
    corpus.add("pkcs11_sign", "call-" + std::to_string(100 + number++), call.view());
  };
  const auto private_key = [&](std::string_view label, CK_MECHANISM_TYPE type,
                               const Call& parameter = {}) {
    add(0, label, CKO_PRIVATE_KEY, type, parameter);
    add(number % 7U, label, number % 7U == 2 || number % 7U == 3 ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY,
        type, parameter);
  };
  for (const auto& hash : test::kHashCases) {
    private_key("rsa-sign", hash.rsa_pkcs);
    private_key("p256-sign", hash.ecdsa);
    private_key("rsa-sign", hash.rsa_pss, Call().hash(hash.digest).number(hash.mgf).number(20));
    private_key("rsa-sign", CKM_RSA_PKCS_PSS,
                Call().hash(hash.digest).number(hash.mgf).number(hash.size));
  }
  private_key("rsa-sign", CKM_RSA_PKCS);
  private_key("rsa-sign", CKM_RSA_X_509);
  private_key("p384-sign", CKM_ECDSA);
  private_key("p521-sign", CKM_ECDSA_SHA512);
  private_key("ed25519", CKM_EDDSA, Call().u8(0).nothing());
  private_key("ed448", CKM_EDDSA, Call().u8(0).region(Bytes(4, 1)));
  for (const auto type : kMechanisms) {
    const bool general = (type >= CKM_SHA_1_HMAC && type <= CKM_SHA512_HMAC_GENERAL) ||
                         (type >= CKM_SHA3_256_HMAC && type <= CKM_SHA3_512_HMAC_GENERAL);
    if (general && !is_pss(type)) {
      add(number % 6U, "generic-mac", CKO_SECRET_KEY, type, Call().number(8));
    }
  }
  for (const unsigned function : {0U, 1U, 2U, 3U, 4U, 5U}) {
    add(function, "aes-mac", CKO_SECRET_KEY, CKM_AES_CMAC, {});
    add(function, "aes-mac", CKO_SECRET_KEY, CKM_AES_CMAC_GENERAL, Call().number(4));
  }
}

void digests(const Corpus& corpus) {
  for (const unsigned kind : {0U, 1U, 2U, 3U}) {
    Call call;
    call.mechanism(CKM_SHA256).u8(kind).u8(20).region(kText).u8(0).region(kText).u8(0);
    corpus.add("pkcs11_digest", "sha256-" + std::to_string(kind), call.view());
  }
  for (const auto type : {CKM_SHA_1, CKM_SHA512_224, CKM_SHA3_384, CKM_SHA512}) {
    Call call;
    call.mechanism(type).u8(0).u8(3).region(Bytes(200, 1)).u8(0).region(kText).u8(0);
    corpus.add("pkcs11_digest", "digest-" + std::to_string(type), call.view());
  }
}

}  // namespace

void make_operations(const Corpus& corpus) {
  ciphers(corpus);
  messages(corpus);
  signatures(corpus);
  digests(corpus);
}

}  // namespace tallystick::fuzz::maker
