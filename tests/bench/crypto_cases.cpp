// One thread, one key, one operation after another.
#include <memory>

#include "tests/bench/cases.h"
#include "tests/bench/operations.h"

namespace tallystick::bench {
namespace {

core::ByteArray<32> some_hash() {
  core::ByteArray<32> hash{};
  hash.fill(0x5a);
  return hash;
}

std::shared_ptr<EVP_PKEY> shared(core::PkeyPtr key) { return {key.release(), EVP_PKEY_free}; }

Case p256_sign(World& world) {
  Case one;
  one.raw = repeated([&raw = world.raw, key = shared(world.raw.p256()), hash = some_hash()] {
    (void)raw.sign(key.get(), hash);
  });
  both(one, world, [](Module& module) -> Lane {
    if (!module.offers(CKM_ECDSA, CKF_SIGN)) return missing("not offered");
    const auto session = module.open_session();
    const auto key = module.p256_pair(session, true).private_key;
    return repeated([&module, session, key, hash = some_hash()] {
      core::ByteArray<64> signature{};
      sign(module, session, CKM_ECDSA, key, hash, signature);
    });
  });
  one.target = {.to_raw = 0.92, .to_other = 2.9};
  return one;
}

Case p256_verify(World& world) {
  Case one;
  auto key = shared(world.raw.p256());
  auto signature = world.raw.sign(key.get(), some_hash());
  one.raw = repeated([&raw = world.raw, key, signature, hash = some_hash()] {
    raw.verify(key.get(), hash, signature);
  });
  both(one, world, [](Module& module) -> Lane {
    if (!module.offers(CKM_ECDSA, CKF_VERIFY)) return missing("not offered");
    const auto session = module.open_session();
    const auto pair = module.p256_pair(session, true);
    core::ByteArray<64> made{};
    sign(module, session, CKM_ECDSA, pair.private_key, some_hash(), made);
    return repeated([&module, session, pair, made, hash = some_hash()] {
      verify(module, session, pair.public_key, hash, made);
    });
  });
  one.target = {.to_raw = 0.96, .to_other = 1.5};
  return one;
}

Case p256_pair(World& world) {
  Case one;
  one.raw = repeated([&raw = world.raw] { (void)raw.p256(); });
  both(one, world, [](Module& module) -> Lane {
    if (!module.offers(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) return missing("not offered");
    const auto session = module.open_session();
    return repeated([&module, session] {
      const auto pair = module.p256_pair(session, false);
      destroy(module, session, pair.private_key);
      destroy(module, session, pair.public_key);
    });
  });
  one.target = {.to_raw = 0.75, .to_other = 6.8};
  return one;
}

Case rsa_sign(World& world) {
  Case one;
  one.raw = repeated([&raw = world.raw, key = shared(world.raw.rsa()), hash = some_hash()] {
    raw.sign_message(key.get(), hash);
  });
  both(one, world, [](Module& module) -> Lane {
    if (!module.offers(CKM_SHA256_RSA_PKCS, CKF_SIGN) ||
        !module.offers(CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) {
      return missing("not offered");
    }
    const auto session = module.open_session();
    const auto key = module.rsa_pair(session).private_key;
    return repeated([&module, session, key, message = some_hash()] {
      core::ByteArray<256> signature{};
      sign(module, session, CKM_SHA256_RSA_PKCS, key, message, signature);
    });
  });
  one.target = {.to_raw = 0.98, .to_other = 2.4};
  return one;
}

// Messages under one key, each with an IV of its own.
struct GcmStream {
  explicit GcmStream(std::size_t size) : in(size, 7), out(size + kTagSize) {}
  void next() {
    for (auto& byte : iv) {
      if (++byte != 0) break;
    }
  }
  core::ByteArray<12> iv{};
  core::Bytes in;
  core::Bytes out;
};

Case gcm(World& world, std::size_t size, Target target) {
  Case one;
  one.raw = repeated([&raw = world.raw, stream = GcmStream(size)]() mutable {
    stream.next();
    raw.gcm(stream.iv, stream.in, stream.out);
  });
  both(one, world, [size](Module& module) -> Lane {
    if (!module.offers(CKM_AES_GCM, CKF_ENCRYPT)) return missing("not offered");
    const auto session = module.open_session();
    const auto key = module.aes_key(session, CKA_ENCRYPT, CKA_DECRYPT);
    return repeated([&module, session, key, stream = GcmStream(size)]() mutable {
      stream.next();
      gcm_encrypt(module, session, key, stream.iv, stream.in, stream.out);
    });
  });
  one.target = target;
  return one;
}

Case cmac(World& world) {
  Case one;
  const core::Bytes message(4096, 7);
  one.raw = repeated([&raw = world.raw, message] { raw.cmac(message); });
  both(one, world, [&message](Module& module) -> Lane {
    if (!module.offers(CKM_AES_CMAC, CKF_SIGN)) return missing("not offered");
    const auto session = module.open_session();
    const auto key = module.aes_key(session, CKA_SIGN, CKA_VERIFY);
    return repeated([&module, session, key, message] {
      core::ByteArray<16> tag{};
      sign(module, session, CKM_AES_CMAC, key, message, tag);
    });
  });
  one.target = {.to_raw = 0.92, .to_other = 2.6};
  return one;
}

CK_OBJECT_HANDLE extractable_key(const Module& module, CK_SESSION_HANDLE session) {
  Attributes wanted;
  wanted.flag(CKA_TOKEN, false).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true);
  wanted.flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true).number(CKA_VALUE_LEN, 32);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  must(module.call().C_GenerateKey(session, &mechanism, wanted.data(), wanted.size(), &key),
       "C_GenerateKey");
  return key;
}

// RFC 3394, or RFC 5649 for which PKCS#11 has had two numbers.
Case key_wrap(World& world, bool padded) {
  Case one;
  one.raw = repeated([&raw = world.raw, padded] { raw.wrap_and_unwrap(padded); });
  both(one, world, [padded](Module& module) -> Lane {
    CK_MECHANISM_TYPE type = padded ? CKM_AES_KEY_WRAP_KWP : CKM_AES_KEY_WRAP;
    if (padded && !module.offers(type, CKF_WRAP)) type = CKM_AES_KEY_WRAP_PAD;
    if (!module.offers(type, CKF_WRAP | CKF_UNWRAP)) return missing("not offered");
    const auto session = module.open_session();
    const auto wrapping_key = module.aes_key(session, CKA_WRAP, CKA_UNWRAP);
    const auto key = extractable_key(module, session);
    return repeated([&module, session, type, wrapping_key, key] {
      wrap_and_unwrap(module, session, type, wrapping_key, key);
    });
  });
  one.target = {.to_raw = 1.0, .to_other = 5};
  return one;
}

Case random_bytes(World& world) {
  Case one;
  one.raw = repeated([&raw = world.raw] {
    core::ByteArray<32> out{};
    raw.random(out);
  });
  both(one, world, [](Module& module) -> Lane {
    return repeated([&module, session = module.open_session()] {
      core::ByteArray<32> out{};
      must(module.call().C_GenerateRandom(session, out.data(), out.size()), "C_GenerateRandom");
    });
  });
  one.target = {.to_raw = 1.0, .to_other = 1.4};
  return one;
}

}  // namespace

std::vector<Group> crypto_groups() {
  const auto gcm_of = [](std::size_t size, Target target) {
    return [size, target](World& world) { return gcm(world, size, target); };
  };
  return {
      {{"P-256 sign", p256_sign}},
      {{"P-256 verify", p256_verify}},
      {{"P-256 key pair, session object", p256_pair}},
      {{"RSA-2048 sign", rsa_sign}},
      {{"AES-256-GCM 4 KiB", gcm_of(4UL << 10, {.to_raw = 0.80, .to_other = 7})}},
      {{"AES-256-GCM 64 KiB", gcm_of(64UL << 10, {.to_raw = 0.97, .to_other = 6})}},
      {{"AES-256-GCM 1 MiB", gcm_of(1UL << 20, {.to_raw = 0.97, .to_other = 6})}},
      {{"AES-CMAC 4 KiB", cmac}},
      {{"AES key wrap + unwrap", [](World& world) { return key_wrap(world, false); }}},
      {{"AES key wrap + unwrap, padded", [](World& world) { return key_wrap(world, true); }}},
      {{"random 32 bytes", random_bytes}},
  };
}

}  // namespace tallystick::bench
