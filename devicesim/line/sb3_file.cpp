#include "devicesim/line/sb3_file.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;
using mboot::StatusCode;

namespace {

class Sb3Receiving : public Transfer {
 public:
  explicit Sb3Receiving(std::unique_ptr<Sb3Installer> installer)
      : installer_(std::move(installer)) {}

  Status write(core::ByteView data) override { return installer_->update(data); }
  Status finish() override { return installer_->finish(); }
  [[nodiscard]] std::optional<StatusCode> word_for(const Error& error) const override {
    constexpr std::uint8_t kCommands = 8;
    if (error.check != kCommands) return std::nullopt;
    switch (error.code) {
      case ErrorCode::kMalformed:
        return StatusCode::kUnknownFileCommand;
      case ErrorCode::kInvalidArgument:
        return StatusCode::kMemoryRange;
      case ErrorCode::kNotPermitted:
        return StatusCode::kUnexpectedFileCommand;
      default:
        return std::nullopt;
    }
  }

 private:
  std::unique_ptr<Sb3Installer> installer_;
};

}  // namespace

Result<TransferPtr> receive_sb3(Part& part, std::uint64_t length) {
  auto installer = part.install_sb3(length);
  if (!installer) return std::move(installer).error();
  return TransferPtr(std::make_unique<Sb3Receiving>(*std::move(installer)));
}

}  // namespace tallystick::device
