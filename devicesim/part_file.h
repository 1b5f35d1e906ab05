// PartFile: how a part lies in its storage, and the one way its state changes.
//
//   header (4 KiB) ‖ state place 0 ‖ state place 1 ‖ bank 0 ‖ bank 1
//
// A state place holds a generation number, a digest and the state. A commit first makes durable
// what was staged in the inactive bank, then writes the new state into the place that is not in
// force, then makes that durable. A power cut leaves either that place whole, and it is in force
// because its generation is higher, or not, and the other one still is. After a failed commit
// nobody can tell which; the file then refuses all further use until it is opened again.
#pragma once

#include <memory>
#include <string>

#include "devicesim/key_store.h"
#include "devicesim/part_state.h"
#include "devicesim/storage.h"

namespace tallystick::device {

class PartFile {
 public:
  // How large the storage of such a part is.
  static std::uint64_t storage_size(const MemoryMap& map);
  // Writes a part's first contents into storage that is all zero.
  static core::Status format(const core::Crypto& crypto, Storage& storage, const PartState& state);

  // Finds the state in force; kStorage when there is none.
  static core::Result<PartFile> open(const core::Crypto& crypto, std::unique_ptr<Storage> storage);
  // The state as it was found by open(); for one call.
  PartState take_state() { return *std::move(state_); }

  core::Status commit(const PartState& state);

  // Bytes of a bank, which starts with the flash.
  core::Status read_bank(unsigned bank, std::uint64_t offset, core::MutableByteView out);
  core::Status write_bank(unsigned bank, std::uint64_t offset, core::ByteView data);
  // Overwrites what is not zero in the bank, durably, and gives the room back.
  core::Status wipe_bank(unsigned bank);

 private:
  PartFile(const core::Crypto& crypto, std::unique_ptr<Storage> storage)
      : crypto_(&crypto), storage_(std::move(storage)) {}
  [[nodiscard]] core::Status usable() const;
  [[nodiscard]] std::uint64_t bank_start(unsigned bank) const;
  core::Status overwrite(std::uint64_t start, std::uint64_t end);

  const core::Crypto* crypto_;
  std::unique_ptr<Storage> storage_;
  std::uint64_t bank_size_ = 0;
  std::uint64_t generation_ = 0;
  unsigned place_ = 0;   // the one in force
  bool staged_ = false;  // written to a bank and not yet made durable
  std::string fault_;    // why the file refuses further use; empty: it does not
  std::optional<PartState> state_;
};

}  // namespace tallystick::device
