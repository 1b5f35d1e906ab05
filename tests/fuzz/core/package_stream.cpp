// A whole package as a part reads it: in pieces that are cut anywhere, and once more in one go.
// Both ways come to the same verdict and stage the same bytes.
//
// Input: u8 flags, u8 number of pieces (up to 15), a u16 length for each, the package. The lengths
// serve again and again. Flags: 1 the head is signed and tagged after it was altered, 2 the share
// blob is of role 3, 4 the part is of product "gadget", 8 a wrong length is announced.
#include "core/crypto/hash.h"
#include "core/provisioning/package_reader.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

constexpr std::uint64_t kFlash = 1ULL << 32U;

// Takes everything, and watches that it is told in order.
class Target : public core::PackageTarget {
 public:
  Target(core::ByteView share, std::string product) : share_(share), product_(std::move(product)) {}

  core::Bytes staged;
  bool abandoned = false;

  [[nodiscard]] const core::ProvisioningSoftware& running() const override {
    return fuzz::world().part_device;
  }
  [[nodiscard]] const core::EcPrivateKey* device_key() const override {
    return &fuzz::world().part;
  }
  [[nodiscard]] core::ByteView share_blob() const override { return share_; }
  [[nodiscard]] std::optional<core::OemId> owner() const override { return std::nullopt; }
  [[nodiscard]] std::string product() const override { return product_; }
  [[nodiscard]] std::uint32_t minimum_package_version() const override { return 1; }
  [[nodiscard]] std::uint32_t minimum_asset_version(std::uint16_t id) const override {
    return id == 9 ? 2 : 0;
  }
  [[nodiscard]] bool range_permitted(const core::PackageEntry& entry) const override {
    return entry.is_key() ||
           (entry.address <= kFlash && entry.plaintext_length <= kFlash - entry.address);
  }
  core::Status begin_asset(const core::PackageHead& head, std::size_t index) override {
    fuzz::expect(!in_asset_ && !abandoned && index == next_++, "assets begin in order");
    in_asset_ = true;
    left_ = head.entries[index].plaintext_length;
    return {};
  }
  core::Status write_asset(core::ByteView plaintext) override {
    fuzz::expect(in_asset_ && plaintext.size() <= left_, "no more than an asset's length comes");
    left_ -= plaintext.size();
    staged.insert(staged.end(), plaintext.begin(), plaintext.end());
    return {};
  }
  core::Status end_asset() override {
    fuzz::expect(in_asset_ && left_ == 0, "an asset ends at its length");
    in_asset_ = false;
    return {};
  }
  void abandon() override {
    fuzz::expect(next_ > 0 && !abandoned, "what was staged is abandoned once");
    abandoned = true;
  }

 private:
  core::ByteView share_;
  std::string product_;
  std::size_t next_ = 0;
  std::uint64_t left_ = 0;
  bool in_asset_ = false;
};

struct Outcome {
  int check = 0;  // 0: good
  core::Bytes staged;
};

template <typename NextPiece>
Outcome install(Target& target, core::ByteView package, std::uint64_t length, NextPiece piece) {
  core::PackageReader reader(fuzz::world().crypto, length, target);
  core::Status taken;
  while (taken && !package.empty()) {
    const auto count = std::min<std::size_t>(piece(), package.size());
    taken = reader.update(package.first(count));
    package = package.subspan(count);
  }
  if (!taken) {
    fuzz::expect(!reader.update(package) && !reader.finish(), "a refused package stays refused");
    return {taken.error().check + 1000, {}};
  }
  const auto good = reader.finish();
  if (!good) return {good.error().check + 1000, {}};
  fuzz::expect(!target.abandoned, "a good package is not abandoned");
  return {0, target.staged};
}

void sign_head(core::Bytes& package) {
  if (package.size() < core::kPackageHeaderSize) return;
  const auto size =
      core::package_head_size_of(core::ByteView(package).first(core::kPackageHeaderSize));
  if (!size || *size > package.size()) return;
  fuzz::world().sign_and_tag(core::MutableByteView(package).first(*size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes role_1 =
      test::value(fuzz::world().oem_device.give_share(fuzz::world().share, core::Suite::kGcm));
  static const core::Bytes role_3 = fuzz::world().device_blob();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  std::vector<std::size_t> pieces(in.u8() % 16U);
  for (auto& piece : pieces) piece = in.u16();
  // One that is not empty, so that the stream comes to its end.
  pieces.push_back(4096);
  const auto lie = (flags & 8U) != 0 ? in.u64() : 0;
  const auto rest = in.rest();
  core::Bytes package(rest.begin(), rest.end());
  if ((flags & 1U) != 0) sign_head(package);
  const auto length = (flags & 8U) != 0 ? lie : package.size();

  const auto& share = (flags & 2U) != 0 ? role_3 : role_1;
  const std::string product = (flags & 4U) != 0 ? "gadget" : "";
  Target in_pieces(share, product);
  std::size_t at = 0;
  const auto pieced =
      install(in_pieces, package, length, [&] { return pieces[at++ % pieces.size()]; });
  Target in_one(share, product);
  const auto whole = install(in_one, package, length, [&] { return package.size(); });
  // What is too long for its announced length is refused as soon as that is seen.
  fuzz::expect(
      (flags & 8U) != 0 ? (pieced.check == 0) == (whole.check == 0) : pieced.check == whole.check,
      "pieces do not change the verdict");
  fuzz::expect(pieced.staged == whole.staged, "pieces do not change what is staged");
  return 0;
}
