#include "tests/model/world.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::model {
namespace {

namespace fs = std::filesystem;

constexpr Ref kFirstOfSlot = 1000;  // refs of what is there at the beginning
constexpr unsigned kFirstCallOfSlot = 2000;

void must(CK_RV rv, const char* what) {
  if (rv != CKR_OK) throw std::runtime_error(std::string(what) + ": " + rv_text(rv));
}

Bytes number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error(name);
  Bytes out(static_cast<std::size_t>(BN_num_bytes(number)));
  (void)BN_bn2bin(number, out.data());
  BN_clear_free(number);
  return out;
}

Bytes read(Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
           CK_ATTRIBUTE_TYPE type) {
  Bytes out(512);
  CK_ATTRIBUTE wanted = {type, out.data(), out.size()};
  must(module->C_GetAttributeValue(session, object, &wanted, 1), "reading an attribute");
  out.resize(wanted.ulValueLen);
  return out;
}

// Both tokens belong to one family, so that a share of the one can be brought to the other.
const test::World& icm() {
  static const test::World kWorld;
  return kWorld;
}

Object managed_object(Managed kind, unsigned slot, CK_OBJECT_HANDLE handle) {
  Object object;
  object.managed = kind;
  object.slot = slot;
  object.handle = handle;
  for (const auto& [type, value] :
       std::initializer_list<std::pair<CK_ATTRIBUTE_TYPE, bool>>{{CKA_TOKEN, true},
                                                                 {CKA_MODIFIABLE, false},
                                                                 {CKA_COPYABLE, false},
                                                                 {CKA_DESTROYABLE, false}}) {
    object.attributes[type] = bytes_of(value);
  }
  return object;
}

Object device_half(CK_OBJECT_CLASS object_class, unsigned slot, CK_OBJECT_HANDLE handle) {
  auto object = managed_object(Managed::kDevice, slot, handle);
  const bool secret = object_class == CKO_PRIVATE_KEY;
  object.attributes[CKA_CLASS] = bytes_of(CK_ULONG{object_class});
  object.attributes[CKA_KEY_TYPE] = bytes_of(CK_ULONG{CKK_EC});
  object.attributes[CKA_LABEL] = {'d', 'e', 'v', 'i', 'c', 'e'};
  object.attributes[CKA_PRIVATE] = bytes_of(secret);
  object.attributes[CKA_EC_PARAMS] = p256();
  for (const auto& row : rows()) {
    // Uses of version 3.2 stand only on keys that were made for them.
    const bool newer = row.type == CKA_ENCAPSULATE || row.type == CKA_DECAPSULATE;
    if (row.is_use && !newer && (row.classes & class_set(object_class)) != 0) {
      const bool does =
          secret ? row.type == CKA_SIGN || row.type == CKA_UNWRAP : row.type == CKA_VERIFY;
      object.attributes[row.type] = bytes_of(does);
    }
  }
  if (secret) {
    object.attributes[CKA_SENSITIVE] = bytes_of(true);
    object.attributes[CKA_EXTRACTABLE] = bytes_of(false);
  }
  return object;
}

// What the model has no word about is as the token says it is at first.
void complete(Module& module, CK_SESSION_HANDLE session, Object& object) {
  for (const auto& row : rows()) {
    Bytes value(512);
    CK_ATTRIBUTE wanted = {row.type, value.data(), value.size()};
    const bool said = object.attributes.contains(row.type) || row.is_secret ||
                      row.kind == Kind::kArray || row.type == CKA_UNIQUE_ID;
    if (said || module->C_GetAttributeValue(session, object.handle, &wanted, 1) != CKR_OK) continue;
    value.resize(wanted.ulValueLen);
    object.attributes[row.type] = value;
  }
}

// Something of the token's that is no key.
Object as_it_is(unsigned slot, CK_OBJECT_HANDLE handle) {
  Object object;
  object.managed = Managed::kFixed;
  object.slot = slot;
  object.handle = handle;
  return object;
}

void keep(Module& module, Runner& runner, CK_SESSION_HANDLE session, Ref ref, Object object) {
  complete(module, session, object);
  runner.learn_identity(session, object);
  const auto handle = object.handle;
  object.value = runner.model.new_value(object.key_type() == CKK_EC ? 32 : 0);
  runner.model.keep(ref, handle, std::move(object));
}

}  // namespace

TokenWorld::TokenWorld(const std::string& module_path) : module_(module_path) {
  (void)unsetenv("TALLYSTICK_LOG");
  const auto settings = scratch_.file("tallystick.toml");
  test::write_file(settings, {});
  (void)setenv("TALLYSTICK_CONF", settings.c_str(), 1);
  (void)setenv("TALLYSTICK_HOME", home().c_str(), 1);

  EVP_PKEY* const rsa = EVP_RSA_gen(2048);
  if (rsa == nullptr) throw std::runtime_error("no RSA key");
  const auto modulus = number_of(rsa, OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number_of(rsa, OSSL_PKEY_PARAM_RSA_E);
  given_.rsa_public = {{CKA_MODULUS, modulus}, {CKA_PUBLIC_EXPONENT, exponent}};
  given_.rsa_private = given_.rsa_public;
  given_.rsa_private.push_back({CKA_PRIVATE_EXPONENT, number_of(rsa, OSSL_PKEY_PARAM_RSA_D)});
  given_.rsa_private.push_back({CKA_PRIME_1, number_of(rsa, OSSL_PKEY_PARAM_RSA_FACTOR1)});
  given_.rsa_private.push_back({CKA_PRIME_2, number_of(rsa, OSSL_PKEY_PARAM_RSA_FACTOR2)});
  EVP_PKEY_free(rsa);

  const auto& family_id = icm().family().id;
  given_.share_parameter.assign(family_id.begin(), family_id.end());
  given_.share_parameter.insert(given_.share_parameter.end(), 32, 0x07);  // oem_id
  given_.share_parameter.insert(given_.share_parameter.end(), {0, 0, 0, 1});
  given_.share_parameter.insert(given_.share_parameter.end(), 32, 0x09);  // OEM_RND_INPUT

  must(module_->C_Initialize(nullptr), "C_Initialize");
  initialized_ = true;
  Statistics none;
  Runner runner(module_, none);
  for (unsigned slot = 0; slot < Model::kTokens; ++slot) make_token(slot, runner);
  must(module_->C_Finalize(nullptr), "C_Finalize");
  initialized_ = false;
  fs::copy(home(), ready(), fs::copy_options::recursive);
  runner.begin_process();
  start_ = runner.model;
}

TokenWorld::~TokenWorld() {
  if (initialized_) (void)module_->C_Finalize(nullptr);
}

void TokenWorld::make_token(unsigned slot, Runner& runner) {
  Bytes label(32, ' ');
  Bytes so_pin = kSoPin;
  Bytes user_pin = kUserPin;
  must(module_->C_InitToken(slot, so_pin.data(), so_pin.size(), label.data()), "C_InitToken");
  CK_ULONG slots = 0;
  must(module_->C_GetSlotList(CK_FALSE, nullptr, &slots), "C_GetSlotList");
  CK_SESSION_HANDLE session = 0;
  must(
      module_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
      "C_OpenSession");
  must(module_->C_Login(session, CKU_SO, so_pin.data(), so_pin.size()), "C_Login");
  must(module_->C_InitPIN(session, user_pin.data(), user_pin.size()), "C_InitPIN");
  must(module_->C_Logout(session), "C_Logout");
  must(module_->C_Login(session, CKU_USER, user_pin.data(), user_pin.size()), "C_Login");
  auto& token = runner.model.tokens.at(slot);
  token.user_pin = kUserPin;
  token.so_pin = kSoPin;
  token.login = Login::kUser;
  take_family(slot, session, runner);
  make_keys(slot, session, runner);
  must(module_->C_CloseSession(session), "C_CloseSession");
}

void TokenWorld::take_family(unsigned slot, CK_SESSION_HANDLE session, Runner& runner) {
  std::vector<CK_OBJECT_HANDLE> found(20);
  CK_ULONG count = 0;
  must(module_->C_FindObjectsInit(session, nullptr, 0), "C_FindObjectsInit");
  must(module_->C_FindObjects(session, found.data(), found.size(), &count), "C_FindObjects");
  must(module_->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  Ref ref = kFirstOfSlot + 100 * slot;
  CK_OBJECT_HANDLE device = 0;
  Bytes point;
  for (CK_ULONG i = 0; i < count; ++i) {
    const auto object_class = number_in(read(module_, session, found[i], CKA_CLASS)).value_or(0);
    if (object_class == CKO_PRIVATE_KEY) device = found[i];
    if (object_class == CKO_PUBLIC_KEY) point = read(module_, session, found[i], CKA_EC_POINT);
    keep(module_, runner, session, ref++,
         class_set(object_class) == 0 ? as_it_is(slot, found[i])
                                      : device_half(object_class, slot, found[i]));
  }

  const auto blob =
      icm().family_blob(core::FamilyRole::kProvisioning, core::ByteView(point).last(64));
  Bytes in(blob.begin(), blob.end());
  auto fingerprint = icm().fingerprint();
  CK_MECHANISM mechanism = {CKM_TS_FAMILY_WRAP, fingerprint.data(), fingerprint.size()};
  CK_OBJECT_HANDLE handle = 0;
  must(module_->C_UnwrapKey(session, &mechanism, device, in.data(), in.size(), nullptr, 0, &handle),
       "taking the family in");
  auto family = managed_object(Managed::kFamily, slot, handle);
  family.attributes[CKA_CLASS] = bytes_of(CK_ULONG{CKO_SECRET_KEY});
  family.attributes[CKA_KEY_TYPE] = bytes_of(CK_ULONG{CKK_TS_FAMILY});
  for (const auto& row : rows()) {
    if (row.is_use && (row.classes & kSecret) != 0) {
      family.attributes[row.type] = bytes_of(row.type == CKA_WRAP || row.type == CKA_UNWRAP);
    }
  }
  family.attributes[CKA_PRIVATE] = bytes_of(true);
  family.attributes[CKA_SENSITIVE] = bytes_of(true);
  family.attributes[CKA_EXTRACTABLE] = bytes_of(false);
  keep(module_, runner, session, ref++, family);

  // One token's software permits everything, the other's neither makes shares nor takes them in.
  auto permissions = test::all_permissions();
  if (slot == 1) {
    std::erase_if(permissions, [](const core::PermissionRecord& one) {
      return one.operation == static_cast<std::uint16_t>(core::Operation::kMakeShares) ||
             one.operation == static_cast<std::uint16_t>(core::Operation::kTakeBlobs);
    });
    runner.model.tokens.at(slot).makes_shares = false;
    runner.model.tokens.at(slot).takes_shares = false;
  }
  const std::string name = "software of the model";
  const auto image = icm().software(1, test::kForAll, permissions, name);
  PackedTemplate packed({{CKA_CLASS, bytes_of(CK_ULONG{CKO_TS_SOFTWARE})},
                         {CKA_VALUE, Bytes(image.begin(), image.end())}});
  must(module_->C_CreateObject(session, packed.data(), packed.size(), &handle),
       "installing the software");
  keep(module_, runner, session, ref++, as_it_is(slot, handle));

  const auto& own = icm().family();
  const auto keep_inside = [this](core::ByteView view) {
    secrets_.emplace_back(view.begin(), view.end());
  };
  for (const auto& share : own.shares) keep_inside(share.view());
  keep_inside(own.k_oem_share.view());
  if (own.k_oem_master_share) keep_inside(own.k_oem_master_share->view());
}

// Pairs that may wrap, because making one takes long: one whose private half may unwrap, and one
// whose private half only signs.
void TokenWorld::make_keys(unsigned slot, CK_SESSION_HANDLE session, Runner& runner) {
  Call open;
  open.id = 1;
  open.slot = slot;
  open.number = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  runner.model.did_open(open, session);
  unsigned id = kFirstCallOfSlot + 100 * slot;
  for (const CK_ATTRIBUTE_TYPE use : {CKA_UNWRAP, CKA_SIGN}) {
    Call call;
    call.id = id++;
    call.op = Op::kGeneratePair;
    call.session = 1;
    call.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
    call.attributes = {{CKA_MODULUS_BITS, bytes_of(CK_ULONG{3072})},
                       {CKA_TOKEN, bytes_of(true)},
                       {CKA_WRAP, bytes_of(true)}};
    call.attributes2 = {
        {CKA_TOKEN, bytes_of(true)}, {CKA_EXTRACTABLE, bytes_of(true)}, {use, bytes_of(true)}};
    const auto difference = runner.run(call);
    if (!difference.empty()) throw std::runtime_error("making a pair: " + difference);
  }
}

void TokenWorld::begin(Runner& runner, const Rules& rules) {
  if (initialized_) must(module_->C_Finalize(nullptr), "C_Finalize");
  initialized_ = false;
  fs::remove_all(home());
  fs::copy(ready(), home(), fs::copy_options::recursive);
  must(module_->C_Initialize(nullptr), "C_Initialize");
  initialized_ = true;
  runner.model = start_;
  runner.secrets = secrets_;
  runner.begin_process();
  for (unsigned slot = 0; slot < Model::kTokens; ++slot) {
    const auto difference = runner.check_slot(slot);
    if (!difference.empty()) throw std::runtime_error("a fresh token: " + difference);
  }
  runner.model.rules = rules;
}

}  // namespace tallystick::model
