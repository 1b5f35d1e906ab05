#include "tests/faults/support/state.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "tests/pkcs11/support/database.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

struct Readable {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
  bool random;
};

constexpr Readable kReadable[] = {
    {CKA_CLASS, "class", false},
    {CKA_KEY_TYPE, "key type", false},
    {CKA_LABEL, "label", false},
    {CKA_TOKEN, "token", false},
    {CKA_PRIVATE, "private", false},
    {CKA_SIGN, "sign", false},
    {CKA_ID, "id", true},
    {CKA_VALUE, "value", true},
    {CKA_EC_POINT, "point", true},
    {CKA_UNIQUE_ID, "unique id", true},
    {CKA_TS_FAMILY_ID, "family", false},
    {CKA_TS_SW_VERSION, "software", false},
    {CKA_TS_ROLE, "role", false},
    {CKA_TS_SHARE_ID, "share", true},
    {CKA_TS_NONCE, "nonce", true},
};

struct Lines {
  std::vector<std::string> exact;
  std::vector<std::string> shape;
};

void describe(const Session& session, Lines& lines) {
  for (const auto object : session.find({})) {
    std::string exact;
    std::string shape;
    const bool is_data = session.number(object, CKA_CLASS) == CKO_DATA;
    for (const auto& [type, name, random] : kReadable) {
      const auto value = session.get(object, type);
      if (value.rv != CKR_OK) continue;
      const auto text = std::string(" ") + name + "=" + core::to_hex(value.value);
      exact += text;
      if (!random || (type == CKA_VALUE && is_data)) shape += text;
    }
    lines.exact.push_back(exact);
    lines.shape.push_back(shape);
  }
}

// Every private key makes signatures, every key that encrypts does.
void use_keys(Session& session) {
  for (const auto key :
       session.find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).flag(CKA_SIGN, true))) {
    must(session.sign(CKM_ECDSA_SHA256, key, bytes("a message")).rv);
  }
  for (const auto key :
       session.find(Attributes().number(CKA_KEY_TYPE, CKK_AES).flag(CKA_ENCRYPT, true))) {
    Gcm gcm(core::Bytes(12, 1));
    must(session.encrypt(gcm, key, bytes("a message")).rv);
  }
}

const char* right_pin(Session& session, CK_USER_TYPE user,
                      std::initializer_list<const char*> candidates) {
  for (const auto* const pin : candidates) {
    const auto rv = session.login(user, pin);
    if (rv == CKR_OK) return pin;
    if (rv == CKR_USER_PIN_NOT_INITIALIZED) return "none";
    if (rv != CKR_PIN_INCORRECT) throw std::runtime_error("C_Login: " + rv_name(rv));
  }
  throw std::runtime_error("no PIN is right any more");
}

void take(State& state, Lines lines) {
  std::ranges::sort(lines.exact);
  std::ranges::sort(lines.shape);
  for (const auto& line : lines.exact) state.exact += line + "\n";
  for (const auto& line : lines.shape) state.shape += line + "\n";
}

int tries(const std::string& path, int role) {
  const Database database(path);
  const auto where = " FROM pin WHERE role = " + std::to_string(role);
  if (database.number("SELECT count(*)" + where) == 0) return -1;
  return static_cast<int>(database.number("SELECT tries" + where));
}

void describe_token(const Module& module, CK_SLOT_ID slot, State& state) {
  const auto info = module.token_info(slot);
  const std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
  std::string text = "token " + std::to_string(slot) + " " + label;
  if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) {
    return;
  }
  Lines lines;
  Session session(module.functions(), slot);
  text += std::string(" SO PIN: ") + right_pin(session, CKU_SO, {kSoPin, kOtherPin});
  must(session.logout());
  const auto* const user = right_pin(session, CKU_USER, {kUserPin, kOtherPin});
  text += std::string(" user PIN: ") + user + "\n";
  describe(session, lines);
  use_keys(session);
  state.exact += text;
  state.shape += text;
  take(state, std::move(lines));
}

}  // namespace

State objects_of(const Session& session) {
  State state;
  Lines lines;
  describe(session, lines);
  take(state, std::move(lines));
  return state;
}

State state_of(const Stage& stage) {
  State state;
  const auto& module = stage.module();
  must(module->C_Initialize(nullptr));
  // SQLite itself must be content before anything is written.
  const std::string first = std::string(getenv("TALLYSTICK_HOME")) + "/tokens/0/token.db";
  for (const auto slot : module.slots()) (void)module.token_info(slot);
  if (fs::exists(first)) {
    state.so_tries = tries(first, 0);
    state.user_tries = tries(first, 1);
    const auto sound = Database(first).blobs("PRAGMA integrity_check");
    if (sound.size() != 1 || core::text_of(sound[0]) != "ok") {
      throw std::runtime_error("the database is damaged");
    }
  }
  try {
    for (const auto slot : module.slots()) describe_token(module, slot, state);
  } catch (...) {
    (void)module->C_Finalize(nullptr);
    throw;
  }
  must(module->C_Finalize(nullptr));
  return state;
}

}  // namespace tallystick::test
