// A part in memory: its storage is a vector of bytes, so that an input starts from a copy.
#pragma once

#include <algorithm>
#include <memory>

#include "devicesim/part.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

namespace tallystick::fuzz {

// Room for small packages.
constexpr std::uint64_t kPartFlash = 32ULL * 1024;

class MemoryStorage : public device::Storage {
 public:
  explicit MemoryStorage(std::shared_ptr<core::Bytes> bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_->size(); }
  core::Status read(std::uint64_t offset, core::MutableByteView out) override {
    if (!within(offset, out.size())) return outside();
    std::copy_n(at(offset), out.size(), out.begin());
    return {};
  }
  core::Status write(std::uint64_t offset, core::ByteView data) override {
    if (!within(offset, data.size())) return outside();
    std::ranges::copy(data, at(offset));
    return {};
  }
  core::Status sync() override { return {}; }
  core::Result<std::uint64_t> next_data(std::uint64_t from, std::uint64_t end) override {
    if (from > end || end > size()) return outside();
    const auto found = std::find_if(at(from), at(end), [](auto byte) { return byte != 0; });
    return static_cast<std::uint64_t>(found - bytes_->begin());
  }
  void release(std::uint64_t, std::uint64_t) override {}

 private:
  [[nodiscard]] bool within(std::uint64_t offset, std::uint64_t length) const {
    return offset <= size() && length <= size() - offset;
  }
  [[nodiscard]] core::Bytes::iterator at(std::uint64_t offset) {
    return bytes_->begin() + static_cast<std::ptrdiff_t>(offset);
  }
  static core::Error outside() {
    return {core::ErrorCode::kStorage, "behind the end of the storage", 0};
  }

  std::shared_ptr<core::Bytes> bytes_;
};

// Opens a part on a storage.
inline core::Result<std::unique_ptr<device::Part>> part_on(std::shared_ptr<core::Bytes> bytes) {
  return device::Part::open_in(world().crypto_ptr,
                               std::make_unique<MemoryStorage>(std::move(bytes)));
}

// The storage of a part that is certified and runs software which permits everything.
inline core::Bytes ready_part() {
  device::Manufacture manufacture;
  manufacture.icm_fingerprint = world().fingerprint;
  manufacture.memory.flash_size = kPartFlash;
  auto bytes = std::make_shared<core::Bytes>(device::PartFile::storage_size(manufacture.memory));
  {
    const auto part = test::value(device::Part::create_in(
        world().crypto_ptr, std::make_unique<MemoryStorage>(bytes), manufacture));
    test::done(part->fill_immutable_memory(
        world().family_blob(core::FamilyRole::kPart, part->public_key())));
    test::done(
        part->store_certificate(world().certificate(core::DeviceKind::kPart, part->public_key())));
    test::done(part->load_software(world().software_image()));
    test::done(part->reset());
  }
  return *bytes;
}

}  // namespace tallystick::fuzz
