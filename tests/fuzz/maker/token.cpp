// The seed token: a key of every kind, with the labels of kSeedKeys.
#include <openssl/core_names.h>

#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/token_names.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::fuzz::maker {
namespace {

using test::Attributes;
using test::must;
using test::value;

Attributes named(std::string_view label) {
  return Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, label);
}

void secret(test::Session& session, std::string_view label, CK_KEY_TYPE type, std::size_t size,
            const std::vector<CK_ATTRIBUTE_TYPE>& uses) {
  auto wanted = test::secret_key(type, core::Bytes(size, static_cast<std::uint8_t>(label.size())))
                    .append(named(label));
  for (const auto use : uses) wanted.flag(use, true);
  (void)must(session.create(wanted));
}

void secrets(test::Session& session) {
  secret(session, "aes-cipher", CKK_AES, 32, {CKA_ENCRYPT, CKA_DECRYPT});
  secret(session, "aes-16", CKK_AES, 16, {CKA_ENCRYPT, CKA_DECRYPT});
  secret(session, "aes-mac", CKK_AES, 32, {CKA_SIGN, CKA_VERIFY});
  secret(session, "aes-wrap", CKK_AES, 32, {CKA_WRAP, CKA_UNWRAP});
  secret(session, "aes-derive", CKK_AES, 32, {CKA_DERIVE});
  secret(session, "generic-mac", CKK_GENERIC_SECRET, 64, {CKA_SIGN, CKA_VERIFY});
  secret(session, "generic-derive", CKK_GENERIC_SECRET, 32, {CKA_DERIVE});
  secret(session, "hkdf", CKK_HKDF, 32, {CKA_DERIVE});
  (void)must(session.create(test::secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 0x77))
                                .append(named("readable"))
                                .flag(CKA_SENSITIVE, false)
                                .flag(CKA_EXTRACTABLE, true)));
  (void)must(session.create(Attributes()
                                .number(CKA_CLASS, CKO_DATA)
                                .append(named("data"))
                                .text(CKA_VALUE, "data of the seed token")));
}

Attributes use(std::string_view label, CK_ATTRIBUTE_TYPE type) {
  return named(label).flag(type, true);
}

void pairs(test::Session& session) {
  (void)test::generate_rsa(session, 2048, use("rsa-sign", CKA_VERIFY), use("rsa-sign", CKA_SIGN));
  (void)test::generate_rsa(session, 2048, use("rsa-cipher", CKA_ENCRYPT),
                           use("rsa-cipher", CKA_DECRYPT));
  (void)test::generate_rsa(session, 2048, use("rsa-wrap", CKA_WRAP), use("rsa-wrap", CKA_UNWRAP));
  const auto signs = [&](const char* curve, std::string_view label) {
    (void)test::generate_on(session, curve, use(label, CKA_VERIFY), use(label, CKA_SIGN));
  };
  signs("P-256", "p256-sign");
  signs("P-384", "p384-sign");
  signs("P-521", "p521-sign");
  signs("ED25519", "ed25519");
  signs("ED448", "ed448");
  const auto derives = [&](const char* curve, std::string_view label) {
    (void)test::generate_on(session, curve, named(label), use(label, CKA_DERIVE));
  };
  derives("P-256", "p256-derive");
  derives("P-521", "p521-derive");
  derives("X25519", "x25519");
  derives("X448", "x448");
  (void)must(session.create(test::ec_private_key(core::Curve::kP256, core::Bytes(32, 0x15))
                                .append(use("p256-readable", CKA_SIGN))
                                .flag(CKA_SENSITIVE, false)
                                .flag(CKA_EXTRACTABLE, true)));
}

CK_OBJECT_HANDLE derived(test::Session& session, const test::Mechanism& mechanism,
                         CK_OBJECT_HANDLE base, std::string_view label) {
  return must(session.derive(mechanism, base, named(label)));
}

void provisioning(test::Session& session) {
  const auto& of = world();
  const auto fingerprint = core::Bytes(of.fingerprint.begin(), of.fingerprint.end());
  const auto family = must(
      session.unwrap({CKM_TS_FAMILY_WRAP, fingerprint}, test::device_key(session, CKO_PRIVATE_KEY),
                     of.family_blob(core::FamilyRole::kProvisioning, test::device_xy(session)),
                     Attributes().text(CKA_LABEL, "family")));
  (void)must(test::install(session, of.software_image()));

  const auto master_blob = value(of.oem_device.give_master(of.share, core::Suite::kGcm));
  const auto consent = test::regenerate(of.crypto, of.oem, test::device_id(session),
                                        test::device_nonce(session), master_blob);
  const auto oem = must(session.unwrap(consent, family, master_blob, named("share-oem")));
  const auto role_1 = value(of.oem_device.give_share(of.share, core::Suite::kGcm));
  const auto target =
      must(session.unwrap(CKM_TS_OEM_SHARE_WRAP, family, role_1, named("share-target")));

  const auto master_oem = derived(session, CKM_TS_MASTER_KEY_DERIVE, oem, "master-oem");
  const auto master_target = derived(session, CKM_TS_MASTER_KEY_DERIVE, target, "master-target");
  const auto key = [&](CK_OBJECT_HANDLE master, std::string_view kdf, std::string_view label) {
    (void)derived(session, test::asset_key_derive(core::Suite::kGcm, kdf), master, label);
  };
  key(master_oem, core::kLabelEncKey, "enck-oem");
  key(master_oem, core::kLabelEncData, "encd-oem");
  key(master_oem, core::kLabelAuth, "auth-oem");
  key(master_oem, core::kLabelProof, "proof-oem");
  key(master_oem, "TS1/X/calibration", "further-oem");
  key(master_target, core::kLabelEncKey, "enck-target");
  key(master_target, core::kLabelEncData, "encd-target");
  key(master_target, core::kLabelAuth, "auth-target");

  (void)must(session.create(
      Attributes()
          .number(CKA_CLASS, CKO_CERTIFICATE)
          .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
          .append(named("certificate"))
          .bytes(CKA_SUBJECT, {})
          .bytes(CKA_VALUE, of.certificate(core::DeviceKind::kPart, of.part.public_xy()))));
  (void)must(session.create(
      test::ec_public_key(core::Curve::kP256, of.part.public_xy()).append(use("part", CKA_WRAP))));
}

// Eight numbers of an RSA key, each a u16 length and its bytes.
core::Bytes rsa_numbers() {
  core::Writer out;
  auto* const key = test::some_rsa_key();
  for (const auto* const name :
       {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    const auto number = test::number_of(key, name);
    out.u16(static_cast<std::uint16_t>(number.size())).bytes(number);
  }
  return out.take();
}

}  // namespace

void make_seed_token(const Corpus& corpus) {
  corpus.seed("rsa.numbers", rsa_numbers());
  test::Bench bench;
  const auto slot = bench.module().free_slot();
  must(test::init_token(bench.functions(), slot, std::string(kSoPin), "fuzz"));
  {
    test::Session session(bench.functions(), slot);
    must(session.login(CKU_SO, std::string(kSoPin)));
    must(session.init_pin(std::string(kUserPin)));
    must(session.logout());
    must(session.login(CKU_USER, std::string(kUserPin)));
    secrets(session);
    pairs(session);
    provisioning(session);
  }
  bench.finalize();  // the files are whole once the module has closed them
  corpus.seed("token/token.db", test::read_file(bench.home().databases().front()));
  corpus.seed("token/root.key", test::read_file(bench.home().root_keys().front()));
}

}  // namespace tallystick::fuzz::maker
