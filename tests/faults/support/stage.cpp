#include "tests/faults/support/stage.h"

#include <stdlib.h>

#include <filesystem>

#include "tests/pkcs11/support/derivation.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

Attributes on_token(std::string_view label) {
  return Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, label);
}

Attributes data(std::string_view label) {
  return on_token(label)
      .number(CKA_CLASS, CKO_DATA)
      .flag(CKA_PRIVATE, true)
      .text(CKA_VALUE, "what it holds");
}

void nothing(Scene&) {}

// Beside the one token of Prepared::kToken. The same one for the next try: a call that failed may
// have made the token all the same, when nothing could be taken back.
constexpr CK_SLOT_ID kFreeSlot = 1;

Answer<KeyPair> pair(Scene& scene, bool public_on_token) {
  return scene.session->generate_pair(CKM_EC_KEY_PAIR_GEN,
                                      Attributes()
                                          .bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256))
                                          .flag(CKA_TOKEN, public_on_token)
                                          .text(CKA_LABEL, "new"),
                                      on_token("new").flag(CKA_SIGN, true));
}

// What preparing leaves for the operation; one trial at a time.
core::Bytes blob;

Operation login(const char* name, CK_USER_TYPE user, const char* pin, CK_RV answer) {
  return {name,
          Prepared::kToken,
          As::kNobody,
          nothing,
          [=](Scene& scene) { return scene.session->login(user, pin); },
          answer,
          user == CKU_SO ? 0 : 1,
          false};
}

// The PIN for one operation, in a session of its own that ends with it.
CK_RV login_for_operation(Scene& scene, CK_OBJECT_HANDLE key, std::string pin) {
  auto& call = *scene.functions;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  auto rv = call.C_OpenSession(scene.slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
  if (rv != CKR_OK) return rv;
  CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
  rv = call.C_SignInit(session, &ecdsa, key);
  if (rv == CKR_OK) {
    rv = call.C_Login(session, CKU_CONTEXT_SPECIFIC, reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                      pin.size());
  }
  (void)call.C_CloseSession(session);
  return rv;
}

// What preparing leaves for such a login; one trial at a time.
CK_OBJECT_HANDLE asks_each_time;

Operation context_login(const char* name, const char* pin, CK_RV answer) {
  return {name,
          Prepared::kToken,
          As::kUser,
          [](Scene& scene) {
            asks_each_time = generate_ec(*scene.session, core::Curve::kP256, {},
                                         Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true))
                                 .private_key;
          },
          [=](Scene& scene) { return login_for_operation(scene, asks_each_time, pin); },
          answer,
          1,
          false};
}

std::vector<Operation> ordinary() {
  return {
      {"C_InitToken, the first", Prepared::kEmpty, As::kNobodyWithoutSession, nothing,
       [](Scene& scene) { return init_token(scene.functions, scene.slot, kSoPin, "made"); }},
      {"C_InitToken, one more", Prepared::kToken, As::kNobodyWithoutSession, nothing,
       [](Scene& scene) { return init_token(scene.functions, kFreeSlot, kSoPin, "made"); }},
      {"C_InitToken, again", Prepared::kFamily, As::kNobodyWithoutSession, nothing,
       [](Scene& scene) { return init_token(scene.functions, scene.slot, kSoPin, "again"); },
       CKR_OK, 0},
      {"C_InitToken, wrong PIN", Prepared::kToken, As::kNobodyWithoutSession, nothing,
       [](Scene& scene) { return init_token(scene.functions, scene.slot, kWrongPin, "again"); },
       CKR_PIN_INCORRECT, 0},
      {"C_InitPIN", Prepared::kToken, As::kSo, nothing,
       [](Scene& scene) { return scene.session->init_pin(kOtherPin); }},
      {"C_SetPIN, user", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return scene.session->set_pin(kUserPin, kOtherPin); }, CKR_OK, 1},
      {"C_SetPIN, SO", Prepared::kToken, As::kSo, nothing,
       [](Scene& scene) { return scene.session->set_pin(kSoPin, kOtherPin); }, CKR_OK, 0},
      {"C_SetPIN, wrong", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return scene.session->set_pin(kWrongPin, kOtherPin); }, CKR_PIN_INCORRECT,
       1},
      login("C_Login, user, right", CKU_USER, kUserPin, CKR_OK),
      login("C_Login, user, wrong", CKU_USER, kWrongPin, CKR_PIN_INCORRECT),
      login("C_Login, SO, right", CKU_SO, kSoPin, CKR_OK),
      login("C_Login, SO, wrong", CKU_SO, kWrongPin, CKR_PIN_INCORRECT),
      context_login("C_Login for an operation, right", kUserPin, CKR_OK),
      context_login("C_Login for an operation, wrong", kWrongPin, CKR_PIN_INCORRECT),
      {"C_CreateObject, data", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return scene.session->create(data("new")).rv; }},
      {"C_CreateObject, key", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->create(Attributes(secret_key(CKK_AES, core::Bytes(32, 7))).append(on_token("new")))
             .rv;
       }},
      {"C_CopyObject", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session->copy(scene.object("old"), Attributes().text(CKA_LABEL, "new")).rv;
       }},
      {"C_DestroyObject", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return scene.session->destroy(scene.object("old")); }},
      {"C_SetAttributeValue", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session->set(scene.object("old"),
                                   Attributes().text(CKA_LABEL, "new").text(CKA_VALUE, "other"));
       }},
      {"C_GenerateKey", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session->generate(CKM_AES_KEY_GEN, aes_template(32).append(on_token("new")))
             .rv;
       }},
      {"C_GenerateKeyPair", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return pair(scene, true).rv; }},
      {"C_GenerateKeyPair, half of it a session object", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) { return pair(scene, false).rv; }},
      {"C_UnwrapKey", Prepared::kToken, As::kUser,
       [](Scene& scene) {
         blob = must(scene.session->wrap(CKM_AES_KEY_WRAP_KWP, scene.object("wrapping"),
                                         scene.object("wrapped")));
       },
       [](Scene& scene) {
         return scene.session
             ->unwrap(
                 CKM_AES_KEY_WRAP_KWP, scene.object("wrapping"), blob,
                 on_token("new").number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES))
             .rv;
       }},
      {"C_DeriveKey", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->derive(Hkdf(CKM_SHA256), scene.object("base"),
                      on_token("new")
                          .number(CKA_CLASS, CKO_SECRET_KEY)
                          .number(CKA_KEY_TYPE, CKK_AES)
                          .number(CKA_VALUE_LEN, 32))
             .rv;
       }},
  };
}

std::vector<Operation> vendor() {
  return {
      {"CKM_TS_FAMILY_GEN", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->generate(
                 family_gen(core::Bytes(16, 0x77), 0, 1, scene.stage.world().icm_key().public_xy()),
                 {})
             .rv;
       }},
      {"C_CreateObject, a family by its value", Prepared::kToken, As::kUser, nothing,
       [](Scene& scene) {
         return import_family(*scene.session, import_form(scene.stage.world().family())).rv;
       }},
      {"CKM_TS_FAMILY_WRAP, taking a family in", Prepared::kToken, As::kUser,
       [](Scene& scene) {
         blob = scene.stage.world().family_blob(core::FamilyRole::kProvisioning,
                                                device_xy(*scene.session));
       },
       [](Scene& scene) {
         const auto& fingerprint = scene.stage.world().fingerprint();
         return scene.session
             ->unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                      device_key(*scene.session, CKO_PRIVATE_KEY), blob, {})
             .rv;
       }},
      {"CKO_TS_SOFTWARE, the first", Prepared::kBareFamily, As::kUser,
       [](Scene& scene) { blob = scene.stage.world().software(); },
       [](Scene& scene) { return install(*scene.session, blob).rv; }},
      {"CKO_TS_SOFTWARE, a newer one", Prepared::kFamily, As::kUser,
       [](Scene& scene) { blob = scene.stage.world().software(2); },
       [](Scene& scene) { return install(*scene.session, blob).rv; }},
      {"CKM_TS_OEM_SHARE_GEN", Prepared::kFamily, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->generate(share_gen(scene.stage.world().family().id, scene.stage.token().oem_id(), 1,
                                  core::Bytes(32, 5)),
                        on_token("new"))
             .rv;
       }},
      {"CKM_TS_OEM_SHARE_WRAP, taking a share in", Prepared::kFamily, As::kUser,
       [](Scene& scene) { blob = scene.stage.desk().share_blob(); },
       [](Scene& scene) {
         return scene.session->unwrap(CKM_TS_OEM_SHARE_WRAP, scene.family(), blob, on_token("new"))
             .rv;
       }},
      {"CKM_TS_MASTER_SHARE_WRAP, regenerating", Prepared::kFamily, As::kUser,
       [](Scene& scene) { blob = scene.stage.desk().master_blob(); },
       [](Scene& scene) {
         const auto& stage = scene.stage;
         return scene.session
             ->unwrap(regenerate(stage.world().crypto(), stage.desk().key(),
                                 device_id(*scene.session), device_nonce(*scene.session), blob),
                      scene.family(), blob, on_token("new"))
             .rv;
       }},
      {"CKM_TS_MASTER_KEY_DERIVE", Prepared::kFamily, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->derive(CKM_TS_MASTER_KEY_DERIVE, scene.object("share"), on_token("new"))
             .rv;
       }},
      {"CKM_TS_ASSET_GENERATE, a pair's private half", Prepared::kFamily, As::kUser, nothing,
       [](Scene& scene) {
         return scene.session
             ->derive(asset_generate(CK_TS_ASSET_P256, "new"), scene.object("share"),
                      Attributes().flag(CKA_TOKEN, true))
             .rv;
       }},
  };
}

}  // namespace

CK_OBJECT_HANDLE Scene::object(const std::string& label) const {
  const auto found = session->find(Attributes().text(CKA_LABEL, label));
  if (found.size() != 1) throw std::runtime_error("not one object is labelled " + label);
  return found.front();
}

CK_OBJECT_HANDLE Scene::family() const { return family_key(*session, stage.world().family().id); }

Stage::Stage() {
  // The plain token is the family's before it had one.
  FamilyOptions options;
  options.software = false;
  token_ = std::make_unique<FamilyToken>(options);
  desk_ = std::make_unique<OemDesk>(token_->world());
  prepare_objects();
  token_->close_session();
  keep(Prepared::kBareFamily, token_->slot());

  token_->initialize();
  token_->open_and_login();
  (void)must(install(token_->session(), token_->world().software()));
  (void)must(token_->make_share(1, on_token("share")));
  token_->close_session();
  keep(Prepared::kFamily, token_->slot());

  token_->initialize();
  const auto slot = token_->module().free_slot();
  must(init_token(token_->functions(), slot, kSoPin, "test"));
  {
    Session session(token_->functions(), slot);
    must(session.login(CKU_SO, kSoPin));
    must(session.init_pin(kUserPin));
  }
  token_->finalize();
  // The one that was there first goes.
  const auto tokens = fs::path(token_->home().path()) / "tokens";
  fs::remove_all(tokens / "0");
  fs::rename(tokens / std::to_string(slot), tokens / "0");
  token_->initialize();
  token_->open_and_login();
  prepare_objects();
  token_->close_session();
  keep(Prepared::kToken, 0);
  use_home(home());
}

Stage::~Stage() = default;

std::string Stage::prepared(Prepared as) const {
  return scratch_.file("prepared-" + std::to_string(static_cast<int>(as)));
}

void Stage::keep(Prepared as, CK_SLOT_ID slot) {
  {
    Session session(token_->functions(), slot);
    for (const CK_USER_TYPE user : {CKU_USER, CKU_SO}) {
      // Those that were spent before are given back.
      must(session.login(user, user == CKU_SO ? kSoPin : kUserPin));
      must(session.logout());
      for (int i = 0; i < kTriesSpent; ++i) {
        if (session.login(user, kWrongPin) != CKR_PIN_INCORRECT) {
          throw std::runtime_error("a wrong PIN is taken");
        }
      }
    }
  }
  token_->finalize();
  fs::copy(token_->home().path(), prepared(as), fs::copy_options::recursive);
}

void Stage::prepare_objects() {
  auto& session = token_->session();
  (void)must(session.create(data("old")));
  (void)must(session.create(on_token("public")
                                .number(CKA_CLASS, CKO_DATA)
                                .flag(CKA_PRIVATE, false)
                                .text(CKA_VALUE, "for all")));
  (void)generate_aes(session, on_token("wrapping").flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  (void)generate_aes(session, on_token("wrapped").flag(CKA_EXTRACTABLE, true));
  (void)must(session.create(Attributes(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 3)))
                                .append(on_token("base"))
                                .flag(CKA_DERIVE, true)));
  (void)generate_ec(session, core::Curve::kP256, on_token("signing"), on_token("signing"));
}

void Stage::set_up(Prepared as) const {
  fs::remove_all(folder());
  fs::create_directory(folder());
  if (as == Prepared::kEmpty) return;
  fs::copy(prepared(as), home(), fs::copy_options::recursive);
}

void Stage::use_home(const std::string& folder) {
  (void)setenv("TALLYSTICK_HOME", folder.c_str(), 1);
}

std::unique_ptr<Scene> Stage::open(const Operation& operation) const {
  must(module()->C_Initialize(nullptr));
  auto scene = std::make_unique<Scene>(*this, module().functions(), 0);
  if (operation.as == As::kNobodyWithoutSession) {
    // Looked at once, as every application does.
    (void)module().token_info(0);
    return scene;
  }
  scene->session.emplace(module().functions(), scene->slot);
  if (operation.as == As::kUser) must(scene->session->login(CKU_USER, kUserPin));
  if (operation.as == As::kSo) must(scene->session->login(CKU_SO, kSoPin));
  operation.prepare(*scene);
  return scene;
}

void Stage::close(std::unique_ptr<Scene> scene) const {
  scene.reset();
  must(module()->C_Finalize(nullptr));
}

const std::vector<Operation>& operations() {
  static const auto all = [] {
    auto some = ordinary();
    for (auto& one : vendor()) some.push_back(std::move(one));
    return some;
  }();
  return all;
}

}  // namespace tallystick::test
