#include "devicesim/command/text.h"

#include <fstream>
#include <ostream>

#include <nlohmann/json.hpp>

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Result;
using Json = nlohmann::ordered_json;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Json asset_as_json(const core::PackageEntry& entry) {
  Json asset;
  asset["asset_id"] = entry.asset_id;
  asset["name"] = entry.name;
  asset["kind"] = static_cast<unsigned>(entry.kind);
  asset["flags"] = entry.flags;
  asset["slot"] = entry.slot;
  asset["address"] = entry.address;
  asset["length"] = entry.plaintext_length;
  asset["version"] = entry.asset_version;
  return asset;
}

Json boot_as_json(const BootRecord& boot) {
  Json document;
  document["floor"] = boot.floor;
  document["last_started"] = boot.last ? Json(*boot.last) : Json();
  document["slots"] = Json::array();
  for (const auto& slot : boot.slots) {
    document["slots"].push_back({{"slot", slot.slot},
                                 {"attempts", unsigned{slot.attempts}},
                                 {"confirmed", slot.confirmed}});
  }
  return document;
}

}  // namespace

Result<core::Bytes> bytes_from_hex(const char* what, const std::string& text) {
  const Error refused{ErrorCode::kInvalidArgument,
                      std::string(what) + " has hexadecimal digits, two a byte"};
  if (text.size() % 2 != 0) return refused;
  core::Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return refused;
    out.push_back(static_cast<std::uint8_t>((high << 4) | low));
  }
  return out;
}

Result<core::ByteArray<32>> digest_from_hex(const char* what, const std::string& text) {
  const auto bytes = bytes_from_hex(what, text);
  if (bytes && bytes->size() == 32) return core::array_of<32>(*bytes);
  return Error{ErrorCode::kInvalidArgument, std::string(what) + " has 64 hexadecimal digits"};
}

std::string printable(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1) {
      out += name[i];
      continue;
    }
    out += "\\x" + core::to_hex({&byte, 1});
    if (c1) {
      const auto next = static_cast<unsigned char>(name[++i]);
      out += "\\x" + core::to_hex({&next, 1});
    }
  }
  return out;
}

Result<core::Bytes> read_input_file(const std::string& path, std::size_t most) {
  const Error unreadable{ErrorCode::kStorage, path + ": cannot be read"};
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable;
  core::Bytes bytes(most + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (file.bad() || (file.fail() && !file.eof())) return unreadable;
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() <= most) return bytes;
  return Error{ErrorCode::kInvalidArgument,
               path + ": has more than " + std::to_string(most) + " bytes"};
}

Json as_json(const PartInfo& info) {
  Json part;
  part["part_id"] = core::to_hex(info.id);
  part["public_key"] = core::to_hex(info.public_key);
  part["life_cycle"] = life_cycle_name(info.life_cycle);
  part["product"] = info.manufacture.product;
  part["icm_fingerprint"] = core::to_hex(info.manufacture.icm_fingerprint);
  part["device_key"] = key_source_name(info.manufacture.key);
  part["flash_base"] = info.manufacture.memory.flash_base;
  part["flash_size"] = info.manufacture.memory.flash_size;
  part["certified"] = info.certified;
  part["family_id"] = info.family_id ? Json(core::to_hex(*info.family_id)) : Json();
  part["family_flags"] = info.family_flags;
  part["minimum_software_version"] = info.minimum_software_version;
  part["minimum_package_version"] = info.minimum_package_version;
  part["owner"] = info.owner ? Json(core::to_hex(*info.owner)) : Json();
  part["software"] = Json();
  if (info.software) {
    part["software"] = {{"name", info.software->name}, {"version", info.software->version}};
  }
  part["package"] = Json();
  if (info.package) {
    part["package"] = {{"version", info.package->package_version},
                       {"suite", static_cast<unsigned>(info.package->suite)},
                       {"share_id", core::to_hex(info.package->context.share_id)}};
  }
  part["assets"] = Json::array();
  for (const auto& entry : info.assets) part["assets"].push_back(asset_as_json(entry));
  part["applications"] = boot_as_json(info.boot);
  part["returned"] = info.returned;
  part["debug_tries_left"] = info.debug_tries_left;
  return part;
}

void print(const PartInfo& info, std::ostream& out) {
  out << "part        " << core::to_hex(info.id) << "\n"
      << "life cycle  " << life_cycle_name(info.life_cycle)
      << (info.returned ? ", erased and open for debugging" : "") << "\n"
      << "product     " << printable(info.manufacture.product) << "\n"
      << "device key  "
      << (info.manufacture.key == KeySource::kPuf ? "regenerated by the PUF" : "stored") << "\n"
      << "flash       " << info.manufacture.memory.flash_size << " bytes at "
      << info.manufacture.memory.flash_base << "\n"
      << "certified   " << (info.certified ? "yes" : "no") << "\n"
      << "family      " << (info.family_id ? core::to_hex(*info.family_id) : "none") << "\n"
      << "owner       " << (info.owner ? core::to_hex(*info.owner) : "none") << "\n"
      << "minimum     software " << info.minimum_software_version << ", package "
      << info.minimum_package_version << ", application " << info.boot.floor << "\n";
  if (info.software) {
    out << "software    " << printable(info.software->name) << " version " << info.software->version
        << "\n";
  } else {
    out << "software    none runs\n";
  }
  if (!info.package) return;
  out << "package     version " << info.package->package_version << ", " << info.assets.size()
      << " assets\n";
  for (const auto& entry : info.assets) {
    out << "  slot " << entry.slot << "  " << printable(entry.name) << "  kind "
        << static_cast<unsigned>(entry.kind) << ", " << entry.plaintext_length << " bytes, version "
        << entry.asset_version << "\n";
  }
  if (info.boot.last) out << "started     slot " << *info.boot.last << ", at the last boot\n";
}

}  // namespace tallystick::device
