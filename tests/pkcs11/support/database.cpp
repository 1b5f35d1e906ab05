#include "tests/pkcs11/support/database.h"

#include <filesystem>
#include <stdexcept>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

constexpr int kBusyMilliseconds = 30000;

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { (void)sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

Statement prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(database));
  }
  return Statement(statement);
}

void bind(sqlite3_stmt* statement, int index, core::ByteView blob) {
  static const std::uint8_t nothing = 0;
  (void)sqlite3_bind_blob(statement, index, blob.empty() ? &nothing : blob.data(),
                          static_cast<int>(blob.size()), SQLITE_STATIC);
}

void finish(sqlite3* database, sqlite3_stmt* statement) {
  int step = SQLITE_ROW;
  while (step == SQLITE_ROW) step = sqlite3_step(statement);
  if (step != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database));
}

}  // namespace

Database::Database(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  database_.reset(database);
  if (opened != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  (void)sqlite3_busy_timeout(database, kBusyMilliseconds);
}

void Database::run(const std::string& sql) const {
  finish(database_.get(), prepare(database_.get(), sql).get());
}

void Database::run_with(const std::string& sql, core::ByteView blob) const {
  const auto statement = prepare(database_.get(), sql);
  bind(statement.get(), 1, blob);
  finish(database_.get(), statement.get());
}

void Database::run_with(const std::string& sql, core::ByteView first, core::ByteView second) const {
  const auto statement = prepare(database_.get(), sql);
  bind(statement.get(), 1, first);
  bind(statement.get(), 2, second);
  finish(database_.get(), statement.get());
}

long long Database::number(const std::string& sql) const {
  const auto statement = prepare(database_.get(), sql);
  if (sqlite3_step(statement.get()) != SQLITE_ROW) throw std::runtime_error(sql + ": no row");
  return sqlite3_column_int64(statement.get(), 0);
}

std::vector<core::Bytes> Database::blobs(const std::string& sql) const {
  const auto statement = prepare(database_.get(), sql);
  std::vector<core::Bytes> out;
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    const auto* const data =
        static_cast<const std::uint8_t*>(sqlite3_column_blob(statement.get(), 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), 0));
    out.emplace_back(data, data + size);
  }
  return out;
}

core::Bytes root_check(const std::string& database_path, std::string_view purpose) {
  const auto folder = std::filesystem::path(database_path).parent_path();
  const auto file = read_file(folder / "root.key");
  const auto id = Database(database_path).blobs("SELECT token_id FROM token").front();
  core::Writer info;
  info.text("Tallystick/").text(purpose).u8(0).bytes(id);
  const auto crypto = core::Crypto::create();
  const auto key = core::hkdf(**crypto, core::Hash::kSha256, core::bytes_of("Tallystick/root"),
                              core::ByteView(file).subspan(6), info.view(), 32);
  return {key->view().begin(), key->view().end()};
}

void put_back(const std::string& path, core::ByteView file) {
  std::filesystem::remove(path + "-wal");
  std::filesystem::remove(path + "-shm");
  write_file(path, file);
}

}  // namespace tallystick::test
