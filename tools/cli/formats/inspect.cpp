#include "tools/cli/formats/inspect.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"
#include "core/sb3/layout.h"
#include "core/ts1/application.h"
#include "core/ts1/debug_access.h"
#include "core/ts1/family_blob.h"
#include "core/ts1/software.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/part_file.h"
#include "tools/cli/formats/software_document.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

Json entry_document(const core::PackageEntry& entry) {
  return {{"id", entry.asset_id},
          {"name", entry.name},
          {"kind", kind_name(entry.kind)},
          {"flags", flag_names(entry.flags)},
          {"slot", entry.slot},
          {"address", entry.address},
          {"length", entry.plaintext_length},
          {"version", entry.asset_version}};
}

Json header_document(const core::PackageHeader& header) {
  return {{"suite", suite_name(header.suite)},
          {"package_version", header.package_version},
          {"product", header.product},
          {"created", header.created},
          {"context", context_document(header.context)},
          {"body_length", header.body_length}};
}

Json device_fields(const core::DeviceBlobFields& fields, const std::string& minter_id) {
  return {{"recipient_id", core::to_hex(fields.recipient_id)},
          {"job_id", uuid_text(fields.job_id)},
          {"number", fields.number},
          {"limit", fields.limit},
          {"minter_id", minter_id}};
}

Outcome<Json> inspect_share(Environment& env, const std::string& path, core::ByteView bytes) {
  const auto blob = core::parse_share_blob(bytes);
  if (!blob) return from_core(path, blob.error());
  Json document{{"file", "share blob"},
                {"role", blob_role_name(blob->header.role)},
                {"suite", suite_name(blob->header.suite)},
                {"context", context_document(blob->header.context)}};
  if (blob->device) {
    auto crypto = env.crypto();
    if (!crypto) return std::move(crypto).error();
    const auto minter = core::key_id(**crypto, blob->device->minter);
    document["for"] = device_fields(*blob->device, minter ? core::to_hex(*minter) : "");
  }
  return document;
}

Outcome<Json> inspect_family(Environment& env, const std::string& path, core::ByteView bytes) {
  const auto header = core::parse_family_blob(bytes);
  if (!header) return from_core(path, header.error());
  // One byte and a whole number of secrets are sealed in it.
  const std::size_t around = core::kFamilyBlobHeaderSize + core::kSealPrefix +
                             core::Aead::kTagSize + core::kIcmKeySize + 1;
  if (bytes.size() < around || (bytes.size() - around) % core::kSecretSize != 0) {
    return refused(path, "the blob is cut or has extra bytes");
  }
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto fingerprint = core::icm_fingerprint(**crypto, header->icm_public_key);
  return Json{{"file", "family blob"},
              {"role", role_name(static_cast<unsigned>(header->role))},
              {"flags", family_flags_name(header->flags)},
              {"family_id", uuid_text(header->family_id)},
              {"recipient_id", core::to_hex(header->recipient_id)},
              {"icm_fingerprint", fingerprint ? core::to_hex(*fingerprint) : ""}};
}

// An image says what it permits; whether it is genuine is for `software verify`.
Outcome<Json> inspect_software(const std::string& path, core::ByteView bytes) {
  if (bytes.size() < core::kSoftwarePrefix) return file_failure(path, "too short for an image");
  core::Reader reader(bytes);
  reader.take(6);
  core::SoftwareHeader header;
  header.role_mask = reader.u16();
  header.version = reader.u32();
  const std::uint32_t length = reader.u32();
  header.family_id = reader.array<16>();
  reader.take(48);
  auto name = core::name_from_field(reader.take(32));
  if (!name) return from_core(path, name.error());
  header.name = *std::move(name);
  const core::ByteView payload = bytes.subspan(core::kSoftwarePrefix);
  if (payload.size() != length) return file_failure(path, "the image is cut or has extra bytes");
  auto permissions = core::Permissions::parse(payload);
  if (!permissions) return from_core(path, permissions.error());
  Json document{{"file", "provisioning software, signature not checked"}};
  document.update(software_document({header, *std::move(permissions)}));
  return document;
}

Outcome<Json> inspect_application(const std::string& path, core::ByteView head,
                                  std::uint64_t length) {
  core::Reader reader(head);
  reader.take(8);
  const auto version = reader.u32();
  const auto floor = reader.u32();
  const auto payload = reader.u64();
  reader.take(56);
  auto name = core::name_from_field(reader.take(core::kNameSize));
  if (!name) return from_core(path, name.error());
  if (length <= core::kApplicationPrefix || payload != length - core::kApplicationPrefix) {
    return file_failure(path, "the image is cut or has extra bytes");
  }
  return Json{{"file", "application image, signature not checked"},
              {"name", *name},
              {"version", version},
              {"floor", floor},
              {"length", payload}};
}

Outcome<Json> inspect_debug(Environment& env, const std::string& path, core::ByteView bytes) {
  if (const auto challenge = core::parse_debug_challenge(bytes)) {
    return Json{{"file", "debug challenge"}, {"part_id", core::to_hex(challenge->part_id)}};
  }
  const auto token = core::parse_debug_token(bytes);
  if (!token) return from_core(path, token.error());
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto owner = core::key_id(**crypto, token->oem_public_key);
  return Json{{"file", "debug token, signature not checked"},
              {"part_id", core::to_hex(token->challenge.part_id)},
              {"oem_id", owner ? core::to_hex(*owner) : ""}};
}

Outcome<Json> inspect_part(Environment& env, const std::string& path) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto part = open_part(*crypto, path);
  if (!part) return part.error();
  return part_document((*part)->info(), (*part)->boot_error());
}

// A zero padded field that should be text; its digits where it is not what a terminal shows.
std::string field_text(core::ByteView field) {
  const auto text = core::text_of(field.first(
      static_cast<std::size_t>(std::ranges::find(field, std::uint8_t{0}) - field.begin())));
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? std::string(text) : core::to_hex(core::bytes_of(text));
}

// Any container's header; of a Device-HSM file's certificate block what it says too.
Outcome<Json> inspect_container(const std::string& path, InputFile& file) {
  core::Bytes block0(core::sb3::kHeaderSize);
  if (file.size() < block0.size()) return file_failure(path, "too short for an SB3.1 container");
  if (auto done = file.read_at(0, block0); !done) return std::move(done).error();
  const auto header = core::sb3::parse_header(block0);
  if (!header) return from_core(path, header.error());
  if (file.size() != core::sb3::file_size(*header)) {
    return refused(path, "the container is cut or has extra bytes");
  }
  const auto& variant = header->variant;
  Json document{{"file", "SB3.1 container, signature not checked"},
                {"hash", variant.curve == core::Curve::kP256 ? "sha256" : "sha384"},
                {"description", field_text(header->description)},
                {"image_type", header->image_type},
                {"flags", header->flags},
                {"firmware_version", header->firmware_version},
                {"timestamp", header->timestamp},
                {"blocks", header->block_count},
                {"block0_length", header->block0_length}};
  if (header->block0_length != variant.block0_size()) return document;
  block0.resize(variant.manifest_size());
  if (auto done = file.read_at(0, block0); !done) return std::move(done).error();
  const auto certificate = core::sb3::parse_certificate(
      variant, core::ByteView(block0).subspan(variant.certificate_offset()));
  if (!certificate) return document;
  document["device_hsm"] = {{"signer", core::to_hex(certificate->signer)},
                            {"enc_oem_share", core::to_hex(certificate->enc_oem_share)}};
  return document;
}

bool magic_is(core::ByteView bytes, std::string_view magic) {
  return core::text_of(bytes).starts_with(magic);
}

}  // namespace

Json context_document(const core::Context& context) {
  return {{"family_id", uuid_text(context.family_id)},
          {"oem_id", core::to_hex(context.oem_id)},
          {"share_id", core::to_hex(context.share_id)},
          {"sw_floor", context.sw_floor}};
}

Json package_document(const core::PackageHead& head) {
  Json document{{"file", "asset package"}};
  document.update(header_document(head.header));
  document["assets"] = Json::array();
  for (const core::PackageEntry& entry : head.entries) {
    document["assets"].push_back(entry_document(entry));
  }
  return document;
}

Json proof_document(const core::Proof& proof) {
  Json slots = Json::array();
  for (const core::ProofSlot& slot : proof.slots) slots.push_back(slot.slot);
  return {{"file", "proof, not checked"},
          {"part_id", core::to_hex(proof.part_id)},
          {"life_cycle", life_cycle_text(proof.life_cycle)},
          {"software_version", proof.software_version},
          {"suite", proof.suite},
          {"package_version", proof.package_version},
          {"slots", std::move(slots)}};
}

Json part_document(const device::PartInfo& info, const std::optional<core::Error>& boot_error) {
  Json document{{"file", "simulated part"},
                {"part_id", core::to_hex(info.id)},
                {"life_cycle", std::string(device::life_cycle_name(info.life_cycle))},
                {"product", info.manufacture.product},
                {"icm_fingerprint", core::to_hex(info.manufacture.icm_fingerprint)},
                {"device_key", std::string(device::key_source_name(info.manufacture.key))},
                {"certified", info.certified}};
  if (info.family_id) {
    document["family_id"] = uuid_text(*info.family_id);
    document["family_flags"] = family_flags_name(info.family_flags);
  }
  if (info.software) {
    document["software"] = {{"name", info.software->name}, {"version", info.software->version}};
  } else {
    document["software"] = nullptr;
  }
  if (boot_error) document["boot_error"] = boot_error->message;
  document["minimum_software_version"] = info.minimum_software_version;
  document["minimum_package_version"] = info.minimum_package_version;
  document["owner"] = info.owner ? Json(core::to_hex(*info.owner)) : Json(nullptr);
  if (info.package) {
    document["package"] = header_document(*info.package);
    document["assets"] = Json::array();
    for (const auto& entry : info.assets) document["assets"].push_back(entry_document(entry));
  }
  document["minimum_application_version"] = info.boot.floor;
  if (!info.boot.slots.empty()) document["applications"] = Json::array();
  for (const auto& slot : info.boot.slots) {
    document["applications"].push_back({{"slot", slot.slot},
                                        {"attempts", unsigned{slot.attempts}},
                                        {"confirmed", slot.confirmed}});
  }
  if (info.boot.last) document["last_started"] = *info.boot.last;
  document["debug_tries_left"] = info.debug_tries_left;
  if (info.returned) document["returned"] = true;
  return document;
}

Outcome<core::PackageHead> read_package_head(const std::string& path) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  if (file->size() < core::kPackageHeaderSize) return file_failure(path, "too short for a package");
  core::Bytes raw(core::kPackageHeaderSize);
  if (auto done = file->read_at(0, raw); !done) return std::move(done).error();
  const auto size = core::package_head_size_of(raw);
  if (!size) return from_core(path, size.error());
  if (*size > file->size()) return file_failure(path, "the package is cut");
  raw.resize(*size);
  if (auto done = file->read_at(0, raw); !done) return std::move(done).error();
  auto head = core::parse_package_head(raw, file->size());
  if (!head) return from_core(path, head.error());
  return *std::move(head);
}

Outcome<Json> inspect_file(Environment& env, const std::string& path) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  core::Bytes start(std::min<std::uint64_t>(file->size(), 8));
  if (auto done = file->read_at(0, start); !done) return std::move(done).error();
  if (magic_is(start, "TSPK")) {
    const auto head = read_package_head(path);
    if (!head) return head.error();
    return package_document(*head);
  }
  if (begins_as_part(start)) return inspect_part(env, path);
  if (magic_is(start, "sbv3")) return inspect_container(path, *file);
  if (magic_is(start, core::kApplicationMagic)) {
    core::Bytes head(std::min<std::uint64_t>(file->size(), core::kApplicationPrefix));
    if (auto done = file->read_at(0, head); !done) return std::move(done).error();
    return inspect_application(path, head, file->size());
  }
  if (file->size() > kSmallFile) return file_failure(path, "not a file of the profile");
  auto bytes = read_file(path);
  if (!bytes) return std::move(bytes).error();
  if (magic_is(start, "TSSW")) return inspect_software(path, *bytes);
  if (magic_is(start, "TSFB")) return inspect_family(env, path, *bytes);
  if (magic_is(start, "TSOS") || magic_is(start, "TSMS") || magic_is(start, "TSOP")) {
    return inspect_share(env, path, *bytes);
  }
  if (magic_is(start, core::kDebugChallengeMagic) || magic_is(start, core::kDebugTokenMagic)) {
    return inspect_debug(env, path, *bytes);
  }
  // A proof has no magic: it is what has the exact form of one.
  if (const auto proof = core::parse_proof(*bytes)) return proof_document(*proof);
  return file_failure(path, "not a file of the profile");
}

}  // namespace tallystick::cli
