#include "tests/fuzz/support/token.h"

#include <stdlib.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include "tests/fuzz/support/argument_lists.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/home.h"
#include "tests/support/scratch.h"

namespace tallystick::fuzz {
namespace {

namespace fs = std::filesystem;

// So many objects more than the seed had.
constexpr std::size_t kMostLeftBehind = 32;

void ok(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  (void)std::fprintf(stderr, "fuzz: %s: 0x%lX; is tests/fuzz/seed still of this version?\n", what,
                     rv);
  std::abort();
}

CK_UTF8CHAR* text_pointer(std::string& text) { return reinterpret_cast<CK_UTF8CHAR*>(text.data()); }

CK_OBJECT_HANDLE find(CK_FUNCTION_LIST_3_2* functions, CK_SESSION_HANDLE session,
                      const SeedKey& key) {
  std::string label(key.label);
  CK_OBJECT_CLASS object_class = key.object_class;
  std::array<CK_ATTRIBUTE, 2> pattern = {
      {{CKA_LABEL, label.data(), label.size()}, {CKA_CLASS, &object_class, sizeof object_class}}};
  ok(functions->C_FindObjectsInit(session, pattern.data(), pattern.size()), "C_FindObjectsInit");
  std::array<CK_OBJECT_HANDLE, 2> found{};
  CK_ULONG count = 0;
  ok(functions->C_FindObjects(session, found.data(), found.size(), &count), "C_FindObjects");
  ok(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  if (count != 1) {
    (void)std::fprintf(stderr, "fuzz: %lu objects \"%s\" in the seed token\n", count,
                       label.c_str());
    std::abort();
  }
  return found[0];
}

// What is added to the token's table is added to the fuzzers', too.
void expect_all_mechanisms(CK_FUNCTION_LIST_3_2* functions, CK_SLOT_ID slot) {
  CK_ULONG count = 0;
  ok(functions->C_GetMechanismList(slot, nullptr, &count), "C_GetMechanismList");
  std::vector<CK_MECHANISM_TYPE> types(count);
  ok(functions->C_GetMechanismList(slot, types.data(), &count), "C_GetMechanismList");
  for (const auto type : types) {
    if (std::ranges::find(kMechanisms, type) != kMechanisms.end()) continue;
    (void)std::fprintf(stderr, "fuzz: mechanism 0x%lX is missing in argument_lists.h\n", type);
    std::abort();
  }
}

}  // namespace

void copy_seed_token(const std::string& home) {
  const auto folder = fs::path(home) / "tokens" / "0";
  fs::remove_all(home);
  fs::create_directories(folder);
  for (const auto& path : {fs::path(home), fs::path(home) / "tokens", folder}) {
    fs::permissions(path, fs::perms::owner_all);
  }
  for (const std::string name : {"token.db", "root.key"}) {
    test::write_file((folder / name).string(), seed("token/" + name));
    fs::permissions(folder / name, fs::perms::owner_read | fs::perms::owner_write);
  }
}

Token::Token() {
  // Everything that can be turned on is.
  const auto settings = fuzz::home().put(
      "tallystick.toml",
      core::bytes_of(
          "[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = true\npkcs5_pbkd2 = true\n"));
  (void)setenv("TALLYSTICK_CONF", settings.c_str(), 1);
  (void)setenv("TALLYSTICK_HOME", fuzz::home().file("home").c_str(), 1);
  CK_VERSION version{3, 2};
  CK_INTERFACE* found = nullptr;
  ok(C_GetInterface(nullptr, &version, &found, 0), "C_GetInterface");
  functions_ = static_cast<CK_FUNCTION_LIST_3_2*>(found->pFunctionList);
  start();
  expect_all_mechanisms(functions_, slot_);
}

Token::~Token() { (void)functions_->C_Finalize(nullptr); }

void Token::start() {
  copy_seed_token(fuzz::home().file("home"));
  ok(functions_->C_Initialize(nullptr), "C_Initialize");
  CK_ULONG count = 1;
  std::array<CK_SLOT_ID, 4> slots{};
  count = slots.size();
  ok(functions_->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slot_ = slots[0];
  ok(functions_->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                               &base_),
     "C_OpenSession");
  std::string pin(kUserPin);
  ok(functions_->C_Login(base_, CKU_USER, text_pointer(pin), pin.size()), "C_Login");
  keys_.clear();
  for (const auto& key : kSeedKeys) keys_.push_back(find(functions_, base_, key));
  left_behind_ = 0;
}

void Token::stop() { ok(functions_->C_Finalize(nullptr), "C_Finalize"); }

CK_OBJECT_HANDLE Token::key(std::string_view label, CK_OBJECT_CLASS object_class) const {
  for (std::size_t i = 0; i < kSeedKeys.size(); ++i) {
    if (kSeedKeys[i].label == label && kSeedKeys[i].object_class == object_class) return keys_[i];
  }
  throw std::runtime_error("no such key in the seed token");
}

void Token::forget(std::span<const CK_OBJECT_HANDLE> made) {
  for (const auto object : made) {
    const auto rv = functions_->C_DestroyObject(base_, object);
    if (rv != CKR_OK && rv != CKR_OBJECT_HANDLE_INVALID) ++left_behind_;
  }
  if (left_behind_ <= kMostLeftBehind) return;
  stop();
  start();
}

Token& token() {
  static Token one;
  return one;
}

Session::Session() {
  ok(token()->C_OpenSession(token().slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                            &handle_),
     "C_OpenSession");
}

Session::~Session() {
  ok(token()->C_CloseSession(handle_), "C_CloseSession");
  token().forget(made_);
}

}  // namespace tallystick::fuzz
