// A small world for the tests: one Crypto, families, OEMs and provisioning software.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "core/provisioning/provisioning_software.h"

namespace tallystick::core::testing {

// The value of a result that has to be one. Throws, which fails the test, when it is an error.
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) {
    throw std::runtime_error("unexpected error " +
                             std::to_string(static_cast<int>(result.error().code)) + "/" +
                             std::to_string(result.error().check) + ": " + result.error().message);
  }
  return *std::move(result);
}
inline void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error("unexpected error: " + status.error().message);
}

template <typename T>
::testing::AssertionResult is_ok(const Result<T>& result) {
  if (result.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "error " << static_cast<int>(result.error().code) << ", check "
         << static_cast<int>(result.error().check) << ": " << result.error().message;
}

// Holds when the result is an error with this code.
template <typename T>
::testing::AssertionResult fails_with(const Result<T>& result, ErrorCode code) {
  if (result.ok()) return ::testing::AssertionFailure() << "was not refused";
  if (result.error().code != code) return is_ok(result) << " instead of " << static_cast<int>(code);
  return ::testing::AssertionSuccess();
}
// Holds when the result was refused at this numbered check.
template <typename T>
::testing::AssertionResult refused_at(const Result<T>& result, int check) {
  if (result.ok()) return ::testing::AssertionFailure() << "was not refused";
  if (result.error().check != check) return is_ok(result) << " instead of check " << check;
  return ::testing::AssertionSuccess();
}

const Crypto& crypto();

Bytes random_bytes(std::size_t size);
template <std::size_t N>
ByteArray<N> random_array() {
  return array_of<N>(random_bytes(N));
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
Bytes concatenated(std::initializer_list<ByteView> parts);
std::vector<Secret> clones(const std::vector<Secret>& secrets);

struct Signer {
  EcPrivateKey key;
  ByteArray<32> id{};  // SHA-256(X ‖ Y)

  [[nodiscard]] Bytes sign(std::initializer_list<ByteView> message) const;
  [[nodiscard]] ByteArray<96> xy96() const { return array_of<96>(key.public_xy()); }
};
Signer make_signer(Curve curve = Curve::kP384);

// A family as the ICM holds it, and as its devices do.
Family make_family(const Signer& icm, std::uint8_t flags = 0, std::uint8_t further_shares = 1);
Family as_role(const Family& icm_family, FamilyRole role);

std::vector<PermissionRecord> every_permission();
// An image that never was signed: what core holds after the checks.
Software software_with(const std::vector<PermissionRecord>& records, const FamilyId& family,
                       std::uint32_t version = 3);
// Every permission but `operation`, or without the bits `mask` of its argument.
std::vector<PermissionRecord> permissions_without(Operation operation,
                                                  std::uint32_t mask = 0xFFFFFFFF);

// An ICM's family with a provisioning device and a part, both running software that permits all.
struct World {
  explicit World(std::uint8_t flags = 0, std::uint32_t version = 3);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Signer icm;
  Signer oem;
  Family icm_family;
  Family oem_family;
  Family part_family;
  Software software;
  ProvisioningSoftware oem_device;
  ProvisioningSoftware part;
  Signer token_key;
  Signer part_key;

  [[nodiscard]] OemShare make_share(std::uint32_t sw_floor = 2) const;
  // A grant of the OEM for minters with `minter`.
  [[nodiscard]] DeviceBlobRequest request(const Context& context, const Signer& minter,
                                          std::uint64_t number = 1, std::uint64_t limit = 10) const;
};

}  // namespace tallystick::core::testing
