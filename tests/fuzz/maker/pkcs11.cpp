// Seeds of calls. Call writes an input the way fuzz::Arguments reads one, with names where the
// input has numbers.
#include <filesystem>

#include "core/ts1/package.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/argument_lists.h"
#include "tests/fuzz/support/token_names.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::fuzz::maker {
namespace {

using core::Bytes;
using core::ByteView;
using test::must;
using test::value;

template <typename List, typename T>
std::uint8_t place_in(const List& list, const T& wanted) {
  const auto found = std::ranges::find(list, wanted);
  if (found == list.end()) throw std::runtime_error("not in the fuzzers' lists");
  return static_cast<std::uint8_t>(found - list.begin());
}

class Call {
 public:
  Call& u8(unsigned value) {
    out_.u8(static_cast<std::uint8_t>(value));
    return *this;
  }
  Call& number(std::uint64_t value) {
    if (value < 0xF0) return u8(static_cast<unsigned>(value));
    out_.u8(0xFF).u64(value);
    return *this;
  }
  Call& key(std::string_view label, CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
    const auto found = std::ranges::find_if(kSeedKeys, [&](const SeedKey& key) {
      return key.label == label && key.object_class == object_class;
    });
    if (found == kSeedKeys.end()) throw std::runtime_error("not in the seed token");
    return u8(static_cast<unsigned>(found - kSeedKeys.begin()));
  }
  // With a parameter of the right structure to follow.
  Call& mechanism(CK_MECHANISM_TYPE type) { return u8(place_in(kMechanisms, type)).u8(0); }
  Call& hash(CK_MECHANISM_TYPE type) { return u8(place_in(kHashes, type)); }
  // What is longer than one byte can say has to be the input's end, or a multiple of 64.
  Call& region(ByteView bytes) {
    if (bytes.size() < 0xF0) {
      u8(static_cast<unsigned>(bytes.size()));
    } else {
      u8(static_cast<unsigned>(std::min<std::size_t>(0xFC, 0xEF + (bytes.size() + 63) / 64)));
    }
    return raw(bytes);
  }
  Call& nothing() { return u8(0xFF); }
  Call& raw(ByteView bytes) {
    out_.bytes(bytes);
    return *this;
  }
  // A template: as many attributes as follow.
  Call& attributes(unsigned count) { return u8(count); }
  Call& flag(CK_ATTRIBUTE_TYPE type, bool value) { return type_of(type).u8(value ? 1 : 0); }
  Call& ulong(CK_ATTRIBUTE_TYPE type, std::uint64_t value) {
    return type_of(type).u8(2).number(value);
  }
  Call& bytes(CK_ATTRIBUTE_TYPE type, ByteView value) { return type_of(type).u8(3).region(value); }
  Call& object_class(CK_OBJECT_CLASS value) {
    return type_of(CKA_CLASS).u8(6).u8(place_in(kClasses, value));
  }
  Call& key_type(CK_KEY_TYPE value) {
    return type_of(CKA_KEY_TYPE).u8(7).u8(place_in(kKeyTypes, value));
  }
  Call& type_of(CK_ATTRIBUTE_TYPE type) { return u8(place_in(kAttributes, type)); }

  [[nodiscard]] ByteView view() const { return out_.view(); }

 private:
  core::Writer out_;
};

const Bytes kText = {'s', 'o', 'm', 'e', ' ', 't', 'e', 'x',
                     't', ' ', 't', 'o', ' ', 'h', 'i', 'd'};

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
  auto label = Bytes{1};
  label.insert(label.end(), core::kLabelProof.begin(), core::kLabelProof.end());
  add("ts-asset-key",
      derive("master-oem", CKO_SECRET_KEY, CKM_TS_ASSET_KEY_DERIVE).region(label).attributes(0));

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

// The module with a copy of the seed token, for blobs that only it can make.
class SeedToken : public test::Bench {
 public:
  explicit SeedToken(const std::filesystem::path& seed) {
    finalize();
    const auto folder = std::filesystem::path(home().path()) / "tokens" / "0";
    std::filesystem::create_directories(folder);
    for (const auto& path : {folder, folder.parent_path(), folder.parent_path().parent_path()}) {
      std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    for (const std::string name : {"token.db", "root.key"}) {
      std::filesystem::copy_file(seed / name, folder / name);
      std::filesystem::permissions(
          folder / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    initialize();
    session_.emplace(functions(), test::slot_of(module(), "fuzz"));
    must(session_->login(CKU_USER, std::string(kUserPin)));
  }
  test::Session& session() { return *session_; }
  CK_OBJECT_HANDLE key(std::string_view label, CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
    return session_->find(test::Attributes().text(CKA_LABEL, label).number(CKA_CLASS, object_class))
        .at(0);
  }

 private:
  std::optional<test::Session> session_;
};

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

void objects(const Corpus& corpus) {
  const auto add = [&corpus](const std::string& name, const Call& call) {
    corpus.add("pkcs11_object", name, call.view());
  };
  add("data", Call()
                  .u8(0)
                  .attributes(4)
                  .object_class(CKO_DATA)
                  .flag(CKA_TOKEN, true)
                  .bytes(CKA_LABEL, kText)
                  .bytes(CKA_VALUE, Bytes(100, 1))
                  .u8(2)
                  .attributes(2)
                  .bytes(CKA_LABEL, Bytes{'x'})
                  .flag(CKA_DESTROYABLE, false)
                  .u8(4)
                  .u8(3)
                  .type_of(CKA_LABEL)
                  .type_of(CKA_VALUE)
                  .type_of(CKA_UNIQUE_ID)
                  .u8(0)
                  .u8(0)
                  .u8(0));
  add("secret", Call()
                    .u8(0)
                    .attributes(7)
                    .object_class(CKO_SECRET_KEY)
                    .key_type(CKK_AES)
                    .bytes(CKA_VALUE, Bytes(32, 1))
                    .flag(CKA_EXTRACTABLE, true)
                    .flag(CKA_SENSITIVE, false)
                    .bytes(CKA_ID, Bytes{1})
                    .type_of(CKA_START_DATE)
                    .u8(8)
                    .u8(0)
                    .u8(1)
                    .attributes(2)
                    .bytes(CKA_LABEL, kText)
                    .flag(CKA_SENSITIVE, true)
                    .u8(4)
                    .u8(2)
                    .type_of(CKA_VALUE)
                    .type_of(CKA_START_DATE)
                    .u8(0)
                    .u8(0));
  add("nested", Call()
                    .u8(0)
                    .attributes(5)
                    .object_class(CKO_SECRET_KEY)
                    .key_type(CKK_AES)
                    .bytes(CKA_VALUE, Bytes(32, 1))
                    .flag(CKA_UNWRAP, true)
                    .type_of(CKA_UNWRAP_TEMPLATE)
                    .u8(5)
                    .attributes(3)
                    .object_class(CKO_SECRET_KEY)
                    .flag(CKA_SENSITIVE, true)
                    .bytes(CKA_LABEL, kText)
                    .u8(4)
                    .u8(1)
                    .type_of(CKA_UNWRAP_TEMPLATE)
                    .u8(0));
  add("mechanisms", Call()
                        .u8(0)
                        .attributes(4)
                        .object_class(CKO_SECRET_KEY)
                        .key_type(CKK_GENERIC_SECRET)
                        .bytes(CKA_VALUE, Bytes(32, 1))
                        .type_of(CKA_ALLOWED_MECHANISMS)
                        .u8(4)
                        .u8(2)
                        .u8(60)
                        .u8(61)
                        .u8(4)
                        .u8(1)
                        .type_of(CKA_ALLOWED_MECHANISMS)
                        .u8(0));
  add("ec-public", Call()
                       .u8(0)
                       .attributes(4)
                       .object_class(CKO_PUBLIC_KEY)
                       .key_type(CKK_EC)
                       .type_of(CKA_EC_PARAMS)
                       .u8(9)
                       .u8(0)
                       .type_of(CKA_EC_POINT)
                       .u8(9)
                       .u8(7)
                       .u8(1)
                       .attributes(1)
                       .flag(CKA_TOKEN, true)
                       .u8(4)
                       .u8(2)
                       .type_of(CKA_EC_POINT)
                       .type_of(CKA_PUBLIC_KEY_INFO)
                       .u8(0)
                       .u8(0));
  add("certificate", Call()
                         .u8(0)
                         .attributes(4)
                         .object_class(CKO_CERTIFICATE)
                         .type_of(CKA_CERTIFICATE_TYPE)
                         .u8(2)
                         .u8(0)
                         .bytes(CKA_SUBJECT, {})
                         .type_of(CKA_VALUE)
                         .u8(9)
                         .u8(11));
  add("search", Call()
                    .u8(3)
                    .attributes(2)
                    .object_class(CKO_SECRET_KEY)
                    .flag(CKA_SIGN, true)
                    .u8(20)
                    .u8(3)
                    .attributes(1)
                    .bytes(CKA_LABEL, Bytes{'h', 'k', 'd', 'f'})
                    .u8(2)
                    .u8(3)
                    .attributes(0)
                    .u8(63));
  add("read", Call()
                  .u8(4)
                  .key("family")
                  .u8(4)
                  .type_of(CKA_TS_FAMILY_ID)
                  .type_of(CKA_TS_ROLE)
                  .type_of(CKA_VALUE)
                  .type_of(CKA_TS_ICM_PUBLIC_KEY)
                  .u8(0)
                  .u8(0)
                  .u8(0)
                  .u8(0)
                  .u8(0x81)
                  .key("readable")
                  .attributes(1)
                  .flag(CKA_TOKEN, false));
}

void key_values(const Corpus& corpus) {
  for (unsigned kind = 0; kind < 11; ++kind) {
    Call good;
    good.u8(kind);
    for (unsigned i = 0; i < (kind == 9 ? 8U : 2U); ++i) good.u8(0);
    Bytes point = {4};
    const auto xy = world().part.public_xy();
    point.insert(point.end(), xy.begin(), xy.end());
    good.region(kind == 6 ? Bytes(32, 9) : point);
    corpus.add("pkcs11_key_value", "good-" + std::to_string(kind), good.view());
    Call other;
    other.u8(kind).u8(0).u8(1).region(test::octets(point));
    corpus.add("pkcs11_key_value", "other-" + std::to_string(kind), other.view());
  }
  for (const auto* const curve : {"P-384", "P-521", "ED448", "X448"}) {
    Call call;
    call.u8(0).u8(1).region(test::curve_params(curve)).u8(0);
    corpus.add("pkcs11_key_value", std::string("curve-") + curve, call.view());
  }
}

void vendor(const Corpus& corpus, SeedToken& token) {
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

void files(const Corpus& corpus) {
  core::Writer attributes;
  attributes.u16(3).u64(CKA_CLASS).lv(core::be64(CKO_DATA)).u64(CKA_TOKEN).lv(Bytes{1});
  attributes.u64(CKA_LABEL).lv(kText);
  corpus.add("pkcs11_attributes", "data", attributes.view());
  corpus.add("pkcs11_attributes", "none", core::Bytes{0, 0});

  corpus.add("pkcs11_settings", "all",
             "# everything\n[token]\ndirectory = \"/var/lib/tokens\"\n[log]\nfile = \"stderr\"\n"
             "[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = false\npkcs5_pbkd2 = true\n");
  corpus.add("pkcs11_settings", "wrong", "[token]\ndirectory = \"relative\"\n[what]\nx = 1\n");

  const auto database = [&corpus](const std::string& name, unsigned flags, const Call& changes) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(flags)).bytes(changes.view());
    corpus.add("pkcs11_database", name, out.view());
  };
  database("good", 3, Call());
  database("header", 0, Call().u8(0).u8(0).u8(18).u8(2).u8(1).u8(1));
  database("page", 0, Call().u8(0).u8(0x30).u8(0).u8(4).u8(13).u8(0).u8(0).u8(9));
  database("cut", 0, Call().u8(0xFF).u8(0x10).u8(0).u8(0));
  database("class", 6, Call().u8(1).u8(3).u8(0).number(2));
  database("sealed", 4, Call().u8(9).u8(0).u8(1).region(Bytes(40, 1)));
  database("cost", 5, Call().u8(14).u8(1).u8(0).number(1ULL << 40U));
  database("tries", 5, Call().u8(18).u8(1).u8(2).region(Bytes{'a'}));
  database("log", 8, Call().raw(Bytes(32, 7)));
  database("root-key", 17, Call().raw(Bytes(32, 7)));
}

}  // namespace

void make_pkcs11(const Corpus& corpus) {
  SeedToken token(corpus.seed_folder() / "token");
  ciphers(corpus);
  messages(corpus);
  signatures(corpus);
  digests(corpus);
  generated(corpus);
  wrapped(corpus, token);
  objects(corpus);
  key_values(corpus);
  vendor(corpus, token);
  files(corpus);
}

}  // namespace tallystick::fuzz::maker
