// PackageReader: the part's side of a package, as a stream (section 6 of docs/formats.md). It
// collects the head in its own memory, makes checks 1 to 9 in order before anything is written,
// and then opens asset after asset into places that the part keeps inactive until it commits.
// Memory: the head (at most 8.5 KiB) and one chunk.
#pragma once

#include "core/crypto/hash.h"
#include "core/provisioning/provisioning_software.h"

namespace tallystick::core {

// What the part knows and where it puts things.
class PackageTarget {
 public:
  virtual ~PackageTarget() = default;

  [[nodiscard]] virtual const ProvisioningSoftware& running() const = 0;
  [[nodiscard]] virtual const EcPrivateKey* device_key() const = 0;
  // The share blob that came before the package, role 1 or 3, unchecked.
  [[nodiscard]] virtual ByteView share_blob() const = 0;
  [[nodiscard]] virtual std::optional<OemId> owner() const = 0;
  // Empty: none.
  [[nodiscard]] virtual std::string product() const = 0;
  [[nodiscard]] virtual std::uint32_t minimum_package_version() const = 0;
  [[nodiscard]] virtual std::uint32_t minimum_asset_version(std::uint16_t asset_id) const = 0;
  [[nodiscard]] virtual bool range_permitted(const PackageEntry& entry) const = 0;

  // Staging: begin, any number of writes, end for each asset in order. An error from any of them
  // ends the installation.
  virtual Status begin_asset(const PackageHead& head, std::size_t index) = 0;
  virtual Status write_asset(ByteView plaintext) = 0;
  virtual Status end_asset() = 0;
  // Called once when anything fails after the first begin_asset: everything staged is erased.
  virtual void abandon() = 0;
};

// What a part commits.
struct VerifiedPackage {
  PackageHead head;
  OemId owner{};
  // K_PROOF of this package; empty when the running software does not prove.
  Secret proof_key;
};

class PackageReader {
 public:
  // `total_length`: bytes of the whole file, known before the stream starts.
  PackageReader(const Crypto& crypto, std::uint64_t total_length, PackageTarget& target);
  ~PackageReader();
  PackageReader(const PackageReader&) = delete;
  PackageReader& operator=(const PackageReader&) = delete;

  // Any cut into pieces. Error::check is the number of the check that refused, 10 for opening.
  // After an error nothing more is taken and the target has been told to abandon.
  Status update(ByteView data);
  // The stream has ended; only then is the package good to commit.
  Result<VerifiedPackage> finish();

 private:
  Status collect_head(ByteView& data);
  Status check_head(ByteView bytes);
  Status take_body(ByteView data);
  Status begin_next_asset();
  Status end_current_asset();
  Status fail(Error error);

  const Crypto* crypto_;
  PackageTarget* target_;
  std::uint64_t total_length_;
  std::uint64_t received_ = 0;
  Bytes collected_;
  std::size_t head_size_ = 0;
  std::optional<PackageHead> head_;
  std::optional<MasterKey> master_key_;
  Secret proof_key_;
  std::size_t current_ = 0;
  std::uint64_t left_in_asset_ = 0;
  std::optional<Opener> opener_;
  std::optional<Hasher> hasher_;
  bool staging_ = false;
  bool failed_ = false;
};

}  // namespace tallystick::core
