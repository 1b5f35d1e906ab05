// What generates, derives, wraps and unwraps.
#include "tests/fuzz/maker/call.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::fuzz::maker {
namespace {

// What is wanted of a derived secret.
Call& secret(Call& call, CK_KEY_TYPE type, unsigned length) {
  return call.attributes(3)
      .object_class(CKO_SECRET_KEY)
      .key_type(type)
      .ulong(CKA_VALUE_LEN, length);
}

void generated(const Corpus& corpus) {
  const auto add = [&corpus](const std::string& name, const Call& call) {
    corpus.add("pkcs11_generate", name, call.view());
  };
  const auto derive = [](std::string_view label, CK_OBJECT_CLASS object_class,
                         CK_MECHANISM_TYPE type) {
    return Call().u8(0).key(label, object_class).mechanism(type);
  };
  Bytes point = {4};
  const auto xy = world().part.public_xy();
  point.insert(point.end(), xy.begin(), xy.end());
  for (const std::uint64_t kdf : {1U, 2U, 6U}) {
    auto call = derive("p256-derive", CKO_PRIVATE_KEY, CKM_ECDH1_DERIVE);
    call.number(kdf).region(kdf == 1 ? Bytes() : Bytes(8, 1)).region(point);
    add("ecdh-" + std::to_string(kdf), secret(call, CKK_AES, 32));
  }
  auto octets = derive("p256-derive", CKO_PRIVATE_KEY, CKM_ECDH1_COFACTOR_DERIVE);
  octets.number(1).nothing().region(test::octets(point));
  add("ecdh-der", secret(octets, CKK_GENERIC_SECRET, 16));
  auto x25519 = derive("x25519", CKO_PRIVATE_KEY, CKM_ECDH1_DERIVE);
  x25519.number(1).nothing().region(Bytes(32, 9));
  add("x25519", secret(x25519, CKK_GENERIC_SECRET, 32));

  const auto hkdf = [&](CK_MECHANISM_TYPE type, std::uint64_t salt_type) {
    return derive("hkdf", CKO_SECRET_KEY, type)
        .u8(1)
        .u8(1)
        .hash(CKM_SHA256)
        .number(salt_type)
        .region(salt_type == CKF_HKDF_SALT_DATA ? Bytes(8, 1) : Bytes())
        .key("generic-derive")
        .region(Bytes(10, 2));
  };
  for (const std::uint64_t salt_type : {1U, 2U, 4U}) {
    auto call = hkdf(CKM_HKDF_DERIVE, salt_type);
    add("hkdf-" + std::to_string(salt_type), secret(call, CKK_GENERIC_SECRET, 40));
  }
  auto data = hkdf(CKM_HKDF_DATA, 1);
  add("hkdf-data", data.attributes(2).object_class(CKO_DATA).ulong(CKA_VALUE_LEN, 32));

  auto counter = derive("generic-derive", CKO_SECRET_KEY, CKM_SP800_108_COUNTER_KDF);
  counter.u8(3)
      .hash(CKM_SHA256_HMAC)
      .number(CK_SP800_108_ITERATION_VARIABLE)
      .u8(0)
      .u8(0)
      .number(32)
      .number(CK_SP800_108_BYTE_ARRAY)
      .u8(2)
      .region(Bytes(12, 1))
      .number(CK_SP800_108_DKM_LENGTH)
      .u8(1)
      .number(1)
      .u8(0)
      .number(32);
  auto further = counter;
  add("counter", secret(counter.u8(0), CKK_AES, 32));
  secret(further.u8(1), CKK_AES, 16).u8(0);
  add("counter-two-keys", secret(further, CKK_GENERIC_SECRET, 48));

  add("ts-master",
      derive("share-oem", CKO_SECRET_KEY, CKM_TS_MASTER_KEY_DERIVE).nothing().attributes(0));
  core::Writer label;
  label.u8(1).text(core::kLabelProof);
  add("ts-asset-key", derive("master-oem", CKO_SECRET_KEY, CKM_TS_ASSET_KEY_DERIVE)
                          .region(label.view())
                          .attributes(0));

  auto aes = Call().u8(1).mechanism(CKM_AES_KEY_GEN);
  add("aes",
      aes.attributes(3).ulong(CKA_VALUE_LEN, 32).flag(CKA_EXTRACTABLE, true).flag(CKA_WRAP, true));
  auto hmac = Call().u8(1).mechanism(CKM_SHA256_KEY_GEN);
  add("hmac", hmac.attributes(1).ulong(CKA_VALUE_LEN, 32));
  auto generic = Call().u8(1).mechanism(CKM_GENERIC_SECRET_KEY_GEN);
  add("generic", generic.attributes(1).ulong(CKA_VALUE_LEN, 32));
  auto password = Call().u8(1).mechanism(CKM_PKCS5_PBKD2);
  password.number(CKZ_SALT_SPECIFIED)
      .region(Bytes(8, 1))
      .number(4)
      .number(CKP_PKCS5_PBKD2_HMAC_SHA256)
      .nothing()
      .region(Bytes(6, 'p'));
  add("pbkdf2", secret(password, CKK_AES, 32));
  const std::vector<std::pair<CK_MECHANISM_TYPE, const char*>> pairs = {
      {CKM_EC_KEY_PAIR_GEN, "P-256"},
      {CKM_EC_KEY_PAIR_GEN, "P-384"},
      {CKM_EC_EDWARDS_KEY_PAIR_GEN, "ED25519"},
      {CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "X25519"}};
  for (const auto& [type, curve] : pairs) {
    auto call = Call().u8(2).mechanism(type);
    add(std::string("pair-") + curve, call.attributes(1)
                                          .bytes(CKA_EC_PARAMS, test::curve_params(curve))
                                          .attributes(1)
                                          .flag(CKA_SENSITIVE, true));
  }
  auto rsa = Call().u8(2).mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN);
  add("pair-rsa", rsa.attributes(2)
                      .ulong(CKA_MODULUS_BITS, 1024)
                      .bytes(CKA_PUBLIC_EXPONENT, Bytes{1, 0, 1})
                      .attributes(0));
}

Call& wanted_secret(Call& call) {
  return call.attributes(2).object_class(CKO_SECRET_KEY).key_type(CKK_GENERIC_SECRET);
}

void wrapped(const Corpus& corpus, SeedToken& token) {
  const auto add = [&corpus](const std::string& name, const Call& call) {
    corpus.add("pkcs11_wrap", name, call.view());
  };
  auto& session = token.session();
  const auto secret_key = token.key("readable");
  const auto ec = token.key("p256-readable", CKO_PRIVATE_KEY);
  for (const auto type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    const auto name = std::string(type == CKM_AES_KEY_WRAP ? "kw" : "kwp");
    add("wrap-" + name, Call().u8(0).key("aes-wrap").mechanism(type).nothing().key("readable"));
    const auto blob = must(session.wrap(type, token.key("aes-wrap"), secret_key));
    auto call = Call().u8(1).key("aes-wrap").mechanism(type).nothing();
    add("unwrap-" + name, wanted_secret(call).region(blob));
  }
  add("wrap-kwp-ec", Call()
                         .u8(0)
                         .key("aes-wrap")
                         .mechanism(CKM_AES_KEY_WRAP_KWP)
                         .nothing()
                         .key("p256-readable", CKO_PRIVATE_KEY));
  auto pkcs8 = Call().u8(1).key("aes-wrap").mechanism(CKM_AES_KEY_WRAP_KWP).nothing();
  pkcs8.attributes(2).object_class(CKO_PRIVATE_KEY).key_type(CKK_EC);
  add("unwrap-kwp-ec",
      pkcs8.region(must(session.wrap(CKM_AES_KEY_WRAP_KWP, token.key("aes-wrap"), ec))));
  const auto oaep = [](unsigned function, CK_OBJECT_CLASS object_class) {
    return Call()
        .u8(function)
        .key("rsa-wrap", object_class)
        .mechanism(CKM_RSA_PKCS_OAEP)
        .hash(CKM_SHA256)
        .number(CKG_MGF1_SHA256)
        .number(CKZ_DATA_SPECIFIED)
        .nothing();
  };
  add("wrap-oaep", oaep(0, CKO_PUBLIC_KEY).key("readable"));
  auto unwrap = oaep(1, CKO_PRIVATE_KEY);
  add("unwrap-oaep", wanted_secret(unwrap).region(
                         must(session.wrap(test::Oaep(CKM_SHA256, CKG_MGF1_SHA256),
                                           token.key("rsa-wrap", CKO_PUBLIC_KEY), secret_key))));

  const auto message = [](unsigned function, ByteView iv, ByteView tag, std::uint64_t generator) {
    return Call()
        .u8(function)
        .key("aes-wrap")
        .mechanism(CKM_AES_GCM)
        .nothing()
        .nothing()
        .number(0)
        .number(0)
        .u8(0)
        .region(iv)
        .number(0)
        .number(generator)
        .number(128)
        .u8(0)
        .raw(tag);
  };
  add("wrap-gcm", message(2, Bytes(12), Bytes(16), CKG_GENERATE).key("readable").region(kText));
  test::GcmMessage parameter;
  auto mechanism = parameter.mechanism();
  Bytes blob(64);
  CK_ULONG size = blob.size();
  auto aad = kText;
  must(token.module().v32()->C_WrapKeyAuthenticated(session.handle(), &mechanism,
                                                    token.key("aes-wrap"), secret_key, aad.data(),
                                                    aad.size(), blob.data(), &size));
  auto open = message(3, parameter.iv(), parameter.tag(), CKG_NO_GENERATE);
  add("unwrap-gcm", wanted_secret(open).region(ByteView(blob).first(size)).region(aad));
  auto encapsulate = Call().u8(4).key("part", CKO_PUBLIC_KEY).mechanism(CKM_ML_KEM);
  add("encapsulate", wanted_secret(encapsulate));
  auto decapsulate = Call().u8(5).key("p256-derive", CKO_PRIVATE_KEY).mechanism(CKM_ML_KEM);
  add("decapsulate", wanted_secret(decapsulate).region(Bytes(768, 1)));
}

}  // namespace

void make_keys(const Corpus& corpus, SeedToken& token) {
  generated(corpus);
  wrapped(corpus, token);
}

}  // namespace tallystick::fuzz::maker
