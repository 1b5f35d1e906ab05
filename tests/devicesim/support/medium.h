// Medium: a part's storage in memory, with the habits of a disk. Written sectors are sure only
// after a sync; a power cut keeps any of the others, or none, or all. A storage on it can be told
// to fail at its n-th change, once or for good.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "devicesim/storage.h"

namespace tallystick::test {

// What becomes of sectors that were written and not synced: all are lost, all kept, a random half
// kept, or only those of the latest write, which overtook the others.
enum class Cut { kLost, kKept, kTorn, kOvertaken };

class Medium {
 public:
  static constexpr std::size_t kSector = 512;

  explicit Medium(std::uint64_t size) : size_(size) {}

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // The power goes: unsynced sectors go the way of `cut`.
  void power_cut(Cut cut, std::uint32_t seed);
  // Does the sequence stand anywhere in what survives?
  [[nodiscard]] bool contains(core::ByteView bytes) const;
  // Any byte but zero in what survives of [from, end).
  [[nodiscard]] bool has_data(std::uint64_t from, std::uint64_t end) const;
  // Two media are equal when what survives is.
  bool operator==(const Medium& other) const { return durable_ == other.durable_; }

  void read(std::uint64_t offset, core::MutableByteView out) const;
  void write(std::uint64_t offset, core::ByteView data);
  void sync();
  [[nodiscard]] std::uint64_t next_data(std::uint64_t from, std::uint64_t end) const;
  // Flips one bit of what survives.
  void flip(std::uint64_t offset, unsigned bit);
  // The sector cannot be read until it is written again.
  void lose_sector(std::uint64_t offset) { lost_.insert(offset / kSector); }
  [[nodiscard]] bool readable(std::uint64_t offset, std::uint64_t length) const;

 private:
  using Sectors = std::map<std::uint64_t, core::Bytes>;  // by number; absent: zeros
  [[nodiscard]] const core::Bytes* sector(std::uint64_t number) const;
  static void put(Sectors& sectors, std::uint64_t number, const core::Bytes& content);

  std::uint64_t size_;
  Sectors durable_;
  Sectors pending_;
  std::set<std::uint64_t> latest_;  // the sectors of the latest write
  std::set<std::uint64_t> lost_;
};

// How a storage fails: at its `at`-th change (write or sync, from 0), and whether for good.
struct Failure {
  std::uint64_t at = 0;
  bool power_gone = true;
};

class MediumStorage : public device::Storage {
 public:
  explicit MediumStorage(std::shared_ptr<Medium> medium,
                         std::optional<Failure> failure = std::nullopt)
      : medium_(std::move(medium)), failure_(failure) {}

  [[nodiscard]] std::uint64_t size() const override { return medium_->size(); }
  core::Status read(std::uint64_t offset, core::MutableByteView out) override;
  core::Status write(std::uint64_t offset, core::ByteView data) override;
  core::Status sync() override;
  core::Result<std::uint64_t> next_data(std::uint64_t from, std::uint64_t end) override;
  void release(std::uint64_t, std::uint64_t) override {}

  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  core::Status count_change();

  std::shared_ptr<Medium> medium_;
  std::optional<Failure> failure_;
  std::uint64_t changes_ = 0;
  bool dead_ = false;
};

}  // namespace tallystick::test
