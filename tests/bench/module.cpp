#include "tests/bench/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace tallystick::bench {
namespace {

constexpr std::string_view kSoPin = "12345678";
constexpr auto kP256 =
    std::to_array<std::uint8_t>({0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07});
constexpr auto kRsaExponent = std::to_array<std::uint8_t>({1, 0, 1});

std::vector<CK_SLOT_ID> slots_of(CK_FUNCTION_LIST& functions) {
  CK_ULONG count = 0;
  must(functions.C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  must(functions.C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  return slots;
}

std::string padded_label(std::string_view label) {
  std::string out(label);
  out.resize(sizeof CK_TOKEN_INFO{}.label, ' ');
  return out;
}

// C_* functions take their input through pointers to non-const.
struct Text {
  explicit Text(std::string_view from) : bytes(from.begin(), from.end()) {}
  std::vector<CK_UTF8CHAR> bytes;
  CK_UTF8CHAR* data() { return bytes.data(); }
  [[nodiscard]] CK_ULONG size() const { return bytes.size(); }
};

}  // namespace

void stop(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::exit(1);
}

void must(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  std::array<char, 32> number{};
  (void)std::snprintf(number.data(), number.size(), "0x%lx", rv);
  stop(std::string(what) + " answers " + number.data());
}

CK_FUNCTION_LIST* load_functions(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) return nullptr;
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) stop(dlerror());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get == nullptr) stop(path + " has no C_GetFunctionList");
  CK_FUNCTION_LIST* functions = nullptr;
  must(get(&functions), "C_GetFunctionList");
  return functions;
}

void initialize_module(CK_FUNCTION_LIST& functions) {
  CK_C_INITIALIZE_ARGS args{};
  args.flags = CKF_OS_LOCKING_OK;
  const auto rv = functions.C_Initialize(&args);
  if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) must(rv, "C_Initialize");
}

CK_SLOT_ID slot_of(CK_FUNCTION_LIST& functions, std::string_view label) {
  const auto wanted = padded_label(label);
  for (const auto slot : slots_of(functions)) {
    CK_TOKEN_INFO info{};
    must(functions.C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    if (std::ranges::equal(info.label, core::bytes_of(wanted))) return slot;
  }
  stop("no token " + std::string(label));
}

std::unique_ptr<Module> Module::start(const std::string& path) {
  auto* const functions = load_functions(path);
  if (functions == nullptr) return nullptr;
  std::unique_ptr<Module> module(new Module(path, functions));
  initialize_module(*functions);
  module->make_token();
  return module;
}

Module::~Module() { (void)functions_->C_Finalize(nullptr); }

void Module::make_token() {
  Text label(padded_label(kTokenLabel));
  Text so_pin(kSoPin);
  Text pin(kPin);
  // The last slot is the one without a token, in both modules.
  must(call().C_InitToken(slots_of(call()).back(), so_pin.data(), so_pin.size(), label.data()),
       "C_InitToken");
  slot_ = slot_of(call(), kTokenLabel);
  session_ = open_session();
  must(call().C_Login(session_, CKU_SO, so_pin.data(), so_pin.size()), "C_Login of the SO");
  must(call().C_InitPIN(session_, pin.data(), pin.size()), "C_InitPIN");
  must(call().C_Logout(session_), "C_Logout");
  must(call().C_Login(session_, CKU_USER, pin.data(), pin.size()), "C_Login");
}

bool Module::offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const {
  CK_MECHANISM_INFO info{};
  return call().C_GetMechanismInfo(slot_, mechanism, &info) == CKR_OK &&
         (info.flags & flags) == flags;
}

CK_SESSION_HANDLE Module::open_session() const {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  must(call().C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
       "C_OpenSession");
  return session;
}

Pair Module::p256_pair(CK_SESSION_HANDLE session, bool on_token) const {
  Attributes public_half;
  public_half.flag(CKA_TOKEN, on_token).flag(CKA_VERIFY, true).bytes(CKA_EC_PARAMS, kP256);
  Attributes private_half;
  private_half.flag(CKA_TOKEN, on_token).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  private_half.flag(CKA_SIGN, true);
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  Pair pair;
  must(call().C_GenerateKeyPair(session, &mechanism, public_half.data(), public_half.size(),
                                private_half.data(), private_half.size(), &pair.public_key,
                                &pair.private_key),
       "C_GenerateKeyPair");
  return pair;
}

Pair Module::rsa_pair(CK_SESSION_HANDLE session) const {
  Attributes public_half;
  public_half.flag(CKA_TOKEN, true).flag(CKA_VERIFY, true).number(CKA_MODULUS_BITS, 2048);
  public_half.bytes(CKA_PUBLIC_EXPONENT, kRsaExponent);
  Attributes private_half;
  private_half.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  private_half.flag(CKA_SIGN, true);
  CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  Pair pair;
  must(call().C_GenerateKeyPair(session, &mechanism, public_half.data(), public_half.size(),
                                private_half.data(), private_half.size(), &pair.public_key,
                                &pair.private_key),
       "C_GenerateKeyPair");
  return pair;
}

CK_OBJECT_HANDLE Module::aes_key(CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE use,
                                 CK_ATTRIBUTE_TYPE other_use) const {
  Attributes wanted;
  wanted.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  wanted.flag(CKA_EXTRACTABLE, false).number(CKA_VALUE_LEN, 32);
  wanted.flag(use, true).flag(other_use, true);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  must(call().C_GenerateKey(session, &mechanism, wanted.data(), wanted.size(), &key),
       "C_GenerateKey");
  return key;
}

CK_OBJECT_HANDLE Module::create_key(CK_SESSION_HANDLE session, std::string_view label) const {
  static constexpr core::ByteArray<32> kValue{1, 2, 3};
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES).flag(CKA_TOKEN, true);
  wanted.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  wanted.flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true);
  wanted.text(CKA_LABEL, label).bytes(CKA_VALUE, kValue);
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  must(call().C_CreateObject(session, wanted.data(), wanted.size(), &key), "C_CreateObject");
  return key;
}

void Module::fill(std::size_t wanted) {
  for (; filled_ < wanted; ++filled_) (void)create_key(session_, object_label(filled_));
}

std::string object_label(std::size_t number) { return "object " + std::to_string(number); }

}  // namespace tallystick::bench
