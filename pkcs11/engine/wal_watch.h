// WalWatch: whether anybody has committed to a database in WAL mode, told from a few words of the
// index that all its connections share (sqlite.org/walformat.html, section 2.1), in place of a
// statement that takes file locks. A yes is only a reason to ask SQLite; what SQLite says counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "pkcs11/engine/sqlite.h"

namespace tallystick::token {

class WalWatch {
 public:
  // True when nothing was committed since the last look(). Any thread, no lock.
  [[nodiscard]] bool unchanged() const;
  // Notes the present state; called with the connection's lock held, before SQLite is asked, so
  // that a commit in between is seen the next time.
  void look(const Database& connection);
  // Makes unchanged() say no until the next look().
  void forget() { known_.store(false, std::memory_order_release); }

 private:
  // Change counter, last frame and its checksum: 24 bytes of the index header.
  static constexpr std::size_t kWords = 3;
  using Words = std::array<std::uint64_t, kWords>;

  [[nodiscard]] Words read(std::uint64_t* header) const;

  std::atomic<std::uint64_t*> header_{nullptr};
  std::atomic<bool> known_{false};
  std::array<std::atomic<std::uint64_t>, kWords> seen_{};
};

}  // namespace tallystick::token
