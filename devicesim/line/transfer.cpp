#include "devicesim/line/transfer.h"

#include <algorithm>

#include "devicesim/line/sb3_file.h"
#include "devicesim/mboot/little_endian.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

Status Transfer::write(core::ByteView) {
  return Error{ErrorCode::kInvalidArgument, "the command takes no data"};
}
Status Transfer::read(core::MutableByteView) {
  return Error{ErrorCode::kInvalidArgument, "the command gives no data"};
}
Status Transfer::finish() { return {}; }
std::optional<mboot::StatusCode> Transfer::word_for(const Error&) const { return std::nullopt; }

namespace {

class RamWriting : public Transfer {
 public:
  RamWriting(Ram& ram, std::uint64_t address) : ram_(ram), address_(address) {}
  Status write(core::ByteView data) override {
    data_.insert(data_.end(), data.begin(), data.end());
    return {};
  }
  Status finish() override {
    ram_.write(address_, data_);
    return {};
  }

 private:
  Ram& ram_;
  std::uint64_t address_;
  core::Bytes data_;
};

class FlashWriting : public Transfer {
 public:
  FlashWriting(std::unique_ptr<FlashChange> change, std::uint64_t address)
      : change_(std::move(change)), address_(address) {}
  Status write(core::ByteView data) override {
    auto wrote = change_->write(address_, data);
    address_ += data.size();
    return wrote;
  }
  Status finish() override { return change_->finish(); }

 private:
  std::unique_ptr<FlashChange> change_;
  std::uint64_t address_;
};

class FuseProgramming : public Transfer {
 public:
  FuseProgramming(Part& part, std::size_t first) : part_(part), first_(first) {}
  Status write(core::ByteView data) override {
    data_.insert(data_.end(), data.begin(), data.end());
    return {};
  }
  Status finish() override {
    std::vector<std::uint32_t> words;
    for (core::ByteView rest = data_; rest.size() >= 4; rest = rest.subspan(4)) {
      words.push_back(mboot::load32(rest));
    }
    return part_.blow_fuses(first_, words);
  }

 private:
  Part& part_;
  std::size_t first_;
  core::Bytes data_;
};

class RamReading : public Transfer {
 public:
  RamReading(const Ram& ram, std::uint64_t address) : ram_(ram), address_(address) {}
  Status read(core::MutableByteView out) override {
    ram_.read(address_, out);
    address_ += out.size();
    return {};
  }

 private:
  const Ram& ram_;
  std::uint64_t address_;
};

class FlashReading : public Transfer {
 public:
  FlashReading(Part& part, std::uint64_t address) : part_(part), address_(address) {}
  Status read(core::MutableByteView out) override {
    const auto address = address_;
    address_ += out.size();
    if (part_.check_flash_open("read the flash")) return part_.read_open_flash(address, out);
    auto bytes = part_.read_flash(address, out.size());
    if (!bytes) return std::move(bytes).error();
    std::ranges::copy(*bytes, out.begin());
    return {};
  }

 private:
  Part& part_;
  std::uint64_t address_;
};

class Giving : public Transfer {
 public:
  explicit Giving(core::Bytes bytes) : bytes_(std::move(bytes)) {}
  Status read(core::MutableByteView out) override {
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(given_), out.size(), out.begin());
    given_ += out.size();
    return {};
  }

 private:
  core::Bytes bytes_;
  std::size_t given_ = 0;
};

class FileReceiving : public Transfer {
 public:
  FileReceiving(Part& part, std::uint64_t length) : part_(part), length_(length) {}

  Status write(core::ByteView data) override {
    if (container_) return container_->write(data);
    if (installer_) return installer_->update(data);
    // What is not a package is short.
    data_.insert(data_.end(), data.begin(), data.end());
    if (store_ != nullptr || data_.size() < kMagic) return {};
    return begin();
  }

  Status finish() override {
    if (container_) return container_->finish();
    if (installer_) return installer_->finish();
    if (store_ != nullptr) return (part_.*store_)(data_);
    return Error{ErrorCode::kMalformed, "no file is that short"};
  }

  [[nodiscard]] std::optional<mboot::StatusCode> word_for(const Error& error) const override {
    return container_ ? container_->word_for(error) : std::nullopt;
  }

 private:
  static constexpr std::size_t kMagic = 4;

  Status begin() {
    const auto magic = core::text_of(core::ByteView(data_).first(kMagic));
    if (magic == "TSPK") {
      auto installer = part_.install_package(length_);
      if (!installer) return std::move(installer).error();
      installer_ = *std::move(installer);
      return installer_->update(data_);
    }
    if (magic == "TSOS" || magic == "TSOP") {
      return begin_short(&Part::load_share_blob, core::kMostShareBlob);
    }
    if (magic == core::kDebugTokenMagic) {
      return begin_short(&Part::open_debug, core::kDebugTokenSize);
    }
    if (magic == "TSSW") return begin_short(&Part::load_software, core::kMostSoftware);
    if (magic == "sbv3") {
      auto container = receive_sb3(part_, length_);
      if (!container) return std::move(container).error();
      container_ = *std::move(container);
      return container_->write(data_);
    }
    return Error{ErrorCode::kMalformed,
                 "the file is no package, share blob, provisioning software, SB3.1 container or "
                 "debug token"};
  }

  Status begin_short(Status (Part::*store)(core::ByteView), std::size_t most) {
    if (length_ > most) return Error{ErrorCode::kMalformed, "no such file is that long"};
    store_ = store;
    return {};
  }

  Part& part_;
  std::uint64_t length_;
  core::Bytes data_;
  std::unique_ptr<Installer> installer_;
  TransferPtr container_;
  Status (Part::*store_)(core::ByteView) = nullptr;
};

}  // namespace

TransferPtr write_ram(Ram& ram, std::uint64_t address) {
  return std::make_unique<RamWriting>(ram, address);
}

Result<TransferPtr> write_flash(Part& part, std::uint64_t address) {
  auto change = part.change_flash(Part::FlashContents::kKept);
  if (!change) return std::move(change).error();
  return TransferPtr(std::make_unique<FlashWriting>(*std::move(change), address));
}

TransferPtr program_fuses(Part& part, std::size_t first) {
  return std::make_unique<FuseProgramming>(part, first);
}

TransferPtr read_ram(const Ram& ram, std::uint64_t address) {
  return std::make_unique<RamReading>(ram, address);
}

TransferPtr read_flash(Part& part, std::uint64_t address) {
  return std::make_unique<FlashReading>(part, address);
}

TransferPtr give(core::Bytes bytes) { return std::make_unique<Giving>(std::move(bytes)); }

TransferPtr receive_file(Part& part, std::uint64_t length) {
  return std::make_unique<FileReceiving>(part, length);
}

}  // namespace tallystick::device
