// Requests for memory fail in the core: what it makes and reads is whole or an error.
#include "core/certificate/device_certificate.h"
#include "core/crypto/aead.h"
#include "core/crypto/cbc.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_wrap.h"
#include "core/crypto/mac.h"
#include "core/crypto/pkcs8.h"
#include "core/crypto/signing_key.h"
#include "core/provisioning/device_hsm.h"
#include "core/ts1/debug_access.h"
#include "core/ts1/proof.h"
#include "tests/core/sb3/file_world.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"
#include "tests/faults/support/memory_trials.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/support/world.h"

namespace tallystick::core::testing {
namespace {

using test::Job;
using test::Went;
using Work = std::function<void()>;  // throws when something fails

// A job whose preparation gives what is done.
Job job(const char* name, std::function<Work()> ready) {
  return {name, [ready = std::move(ready)]() -> std::function<Went()> {
            return [work = ready()] {
              work();
              return Went::kWell;
            };
          }};
}

// A verdict of "forged" or "damaged" without memory would be as good as an error; a good one over
// what is not so never comes.
Went refused(const Status& status) { return status.ok() ? Went::kBadly : Went::kWell; }

Job curve_job(const char* name, Curve curve) {
  return job(name, [curve]() -> Work {
    return [curve] {
      const auto key = must(EcPrivateKey::generate(crypto(), curve));
      const auto scalar = must(key.scalar());
      const auto again = must(EcPrivateKey::from_scalar(crypto(), curve, scalar.view()));
      (void)must(key.pkcs8());
      const auto message = bytes_of("message");
      const auto signature = must(key.sign(crypto(), {message}));
      const auto peer = must(EcPublicKey::from_xy(crypto(), curve, again.public_xy()));
      must(peer.verify(crypto(), {message}, signature));
      (void)must(key.ecdh(crypto(), peer));
      (void)must(ec_scalar_from(crypto(), curve, random_bytes(72)));
    };
  });
}

Job pkcs8_job(const char* name, const char* kind) {
  return job(name, [kind]() -> Work {
    const auto key = std::make_shared<PkeyPtr>(test::libcrypto_key(kind));
    return [key] {
      const auto der = must(pkcs8_der(key->get()));
      (void)must(parse_pkcs8(crypto(), der.view()));
    };
  });
}

Job signing_job(const char* name, const char* kind) {
  return job(name, [kind]() -> Work {
    const auto der = test::to_pkcs8(test::libcrypto_key(kind).get());
    return [der] {
      const auto key = must(SigningPrivateKey::from_pkcs8(crypto(), der));
      (void)must(key.public_key());
      (void)must(key.sign(crypto(), bytes_of("message")));
    };
  });
}

void encrypt_and_hash() {
  const auto key = random_bytes(32);
  auto data = random_bytes(64);
  for (const auto algorithm : {AeadAlgorithm::kGcm, AeadAlgorithm::kCcm}) {
    auto aead = must(Aead::create(crypto(), algorithm, key));
    const auto nonce = random_bytes(12);
    Bytes sealed(data.size() + Aead::kTagSize);
    must(aead.seal(nonce, bytes_of("aad"), data, sealed));
    Bytes opened(data.size());
    must(aead.open(nonce, bytes_of("aad"), sealed, opened));
  }
  must(cbc_encrypt(crypto(), key, {}, data));
  must(cbc_decrypt(crypto(), key, {}, data));
  const auto wrapped = must(wrap_key(crypto(), key, data));
  (void)must(unwrap_key(crypto(), key, wrapped));
  (void)must(sha256(crypto(), {data}));
  auto hasher = must(Hasher::create(crypto(), Hash::kSha384));
  must(hasher.update(data));
  auto copy = must(hasher.copy());
  ByteArray<48> hash{};
  must(copy.finish(hash));
  (void)must(cmac(crypto(), key, {data}));
  auto mac = must(Mac::hmac(crypto(), Hash::kSha256, key));
  must(mac.update(data));
  auto second = must(mac.copy());
  ByteArray<32> tag{};
  must(second.finish(tag));
}

std::vector<Job> jobs() {
  return {
      job("hashes, MACs and ciphers", []() -> Work { return encrypt_and_hash; }),
      curve_job("P-256", Curve::kP256),
      curve_job("P-384", Curve::kP384),
      pkcs8_job("PKCS#8, RSA", "RSA-2048"),
      pkcs8_job("PKCS#8, P-256", "P-256"),
      pkcs8_job("PKCS#8, Ed25519", "ED25519"),
      signing_job("signing key, P-256", "P-256"),
      signing_job("signing key, Ed25519", "ED25519"),
      job("certificates",
          []() -> Work {
            const auto world = std::make_shared<test::World>();
            const auto device = make_signer(Curve::kP256);
            const auto xy = to_bytes(device.key.public_xy());
            return [world, xy] {
              const auto der = world->certificate(DeviceKind::kPart, xy);
              (void)must(verify_device_certificate(crypto(), der, world->icm_key().public_xy()));
              (void)must(icm_public_key_of(crypto(), world->icm_certificate()));
            };
          }),
      job("a family, its blob, its software",
          []() -> Work {
            return [] {
              const test::World world;
              const auto device = make_signer(Curve::kP256);
              (void)world.family_blob(FamilyRole::kPart, device.key.public_xy());
              (void)world.software();
            };
          }),
      job("shares, and a package made and read",
          []() -> Work {
            const auto world = std::make_shared<World>();
            return [world] {
              const auto share = world->make_share();
              const auto blob = must(world->oem_device.give_share(share, Suite::kCcm));
              const auto package = make_package(*world, share, four_assets(), Suite::kCcm);
              FakePart part(world->part, blob);
              (void)must(install(part, package));
            };
          }),
      job("a share for a device",
          []() -> Work {
            const auto world = std::make_shared<World>();
            return [world] {
              const auto share = world->make_share();
              const auto blob = must(world->oem_device.give_for_device(
                  share, Suite::kGcm, world->request(share.context, world->token_key),
                  world->token_key.key, world->part_key.key.public_key()));
              (void)must(world->part.take_share(blob, &world->part_key.key));
            };
          }),
      job("a part's proof",
          []() -> Work {
            const auto device = std::make_shared<Signer>(make_signer(Curve::kP256));
            return [device] {
              const ByteArray<kChallengeSize> challenge{};
              Proof proof;
              proof.suite = static_cast<std::uint8_t>(Suite::kGcm);
              proof.package_version = 1;
              proof.context[0] = 1;
              proof.part_id = device->id;
              auto mac = must(start_slot_mac(crypto(), random_bytes(32), challenge, {},
                                             Bytes(kPackageEntrySize)));
              ProofSlot slot;
              must(mac.finish(slot.mac));
              proof.slots.push_back(slot);
              must(sign_proof(crypto(), challenge, device->key, proof));
              const auto read = must(parse_proof(encode_proof(proof)));
              must(check_proof_signature(crypto(), challenge, device->key.public_key(), read));
            };
          }),
      job("a token for the debug port",
          []() -> Work {
            const auto oem = std::make_shared<Signer>(make_signer());
            return [oem] {
              DebugToken token;
              token.oem_public_key = oem->xy96();
              token.signature = array_of<96>(oem->sign({debug_message(token.challenge)}));
              must(
                  verify_debug_token(crypto(), must(parse_debug_token(encode_debug_token(token)))));
            };
          }),
      job("an SB3.1 file and a Device HSM",
          []() -> Work {
            const auto world = std::make_shared<World>(kFamilyUniform);
            const auto files = std::make_shared<Sb3World>();
            return [world, files] {
              (void)must(DeviceHsm::make(crypto(), world->part, random_bytes(16)));
              sb3::CommandWriter commands;
              const auto data = random_bytes(700);
              must(commands.add({.tag = sb3::CommandTag::kLoad,
                                 .address = 0,
                                 .length = static_cast<std::uint32_t>(data.size())},
                                data));
              const auto file = files->file(commands);
              RecordingTarget target(*files);
              sb3::Reader reader(crypto(), file.size(), target);
              must(reader.update(file));
              must(reader.finish());
            };
          }),
  };
}

TEST(WithoutMemory, TheCoreMakesAndReadsWholeThingsOrNone) {
  (void)crypto();
  (void)test::shared_crypto();
  test::expect_clean_without_memory("core", jobs());
}

// With memory or without, what is forged is never accepted.
TEST(WithoutMemory, NothingForgedIsAccepted) {
  const auto signer = std::make_shared<Signer>(make_signer(Curve::kP384));
  const Job forged[] = {
      {"a signature over something else",
       [signer]() -> std::function<Went()> {
         const auto signature = signer->sign({bytes_of("one thing")});
         return [signer, signature] {
           return refused(
               signer->key.public_key().verify(crypto(), {bytes_of("another")}, signature));
         };
       }},
      {"a sealed message that was changed",
       []() -> std::function<Went()> {
         const auto key = random_bytes(32);
         return [key] {
           auto aead = must(Aead::create(crypto(), AeadAlgorithm::kGcm, key));
           Bytes opened(32);
           return refused(aead.open(Bytes(12), {}, Bytes(48), opened));
         };
       }},
      {"a certificate of another chip maker",
       []() -> std::function<Went()> {
         const test::World world;
         const auto stranger = make_signer();
         const auto device = make_signer(Curve::kP256);
         const auto der = world.certificate(DeviceKind::kPart, device.key.public_xy());
         return [der, other = to_bytes(stranger.key.public_xy())] {
           const auto verified = verify_device_certificate(crypto(), der, other);
           return verified.ok() ? Went::kBadly : Went::kWell;
         };
       }},
  };
  test::expect_clean_without_memory("forged", forged);
}

}  // namespace
}  // namespace tallystick::core::testing
