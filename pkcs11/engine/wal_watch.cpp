#include "pkcs11/engine/wal_watch.h"

#include <bit>

namespace tallystick::token {
namespace {

constexpr int kRegionSize = 32768;
constexpr std::size_t kFirstWord = 1;  // of eight bytes each
constexpr std::uint32_t kKnownFormat = 3007000;

// The index as the connection has it mapped, through SQLite's own interface for file systems. The
// mapping lives as long as the connection. Null where there is none, or of a format not known here.
std::uint64_t* map_header(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) {
    return nullptr;
  }
  volatile void* region = nullptr;
  if (file->pMethods->xShmMap(file, 0, kRegionSize, 0, &region) != SQLITE_OK || region == nullptr) {
    return nullptr;
  }
  auto* const words = static_cast<std::uint64_t*>(const_cast<void*>(region));
  const auto format = std::atomic_ref(words[0]).load(std::memory_order_relaxed);
  return static_cast<std::uint32_t>(format) == kKnownFormat ? words : nullptr;
}

}  // namespace

WalWatch::Words WalWatch::read(std::uint64_t* header) {
  Words words{};
  for (std::size_t i = 0; i < kWords; ++i) {
    words[i] = std::atomic_ref(header[kFirstWord + i]).load(std::memory_order_acquire);
  }
  return words;
}

bool WalWatch::unchanged() const {
  auto* const header = header_.load(std::memory_order_acquire);
  if (header == nullptr || !known_.load(std::memory_order_acquire)) return false;
  const auto now = read(header);
  for (std::size_t i = 0; i < kWords; ++i) {
    if (seen_[i].load(std::memory_order_relaxed) != now[i]) return false;
  }
  return true;
}

std::optional<WalWatch::Words> WalWatch::look(const Database& connection) {
  auto* header = header_.load(std::memory_order_acquire);
  if (header == nullptr) {
    // There is a mapping only after the connection's first read; until then SQLite is asked.
    header = map_header(connection.get());
    header_.store(header, std::memory_order_release);
    if (header == nullptr) return std::nullopt;
  }
  return read(header);
}

std::optional<std::uint32_t> WalWatch::frames(const Database& connection) {
  auto* const header = map_header(connection.get());
  if (header == nullptr) return std::nullopt;
  const auto word = read(header)[kLastFrame];
  return std::bit_cast<std::array<std::uint32_t, 2>>(word)[0];
}

void WalWatch::accept(const Words& words) {
  for (std::size_t i = 0; i < kWords; ++i) seen_[i].store(words[i], std::memory_order_relaxed);
  known_.store(true, std::memory_order_release);
}

}  // namespace tallystick::token
