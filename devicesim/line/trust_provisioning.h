// TrustProvisioning: the part as an OEM's security module, driven through buffers in its RAM. It
// holds one OEM share from the first oem_gen_master_share or oem_set_master_share until the power
// goes; a second one is refused.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/provisioning/device_hsm.h"
#include "devicesim/line/ram_buffer.h"
#include "devicesim/mboot/status_code.h"
#include "devicesim/part.h"

namespace tallystick::device {

class TrustProvisioning {
 public:
  using Parameters = std::span<const std::uint32_t>;
  struct Outcome {
    // kMemoryRange and kUnknownCommand have a word of their own; for all else the error's code
    // says.
    core::Status status;
    std::optional<mboot::StatusCode> word;
    std::vector<std::uint32_t> values;
  };

  // `parameters`: the operation's number first. The part is checked for what it permits. After a
  // failure RAM is as it was, and the values are zeros, as many as a success would have, or one.
  Outcome execute(const Part& part, Ram& ram, Parameters parameters);
  void clear() { hsm_.reset(); }

 private:
  struct Operation;
  // Results that go to the RAM once everything has been computed.
  struct Output {
    RamBuffer buffer;
    core::Bytes bytes;
  };
  struct Work {
    const Part& part;
    const Ram& ram;
    Parameters in;  // behind the operation's number
    std::vector<Output> outputs;
    std::vector<std::uint32_t> values;
  };
  static const Operation* find(std::uint32_t number);

  core::Status generate_master_share(Work& work);
  core::Status set_master_share(Work& work);
  core::Status get_dice_key(Work& work);
  core::Status generate_key(Work& work);
  core::Status store_key(Work& work);
  core::Status encrypt_block(Work& work);
  core::Status sign(Work& work);

  std::optional<core::DeviceHsm> hsm_;
};

}  // namespace tallystick::device
