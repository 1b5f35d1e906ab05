#include "devicesim/part_state.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"
#include "devicesim/key_store.h"

namespace tallystick::device {
namespace {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;

// 1 ends with the installed package; 2 adds how it boots, and the debug port.
constexpr std::uint8_t kOldestState = 1;
constexpr std::uint8_t kStateVersion = 2;

Error damaged(const char* what) {
  return {ErrorCode::kStorage, std::string("the part's state is damaged: ") + what};
}

// core::Writer is for public bytes; this one appends to a secret of fixed size.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t capacity) : out_(capacity) {}

  SecretWriter& bytes(ByteView view) {
    if (view.size() > out_.size() - filled_) {
      overflow_ = true;
      return *this;
    }
    std::copy(view.begin(), view.end(), out_.span().begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += view.size();
    return *this;
  }
  SecretWriter& u8(std::uint8_t value) { return bytes({&value, 1}); }
  SecretWriter& u16(std::uint16_t value) {
    return u8(static_cast<std::uint8_t>(value >> 8U)).u8(static_cast<std::uint8_t>(value & 0xFFU));
  }
  SecretWriter& u32(std::uint32_t value) { return bytes(core::be32(value)); }
  SecretWriter& u64(std::uint64_t value) { return bytes(core::be64(value)); }
  SecretWriter& lv(ByteView view) {
    return u32(static_cast<std::uint32_t>(view.size())).bytes(view);
  }

  Result<core::Secret> take() {
    if (overflow_) return Error{ErrorCode::kStorage, "the part's state memory is full"};
    out_.truncate(filled_);
    return std::move(out_);
  }

 private:
  core::Secret out_;
  std::size_t filled_ = 0;
  bool overflow_ = false;
};

// Nothing but 0 and 1, so that a state has one form.
bool flag(core::Reader& in, bool& good) {
  const auto byte = in.u8();
  good = good && byte <= 1;
  return byte != 0;
}

void write_family(SecretWriter& out, const core::Family& family) {
  out.u8(family.flags).bytes(family.id).bytes(family.icm_public_key);
  out.u8(static_cast<std::uint8_t>(family.shares.size()));
  for (const auto& share : family.shares) out.bytes(share.view());
  out.bytes(family.k_oem_share.view()).u8(family.k_oem_master_share ? 1 : 0);
  if (family.k_oem_master_share) out.bytes(family.k_oem_master_share->view());
}

std::shared_ptr<const core::Family> read_family(core::Reader& in, bool& good) {
  auto family = std::make_shared<core::Family>();
  family->role = core::FamilyRole::kPart;
  family->flags = in.u8();
  family->id = in.array<16>();
  family->icm_public_key = in.array<core::kIcmKeySize>();
  const auto count = in.u8();
  if (count < core::kLeastShares || count > core::kMostShares) return nullptr;
  for (unsigned i = 0; i < count; ++i) {
    family->shares.push_back(core::Secret::copy_of(in.take(core::kSecretSize)));
  }
  family->k_oem_share = core::Secret::copy_of(in.take(core::kSecretSize));
  if (flag(in, good)) {
    family->k_oem_master_share = core::Secret::copy_of(in.take(core::kSecretSize));
  }
  return in.ok() ? family : nullptr;
}

// A package that this part would have installed: what uses it asks nothing again.
Result<std::shared_ptr<const Installed>> read_installed(core::Reader& in, const MemoryMap& map) {
  const auto raw = in.lv();
  const auto blob = in.lv();
  const auto proof_key = in.lv();
  if (!in.ok() || raw.size() < core::kPackageHeaderSize) return damaged("package");
  const auto body_length = core::Reader(raw.subspan(88, 8)).u64();
  auto head = core::parse_package_head(raw, raw.size() + body_length);
  if (!head || !core::check_package_entries(*head)) return damaged("package");
  for (const auto& entry : head->entries) {
    if (!asset_fits(map, entry)) return damaged("package");
  }
  auto installed = std::make_shared<Installed>();
  installed->head = *std::move(head);
  installed->share_blob.assign(blob.begin(), blob.end());
  installed->proof_key = core::Secret::copy_of(proof_key);
  return std::shared_ptr<const Installed>(std::move(installed));
}

void write_boot(SecretWriter& out, const BootRecord& boot) {
  out.u8(static_cast<std::uint8_t>(boot.slots.size()));
  for (const auto& slot : boot.slots) {
    out.u32(slot.slot).u8(slot.attempts).u8(slot.confirmed ? 1 : 0);
  }
  out.u32(boot.floor).u8(boot.last ? 1 : 0);
  if (boot.last) out.u32(*boot.last);
}

bool read_boot(core::Reader& in, BootRecord& boot) {
  const auto count = in.u8();
  bool good = count <= kApplicationSlots;
  for (unsigned i = 0; good && i < count; ++i) {
    ApplicationSlot slot;
    slot.slot = in.u32();
    slot.attempts = in.u8();
    slot.confirmed = flag(in, good);
    good = good && slot.attempts <= kBootAttempts &&
           (boot.slots.empty() || boot.slots.back().slot < slot.slot);
    boot.slots.push_back(slot);
  }
  boot.floor = in.u32();
  if (flag(in, good)) boot.last = in.u32();
  return good;
}

void write_debug(SecretWriter& out, const DebugRecord& debug) {
  out.u64(debug.fuses.bits()).u8(debug.tries).u8(debug.nonce ? 1 : 0);
  if (debug.nonce) out.bytes(*debug.nonce);
  out.u8(debug.former_key ? 1 : 0);
  if (debug.former_key) out.bytes(*debug.former_key);
}

bool read_debug(core::Reader& in, DebugRecord& debug) {
  bool good = true;
  debug.fuses = ReturnFuses(in.u64());
  debug.tries = in.u8();
  if (flag(in, good)) debug.nonce = in.array<32>();
  if (flag(in, good)) debug.former_key = in.array<64>();
  return good && debug.tries <= kDebugTries;
}

}  // namespace

core::ByteView PartState::public_key() const {
  if (device_key) return device_key->public_xy();
  if (debug.former_key) return *debug.former_key;
  return {};
}

PartState PartState::without_secrets() const {
  PartState out(ImmutableMemory(immutable.manufacture()));
  out.id = id;
  out.life_cycle = life_cycle;
  out.fuses = fuses;
  out.minimum_software_version = minimum_software_version;
  out.minimum_package_version = minimum_package_version;
  out.minimum_asset_versions = minimum_asset_versions;
  out.owner = owner;
  out.active_bank = active_bank;
  out.boot.floor = boot.floor;
  out.debug = debug;
  if (device_key) out.debug.former_key = core::array_of<64>(device_key->public_xy());
  return out;
}

Result<core::Secret> encode_state(const PartState& state) {
  SecretWriter out(kMostState);
  const auto& manufacture = state.immutable.manufacture();
  out.u8(kStateVersion).bytes(manufacture.icm_fingerprint);
  out.lv(core::bytes_of(manufacture.product));
  out.u64(manufacture.memory.flash_base).u64(manufacture.memory.flash_size);
  out.u32(manufacture.minimum_software_version);
  out.u8(state.immutable.family() ? 1 : 0);
  if (state.immutable.family()) write_family(out, *state.immutable.family());

  out.u8(state.device_key ? 1 : 0);
  if (state.device_key) {
    auto scalar = state.device_key->scalar();
    if (!scalar) return std::move(scalar).error();
    out.bytes(scalar->view());
  }
  out.lv(state.certificate);

  out.u64(state.life_cycle.bits());
  for (const auto word : state.fuses.words()) out.u32(word);

  out.lv(state.software);
  out.u32(state.minimum_software_version).u32(state.minimum_package_version);
  out.u32(static_cast<std::uint32_t>(state.minimum_asset_versions.size()));
  for (const auto& [id, version] : state.minimum_asset_versions) out.u16(id).u32(version);
  out.u8(state.owner ? 1 : 0);
  if (state.owner) out.bytes(*state.owner);

  out.u8(state.active_bank).u8(state.installed ? 1 : 0);
  if (state.installed) {
    out.lv(state.installed->head.raw).lv(state.installed->share_blob);
    out.lv(state.installed->proof_key.view());
  }
  write_boot(out, state.boot);
  write_debug(out, state.debug);
  // What is not there is not written: older states are read as they are.
  if (state.nxp) out.lv(encode_nxp_state(*state.nxp));
  return out.take();
}

Result<PartState> decode_state(const core::Crypto& crypto, ByteView bytes) {
  core::Reader in(bytes);
  const auto version = in.u8();
  if (version > kStateVersion) {
    return Error{ErrorCode::kStorage,
                 "the part's file was written by a newer version of the simulator"};
  }
  if (version < kOldestState) return damaged("unknown version");
  Manufacture manufacture;
  manufacture.icm_fingerprint = in.array<32>();
  manufacture.product = core::text_of(in.lv());
  manufacture.memory.flash_base = in.u64();
  manufacture.memory.flash_size = in.u64();
  manufacture.minimum_software_version = in.u32();
  if (!check_manufacture(manufacture)) return damaged("manufacture");
  bool good = true;
  std::shared_ptr<const core::Family> family;
  if (flag(in, good)) {
    family = read_family(in, good);
    if (!family) return damaged("family");
  }
  PartState state(ImmutableMemory(std::move(manufacture), std::move(family)));

  if (flag(in, good)) {
    auto key = core::EcPrivateKey::from_scalar(crypto, core::Curve::kP256, in.take(32));
    if (!key) return damaged("device key");
    auto id = core::key_id(crypto, key->public_xy());
    if (!id) return std::move(id).error();
    state.device_key = std::make_shared<const core::EcPrivateKey>(*std::move(key));
    state.id = *id;
  }
  const auto certificate = in.lv();
  state.certificate.assign(certificate.begin(), certificate.end());

  state.life_cycle = LifeCycleFuses(in.u64());
  std::array<std::uint32_t, kFuseWords> words{};
  for (auto& word : words) word = in.u32();
  state.fuses = Fuses(words);

  const auto software = in.lv();
  state.software.assign(software.begin(), software.end());
  state.minimum_software_version = in.u32();
  state.minimum_package_version = in.u32();
  const auto ids = in.u32();
  if (ids > kMostAssetIds) return damaged("minimum versions");
  for (std::uint32_t i = 0; i < ids; ++i) {
    const auto id = in.u16();
    good = good && (state.minimum_asset_versions.empty() ||
                    state.minimum_asset_versions.rbegin()->first < id);
    state.minimum_asset_versions[id] = in.u32();
  }
  if (flag(in, good)) state.owner = in.array<32>();

  state.active_bank = in.u8();
  if (state.active_bank > 1) return damaged("bank");
  if (flag(in, good)) {
    auto installed = read_installed(in, state.immutable.manufacture().memory);
    if (!installed) return std::move(installed).error();
    state.installed = *std::move(installed);
  }
  if (version >= 2) {
    if (!read_boot(in, state.boot)) return damaged("boot record");
    if (!read_debug(in, state.debug)) return damaged("debug record");
  }
  if (state.debug.former_key) {
    if (state.device_key) return damaged("two device keys");
    auto id = core::key_id(crypto, *state.debug.former_key);
    if (!id) return std::move(id).error();
    state.id = *id;
  }
  if (in.ok() && !in.rest().empty()) {
    auto nxp = decode_nxp_state(in.lv());
    if (!nxp) return std::move(nxp).error();
    state.nxp = *std::move(nxp);
  }
  if (!good) return damaged("not of the one form");
  if (!in.done()) return damaged("length");
  return state;
}

}  // namespace tallystick::device
