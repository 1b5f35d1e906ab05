// The asset package "TSPK": what the OEM sends to the CM (section 6 of docs/formats.md). This file
// is the layout and the OEM's side; package_reader.h is the part's side.
//
//   file = head ‖ body;  head = header(128) ‖ entries(128 each) ‖ trailer(208)
#pragma once

#include <string>
#include <vector>

#include "core/ts1/seal.h"
#include "core/ts1/text.h"

namespace tallystick::core {

enum class AssetKind : std::uint8_t {
  kData = 0,           // firmware or data       K_ENCD
  kConfiguration = 1,  //                        K_ENCD
  kCertificate = 2,    //                        K_ENCD
  kSecretKey = 16,     // or secret bytes        K_ENCK
  kPrivateKey = 17,    //                        K_ENCK
  kFurther = 32,       // further data type      K = KDF(TS1/X/ ‖ name)
};

constexpr std::uint8_t kAssetGenerated = 1;
constexpr std::uint8_t kAssetWriteOnly = 2;
// Uses, for kinds 16 and 17 only. Decrypt and unwrap exclude each other.
constexpr std::uint8_t kAssetSign = 16;
constexpr std::uint8_t kAssetDecrypt = 32;
constexpr std::uint8_t kAssetDerive = 64;
constexpr std::uint8_t kAssetUnwrap = 128;

constexpr std::size_t kMostAssets = 64;
constexpr std::size_t kPackageHeaderSize = 128;
constexpr std::size_t kPackageEntrySize = 128;
constexpr std::size_t kPackageTrailerSize = 208;
constexpr std::size_t kAssetContextSize = 218;

struct PackageHeader {
  Suite suite{};
  std::uint8_t asset_count = 0;
  std::uint32_t package_version = 0;
  Context context;            // sw_floor, family, OEM, share
  std::uint64_t created = 0;  // Unix seconds
  std::uint64_t body_length = 0;
  std::string product;  // up to 32 bytes of UTF-8; empty: any product
};

struct PackageEntry {
  std::uint16_t asset_id = 0;
  AssetKind kind{};
  std::uint8_t flags = 0;
  std::uint32_t slot = 0;
  std::uint64_t address = 0;
  std::uint64_t plaintext_length = 0;
  std::uint64_t sealed_length = 0;
  std::string name;
  ByteArray<48> digest{};  // SHA-384 of the sealed bytes
  std::uint32_t asset_version = 0;

  [[nodiscard]] bool is_key() const {
    return kind == AssetKind::kSecretKey || kind == AssetKind::kPrivateKey;
  }
};

// The KDF label of the key that seals an asset.
std::string label_for(AssetKind kind, std::string_view name);

// Length of the head of a package with n assets.
constexpr std::size_t package_head_size(std::size_t n) {
  return kPackageHeaderSize + n * kPackageEntrySize + kPackageTrailerSize;
}

// A parsed head; the raw bytes stay beside the fields because signatures, tags and proofs cover
// them and not a second encoding.
struct PackageHead {
  Bytes raw;  // header ‖ entries ‖ trailer
  PackageHeader header;
  std::vector<PackageEntry> entries;

  [[nodiscard]] ByteView header_bytes() const;
  [[nodiscard]] ByteView entry_bytes(std::size_t i) const;
  [[nodiscard]] ByteView oem_public_key() const;  // X ‖ Y, 96 bytes
  [[nodiscard]] ByteView signature() const;       // 96 bytes
  [[nodiscard]] ByteView tag() const;             // 16 bytes
  // header ‖ entries ‖ public key: what the OEM signs.
  [[nodiscard]] ByteView signed_bytes() const;
  // signed bytes ‖ signature: what K_AUTH tags.
  [[nodiscard]] ByteView tagged_bytes() const;
  // "TS1/ASSET" ‖ 0x00 ‖ header ‖ entry[0..64) ‖ entry[112..128)
  [[nodiscard]] Bytes asset_context(std::size_t i) const;
};

// How many bytes the head of a package has, from its first 128; check 1 as far as they tell.
Result<std::size_t> package_head_size_of(ByteView header);
// Check 1: magic, format, suite, n, lengths below 2^40, body and sealed lengths exact, and the
// file's whole length. `total_length` counts head and body.
Result<PackageHead> parse_package_head(ByteView head, std::uint64_t total_length);
// Check 8 without the part: ids, kinds, flags, zeros, names, slots, ranges. kInconsistent.
Status check_package_entries(const PackageHead& head);
// Checks 6 and 7 without a part: oem_id is the key's hash, and the signature holds.
Status check_package_signature(const Crypto& crypto, const PackageHead& head);

// A parsed sealing context, for devices that seal or open single assets.
struct AssetContext {
  PackageHeader header;
  PackageEntry entry;  // digest all zero
};
// kMalformed unless it is a context of the profile: form, known kind and flags, exact lengths,
// valid names, as in checks 1 and 8.
Result<AssetContext> parse_asset_context(ByteView context);

// Puts a package together. The order of use: create, seal each asset under seal_context(i) and
// report its digest, let the OEM's key sign signed_bytes(), let K_AUTH tag tagged_bytes(), write
// head() and then the sealed assets in order.
class PackageBuilder {
 public:
  // Fills in asset_count, body_length and sealed lengths; digests are ignored. Refuses what a part
  // would refuse in checks 1 and 8 (kInvalidArgument, with the asset's name).
  static Result<PackageBuilder> create(PackageHeader header, std::vector<PackageEntry> entries);

  [[nodiscard]] const PackageHeader& header() const { return head_.header; }
  [[nodiscard]] const std::vector<PackageEntry>& entries() const { return head_.entries; }
  [[nodiscard]] Bytes seal_context(std::size_t i) const { return head_.asset_context(i); }
  void set_digest(std::size_t i, const ByteArray<48>& sealed_digest);
  // 96 bytes; written into the trailer.
  void set_oem_public_key(ByteView xy);
  void set_signature(ByteView signature);
  void set_tag(ByteView tag);
  [[nodiscard]] const PackageHead& head() const { return head_; }

 private:
  explicit PackageBuilder(PackageHead head) : head_(std::move(head)) {}
  PackageHead head_;
};

}  // namespace tallystick::core
