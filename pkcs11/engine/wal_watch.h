// WalWatch: whether anybody has committed to a database in WAL mode, told from a few words of the
// index that all its connections share (sqlite.org/walformat.html, section 2.1), in place of a
// statement that takes file locks. A yes is only a reason to ask SQLite; what SQLite says counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "pkcs11/engine/sqlite.h"

namespace tallystick::token {

class WalWatch {
 public:
  // Change counter, last frame and its checksum: 24 bytes of the index header.
  static constexpr std::size_t kWords = 3;
  static constexpr std::size_t kLastFrame = 1;  // the word with it, before the number of pages
  using Words = std::array<std::uint64_t, kWords>;

  // True when nothing was committed since the state that was accepted last. Any thread, no lock.
  [[nodiscard]] bool unchanged() const;
  // The present state, null where it cannot be told; called with the connection's lock held, before
  // SQLite is asked, so that a commit in between is seen the next time.
  [[nodiscard]] std::optional<Words> look(const Database& connection);
  // How many frames of the log whoever opens the database as the only one has to read again, also
  // those that are in the database by now; null where it cannot be told. After the connection's
  // first read.
  [[nodiscard]] static std::optional<std::uint32_t> frames(const Database& connection);
  // What was committed up to here is known to everybody who asks unchanged(). One thread at a time.
  void accept(const Words& words);

 private:
  [[nodiscard]] static Words read(std::uint64_t* header);

  std::atomic<std::uint64_t*> header_{nullptr};
  std::atomic<bool> known_{false};
  std::array<std::atomic<std::uint64_t>, kWords> seen_{};
};

}  // namespace tallystick::token
