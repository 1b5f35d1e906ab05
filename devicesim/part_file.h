// PartFile: how a part lies in its storage, and the one way its state changes.
//
//   header 4 KiB ‖ state place 0, 64 KiB ‖ state place 1, 64 KiB ‖ bank 0 ‖ bank 1
//
//   header: part_header.h
//   place  = "TSSTATE2" ‖ digest of the state before this one, 32 ‖ u32(length of the state)
//            ‖ digest, 32 ‖ state
//   digest = SHA-256(the 44 bytes before it ‖ state)
//
// The state is as encode_state() makes it; of a part with a PUF it is sealed (puf/sealed_state.h).
// Numbers are big-endian. The first state has zeros for the digest before. What a record leaves of
// its place means nothing.
//
// At rest both places hold the same, so that the loss of either takes nothing back. A commit makes
// durable what was staged in the inactive bank, then writes place 0 and makes that durable, then
// place 1: two syncs, and one more when something is staged. A power cut spoils at most the place
// that is being written: if place 0, place 1 still holds the old state; if place 1, place 0 already
// holds the new one. open() takes place 0 when it is whole and makes the places the same again
// before anyone sees the state. So no state that was reported or shown is ever followed by an older
// one. When both places are lost, or no interrupted commit explains how they differ, the part does
// not open.
//
// The old bank is wiped only after both places name the new one: no place may point at a bank that
// is half erased, whatever becomes of the other place. After a failed commit nobody can tell which
// state is in force; the file then refuses all further use until it is opened again.
#pragma once

#include <memory>
#include <string>

#include "devicesim/key_store.h"
#include "devicesim/part_header.h"
#include "devicesim/part_state.h"
#include "devicesim/puf/identity.h"
#include "devicesim/storage.h"

namespace tallystick::device {

using StateDigest = core::ByteArray<32>;

// What becomes of the remains of longer records in the places. open() erases them where it repairs
// a place, because a cut may have kept a commit from doing it.
enum class Remains : std::uint8_t { kLeft, kErased };

class PartFile {
 public:
  // How large the storage of such a part is.
  static std::uint64_t storage_size(const MemoryMap& map);
  // Writes a part's first contents into storage that is all zero. A part with a PUF gets silicon of
  // its own.
  static core::Status format(const core::Crypto& crypto, Storage& storage, const PartState& state);

  // Finds the state in force and repairs the place that does not hold it; kStorage when no place is
  // whole, when both are and no interrupted commit explains how they differ, or when the repair
  // fails. Of a part with a PUF the cells are read, once, with `noise` (none: the system's);
  // kOpenFailed when they do not give its key, and then nothing was written.
  static core::Result<PartFile> open(const core::Crypto& crypto, std::unique_ptr<Storage> storage,
                                     const puf::NoiseSource& noise = {});
  // The state as it was found by open(); for one call.
  PartState take_state() { return *std::move(state_); }

  // For the first power-on of a part with a PUF: the device key that the cells give from now on. It
  // counts with the next commit.
  core::Result<std::shared_ptr<const core::EcPrivateKey>> enrol();

  core::Status commit(const PartState& state, Remains remains = Remains::kLeft);

  // Bytes of a bank, which starts with the flash.
  core::Status read_bank(unsigned bank, std::uint64_t offset, core::MutableByteView out);
  core::Status write_bank(unsigned bank, std::uint64_t offset, core::ByteView data);
  // Copies the first `length` bytes of one bank over the zeros of the other.
  core::Status copy_bank(unsigned from, unsigned to, std::uint64_t length);
  // Overwrites what is not zero in the range.
  core::Status erase_in_bank(unsigned bank, std::uint64_t offset, std::uint64_t length);
  // Overwrites what is not zero in the bank, durably, and gives the room back.
  core::Status wipe_bank(unsigned bank);

 private:
  PartFile(const core::Crypto& crypto, std::unique_ptr<Storage> storage)
      : crypto_(&crypto), storage_(std::move(storage)) {}
  [[nodiscard]] core::Status usable() const;
  core::Status read_cells(const puf::Silicon& silicon, const puf::NoiseSource& noise);
  // What stands for the state in its place, and back.
  [[nodiscard]] core::Result<core::Secret> encode(const PartState& state) const;
  core::Result<PartState> decode(core::ByteView payload);
  [[nodiscard]] std::uint64_t bank_start(unsigned bank) const;
  core::Status overwrite(std::uint64_t start, std::uint64_t end);

  const core::Crypto* crypto_;
  std::unique_ptr<Storage> storage_;
  std::uint64_t bank_size_ = 0;
  StateDigest digest_{};  // of the record in force
  bool staged_ = false;   // written to a bank and not yet made durable
  std::string fault_;     // why the file refuses further use; empty: it does not
  std::optional<PartState> state_;
  std::optional<puf::SramModel> sram_;     // of a part with a PUF
  core::Secret start_up_;                  // until its key is made from it
  std::optional<puf::Identity> identity_;  // of a part with a PUF and a key
};

}  // namespace tallystick::device
