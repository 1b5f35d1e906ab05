// PartTarget: a part as mboot sees it. It powers the part on when a command first needs it, and off
// at a reset; what it refuses becomes a status word, and a line of its log.
#pragma once

#include <functional>

#include "devicesim/flash.h"
#include "devicesim/line/key_provisioning.h"
#include "devicesim/line/transfer.h"
#include "devicesim/line/trust_provisioning.h"
#include "devicesim/mboot/target.h"

namespace tallystick::device {

class PartTarget : public mboot::Target {
 public:
  using PowerOn = std::function<core::Result<std::unique_ptr<Part>>()>;
  // Is told in words what became of each command; no secrets.
  using Log = std::function<void(const std::string&)>;

  static constexpr std::uint32_t kProtocolVersion = 0x50010300;  // P1.3.0
  static constexpr std::uint32_t kVersion = 0x4B030000;          // K3.0.0
  static constexpr std::uint32_t kTargetVersion = 0x54010000;    // T1.0.0
  static constexpr std::uint32_t kSector = kFlashSector;
  static constexpr std::uint32_t kLargestPacket = 1024;

  explicit PartTarget(PowerOn power_on, Log log = {});

  [[nodiscard]] std::uint32_t protocol_version() const override { return kProtocolVersion; }
  [[nodiscard]] std::size_t largest_packet() const override { return kLargestPacket; }
  mboot::Reply execute(const mboot::Packet& command) override;
  mboot::StatusCode write(core::ByteView data) override;
  mboot::StatusCode read(core::MutableByteView out) override;
  mboot::StatusCode finish() override;
  void abandon() override;

  [[nodiscard]] bool powered() const { return part_ != nullptr; }
  void power_off();

 private:
  struct Command;
  static const Command* find(mboot::Tag tag);
  static std::uint32_t command_bitmap();
  using Parameters = std::vector<std::uint32_t>;

  mboot::Reply flash_erase_all(const Parameters& in);
  mboot::Reply flash_erase_region(const Parameters& in);
  mboot::Reply read_memory(const Parameters& in);
  mboot::Reply write_memory(const Parameters& in);
  mboot::Reply fill_memory(const Parameters& in);
  mboot::Reply get_property(const Parameters& in);
  mboot::Reply receive_sb_file(const Parameters& in);
  mboot::Reply reset(const Parameters& in);
  mboot::Reply set_property(const Parameters& in);
  mboot::Reply flash_program_once(const Parameters& in);
  mboot::Reply flash_read_once(const Parameters& in);
  mboot::Reply flash_read_resource(const Parameters& in);
  mboot::Reply fuse_program(const Parameters& in);
  mboot::Reply fuse_read(const Parameters& in);
  mboot::Reply update_life_cycle(const Parameters& in);
  // nxp_commands.cpp
  mboot::Reply generate_key_blob(const Parameters& in);
  mboot::Reply key_provisioning(const Parameters& in);
  mboot::Reply trust_provisioning(const Parameters& in);

  // The words of a property; the error's status stands in `status`.
  mboot::StatusCode property(std::uint32_t id, std::uint32_t index, Parameters& out);

  // Properties of our own (vendor_properties.h).
  static bool is_vendor_property(std::uint32_t id);
  mboot::StatusCode vendor_property(std::uint32_t id, std::uint32_t index, Parameters& out);
  mboot::Reply set_vendor_property(std::uint32_t id, std::uint32_t value);
  mboot::StatusCode use_key(Part& part, std::uint32_t address);

  // The part, powered on; null when that fails, or when its line is closed to the command. Both are
  // logged, and unavailable_ is what to answer.
  Part* part();
  // A0, with the status of a refusal.
  mboot::Reply answer(mboot::StatusCode status) const;
  mboot::Reply answer(const core::Status& status);
  mboot::Reply take(TransferPtr transfer, std::uint64_t length);
  mboot::Reply give(mboot::Tag tag, TransferPtr transfer, std::uint64_t length);
  mboot::Reply take_or_refuse(core::Result<TransferPtr> transfer, std::uint32_t length);
  mboot::Reply give_or_refuse(mboot::Tag tag, core::Result<core::Bytes> bytes);
  mboot::StatusCode status_of(const core::Status& status);
  // Of the transfer that is under way.
  mboot::StatusCode status_of_transfer(const core::Status& status);
  void note(mboot::StatusCode status, const std::string& why = {}) const;
  // All that is in RAM.
  void forget_keys();

  PowerOn power_on_;
  Log log_;
  Ram ram_;
  std::unique_ptr<Part> part_;
  TrustProvisioning trust_;
  KeyProvisioning keys_;
  mboot::Tag command_{};
  bool data_announced_ = false;  // by the command
  mboot::StatusCode unavailable_ = mboot::StatusCode::kFail;
  TransferPtr transfer_;  // refers to the part, the RAM and the keys
};

}  // namespace tallystick::device
