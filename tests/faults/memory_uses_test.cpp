// Requests for memory fail while keys are used: every kind of mechanism answers with an error, and
// the next call works. tests/faults/memory_test.cpp has what changes the token.
#include <gtest/gtest.h>

#include "tests/faults/support/memory_trials.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/sealed_assets.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using Token = std::shared_ptr<FamilyToken>;
using Use = std::function<CK_RV()>;

// libcrypto does not say why a signature did not verify, and of RSA's padding nobody may.
Went went(CK_RV rv) {
  if (rv == CKR_OK) return Went::kWell;
  if (rv == CKR_SIGNATURE_INVALID || rv == CKR_ENCRYPTED_DATA_INVALID) return Went::kFailed;
  if (is_clean(rv)) return Went::kFailed;
  complain("answers " + rv_name(rv));
  return Went::kBadly;
}

// libcrypto makes a key's blinding anew after 32 uses; until then one that was left half made
// without memory lets nothing open.
constexpr int kUsesOfABlinding = 32;

Job job(const char* name, std::function<Use(const Token&)> ready, int patience = 1) {
  return {name,
          [ready = std::move(ready)]() -> std::function<Went()> {
            auto token = std::make_shared<FamilyToken>();
            // The token outlives what uses it.
            return [token, use = ready(token)] {
              try {
                return went(use());
              } catch (...) {
                // This test's own memory: what it began may go on.
                (void)token->module().v3()->C_SessionCancel(
                    token->handle(), CKF_SIGN | CKF_VERIFY | CKF_ENCRYPT | CKF_DECRYPT |
                                         CKF_DIGEST | CKF_FIND_OBJECTS | CKF_MESSAGE_ENCRYPT);
                throw;
              }
            };
          },
          patience};
}

// ---- Signing, in both directions and in parts ----

Use signs(const Token& token, const Mechanism& mechanism, const KeyPair& pair, std::size_t size) {
  const auto data = some_bytes(size);
  const auto signature = must(token->session().sign(mechanism, pair.private_key, data));
  return [=] {
    auto& session = token->session();
    const auto made = session.sign(mechanism, pair.private_key, data);
    if (made.rv != CKR_OK) return made.rv;
    return session.verify(mechanism, pair.public_key, data, signature);
  };
}

KeyPair secret(CK_OBJECT_HANDLE key) { return {key, key}; }

CK_OBJECT_HANDLE hmac_key(Session& session) {
  return must(session.create(Attributes(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 3)))
                                 .flag(CKA_SIGN, true)
                                 .flag(CKA_VERIFY, true)));
}

// ---- Encrypting ----

using MechanismPtr = std::shared_ptr<Mechanism>;

Use encrypts(const Token& token, const std::function<MechanismPtr()>& mechanism,
             CK_OBJECT_HANDLE public_key, CK_OBJECT_HANDLE private_key, std::size_t size) {
  const auto data = some_bytes(size);
  const auto encrypted = must(token->session().encrypt(*mechanism(), public_key, data));
  return [=] {
    auto& session = token->session();
    const auto again = session.encrypt(*mechanism(), public_key, data);
    if (again.rv != CKR_OK) return again.rv;
    return session.decrypt(*mechanism(), private_key, encrypted).rv;
  };
}

Job aes(const char* name, const std::function<MechanismPtr()>& mechanism, std::size_t size = 64) {
  return job(name, [=](const Token& token) {
    const auto key = generate_aes(token->session(),
                                  Attributes().flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true));
    return encrypts(token, mechanism, key, key, size);
  });
}

MechanismPtr plain(CK_MECHANISM_TYPE type, std::size_t iv = 0) {
  return std::make_shared<Mechanism>(type, core::Bytes(iv, 1));
}

// ---- Making, wrapping and taking in ----

Use makes_pair(const Token& token, const char* curve) {
  return [=] {
    auto& session = token->session();
    const auto type = std::string_view(curve).starts_with("ED")  ? CKM_EC_EDWARDS_KEY_PAIR_GEN
                      : std::string_view(curve).starts_with("X") ? CKM_EC_MONTGOMERY_KEY_PAIR_GEN
                                                                 : CKM_EC_KEY_PAIR_GEN;
    return session
        .generate_pair(type, Attributes().bytes(CKA_EC_PARAMS, curve_params(curve)), Attributes())
        .rv;
  };
}

Use creates(const Token& token, const char* kind) {
  const std::shared_ptr<EVP_PKEY> key(libcrypto_key(kind));
  const auto one = private_key(key.get());
  const auto other = public_key(key.get());
  return [=] {
    auto& session = token->session();
    const auto made = session.create(Attributes(one));
    if (made.rv != CKR_OK) return made.rv;
    return session.create(Attributes(other)).rv;
  };
}

Use wraps_private(const Token& token, const KeyPair& pair) {
  const auto key = generate_aes(token->session(), wraps());
  const auto wrapped = must(token->session().wrap(CKM_AES_KEY_WRAP_KWP, key, pair.private_key));
  const auto type = token->session().number(pair.private_key, CKA_KEY_TYPE);
  return [=] {
    auto& session = token->session();
    const auto again = session.wrap(CKM_AES_KEY_WRAP_KWP, key, pair.private_key);
    if (again.rv != CKR_OK) return again.rv;
    return session
        .unwrap(CKM_AES_KEY_WRAP_KWP, key, wrapped,
                Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, type))
        .rv;
  };
}

// Without the KDF of X9.63, which in OpenSSL 3.0 reads a null pointer when there is no memory for
// it.
Use agrees(const Token& token, const char* curve) {
  const auto pair = generate_on(token->session(), curve, {}, Attributes().flag(CKA_DERIVE, true));
  const auto peer = point_of(libcrypto_key(curve).get());
  return
      [=] { return token->session().derive(Ecdh(peer), pair.private_key, readable_secret()).rv; };
}

std::vector<Job> jobs() {
  return {
      job("ECDSA",
          [](const Token& token) {
            return signs(token, CKM_ECDSA_SHA384, generate_ec(token->session()), 50);
          }),
      job("ECDSA of a hash",
          [](const Token& token) {
            return signs(token, CKM_ECDSA, generate_ec(token->session()), 32);
          }),
      job("Ed25519",
          [](const Token& token) {
            return signs(token, CKM_EDDSA, generate_on(token->session(), "ED25519"), 50);
          }),
      job("RSA PKCS#1",
          [](const Token& token) {
            return signs(token, CKM_SHA256_RSA_PKCS, generate_rsa(token->session()), 50);
          }),
      job("RSA PSS",
          [](const Token& token) {
            return signs(token, pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32),
                         generate_rsa(token->session()), 50);
          }),
      job("HMAC",
          [](const Token& token) {
            return signs(token, CKM_SHA256_HMAC, secret(hmac_key(token->session())), 50);
          }),
      job("CMAC",
          [](const Token& token) {
            const auto key = generate_aes(token->session(),
                                          Attributes().flag(CKA_SIGN, true).flag(CKA_VERIFY, true));
            return signs(token, CKM_AES_CMAC, secret(key), 50);
          }),
      job("digest",
          [](const Token& token) -> Use {
            return [token] { return token->session().digest(CKM_SHA3_256, some_bytes(500)).rv; };
          }),
      aes("AES-CBC with padding", [] { return plain(CKM_AES_CBC_PAD, 16); }),
      aes("AES-CBC", [] { return plain(CKM_AES_CBC, 16); }),
      aes("AES-CTR", [] { return std::make_shared<Mechanism>(ctr(core::Bytes(16, 1), 32)); }),
      aes("AES-GCM", [] { return std::make_shared<Gcm>(core::Bytes(12, 1), some_bytes(20)); }),
      aes("AES-CCM", [] { return std::make_shared<Ccm>(64, core::Bytes(12, 1), some_bytes(20)); }),
      aes("AES key wrap as a cipher", [] { return plain(CKM_AES_KEY_WRAP); }),
      aes("AES key wrap with padding as a cipher", [] { return plain(CKM_AES_KEY_WRAP_KWP); }),
      job(
          "RSA OAEP",
          [](const Token& token) {
            const auto pair =
                generate_rsa(token->session(), 2048, Attributes().flag(CKA_ENCRYPT, true),
                             Attributes().flag(CKA_DECRYPT, true));
            return encrypts(
                token,
                [] { return std::make_shared<Oaep>(CKM_SHA256, CKG_MGF1_SHA256, some_bytes(9)); },
                pair.public_key, pair.private_key, 50);
          },
          kUsesOfABlinding),
      job(
          "an RSA-wrapped key",
          [](const Token& token) -> Use {
            const auto pair =
                generate_rsa(token->session(), 2048, Attributes().flag(CKA_WRAP, true),
                             Attributes().flag(CKA_UNWRAP, true));
            // No stronger than the pair.
            const auto key = must(token->session().create(
                Attributes(secret_key(CKK_GENERIC_SECRET, core::Bytes(14, 7)))
                    .append(extractable())));
            return [=] {
              auto& session = token->session();
              const auto wrapped =
                  session.wrap(Oaep(CKM_SHA256, CKG_MGF1_SHA256), pair.public_key, key);
              if (wrapped.rv != CKR_OK) return wrapped.rv;
              return session
                  .unwrap(Oaep(CKM_SHA256, CKG_MGF1_SHA256), pair.private_key, wrapped.value,
                          Attributes()
                              .number(CKA_CLASS, CKO_SECRET_KEY)
                              .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET))
                  .rv;
            };
          },
          kUsesOfABlinding),
      job("a wrapped key of EC",
          [](const Token& token) {
            return wraps_private(
                token, generate_ec(token->session(), core::Curve::kP256, {}, extractable()));
          }),
      job("a wrapped key of X25519",
          [](const Token& token) {
            return wraps_private(token, generate_on(token->session(), "X25519", {}, extractable()));
          }),
      job("a wrapped key of RSA",
          [](const Token& token) {
            return wraps_private(token, generate_rsa(token->session(), 2048, {}, extractable()));
          }),
      job("ECDH", [](const Token& token) { return agrees(token, "P-256"); }),
      job("X25519", [](const Token& token) { return agrees(token, "X25519"); }),
      job("HKDF",
          [](const Token& token) -> Use {
            const auto key = base_key(token->session(), some_bytes(32));
            return [=] {
              return token->session()
                  .derive(Hkdf(CKM_SHA256, some_bytes(10)), key, readable_secret(32))
                  .rv;
            };
          }),
      job("a counter KDF with two keys",
          [](const Token& token) -> Use {
            const auto key = base_key(token->session(), some_bytes(32));
            return [=] {
              CounterKdf kdf(CKM_SHA256_HMAC);
              kdf.counter().bytes(some_bytes(10)).length().key(readable_secret(16));
              return token->session().derive(kdf, key, readable_secret(32)).rv;
            };
          }),
      job("a pair on P-384", [](const Token& token) { return makes_pair(token, "P-384"); }),
      job("a pair on Ed25519", [](const Token& token) { return makes_pair(token, "ED25519"); }),
      job("a pair on X448", [](const Token& token) { return makes_pair(token, "X448"); }),
      job("objects of an RSA pair", [](const Token& token) { return creates(token, "RSA-2048"); }),
      job("objects of a P-521 pair", [](const Token& token) { return creates(token, "P-521"); }),
      job("objects of an Ed25519 pair",
          [](const Token& token) { return creates(token, "ED25519"); }),
      job("objects of an X25519 pair", [](const Token& token) { return creates(token, "X25519"); }),
      job("a certificate",
          [](const Token& token) -> Use {
            const auto der = token->world().icm_certificate();
            return [=] {
              return token->session()
                  .create(Attributes()
                              .number(CKA_CLASS, CKO_CERTIFICATE)
                              .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
                              .bytes(CKA_VALUE, der))
                  .rv;
            };
          }),
      job("a message under AES-GCM",
          [](const Token& token) -> Use {
            const auto key = generate_aes(
                token->session(), Attributes().flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true));
            return [=] {
              const auto call = token->module().v3();
              GcmMessage message;
              auto mechanism = message.mechanism();
              auto rv = call->C_MessageEncryptInit(token->handle(), &mechanism, key);
              if (rv != CKR_OK) return rv;
              auto text = some_bytes(40);
              core::Bytes out(40);
              CK_ULONG size = out.size();
              rv = call->C_EncryptMessage(token->handle(), message.get(), GcmMessage::size(),
                                          nullptr, 0, text.data(), text.size(), out.data(), &size);
              const auto ended = call->C_MessageEncryptFinal(token->handle());
              return rv == CKR_OK ? ended : rv;
            };
          }),
      job("what an object says of itself",
          [](const Token& token) -> Use {
            const auto pair = generate_ec(token->session());
            return [=] {
              for (const CK_ATTRIBUTE_TYPE type :
                   {CKA_PUBLIC_KEY_INFO, CKA_EC_PARAMS, CKA_UNIQUE_ID, CKA_LABEL}) {
                const auto read = token->session().get(pair.private_key, type);
                if (read.rv != CKR_OK) return read.rv;
              }
              (void)token->session().find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY));
              return CKR_OK;
            };
          }),
      job("a sealed and tagged package",
          [](const Token& token) -> Use {
            const auto share = must(token->make_share());
            const auto& world = token->world();
            return [=, &world] {
              const auto device = sealing_device(token->session(), share, core::Suite::kGcm);
              auto plan = small_plan();
              std::erase_if(plan.assets, [](const auto& asset) {
                return asset.entry.kind == core::AssetKind::kPrivateKey;
              });
              (void)package_from(device, world.crypto(), token->oem_key(), plan);
              return CKR_OK;
            };
          }),
  };
}

TEST(WithoutMemory, UsesOfKeysFailCleanlyAndTheNextCallWorks) {
  expect_clean_without_memory("uses", jobs());
}

}  // namespace
}  // namespace tallystick::test
