// Part: a simulated part, from blank silicon to locked (section 8 of docs/formats.md). It lives in
// one file; dropping the object is pulling the plug, opening the file again is power-on.
//
//   create           the chip is made: ICM fingerprint, product, memory map; first power-on makes
//                    the device key, whose public half can be read and whose private half cannot
//   fill_immutable_memory, store_certificate, load_software      at the ICM
//   reset            the ROM checks the stored software and lets it run
//   load_share_blob, install_package, lock, prove                at the contract manufacturer
//   boot, confirm_application, use_key                           in the product
//   make_debug_challenge, open_debug                             back at the owner
//
// What each state of the life cycle forbids is one table, check_life_cycle() in life_cycle.h.
//
// Until the first package the flash is open: anyone writes, erases and reads it, with software or
// without, and the package replaces all of it.
//
// While no software runs a part answers only to identity, the ICM's steps, the open flash and
// reset. All that changes the state is durable when the call returns, or has not happened. One
// thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/provisioning/provisioning_software.h"
#include "core/ts1/debug_access.h"
#include "devicesim/boot.h"
#include "devicesim/flash_change.h"
#include "devicesim/installer.h"
#include "devicesim/key_use.h"
#include "devicesim/nxp/provisioned_keys.h"
#include "devicesim/nxp/sb3_installer.h"
#include "devicesim/part_file.h"

namespace tallystick::device {

// What anyone may see of a part; no secrets.
struct PartInfo {
  core::DeviceId id{};
  core::ByteArray<64> public_key{};  // of a returned part: the key that it had
  LifeCycle life_cycle{};
  Manufacture manufacture;
  bool certified = false;
  std::optional<core::FamilyId> family_id;  // nothing: the immutable memory is empty
  std::uint8_t family_flags = 0;
  std::uint32_t minimum_software_version = 0;
  std::uint32_t minimum_package_version = 0;
  std::optional<core::OemId> owner;
  // The software that runs; nothing: none.
  std::optional<core::SoftwareHeader> software;
  // The installed package.
  std::optional<core::PackageHeader> package;
  std::vector<core::PackageEntry> assets;
  BootRecord boot;
  bool returned = false;  // erased, its debug port open
  unsigned debug_tries_left = 0;
};

// What lock() would do now, without doing it.
struct LockRehearsal {
  LifeCycle from{};
  // What lock() would say; nothing: it would lock the part, for good.
  std::optional<core::Error> refused;
  // Afterwards the serial line still gives what a locked part gives; otherwise identity and the way
  // to open the debug port, and nothing else.
  bool isp_open = true;
  // The application slot that a boot would start; nothing: none.
  std::optional<std::uint32_t> starts;
  // Whether tokens of the owner can still be tried.
  bool debug_can_be_opened = false;
  // What else somebody may want to know before, in sentences.
  std::vector<std::string> notes;
};

// A locked part whose last fuse word is exactly this answers on its serial line to identity, reset
// and debug tokens alone.
constexpr std::size_t kIspFuseWord = kFuseWords - 1;
constexpr std::uint32_t kIspClosedCode = 0xC33CC33C;

class Part {
 public:
  using CryptoPtr = std::shared_ptr<const core::Crypto>;

  // A new part in a new file, powered on for the first time.
  static core::Result<std::unique_ptr<Part>> create(CryptoPtr crypto, const std::string& path,
                                                    const Manufacture& manufacture);
  // Power-on: what an interrupted installation left is erased, and the ROM runs. A part whose
  // software is refused still opens: see running() and boot_error().
  // A part with a PUF regenerates its device key, with `noise` on its cells (none: the system's).
  // If that fails (kOpenFailed) the part stays off and as it is; the next power-on may succeed.
  static core::Result<std::unique_ptr<Part>> open(CryptoPtr crypto, const std::string& path,
                                                  const puf::NoiseSource& noise = {});
  // The same on any storage. For create it is all zero and of PartFile::storage_size().
  static core::Result<std::unique_ptr<Part>> create_in(CryptoPtr crypto,
                                                       std::unique_ptr<Storage> storage,
                                                       const Manufacture& manufacture,
                                                       const puf::NoiseSource& noise = {});
  static core::Result<std::unique_ptr<Part>> open_in(CryptoPtr crypto,
                                                     std::unique_ptr<Storage> storage,
                                                     const puf::NoiseSource& noise = {});

  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part();

  // --- identity
  [[nodiscard]] const core::DeviceId& id() const { return state_.id; }
  // X ‖ Y of the device key, 64 bytes.
  [[nodiscard]] core::ByteView public_key() const { return state_.public_key(); }
  // DER; empty until it was stored.
  [[nodiscard]] core::ByteView certificate() const { return state_.certificate; }
  [[nodiscard]] LifeCycle life_cycle() const { return state_.life_cycle.state(); }
  [[nodiscard]] const MemoryMap& memory_map() const {
    return state_.immutable.manufacture().memory;
  }
  [[nodiscard]] PartInfo info() const;

  // --- at the ICM
  // Once in a part's life. Error::check is that of the family blob.
  core::Status fill_immutable_memory(core::ByteView family_blob);
  // A certificate under the family's K_PUK_ICM_PROV for this very part; not when locked.
  core::Status store_certificate(core::ByteView der);
  // Checks and stores a software image; it runs after the next reset. Not when locked.
  core::Status load_software(core::ByteView image);

  // --- running
  // Ends an installation that is under way, erases what it staged, and lets the ROM run. Nothing
  // stored is no error; an image that the ROM refuses is.
  core::Status reset();
  // Null: no software runs.
  [[nodiscard]] const core::ProvisioningSoftware* running() const {
    return running_ ? &*running_ : nullptr;
  }
  // Why the ROM let nothing run at the last reset; nothing when it did, or nothing is stored.
  [[nodiscard]] const std::optional<core::Error>& boot_error() const { return boot_error_; }

  // --- programming; while software runs, and not when locked
  // Kept as it is, unchecked, until a package uses it; lost at power-off. At most 1 KiB. After an
  // installation its blob stays, also over power-off, and serves further packages of the share set.
  core::Status load_share_blob(core::ByteView blob);
  // `total_length`: bytes of the whole package. One installation at a time.
  core::Result<std::unique_ptr<Installer>> install_package(std::uint64_t total_length);
  // From provisioning or provisioned to locked, for good. kLifeCycle when no package is installed,
  // or when it has applications of which none would start: such a part would be of no use.
  core::Status lock();
  core::Result<LockRehearsal> rehearse_lock();
  // Locked, with the fuse that closes the serial line.
  [[nodiscard]] bool isp_closed() const;
  core::Status blow_fuse(std::size_t index, std::uint32_t bits);
  // Several words from `first` on, all or none.
  core::Status blow_fuses(std::size_t first, std::span<const std::uint32_t> words);

  // --- the NXP-shaped commands; while software runs that has operation 12, and not when locked
  // kNotPermitted, kCountedFamily, kLifeCycle.
  [[nodiscard]] core::Status check_nxp_commands(const char* what) const;
  // `total_length`: bytes of the whole container. One at a time, and only while the flash is open.
  core::Result<std::unique_ptr<Sb3Installer>> install_sb3(std::uint64_t total_length);
  // A key of 32 bytes that no other part has.
  [[nodiscard]] core::Result<core::Secret> derive_unique_key(std::string_view purpose) const;
  // The key store of key-provisioning that is kept over power-off; nothing: none.
  [[nodiscard]] core::Result<std::optional<ProvisionedKeys>> stored_keys() const;
  core::Status store_keys(const ProvisionedKeys& keys);
  // What loaded containers left; null: nothing.
  [[nodiscard]] const NxpState* nxp_state() const { return state_.nxp.get(); }
  [[nodiscard]] const core::Crypto& crypto() const { return *crypto_; }

  // --- the open flash
  // kLifeCycle once a package was installed, or when the part is damaged.
  [[nodiscard]] core::Status check_flash_open(const char* what) const;
  enum class FlashContents : std::uint8_t { kKept, kErased };
  // Starts from the flash as it is, or from all zeros. One change at a time.
  core::Result<std::unique_ptr<FlashChange>> change_flash(FlashContents contents);
  // Whether read_open_flash() or else read_flash() gives these bytes, however many.
  [[nodiscard]] core::Status check_flash_read(std::uint64_t address, std::uint64_t length) const;
  core::Status read_open_flash(std::uint64_t address, core::MutableByteView out);

  // --- any time while software runs
  core::Result<core::Bytes> prove(core::ByteView challenge);
  // Bytes of one installed asset that may be read, at most kMostRead of them.
  static constexpr std::size_t kMostRead = 1024UL * 1024;
  core::Result<core::Bytes> read_flash(std::uint64_t address, std::size_t length);
  [[nodiscard]] core::Result<std::uint32_t> read_fuse(std::size_t index) const;
  // kNotPermitted and kInvalidArgument as of device::use_key().
  core::Result<core::Secret> use_key(const KeyRequest& request);

  // --- applications
  // A reset without the pin that keeps a part in its boot loader: the ROM checks the software, then
  // the application slots, counts the attempt durably, and starts what it chose. What it refuses
  // stands in the report; an error is kStorage alone.
  core::Result<BootReport> boot();
  // What boot() would find; changes nothing.
  core::Result<BootReport> boot_report();
  // The application that runs says that all is well: its attempts are forgotten, and the floor
  // rises to what its image says. kLifeCycle when none runs.
  core::Status confirm_application();
  // The slot of the application that runs; nothing: none since the last reset.
  [[nodiscard]] const std::optional<std::uint32_t>& application() const { return application_; }

  // --- debugging; needs no software
  // A fresh challenge in place of the one before, if there was one. kNotPermitted when all tries
  // are spent.
  core::Result<core::DebugChallenge> make_debug_challenge();
  // The one that waits for its token; kLifeCycle: none.
  [[nodiscard]] core::Result<core::DebugChallenge> debug_challenge() const;
  // A token for another part, another challenge or of another key than the owner's is refused and
  // costs nothing. Otherwise challenge and one try are spent, durably, before the signature is
  // checked. If it holds, shares, keys, assets and software are erased, and then the port is open.
  core::Status open_debug(core::ByteView bytes);
  [[nodiscard]] bool returned() const { return state_.debug.fuses.state() == Return::kOpen; }
  // Raw bytes of the active bank: the flash, and behind it the key store.
  core::Status read_debug(std::uint64_t offset, core::MutableByteView out);

 private:
  friend class FlashChange;
  friend class Installer;
  friend class ProvisioningDevice;
  friend class Sb3Installer;

  Part(CryptoPtr crypto, PartFile file, PartState state);
  core::Status power_on();
  // At the first power-on.
  core::Result<std::shared_ptr<const core::EcPrivateKey>> make_device_key();
  // Ends an installation and a change of the flash that are under way.
  void cut_off();
  core::Status commit(PartState next);
  // The life cycle permits it and the part is not returned.
  [[nodiscard]] core::Status check_state(Action action, const char* what) const;
  // The same, and neither an installation nor a change of the flash is under way.
  [[nodiscard]] core::Status check_idle(Action action, const char* what) const;
  // The same, and software runs.
  [[nodiscard]] core::Status check_programmable(Action action, const char* what) const;
  [[nodiscard]] core::Status check_running(const char* what) const;
  // What lock() demands, given what it would start afterwards.
  [[nodiscard]] core::Status check_lock(const std::vector<SlotReport>& slots) const;
  // Erases what a return has left to erase, and opens the port.
  core::Status finish_return();
  // The state that the part is in after an installation, by what the software permits.
  [[nodiscard]] core::Result<LifeCycle> state_after_installation() const;
  // `applications`: the slots that begin like application images, rising.
  core::Status commit_package(core::VerifiedPackage package,
                              const std::vector<std::uint32_t>& applications);
  // The state `next`, with the inactive bank in force.
  core::Status commit_flash(PartState next);
  [[nodiscard]] unsigned inactive_bank() const { return 1U - state_.active_bank; }

  CryptoPtr crypto_;
  PartFile file_;
  PartState state_;
  std::optional<core::Software> software_;
  std::optional<core::ProvisioningSoftware> running_;  // refers to software_ and the family
  std::optional<core::Error> boot_error_;
  std::optional<std::uint32_t> application_;
  std::uint32_t application_floor_ = 0;  // of the one that runs
  core::Bytes share_blob_;
  Installer* installer_ = nullptr;
  FlashChange* flash_change_ = nullptr;
  Sb3Installer* sb3_installer_ = nullptr;
  std::uint64_t resets_ = 0;
};

}  // namespace tallystick::device
