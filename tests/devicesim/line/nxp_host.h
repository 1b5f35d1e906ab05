// NxpHost: a client of the trust-provisioning commands for tests, with a part behind a PartTarget.
// It keeps its buffers in the part's RAM where NXP's own client has them, and makes an SB3.1 file
// with nothing but what the part gives it.
#pragma once

#include "core/sb3/writer.h"
#include "devicesim/line/part_target.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {

class NxpHost {
 public:
  using Words = std::vector<std::uint32_t>;
  using StatusCode = mboot::StatusCode;
  using Tag = mboot::Tag;

  NxpHost(const World& world, std::shared_ptr<Medium> medium)
      : target_([&world, medium] {
          return device::Part::open_in(world.crypto_ptr(), std::make_unique<MediumStorage>(medium));
        }) {}

  device::PartTarget& target() { return target_; }

  // Ten slots of 0x100 bytes.
  static constexpr std::uint32_t kSlotSize = 0x100;
  static std::uint32_t slot(unsigned number) { return 0x20008000 + number * kSlotSize; }

  // The words of a response without a data phase, the status first.
  Words ask(Tag tag, const Words& parameters) {
    const auto reply = target_.execute({tag, 0, parameters});
    EXPECT_EQ(reply.data, mboot::Reply::Data::kNone);
    return reply.packet.parameters;
  }
  Words trust(const Words& parameters) {
    const auto reply = target_.execute({Tag::kTrustProvisioning, 0, parameters});
    EXPECT_EQ(reply.packet.tag, Tag::kTrustProvisioningResponse);
    return reply.packet.parameters;
  }
  StatusCode send(Tag tag, const Words& parameters, core::ByteView data, std::size_t piece = 1000) {
    const auto reply = target_.execute({tag, mboot::kDataPhaseFollows, parameters});
    const auto first = static_cast<StatusCode>(reply.packet.parameters.front());
    if (first != StatusCode::kSuccess) return first;
    while (!data.empty()) {
      const auto part = data.first(std::min(piece, data.size()));
      data = data.subspan(part.size());
      if (const auto wrote = target_.write(part); wrote != StatusCode::kSuccess) {
        target_.abandon();
        return wrote;
      }
    }
    return target_.finish();
  }
  StatusCode receive_file(core::ByteView file, std::size_t piece = 1000) {
    return send(Tag::kReceiveSbFile, {static_cast<std::uint32_t>(file.size())}, file, piece);
  }
  void write(std::uint32_t address, core::ByteView data) {
    EXPECT_EQ(send(Tag::kWriteMemory, {address, static_cast<std::uint32_t>(data.size()), 0}, data),
              StatusCode::kSuccess);
  }
  struct Given {
    StatusCode status{};
    core::Bytes bytes;
  };
  Given get(Tag tag, const Words& parameters) {
    const auto reply = target_.execute({tag, 0, parameters});
    Given given{static_cast<StatusCode>(reply.packet.parameters.front()), {}};
    if (given.status != StatusCode::kSuccess) return given;
    given.bytes.resize(reply.length);
    given.status = target_.read(given.bytes);
    if (given.status == StatusCode::kSuccess) given.status = target_.finish();
    return given;
  }
  core::Bytes read(std::uint32_t address, std::uint32_t size) {
    return get(Tag::kReadMemory, {address, size, 0}).bytes;
  }
  void reset() { EXPECT_EQ(ask(Tag::kReset, {}).front(), 0U); }

  // --- the operations, as NXP's client calls them
  Words generate_master_share(core::ByteView seed) {
    write(slot(0), seed);
    return trust({0, slot(0), 16, slot(1), kSlotSize, slot(2), kSlotSize, slot(3), kSlotSize});
  }
  Words set_master_share(core::ByteView seed, core::ByteView master) {
    write(slot(0), seed);
    write(slot(1), master);
    return trust({1, slot(0), 16, slot(1), 64});
  }
  struct Key {
    core::Bytes blob;
    core::Bytes public_key;
  };
  Key generate_key(std::uint32_t type) {
    EXPECT_EQ(trust({3, type, 0, slot(0), kSlotSize, slot(1), kSlotSize}), (Words{0, 48, 64}));
    return {read(slot(0), 48), read(slot(1), 64)};
  }
  core::Bytes store_key(core::ByteView key) {
    write(slot(0), key);
    const auto words = trust({4, 1, 1, slot(0), 32, slot(1), kSlotSize});
    EXPECT_EQ(words, (Words{0, 0x120, 48}));
    return read(slot(1), 48);
  }

  // What a client makes of one session: a share, and the keys of a file.
  struct Session {
    core::Bytes seed;
    core::Bytes share;
    core::Bytes master;
    core::Bytes certificate_key;
    Key signing;
    Key encryption;
  };
  Session begin(core::ByteView seed) {
    EXPECT_EQ(generate_master_share(seed), (Words{0, 48, 64, 64}));
    Session out;
    out.seed.assign(seed.begin(), seed.end());
    out.share = read(slot(1), 48);
    out.master = read(slot(2), 64);
    out.certificate_key = read(slot(3), 64);
    out.signing = generate_key(0xC3A5);
    out.encryption = generate_key(0xA5C3);
    return out;
  }
  core::Bytes make_file(const Session& session, const core::sb3::CommandWriter& commands,
                        std::uint32_t firmware_version = 1, std::uint32_t image_type = 6) {
    core::sb3::Header header;
    header.flags = 1;
    header.timestamp = 0x30000000;
    header.firmware_version = firmware_version;
    header.image_type = image_type;
    auto file_template = header;
    file_template.block0_length = 60;
    core::sb3::Certificate certificate;
    certificate.signer = session.signing.public_key;
    certificate.enc_oem_share = core::array_of<48>(session.share);
    write(slot(0), session.encryption.blob);
    write(slot(1), core::sb3::encode_header(file_template));
    return value(core::sb3::build_file(
        *shared_crypto(), header, certificate, value(commands.blocks()),
        [&](std::uint32_t number, core::MutableByteView data) -> core::Status {
          write(slot(2), data);
          EXPECT_EQ(trust({5, slot(0), 48, 16, slot(1), 60, number, slot(2), 256}), (Words{0}));
          std::ranges::copy(read(slot(2), 256), data.begin());
          return {};
        },
        [&](core::ByteView manifest) -> core::Result<core::Bytes> {
          write(slot(3), session.signing.blob);
          write(slot(4), manifest);
          EXPECT_EQ(trust({6, slot(3), 48, slot(4), 220, slot(5), 64}), (Words{0, 64}));
          return read(slot(5), 64);
        }));
  }

 private:
  device::PartTarget target_;
};

}  // namespace tallystick::test
