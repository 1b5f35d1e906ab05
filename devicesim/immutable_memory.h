// The immutable memory of a part: what is fixed at manufacture, and the family's shares and keys,
// which are written once by opening the part's family blob and never again ([0022], [0023]).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ts1/family.h"
#include "core/ts1/family_blob.h"
#include "devicesim/flash.h"
#include "devicesim/puf/sram.h"

namespace tallystick::device {

// Where a part has its device key from at power-on: its file, or its PUF (docs/puf.md).
enum class KeySource : std::uint8_t { kStored, kPuf };
// "stored" or "puf", and back; nothing for another name.
std::string_view key_source_name(KeySource source);
std::optional<KeySource> key_source_from(std::string_view name);

// Programmed when the chip is made, before any key exists.
struct Manufacture {
  // SHA-256(K_PUK_ICM_PROV): whose family blob, software and certificate the part will believe.
  core::ByteArray<32> icm_fingerprint{};
  std::string product;  // UTF-8, up to 32 bytes; empty: takes packages for any product
  MemoryMap memory;
  std::uint32_t minimum_software_version = 0;
  KeySource key = KeySource::kStored;
  puf::SramModel sram;  // with kPuf: how the part's cells are
};
core::Status check_manufacture(const Manufacture& manufacture);

class ImmutableMemory {
 public:
  explicit ImmutableMemory(Manufacture manufacture) : manufacture_(std::move(manufacture)) {}
  // As it was stored before.
  ImmutableMemory(Manufacture manufacture, std::shared_ptr<const core::Family> family)
      : manufacture_(std::move(manufacture)), family_(std::move(family)) {}

  [[nodiscard]] const Manufacture& manufacture() const { return manufacture_; }
  // Null until it was filled.
  [[nodiscard]] const std::shared_ptr<const core::Family>& family() const { return family_; }

  // The checks of the family blob in order; kAlreadyPresent the second time, whatever the blob.
  core::Status fill(const core::Crypto& crypto, core::ByteView family_blob,
                    const core::EcPrivateKey& device_key);

 private:
  Manufacture manufacture_;
  std::shared_ptr<const core::Family> family_;
};

}  // namespace tallystick::device
