#include "tests/devicesim/support/parts.h"

#include <algorithm>
#include <ostream>

#include "core/base/reader.h"

namespace tallystick::test {

using device::Part;

device::Manufacture manufacture_for(const World& world, const std::string& product,
                                    std::uint64_t flash_size) {
  device::Manufacture manufacture;
  manufacture.icm_fingerprint = world.fingerprint();
  manufacture.product = product;
  manufacture.memory.flash_size = flash_size;
  return manufacture;
}

std::shared_ptr<Medium> new_medium(std::uint64_t flash_size) {
  device::MemoryMap map;
  map.flash_size = flash_size;
  return std::make_shared<Medium>(device::PartFile::storage_size(map));
}

std::unique_ptr<Part> blank_part(const World& world, const std::string& product,
                                 std::shared_ptr<Medium> medium) {
  const auto flash_size =
      (medium->size() - device::PartFile::storage_size({0, 0})) / 2;  // two banks
  return value(Part::create_in(world.crypto_ptr(),
                               std::make_unique<MediumStorage>(std::move(medium)),
                               manufacture_for(world, product, flash_size)));
}

void make_ready(const World& world, Part& part, core::ByteView software) {
  done(part.fill_immutable_memory(world.family_blob(core::FamilyRole::kPart, part.public_key())));
  done(part.store_certificate(world.certificate(core::DeviceKind::kPart, part.public_key())));
  done(part.load_software(software));
  done(part.reset());
}

std::unique_ptr<Part> ready_part(const World& world, const std::string& product,
                                 std::shared_ptr<Medium> medium) {
  auto part = blank_part(world, product, std::move(medium));
  make_ready(world, *part, world.software());
  return part;
}

std::unique_ptr<Part> reopened(const World& world, const std::shared_ptr<Medium>& medium,
                               std::optional<Failure> failure) {
  return value(Part::open_in(world.crypto_ptr(), std::make_unique<MediumStorage>(medium, failure)));
}

core::Status program(Part& part, core::ByteView share_blob, core::ByteView package,
                     std::size_t piece) {
  if (auto loaded = part.load_share_blob(share_blob); !loaded) return loaded;
  auto installer = part.install_package(package.size());
  if (!installer) return std::move(installer).error();
  while (!package.empty()) {
    const auto count = std::min(piece, package.size());
    if (auto taken = (*installer)->update(package.first(count)); !taken) return taken;
    package = package.subspan(count);
  }
  return (*installer)->finish();
}

Snapshot snapshot(Part& part) {
  const auto info = part.info();
  Snapshot state;
  state.life_cycle = info.life_cycle;
  state.minimum_software = info.minimum_software_version;
  state.minimum_package = info.minimum_package_version;
  state.owner = info.owner;
  if (info.package) state.package_version = info.package->package_version;
  state.boot = info.boot;
  state.returned = info.returned;
  if (info.returned) return state;
  state.debug_tries_left = info.debug_tries_left;
  state.challenged = part.debug_challenge().ok();
  for (std::size_t i = 0; i < device::kFuseWords; ++i) {
    state.fuses.push_back(value(part.read_fuse(i)));
  }
  const core::ByteArray<core::kChallengeSize> challenge{1, 2, 3};
  const auto proof = value(core::parse_proof(value(part.prove(challenge))));
  for (const auto& slot : proof.slots) {
    state.macs.insert(state.macs.end(), slot.mac.begin(), slot.mac.end());
  }
  return state;
}

void PrintTo(const Snapshot& state, std::ostream* out) {
  *out << device::life_cycle_name(state.life_cycle) << ", package "
       << (state.package_version ? std::to_string(*state.package_version) : "none") << ", minimums "
       << state.minimum_software << " and " << state.minimum_package
       << (state.owner ? ", owned" : ", no owner") << ", macs "
       << core::to_hex(
              core::ByteView(state.macs).first(std::min<std::size_t>(8, state.macs.size())));
  for (const auto& slot : state.boot.slots) {
    *out << ", application " << slot.slot << " tried " << unsigned{slot.attempts}
         << (slot.confirmed ? " and confirmed" : "");
  }
  *out << ", floor " << state.boot.floor;
  if (state.boot.last) *out << ", started " << *state.boot.last;
  *out << ", tries " << state.debug_tries_left << (state.challenged ? ", challenged" : "")
       << (state.returned ? ", returned" : "");
  for (std::size_t i = 0; i < state.fuses.size(); ++i) {
    if (state.fuses[i] != 0) *out << ", fuse " << i << " " << state.fuses[i];
  }
}

core::ByteArray<48> expected_mac(const World& world, const OemDesk& oem, const PackagePlan& plan,
                                 core::ByteView package, std::size_t index,
                                 const core::DeviceId& part_id, core::ByteView challenge) {
  const auto key = oem.proof_key(plan.suite);
  auto mac = value(core::start_slot_mac(world.crypto(), key.view(), challenge, part_id,
                                        package.subspan(128 + 128 * index, 128)));
  done(mac.update(plan.assets[index].content));
  core::ByteArray<48> expected{};
  done(mac.finish(expected));
  return expected;
}

Range record_range(const Medium& medium, unsigned place) {
  // As docs/formats.md has it: the header, then a place of 64 KiB each; in it 8 bytes of magic, 8
  // of generation, 4 of length, 32 of digest, and the state.
  const auto start = 4096 + place * 65536ULL;
  core::ByteArray<4> length{};
  medium.read(start + 40, length);
  return {start, start + 76 + core::Reader(length).u32()};
}

Range bank_range(const Medium& medium, unsigned bank) {
  const auto start = device::PartFile::storage_size({0, 0}) - 2 * device::kKeyStoreSize;
  const auto size = (medium.size() - start) / 2;
  return {start + bank * size, start + (bank + 1) * size};
}

}  // namespace tallystick::test
