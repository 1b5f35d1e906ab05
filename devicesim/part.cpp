#include "devicesim/part.h"

#include <algorithm>

#include "core/certificate/device_certificate.h"
#include "devicesim/file_storage.h"
#include "devicesim/prover.h"
#include "devicesim/rom.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Operation;
using core::Result;
using core::Status;

namespace {

Result<PartState> blank_state(const Manufacture& manufacture) {
  if (auto checked = check_manufacture(manufacture); !checked) return checked.error();
  PartState state{ImmutableMemory(manufacture)};
  state.minimum_software_version = manufacture.minimum_software_version;
  return state;
}

Error refused(ErrorCode code, const char* what, const char* why) {
  return {code, std::string(what) + ": " + why};
}

}  // namespace

Part::Part(CryptoPtr crypto, PartFile file, PartState state)
    : crypto_(std::move(crypto)), file_(std::move(file)), state_(std::move(state)) {}

Part::~Part() { cut_off(); }

void Part::cut_off() {
  if (installer_ != nullptr) installer_->detach();
  if (sb3_installer_ != nullptr) sb3_installer_->detach();
  if (flash_change_ == nullptr) return;
  flash_change_->detach();
  // A failure keeps the file from further use until the part is powered on again, which erases too.
  (void)file_.wipe_bank(inactive_bank());
}

Result<std::unique_ptr<Part>> Part::create(CryptoPtr crypto, const std::string& path,
                                           const Manufacture& manufacture) {
  auto state = blank_state(manufacture);
  if (!state) return std::move(state).error();
  auto storage =
      FileStorage::create(path, PartFile::storage_size(manufacture.memory),
                          [&](Storage& blank) { return PartFile::format(*crypto, blank, *state); });
  if (!storage) return std::move(storage).error();
  return open_in(std::move(crypto), *std::move(storage));
}

Result<std::unique_ptr<Part>> Part::open(CryptoPtr crypto, const std::string& path,
                                         const puf::NoiseSource& noise) {
  auto storage = FileStorage::open(path);
  if (!storage) return std::move(storage).error();
  auto part = open_in(std::move(crypto), *std::move(storage), noise);
  if (part) return part;
  auto error = std::move(part).error();
  error.message = path + ": " + error.message;
  return error;
}

Result<std::unique_ptr<Part>> Part::create_in(CryptoPtr crypto, std::unique_ptr<Storage> storage,
                                              const Manufacture& manufacture,
                                              const puf::NoiseSource& noise) {
  auto state = blank_state(manufacture);
  if (!state) return std::move(state).error();
  if (storage->size() != PartFile::storage_size(manufacture.memory)) {
    return Error{ErrorCode::kInvalidArgument, "the storage has not the size of the part"};
  }
  if (auto done = PartFile::format(*crypto, *storage, *state); !done) return done.error();
  return open_in(std::move(crypto), std::move(storage), noise);
}

Result<std::unique_ptr<Part>> Part::open_in(CryptoPtr crypto, std::unique_ptr<Storage> storage,
                                            const puf::NoiseSource& noise) {
  auto file = PartFile::open(*crypto, std::move(storage), noise);
  if (!file) return std::move(file).error();
  auto state = file->take_state();
  std::unique_ptr<Part> part(new Part(std::move(crypto), *std::move(file), std::move(state)));
  if (auto on = part->power_on(); !on) return on.error();
  return part;
}

Status Part::power_on() {
  if (state_.debug.fuses.state() == Return::kErasing) {
    if (auto finished = finish_return(); !finished) return finished;
  }
  if (auto wiped = file_.wipe_bank(inactive_bank()); !wiped) return wiped;
  if (!state_.device_key && state_.debug.fuses.state() == Return::kNone) {
    auto key = make_device_key();
    if (!key) return std::move(key).error();
    auto id = core::key_id(*crypto_, (*key)->public_xy());
    if (!id) return std::move(id).error();
    auto next = state_;
    next.device_key = *std::move(key);
    next.id = *id;
    if (auto committed = commit(std::move(next)); !committed) return committed;
  }
  if (state_.installed) share_blob_ = state_.installed->share_blob;
  auto ran = reset();
  if (!ran && ran.error().code == ErrorCode::kStorage) return ran;
  return {};
}

Result<std::shared_ptr<const core::EcPrivateKey>> Part::make_device_key() {
  if (state_.immutable.manufacture().key == KeySource::kPuf) return file_.enrol();
  auto key = core::EcPrivateKey::generate(*crypto_, core::Curve::kP256);
  if (!key) return std::move(key).error();
  return std::make_shared<const core::EcPrivateKey>(*std::move(key));
}

Status Part::commit(PartState next) {
  if (auto committed = file_.commit(next); !committed) return committed;
  state_ = std::move(next);
  return {};
}

PartInfo Part::info() const {
  PartInfo info;
  info.id = state_.id;
  if (!public_key().empty()) info.public_key = core::array_of<64>(public_key());
  info.life_cycle = life_cycle();
  info.manufacture = state_.immutable.manufacture();
  info.certified = !state_.certificate.empty();
  if (const auto& family = state_.immutable.family()) {
    info.family_id = family->id;
    info.family_flags = family->flags;
  }
  info.minimum_software_version = state_.minimum_software_version;
  info.minimum_package_version = state_.minimum_package_version;
  info.owner = state_.owner;
  if (software_) info.software = software_->header;
  if (state_.installed) {
    info.package = state_.installed->head.header;
    info.assets = state_.installed->head.entries;
  }
  info.boot = state_.boot;
  info.returned = returned();
  info.debug_tries_left = kDebugTries - state_.debug.tries;
  return info;
}

Status Part::check_running(const char* what) const {
  if (running_) return {};
  return refused(ErrorCode::kNotPermitted, what, "no provisioning software runs");
}

Status Part::check_state(Action action, const char* what) const {
  switch (state_.debug.fuses.state()) {
    case Return::kNone:
      return check_life_cycle(life_cycle(), action, what);
    case Return::kOpen:
      if (action == Action::kReadFlash || action == Action::kDebug) return {};
      return refused(ErrorCode::kLifeCycle, what, "the part was erased and opened for debugging");
    case Return::kErasing:
      return refused(ErrorCode::kLifeCycle, what, "the part is being erased");
    case Return::kDamaged:
      break;
  }
  return refused(ErrorCode::kLifeCycle, what, "the fuses of the debug port are damaged");
}

Status Part::check_idle(Action action, const char* what) const {
  if (auto permitted = check_state(action, what); !permitted) return permitted;
  if (installer_ != nullptr) {
    return refused(ErrorCode::kLifeCycle, what, "an installation is under way");
  }
  if (flash_change_ != nullptr) {
    return refused(ErrorCode::kLifeCycle, what, "the flash is being written");
  }
  return {};
}

Status Part::check_programmable(Action action, const char* what) const {
  if (auto idle = check_idle(action, what); !idle) return idle;
  return check_running(what);
}

Status Part::fill_immutable_memory(core::ByteView family_blob) {
  if (auto checked = check_idle(Action::kFillMemory, "fill the immutable memory"); !checked)
    return checked;
  auto next = state_;
  if (auto filled = next.immutable.fill(*crypto_, family_blob, *state_.device_key); !filled) {
    return filled;
  }
  return commit(std::move(next));
}

Status Part::store_certificate(core::ByteView der) {
  constexpr const char* kWhat = "store the certificate";
  if (auto checked = check_idle(Action::kStoreCertificate, kWhat); !checked) return checked;
  const auto& family = state_.immutable.family();
  if (!family) return refused(ErrorCode::kLifeCycle, kWhat, "the immutable memory is empty");
  auto certificate = core::verify_device_certificate(*crypto_, der, family->icm_public_key);
  if (!certificate) return std::move(certificate).error();
  if (certificate->kind != core::DeviceKind::kPart ||
      !core::equal_in_constant_time(certificate->id, state_.id)) {
    return refused(ErrorCode::kWrongRecipient, kWhat, "it was issued to another device");
  }
  auto next = state_;
  next.certificate.assign(der.begin(), der.end());
  return commit(std::move(next));
}

Status Part::load_software(core::ByteView image) {
  constexpr const char* kWhat = "load software";
  if (auto checked = check_idle(Action::kLoadSoftware, kWhat); !checked) return checked;
  if (image.size() > core::kMostSoftware) {
    return refused(ErrorCode::kMalformed, kWhat, "no image is that long");
  }
  if (auto software = check_software(*crypto_, state_, image); !software) {
    return std::move(software).error();
  }
  auto next = state_;
  next.software.assign(image.begin(), image.end());
  return commit(std::move(next));
}

Status Part::reset() {
  cut_off();
  running_.reset();
  software_.reset();
  boot_error_.reset();
  application_.reset();
  ++resets_;
  auto latch = latch_software(*crypto_, state_);
  if (!latch) {
    boot_error_ = latch.error();
    return std::move(latch).error();
  }
  if (latch->state_changed) {
    if (auto committed = commit(std::move(latch->state)); !committed) {
      boot_error_ = committed.error();
      return committed;
    }
  }
  software_ = std::move(latch->software);
  if (software_) running_.emplace(*crypto_, *state_.immutable.family(), *software_);
  return {};
}

Status Part::load_share_blob(core::ByteView blob) {
  if (auto checked = check_programmable(Action::kInstall, "load a share blob"); !checked)
    return checked;
  if (blob.size() > core::kMostShareBlob) {
    return refused(ErrorCode::kMalformed, "load a share blob", "no share blob is that long");
  }
  share_blob_.assign(blob.begin(), blob.end());
  return {};
}

Result<LifeCycle> Part::state_after_installation() const {
  const auto from = life_cycle();
  if (from == LifeCycle::kProvisioned) return from;
  const auto& permissions = running_->permissions();
  for (const auto to : {LifeCycle::kProvisioned, LifeCycle::kLocked}) {
    if (permissions.moves(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to))) {
      return to;
    }
  }
  return Error{ErrorCode::kLifeCycle,
               "install a package: the running software moves no part on from the state " +
                   std::string(life_cycle_name(from))};
}

Result<std::unique_ptr<Installer>> Part::install_package(std::uint64_t total_length) {
  constexpr const char* kWhat = "install a package";
  if (auto checked = check_programmable(Action::kInstall, kWhat); !checked) return checked.error();
  if (!running_->permissions().allows(Operation::kInstall)) {
    return refused(ErrorCode::kNotPermitted, kWhat, "the running software does not permit it");
  }
  if (auto after = state_after_installation(); !after) return std::move(after).error();
  return std::unique_ptr<Installer>(new Installer(*this, total_length));
}

Status Part::commit_package(core::VerifiedPackage package,
                            const std::vector<std::uint32_t>& applications) {
  auto after = state_after_installation();
  if (!after) return std::move(after).error();
  auto next = state_;
  if (*after != life_cycle()) {
    if (auto moved = next.life_cycle.advance(*after); !moved) return moved;
  }
  next.owner = package.owner;
  next.minimum_package_version =
      std::max(next.minimum_package_version, package.head.header.package_version);
  for (const auto& entry : package.head.entries) {
    auto& minimum = next.minimum_asset_versions[entry.asset_id];
    minimum = std::max(minimum, entry.asset_version);
  }
  auto installed = std::make_shared<Installed>();
  installed->head = std::move(package.head);
  installed->share_blob = share_blob_;
  installed->proof_key = std::move(package.proof_key);
  next.installed = std::move(installed);
  next.boot.slots.clear();
  next.boot.last.reset();
  for (const auto slot : applications) next.boot.slots.push_back({slot, 0, false});
  next.active_bank = static_cast<std::uint8_t>(inactive_bank());
  if (auto committed = commit(std::move(next)); !committed) return committed;
  // What the package replaced. It is out of reach already; a failure is made good at power-on.
  return file_.wipe_bank(inactive_bank());
}

Status Part::blow_fuse(std::size_t index, std::uint32_t bits) {
  return blow_fuses(index, {&bits, 1});
}

Status Part::blow_fuses(std::size_t first, std::span<const std::uint32_t> words) {
  if (auto checked = check_programmable(Action::kBlowFuse, "blow a fuse"); !checked) return checked;
  auto next = state_;
  for (const auto bits : words) {
    if (auto blown = next.fuses.blow(first++, bits); !blown) return blown;
  }
  return commit(std::move(next));
}

Status Part::check_flash_open(const char* what) const {
  return check_idle(Action::kReadFlash, what);
}

Result<std::unique_ptr<FlashChange>> Part::change_flash(FlashContents contents) {
  if (auto checked = check_idle(Action::kWriteFlash, "write the flash"); !checked) {
    return checked.error();
  }
  std::unique_ptr<FlashChange> change(new FlashChange(*this));
  if (contents == FlashContents::kKept) {
    auto copied = file_.copy_bank(state_.active_bank, inactive_bank(), memory_map().flash_size);
    if (!copied) return copied.error();
  }
  return change;
}

Status Part::commit_flash(PartState next) {
  next.active_bank = static_cast<std::uint8_t>(inactive_bank());
  if (auto committed = commit(std::move(next)); !committed) return committed;
  return file_.wipe_bank(inactive_bank());
}

Status Part::check_flash_read(std::uint64_t address, std::uint64_t length) const {
  constexpr const char* kWhat = "read the flash";
  if (check_flash_open(kWhat)) {
    if (in_flash(memory_map(), address, length)) return {};
    return refused(ErrorCode::kInvalidArgument, kWhat, "the range is not in the flash");
  }
  if (auto checked = check_running(kWhat); !checked) return checked;
  const auto* const head = state_.installed ? &state_.installed->head : nullptr;
  auto readable = check_readable(memory_map(), head, address, length);
  if (readable) return {};
  return refused(readable.error().code, kWhat, readable.error().message.c_str());
}

Status Part::read_open_flash(std::uint64_t address, core::MutableByteView out) {
  if (auto open = check_flash_open("read the flash"); !open) return open;
  if (auto checked = check_flash_read(address, out.size()); !checked) return checked;
  return file_.read_bank(state_.active_bank, address - memory_map().flash_base, out);
}

Result<std::uint32_t> Part::read_fuse(std::size_t index) const {
  constexpr const char* kWhat = "read a fuse";
  if (auto permitted = check_state(Action::kReadFuse, kWhat); !permitted) return permitted.error();
  if (auto checked = check_running(kWhat); !checked) return checked.error();
  return state_.fuses.read(index);
}

Result<core::Bytes> Part::prove(core::ByteView challenge) {
  if (auto permitted = check_state(Action::kProve, "prove"); !permitted) return permitted.error();
  if (auto checked = check_running("prove"); !checked) return checked.error();
  if (!running_->permissions().allows(Operation::kProve)) {
    return refused(ErrorCode::kNotPermitted, "prove", "the running software does not permit it");
  }
  return make_proof(*crypto_, file_, state_, running_->version(), challenge);
}

Result<core::Bytes> Part::read_flash(std::uint64_t address, std::size_t length) {
  constexpr const char* kWhat = "read the flash";
  if (auto permitted = check_state(Action::kReadAsset, kWhat); !permitted) {
    return permitted.error();
  }
  if (auto checked = check_running(kWhat); !checked) return checked.error();
  if (length > kMostRead) {
    return refused(ErrorCode::kInvalidArgument, kWhat, "at most 1 MiB at once");
  }
  const auto& memory = state_.immutable.manufacture().memory;
  const auto* const head = state_.installed ? &state_.installed->head : nullptr;
  if (auto readable = check_readable(memory, head, address, length); !readable) {
    return refused(readable.error().code, kWhat, readable.error().message.c_str());
  }
  core::Bytes out(length);
  if (auto read = file_.read_bank(state_.active_bank, address - memory.flash_base, out); !read) {
    return read.error();
  }
  return out;
}

}  // namespace tallystick::device
