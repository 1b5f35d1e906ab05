// A whole life of a token in a process of its own, with values that are known: where they are while
// somebody is logged in, and that they are nowhere afterwards.
//
// What may be where (docs/operations.md, "Memory and core dumps"): a value that the token keeps is
// in locked memory, which no dump has. What libcrypto works with, the schedule of an AES key or the
// numbers of a private key, is in ordinary memory from the key's first use until it is destroyed or
// the user logs out, and so is what a private data object says. PINs are gone when the call
// returns.
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <fstream>

#include "core/crypto/kdf.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/support/vendor.h"
#include "tests/secrets/remote_module.h"
#include "tests/secrets/shared_memory.h"

namespace tallystick::test {
namespace {

std::string random_pin() { return core::to_hex(random_bytes(20)); }

core::Bytes copy_of(const core::Secret& secret) {
  return {secret.view().begin(), secret.view().end()};
}

// A module in a process of its own with a home of its own and a log.
class RemoteToken {
 public:
  RemoteToken() {
    home_.configure("[log]\nfile = \"" + scratch_.file("log") + "\"\n");
    module_.emplace(scratch_.path().string());
  }

  [[nodiscard]] const Home& home() const { return home_; }
  [[nodiscard]] RemoteModule& module() { return *module_; }
  [[nodiscard]] CK_FUNCTION_LIST* functions() const { return module_->functions(); }
  [[nodiscard]] std::string log() const { return scratch_.file("log"); }

  CK_SLOT_ID make(const std::string& so_pin, const std::string& user_pin) {
    must(functions()->C_Initialize(nullptr));
    must(init_token(functions(), 0, so_pin, "secrets"));
    Session session(functions(), 0);
    must(session.login(CKU_SO, so_pin));
    must(session.init_pin(user_pin));
    must(session.logout());
    return 0;
  }

  // Everything that the process has written anywhere.
  [[nodiscard]] std::string in_files(const Needles& needles) const {
    auto found = find_in_folder(home_.path(), needles);
    found.merge(find_in_folder(scratch_.path().string(), needles));
    return words(found);
  }
  [[nodiscard]] std::string anywhere(const Needles& needles) const {
    return words(module_->find(needles)) + in_files(needles);
  }
  [[nodiscard]] std::string dumped(const Needles& needles) const {
    return words(module_->find(needles, Look::kDumped)) + in_files(needles);
  }

  // The secret of root.key, as the file has it.
  [[nodiscard]] core::Bytes root_secret() const {
    const auto file = read_file(home_.root_keys().at(0));
    return {file.end() - 32, file.end()};
  }

 private:
  Home home_;
  Scratch scratch_;
  std::optional<RemoteModule> module_;
};

// Ordinary keys of every kind that this libcrypto has, known to the test.
class KnownKeys {
 public:
  KnownKeys() {
    for (const auto* const kind : {"RSA-2048", "P-256", "P-384", "P-521", "ED25519", "X25519"}) {
      pkeys_.emplace_back(kind, libcrypto_key(kind));
    }
  }

  void add_to(Needles& needles) const {
    needles.add("AES key", aes_).add("HMAC key", hmac_);
    needles.add("base key", base_).add("derived key", derived());
    for (const auto& [kind, key] : pkeys_) {
      if (kind != "RSA-2048") {
        needles.add_number(kind + " private value", private_value_of(key.get()));
        continue;
      }
      for (const auto* const name :
           {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
            OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
            OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
        needles.add_number(name, number_of(key.get(), name));
      }
    }
  }

  void add_data_to(Needles& needles) const { needles.add("data object", data_); }

  struct Handles {
    CK_OBJECT_HANDLE aes, kek, hmac, base, data;
    std::vector<std::pair<std::string, CK_OBJECT_HANDLE>> pkeys;
  };

  [[nodiscard]] Handles import_to(Session& session, bool on_token) const {
    const auto create = [&](Attributes attributes) {
      return must(session.create(attributes.flag(CKA_TOKEN, on_token).flag(CKA_PRIVATE, true)));
    };
    const auto secret = [&](CK_KEY_TYPE type, const core::Bytes& value) {
      return secret_key(type, value).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true);
    };
    Handles handles{};
    handles.aes = create(secret(CKK_AES, aes_).flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true));
    // Made there, since only such a one wraps sensitive keys.
    handles.kek = generate_aes(
        session,
        Attributes().flag(CKA_TOKEN, on_token).flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
    handles.hmac =
        create(secret(CKK_GENERIC_SECRET, hmac_).flag(CKA_SIGN, true).flag(CKA_VERIFY, true));
    handles.base = create(secret(CKK_GENERIC_SECRET, base_).flag(CKA_DERIVE, true));
    handles.data = create(Attributes().number(CKA_CLASS, CKO_DATA).bytes(CKA_VALUE, data_));
    for (const auto& [kind, key] : pkeys_) {
      auto attributes = private_key(key.get());
      const bool derives = kind == "X25519";
      attributes.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true);
      attributes.flag(derives ? CKA_DERIVE : CKA_SIGN, true);
      handles.pkeys.emplace_back(kind, create(attributes));
    }
    return handles;
  }

  // Every function with every key.
  void use(Session& session, const Handles& handles) const {
    const core::Bytes iv(16, 7);
    const core::Bytes message(100, 3);
    for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC_PAD, CKM_AES_CBC}) {
      Mechanism cbc(type, iv);
      const auto sealed = must(session.encrypt(cbc, handles.aes, core::Bytes(96, 1)));
      (void)must(session.decrypt(cbc, handles.aes, sealed));
    }
    Gcm gcm(core::Bytes(12, 9));
    const auto sealed = must(session.encrypt(gcm, handles.aes, message));
    (void)must(session.decrypt(gcm, handles.aes, sealed));
    const auto mac = must(session.sign(CKM_SHA256_HMAC, handles.hmac, message));
    must(session.verify(CKM_SHA256_HMAC, handles.hmac, message, mac));
    const auto derived_key = must(session.derive(Hkdf(CKM_SHA256, info()), handles.base,
                                                 Attributes()
                                                     .number(CKA_CLASS, CKO_SECRET_KEY)
                                                     .number(CKA_KEY_TYPE, CKK_AES)
                                                     .number(CKA_VALUE_LEN, 32)
                                                     .flag(CKA_TOKEN, false)
                                                     .flag(CKA_PRIVATE, true)
                                                     .flag(CKA_ENCRYPT, true)));
    (void)must(session.encrypt(gcm, derived_key, message));
    must(session.destroy(derived_key));
    for (const auto key : {handles.aes, handles.hmac}) {
      const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, handles.kek, key));
      must(session.destroy(must(session.unwrap(
          CKM_AES_KEY_WRAP_KWP, handles.kek, blob,
          Attributes()
              .number(CKA_CLASS, CKO_SECRET_KEY)
              .number(CKA_KEY_TYPE, key == handles.aes ? CKK_AES : CKK_GENERIC_SECRET)
              .flag(CKA_TOKEN, false)))));
    }
    for (const auto& [kind, key] : handles.pkeys) {
      if (kind == "X25519") {
        const auto peer = libcrypto_key("X25519");
        Ecdh ecdh(point_of(peer.get()));
        must(session.destroy(must(session.derive(ecdh, key, readable_secret(32)))));
        continue;
      }
      const auto type = kind == "RSA-2048"  ? CKM_SHA256_RSA_PKCS
                        : kind == "ED25519" ? CKM_EDDSA
                                            : CKM_ECDSA_SHA256;
      (void)must(session.sign(type, key, message));
      const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, handles.kek, key));
      must(session.destroy(
          must(session.unwrap(CKM_AES_KEY_WRAP_KWP, handles.kek, blob,
                              Attributes()
                                  .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                  .number(CKA_KEY_TYPE, session.number(key, CKA_KEY_TYPE))
                                  .flag(CKA_TOKEN, false)
                                  .flag(CKA_SIGN, true)))));
    }
    // What the caller may see goes through the caller's memory alone.
    (void)must(session.get(handles.data, CKA_VALUE));
  }

  void destroy(Session& session, const Handles& handles) const {
    for (const auto key : {handles.aes, handles.kek, handles.hmac, handles.base, handles.data}) {
      must(session.destroy(key));
    }
    for (const auto& [kind, key] : handles.pkeys) must(session.destroy(key));
  }

 private:
  static core::Bytes info() { return core::Bytes(20, 0x44); }
  [[nodiscard]] core::Bytes derived() const {
    return copy_of(value(core::hkdf(*shared_crypto(), core::Hash::kSha256, {}, base_, info(), 32)));
  }

  core::Bytes aes_ = random_bytes(32);
  core::Bytes hmac_ = random_bytes(48);
  core::Bytes base_ = random_bytes(32);
  core::Bytes data_ = random_bytes(200);
  std::vector<std::pair<std::string, PkeyPtr>> pkeys_;
};

class TokenLife : public ::testing::Test {
 protected:
  // The test's own memory is shared from here on.
  void live(const std::function<void()>& body) {
    in_shared_memory([&] {
      try {
        body();
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what() << "\n" << core::text_of(read_file(token_.log()));
      }
    });
  }
  RemoteToken token_;
};

TEST_F(TokenLife, A74_S24_PinsAreGoneWhenTheCallThatTookThemReturns) {
  live([&] {
    const auto so_pin = random_pin();
    const auto user_pin = random_pin();
    const auto new_pin = random_pin();
    const auto wrong_pin = random_pin();
    Needles pins;
    for (const auto& [name, pin] : {std::pair("SO PIN", &so_pin),
                                    {"user PIN", &user_pin},
                                    {"new PIN", &new_pin},
                                    {"wrong PIN", &wrong_pin}}) {
      pins.add(name, core::bytes_of(*pin));
    }
    const auto slot = token_.make(so_pin, user_pin);
    EXPECT_EQ(token_.anywhere(pins), "") << "after C_InitToken and C_InitPIN";
    Session session(token_.functions(), slot);
    EXPECT_THAT(session.login(CKU_USER, wrong_pin), ReturnsRv(CKR_PIN_INCORRECT));
    EXPECT_EQ(token_.anywhere(pins), "") << "after a wrong PIN";
    must(session.login(CKU_USER, user_pin));
    EXPECT_EQ(token_.anywhere(pins), "") << "logged in";
    must(session.set_pin(user_pin, new_pin));
    EXPECT_EQ(token_.anywhere(pins), "") << "after C_SetPIN";
  });
}

TEST_F(TokenLife, A74_S24_OrdinaryKeysAreInLockedMemoryWhileTheyAreThereAndNowhereAfterwards) {
  live([&] {
    const KnownKeys keys;
    Needles needles;
    keys.add_to(needles);
    keys.add_data_to(needles);
    const auto pin = random_pin();
    const auto slot = token_.make(random_pin(), pin);
    Session session(token_.functions(), slot);
    must(session.login(CKU_USER, pin));

    const auto session_keys = keys.import_to(session, false);
    EXPECT_NE(words(token_.module().find(needles)), "") << "the search sees the module's memory";
    keys.use(session, session_keys);
    EXPECT_EQ(token_.in_files(needles), "") << "session keys in use";
    keys.destroy(session, session_keys);
    EXPECT_EQ(token_.anywhere(needles), "") << "session keys destroyed";

    const auto token_keys = keys.import_to(session, true);
    keys.use(session, token_keys);
    EXPECT_EQ(token_.in_files(needles), "") << "token keys in use";
    must(session.logout());
    EXPECT_EQ(token_.anywhere(needles), "") << "logged out";
    must(token_.functions()->C_Finalize(nullptr));
    EXPECT_EQ(token_.anywhere(needles), "") << "finalised";
  });
}

TEST_F(TokenLife, A74_ADumpHasNoKeyThatNobodyHasUsed) {
  live([&] {
    const KnownKeys keys;
    const auto pin = random_pin();
    const auto slot = token_.make(random_pin(), pin);
    {
      Session session(token_.functions(), slot);
      must(session.login(CKU_USER, pin));
      (void)keys.import_to(session, true);
    }
    must(token_.functions()->C_Finalize(nullptr));
    must(token_.functions()->C_Initialize(nullptr));
    Needles needles;
    keys.add_to(needles);
    needles.add("PIN", core::bytes_of(pin)).add("root.key", token_.root_secret());
    Session session(token_.functions(), slot);
    must(session.login(CKU_USER, pin));
    EXPECT_GT(session.find({}).size(), 10U);
    EXPECT_NE(words(token_.module().find(needles)), "") << "it is in locked memory";
    EXPECT_EQ(words(token_.module().find(needles, Look::kDumped)), "");
    const auto core = token_.module().dump_core();
    if (core.empty()) {
      std::cout << "This machine writes no core files that a test could read.\n";
      return;
    }
    EXPECT_EQ(words(find_in_file(core, needles)), "");
  });
}

TEST_F(TokenLife, A74_S24_TheRootKeyIsInLockedMemoryAndInItsFileAndGoesWithTheModule) {
  live([&] {
    const auto pin = random_pin();
    const auto slot = token_.make(random_pin(), pin);
    Needles root;
    root.add("root.key", token_.root_secret());
    {
      Session session(token_.functions(), slot);
      must(session.login(CKU_USER, pin));
      EXPECT_NE(words(token_.module().find(root)), "");
      EXPECT_EQ(words(token_.module().find(root, Look::kDumped)), "");
    }
    must(token_.functions()->C_Finalize(nullptr));
    EXPECT_EQ(words(token_.module().find(root)), "");
    const auto in_files = token_.in_files(root);
    EXPECT_THAT(in_files, ::testing::HasSubstr("(root.key)"));
    EXPECT_THAT(in_files, ::testing::Not(::testing::HasSubstr("token.db")));
  });
}

TEST_F(TokenLife, A74_S24_SharesAndMasterKeysLeaveNoTrace) {
  live([&] {
    const World world;
    const auto oem_key = value(core::EcPrivateKey::generate(world.crypto(), core::Curve::kP384));
    const auto oem_id = value(core::key_id(world.crypto(), oem_key.public_xy()));
    const auto rnd_input = random_bytes(32);
    const auto asset_value = random_bytes(32);
    const auto own_key = libcrypto_key("P-256");
    const auto pin = random_pin();
    const auto slot = token_.make(random_pin(), pin);
    Needles needles;
    const auto& family = world.family();
    needles.add("K_OEM_SHARE", family.k_oem_share.view())
        .add("K_OEM_MASTER_SHARE", family.k_oem_master_share->view())
        .add("OEM_RND_INPUT", rnd_input)
        .add("asset key", asset_value)
        .add_number("asset private key", private_value_of(own_key.get()));
    for (std::size_t i = 0; i < family.shares.size(); ++i) {
      needles.add("family share " + std::to_string(i), family.shares[i].view());
    }
    {
      Session session(token_.functions(), slot);
      must(session.login(CKU_USER, pin));
      (void)must(take_family(session, world, core::FamilyRole::kProvisioning));
      (void)must(install(session, world.software()));
      EXPECT_EQ(token_.dumped(needles), "") << "a family and its software";

      const auto share = must(session.generate(share_gen(family.id, oem_id, 1, rnd_input), {}));
      // What the share set holds, opened with what only the test knows of the family.
      const OemDesk desk(world);
      const auto known =
          value(desk.device().take_share(must(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1),
                                                           family_key(session, family.id), share)),
                                         nullptr));
      const auto master = value(desk.device().derive_master_key(known));
      needles.add("OEM_SHARE", known.oem_share.view()).add("K_MK", master.value.view());
      for (const auto label : {core::kLabelEncData, core::kLabelEncKey, core::kLabelAuth}) {
        const auto key = value(desk.device().derive_asset_key(master, core::Suite::kGcm, label));
        needles.add(std::string(label), key.value.view());
      }
      EXPECT_EQ(token_.dumped(needles), "") << "a share set";
      const auto device = sealing_device(session, share, core::Suite::kGcm);
      PackagePlan plan;
      plan.assets = {flash_asset(1, "data", 0, pattern(70000, 5)), key_asset(2, "key", asset_value),
                     key_asset(3, "own", to_pkcs8(own_key.get()), core::AssetKind::kPrivateKey)};
      (void)package_from(device, world.crypto(), oem_key, plan);
      EXPECT_EQ(token_.in_files(needles), "") << "a package";
      must(session.logout());
      EXPECT_EQ(token_.dumped(needles), "") << "logged out";
    }
    must(token_.functions()->C_Finalize(nullptr));
    EXPECT_EQ(token_.anywhere(needles), "") << "finalised";
  });
}

}  // namespace
}  // namespace tallystick::test
