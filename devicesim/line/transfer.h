// Transfer: the data phase of one command, and what the command does when all of it is there.
// Dropping it before finish() leaves everything as it was.
#pragma once

#include <memory>
#include <optional>

#include "devicesim/line/ram.h"
#include "devicesim/mboot/status_code.h"
#include "devicesim/part.h"

namespace tallystick::device {

class Transfer {
 public:
  virtual ~Transfer() = default;
  // A transfer has data in one direction.
  virtual core::Status write(core::ByteView data);
  virtual core::Status read(core::MutableByteView out);
  virtual core::Status finish();
  // The word that the host gets for an error of this transfer, where its code says too little.
  [[nodiscard]] virtual std::optional<mboot::StatusCode> word_for(const core::Error& error) const;
};
using TransferPtr = std::unique_ptr<Transfer>;

// The ranges were checked before. Part and RAM outlive the transfer.
TransferPtr write_ram(Ram& ram, std::uint64_t address);
core::Result<TransferPtr> write_flash(Part& part, std::uint64_t address);
// Blows words from `first` on.
TransferPtr program_fuses(Part& part, std::size_t first);
TransferPtr read_ram(const Ram& ram, std::uint64_t address);
TransferPtr read_flash(Part& part, std::uint64_t address);
// Bytes that are there already.
TransferPtr give(core::Bytes bytes);
// A file that its magic says is a package, a share blob, provisioning software or an SB3.1
// container.
TransferPtr receive_file(Part& part, std::uint64_t length);

}  // namespace tallystick::device
