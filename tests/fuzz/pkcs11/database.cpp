// A token's files, altered: bytes of the database anywhere, cells of its rows, another write-ahead
// log beside it, another root key. The module then starts, looks at everything, logs in now and
// then, and writes. A damaged token is an error, never a crash, and no wrong value.
//
// Input: u8 flags (1 the user logs in, 2 objects are written, 4 cells instead of bytes, 8 the rest
// is the log, 16 the rest is the root key), then changes.
#include <sqlite3.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/home.h"
#include "tests/fuzz/support/token.h"
#include "tests/support/scratch.h"

using namespace tallystick;

namespace {

constexpr std::size_t kMostChanges = 16;

// u24 place, u8 number of bytes, the bytes. A place behind the end makes the file longer.
void alter_bytes(fuzz::Input& in, core::Bytes& file) {
  for (std::size_t i = 0; i < kMostChanges && !in.empty(); ++i) {
    const std::size_t at = (static_cast<std::size_t>(in.u8()) << 16U | in.u16());
    const auto bytes = in.take(in.u8());
    if (at > file.size() + 65536) {
      file.resize(at % (file.size() + 1));  // cut off instead
      continue;
    }
    if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

struct Cell {
  const char* table;
  const char* column;
};
constexpr auto kCells = std::to_array<Cell>({
    {"object", "id"},        {"object", "class"},  {"object", "tier"},     {"object", "generation"},
    {"object", "policy"},    {"object", "member"}, {"object", "epoch"},    {"object", "job"},
    {"object", "sequence"},  {"object", "sealed"}, {"object", "id_tag"},   {"object", "label_tag"},
    {"pin", "role"},         {"pin", "salt"},      {"pin", "cost_n"},      {"pin", "cost_r"},
    {"pin", "cost_p"},       {"pin", "sealed"},    {"pin", "tries"},       {"token", "token_id"},
    {"token", "root_check"}, {"token", "label"},   {"token", "pin_epoch"}, {"token", "sequence"},
    {"token", "trimmed"},
});

// u8 cell, u8 row, u8 form, the value: through SQLite itself, so that the pages stay good.
void alter_cells(fuzz::Input& in, const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) return;
  for (std::size_t i = 0; i < kMostChanges && !in.empty(); ++i) {
    const auto& cell = in.pick(kCells);
    const int row = in.u8();
    const std::string sql = std::string("UPDATE OR REPLACE ") + cell.table + " SET " + cell.column +
                            " = ?1 WHERE rowid = (SELECT rowid FROM " + cell.table +
                            " ORDER BY rowid LIMIT 1 OFFSET ?2 % (SELECT max(1, count(*)) FROM " +
                            cell.table + "))";
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) continue;
    const auto form = in.u8();
    if (form % 4U == 0) {
      (void)sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(in.number()));
    } else if (form % 4U == 3) {
      (void)sqlite3_bind_double(statement, 1, 1.5);
    } else {
      const auto bytes = in.chunk();
      if (form % 4U == 1) {
        (void)sqlite3_bind_blob(statement, 1, bytes.data(), static_cast<int>(bytes.size()),
                                SQLITE_TRANSIENT);
      } else {
        (void)sqlite3_bind_text(statement, 1, core::text_of(bytes).data(),
                                static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
      }
    }
    (void)sqlite3_bind_int(statement, 2, row);
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
  }
  (void)sqlite3_close(database);
}

void look(CK_FUNCTION_LIST* p11, CK_SESSION_HANDLE session) {
  if (p11->C_FindObjectsInit(session, nullptr, 0) != CKR_OK) return;
  std::array<CK_OBJECT_HANDLE, 128> found{};
  CK_ULONG count = 0;
  if (p11->C_FindObjects(session, found.data(), found.size(), &count) != CKR_OK) count = 0;
  (void)p11->C_FindObjectsFinal(session);
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_OBJECT_CLASS object_class = 0;
    std::array<std::uint8_t, 512> value{};
    std::array<CK_ATTRIBUTE, 2> wanted = {
        {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_LABEL, value.data(), value.size()}}};
    (void)p11->C_GetAttributeValue(session, found[i], wanted.data(), wanted.size());
  }
}

void write(CK_FUNCTION_LIST* p11, CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS object_class = CKO_DATA;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 3> wanted = {{{CKA_CLASS, &object_class, sizeof object_class},
                                         {CKA_TOKEN, &yes, sizeof yes},
                                         {CKA_PRIVATE, &no, sizeof no}}};
  CK_OBJECT_HANDLE made = 0;
  if (p11->C_CreateObject(session, wanted.data(), wanted.size(), &made) == CKR_OK) {
    (void)p11->C_DestroyObject(session, made);
  }
}

void run(std::uint8_t flags) {
  CK_FUNCTION_LIST* p11 = nullptr;
  fuzz::expect(C_GetFunctionList(&p11) == CKR_OK, "the module has a list of functions");
  if (p11->C_Initialize(nullptr) != CKR_OK) return;
  std::array<CK_SLOT_ID, 8> slots{};
  CK_ULONG count = slots.size();
  if (p11->C_GetSlotList(CK_FALSE, slots.data(), &count) != CKR_OK) count = 0;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    (void)p11->C_GetTokenInfo(slots[i], &info);
    CK_SESSION_HANDLE session = 0;
    if (p11->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                           &session) != CKR_OK) {
      continue;
    }
    if ((flags & 1U) != 0) {
      std::string pin(fuzz::kUserPin);
      (void)p11->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
    }
    look(p11, session);
    if ((flags & 2U) != 0) write(p11, session);
    (void)p11->C_CloseSession(session);
  }
  fuzz::expect(p11->C_Finalize(nullptr) == CKR_OK, "the module ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes database = fuzz::seed("token/token.db");
  static const auto home = fuzz::home().file("home");
  (void)setenv("TALLYSTICK_HOME", home.c_str(), 1);
  (void)setenv("TALLYSTICK_CONF", fuzz::home().put("tallystick.toml", {}).c_str(), 1);

  fuzz::Input in(data, size);
  const auto flags = in.u8();
  fuzz::copy_seed_token(home);
  const std::string folder = home + "/tokens/0/";
  if ((flags & 16U) != 0) {
    test::write_file(folder + "root.key", in.rest());
  } else if ((flags & 8U) != 0) {
    (void)fuzz::home().put("home/tokens/0/token.db-wal", in.rest());
  } else if ((flags & 4U) != 0) {
    alter_cells(in, folder + "token.db");
  } else {
    auto altered = database;
    alter_bytes(in, altered);
    test::write_file(folder + "token.db", altered);
  }
  run(flags);
  return 0;
}
