#include "core/sb3/writer.h"

#include <algorithm>

#include "core/base/little_endian.h"
#include "core/crypto/hash.h"

namespace tallystick::core::sb3 {

using little_endian::append16;
using little_endian::append32;

namespace {

constexpr std::uint32_t kCommandMark = 0x55AAAA55;
constexpr std::size_t kHashLockingTrailer = 64;

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// The 16 or 32 bytes before a command's data.
Bytes encode_command(const Command& command) {
  Bytes out;
  append32(out, kCommandMark);
  const auto details = [&out](std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
    for (const auto word : {a, b, c, 0U}) append32(out, word);
  };
  const auto words = [&](std::uint32_t first, std::uint32_t second) {
    append32(out, first);
    append32(out, second);
    append32(out, static_cast<std::uint32_t>(command.tag));
  };
  switch (command.tag) {
    case CommandTag::kErase:
    case CommandTag::kLoad:
    case CommandTag::kLoadCmac:
    case CommandTag::kLoadHashLocking:
      words(command.address, command.length);
      details(command.memory);
      break;
    case CommandTag::kFillMemory:
      words(command.address, command.length);
      details(command.value);
      break;
    case CommandTag::kCopy:
      words(command.address, command.length);
      details(command.destination, command.memory, command.destination_memory);
      break;
    case CommandTag::kExecute:
    case CommandTag::kCall:
      words(command.address, 0);
      break;
    case CommandTag::kProgramFuses:
      words(command.address, command.length / 4);
      break;
    case CommandTag::kProgramIfr:
      words(command.address, command.length);
      break;
    case CommandTag::kLoadKeyBlob:
      append32(out, command.address);
      append16(out, static_cast<std::uint16_t>(command.id));
      append16(out, static_cast<std::uint16_t>(command.length));
      append32(out, static_cast<std::uint32_t>(command.tag));
      break;
    case CommandTag::kConfigureMemory:
      words(command.memory, command.address);
      break;
    case CommandTag::kFirmwareVersionCheck:
      words(command.value, command.id);
      break;
  }
  return out;
}

}  // namespace

Status CommandWriter::add(const Command& command, ByteView data) {
  const bool says_length = !command.has_data() || command.length == data.size();
  const bool fuses = command.tag != CommandTag::kProgramFuses || data.size() % 4 == 0;
  const bool blob = command.tag != CommandTag::kLoadKeyBlob ||
                    (data.size() <= UINT16_MAX && command.id <= UINT16_MAX);
  if (!says_length || !fuses || !blob || (!command.has_data() && !data.empty()) ||
      command_name(command.tag) == command_name(CommandTag{})) {
    return Error{ErrorCode::kInvalidArgument, "a command with data of another length", 0};
  }
  const auto head = encode_command(command);
  commands_.insert(commands_.end(), head.begin(), head.end());
  commands_.insert(commands_.end(), data.begin(), data.end());
  commands_.resize((commands_.size() + kCommandSize - 1) / kCommandSize * kCommandSize);
  if (command.tag == CommandTag::kLoadHashLocking) {
    commands_.resize(commands_.size() + kHashLockingTrailer);
  }
  return {};
}

Result<std::vector<Secret>> CommandWriter::blocks() const {
  if (commands_.size() > UINT32_MAX) {
    return Error{ErrorCode::kInvalidArgument, "more commands than a container takes", 0};
  }
  Bytes section;
  for (const auto word : {1U, 1U, static_cast<std::uint32_t>(commands_.size()), 0U}) {
    append32(section, word);
  }
  const auto total = section.size() + commands_.size();
  std::vector<Secret> out;
  for (std::size_t at = 0; at < total; at += kDataSize) {
    Secret block(kDataSize);
    // The first block begins with the section's head, and the commands stand that much later.
    const auto head = at == 0 ? section.size() : 0;
    const auto from = at == 0 ? 0 : at - section.size();
    if (at == 0) std::ranges::copy(section, block.span().begin());
    const auto count = std::min(kDataSize - head, commands_.size() - from);
    std::copy_n(commands_.begin() + static_cast<std::ptrdiff_t>(from), count,
                block.span().begin() + static_cast<std::ptrdiff_t>(head));
    out.push_back(std::move(block));
  }
  return out;
}

Result<Bytes> build_file(const Crypto& crypto, Header header, const Certificate& certificate,
                         std::vector<Secret> blocks, const BlockSealer& seal,
                         const ManifestSigner& sign) {
  const auto& variant = header.variant;
  if (certificate.signer.size() != 2 * field_size(variant.curve) || blocks.empty() ||
      blocks.size() > UINT32_MAX) {
    return Error{ErrorCode::kInvalidArgument, "a certificate or blocks that no container has", 0};
  }
  header.block_count = static_cast<std::uint32_t>(blocks.size());
  header.block0_length = static_cast<std::uint32_t>(variant.block0_size());

  // From the last block to the first: each carries the hash of the next.
  Bytes next_hash(variant.hash_size());
  std::vector<Bytes> sealed(blocks.size());
  for (auto number = header.block_count; number > 0; --number) {
    auto& data = blocks[number - 1];
    if (data.size() != kDataSize) {
      return Error{ErrorCode::kInvalidArgument, "data blocks have 256 bytes", 0};
    }
    if (auto done = seal(number, data.span()); !done) return std::move(done).error();
    auto& block = sealed[number - 1];
    append32(block, number);
    append(block, next_hash);
    append(block, data.view());
    if (auto hashed = digest(crypto, variant.hash(), {block}, next_hash); !hashed) {
      return std::move(hashed).error();
    }
  }
  Bytes file = encode_header(header);
  append(file, next_hash);
  append(file, encode_certificate(variant, certificate));
  auto signature = sign(file);
  if (!signature) return std::move(signature).error();
  if (file.size() + signature->size() != header.block0_length) {
    return Error{ErrorCode::kInvalidArgument, "a signature of another curve", 0};
  }
  append(file, *signature);
  for (const auto& block : sealed) append(file, block);
  return file;
}

}  // namespace tallystick::core::sb3
