// What a host does through the properties of our own: applications, the rehearsal of a lock, the
// debug port, and keys.
#include "devicesim/line/vendor_properties.h"

#include <gtest/gtest.h>

#include "core/crypto/mac.h"
#include "devicesim/line/part_target.h"
#include "devicesim/mboot/little_endian.h"
#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using device::PartTarget;
using device::VendorProperty;
using mboot::StatusCode;
using mboot::Tag;
using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t kRamStart = device::Ram::kStart;

class VendorProperties : public ::testing::Test {
 protected:
  VendorProperties() {
    auto part = ready_part(world_, "", medium_);
    const auto image = [&](std::uint32_t version, std::uint32_t floor) {
      return application_image(world_.crypto(), oem_.key(), {version, floor});
    };
    done(program(*part, oem_.share_blob(),
                 oem_.package(application_plan({image(4, 0), image(7, 5)}))));
  }

  Words get(VendorProperty id, std::uint32_t index = 0) {
    return target_.execute({Tag::kGetProperty, 0, {static_cast<std::uint32_t>(id), index}})
        .packet.parameters;
  }
  StatusCode set(VendorProperty id, std::uint32_t value) {
    const auto reply =
        target_.execute({Tag::kSetProperty, 0, {static_cast<std::uint32_t>(id), value}});
    EXPECT_EQ(reply.packet.tag, Tag::kGenericResponse);
    return static_cast<StatusCode>(reply.packet.parameters.front());
  }
  StatusCode send(Tag tag, const Words& parameters, ByteView data) {
    const auto reply = target_.execute({tag, mboot::kDataPhaseFollows, parameters});
    const auto first = static_cast<StatusCode>(reply.packet.parameters.front());
    if (first != StatusCode::kSuccess) return first;
    if (const auto wrote = target_.write(data); wrote != StatusCode::kSuccess) {
      target_.abandon();
      return wrote;
    }
    return target_.finish();
  }
  StatusCode receive_file(ByteView file) {
    return send(Tag::kReceiveSbFile, {static_cast<std::uint32_t>(file.size())}, file);
  }
  void write_ram(std::uint32_t address, ByteView data) {
    ASSERT_EQ(send(Tag::kWriteMemory, {address, static_cast<std::uint32_t>(data.size())}, data),
              StatusCode::kSuccess);
  }
  Bytes read_ram(std::uint32_t address, std::uint32_t length) {
    const auto reply = target_.execute({Tag::kReadMemory, 0, {address, length}});
    EXPECT_EQ(reply.packet.parameters.front(), 0U);
    Bytes out(length);
    EXPECT_EQ(target_.read(out), StatusCode::kSuccess);
    EXPECT_EQ(target_.finish(), StatusCode::kSuccess);
    return out;
  }
  StatusCode status(Tag tag, const Words& parameters = {}) {
    return static_cast<StatusCode>(target_.execute({tag, 0, parameters}).packet.parameters.front());
  }
  // At rest, for another look at the part.
  std::unique_ptr<device::Part> part() {
    target_.power_off();
    return reopened(world_, medium_);
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
  PartTarget target_{[this] {
    return device::Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium_));
  }};
};

TEST_F(VendorProperties, StartAndConfirmAnApplicationAndTellOfIt) {
  EXPECT_EQ(get(VendorProperty::kBoot), (Words{0, device::kBootFound, 2, 0, 2, 1}));
  EXPECT_EQ(get(VendorProperty::kBoot, 1), (Words{0, 1, 0, 4, 0, 0, 0}));
  EXPECT_EQ(set(VendorProperty::kBoot, device::kBootConfirm), StatusCode::kSecurityViolation);
  EXPECT_EQ(set(VendorProperty::kBoot, device::kBootStart), StatusCode::kSuccess);
  EXPECT_EQ(get(VendorProperty::kBoot),
            (Words{0, device::kBootFound | device::kBootRuns, 2, 0, 2, 1}));
  EXPECT_EQ(get(VendorProperty::kBoot, 2), (Words{0, 2, 0, 7, 5, 1, 0}));
  EXPECT_EQ(set(VendorProperty::kBoot, device::kBootConfirm), StatusCode::kSuccess);
  EXPECT_EQ(get(VendorProperty::kBoot, 2), (Words{0, 2, 0, 7, 5, 0, 1}));
  EXPECT_EQ(get(VendorProperty::kBoot).at(3), 5U) << "the floor";
  EXPECT_EQ(get(VendorProperty::kBoot, 1).at(2),
            static_cast<std::uint32_t>(device::SlotVerdict::kBelowFloor));
  EXPECT_EQ(get(VendorProperty::kBoot, 3), (Words{4}));
  EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
  EXPECT_EQ(get(VendorProperty::kBoot).at(1), device::kBootFound) << "at the bench nothing runs";
}

TEST_F(VendorProperties, D02_RehearseALockWithoutDoingIt) {
  const auto before = *medium_;
  EXPECT_EQ(get(VendorProperty::kLockRehearsal, 3),
            (Words{0, 0,
                   device::kLockIspOpen | device::kLockStarts | device::kLockDebug |
                       device::kLockCertified,
                   2}));
  EXPECT_EQ(get(VendorProperty::kLockRehearsal, 2), (Words{4}));
  target_.power_off();
  EXPECT_TRUE(*medium_ == before);
  done(part()->blow_fuse(device::kIspFuseWord, device::kIspClosedCode));
  EXPECT_EQ(get(VendorProperty::kLockRehearsal, 3).at(2) & device::kLockIspOpen, 0U);
  done(part()->lock());
  EXPECT_EQ(get(VendorProperty::kLockRehearsal, 3).at(1), 10001U) << "it is locked already";
}

TEST_F(VendorProperties, D01_OfAClosedLineAreThoseOfTheDebugPortAlone) {
  {
    const auto opened = part();
    done(opened->blow_fuse(device::kIspFuseWord, device::kIspClosedCode));
    done(opened->lock());
  }
  const auto refused = StatusCode::kSecurityViolation;
  EXPECT_EQ(status(Tag::kReadMemory, {0xF000, 10}), refused);
  EXPECT_EQ(status(Tag::kFlashReadOnce, {0, 4}), refused);
  EXPECT_EQ(status(Tag::kFuseRead, {0, 4}), refused);
  EXPECT_EQ(status(Tag::kFlashEraseAll), refused);
  EXPECT_EQ(receive_file(oem_.share_blob()), refused);
  EXPECT_EQ(set(VendorProperty::kBoot, device::kBootStart), refused);
  EXPECT_EQ(set(VendorProperty::kKeyUse, kRamStart), refused);
  EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
  EXPECT_EQ(status(Tag::kGetProperty, {0x12, 0}), StatusCode::kSuccess) << "who it is";
  EXPECT_EQ(set(VendorProperty::kDebug, device::kDebugChallenge), StatusCode::kSuccess);
  const auto challenge = value(part()->debug_challenge());
  EXPECT_EQ(receive_file(debug_token(world_.crypto(), oem_.key(), challenge)),
            StatusCode::kSuccess);
  EXPECT_EQ(status(Tag::kReadMemory, {0xF000, 10}), StatusCode::kSuccess) << "nothing is left";
}

TEST_F(VendorProperties, D09_OpenTheDebugPortForTheOwner) {
  EXPECT_EQ(get(VendorProperty::kDebug), (Words{0, 0, 5, 0}));
  EXPECT_EQ(get(VendorProperty::kDebug, 1), (Words{4})) << "no challenge yet";
  EXPECT_EQ(set(VendorProperty::kDebug, 2), StatusCode::kInvalidArgument);
  EXPECT_EQ(set(VendorProperty::kDebug, device::kDebugChallenge), StatusCode::kSuccess);
  EXPECT_EQ(get(VendorProperty::kDebug), (Words{0, 0, 5, 1}));
  core::DebugChallenge challenge;
  const auto read = [&](std::uint32_t index, core::ByteArray<32>& out) {
    const auto words = get(VendorProperty::kDebug, index);
    ASSERT_EQ(words.size(), 9U);
    Bytes bytes;
    for (std::size_t i = 1; i < words.size(); ++i) mboot::append32(bytes, words[i]);
    out = core::array_of<32>(bytes);
  };
  read(1, challenge.nonce);
  read(2, challenge.part_id);
  const auto good = debug_token(world_.crypto(), oem_.key(), challenge);
  auto bad = good;
  bad[70] ^= 1;
  EXPECT_EQ(receive_file(bad), StatusCode::kSecurityViolation);
  EXPECT_EQ(receive_file(good), StatusCode::kSuccess);
  EXPECT_EQ(get(VendorProperty::kDebug).at(1), 1U);
  EXPECT_EQ(receive_file(good), StatusCode::kSecurityViolation) << "once";
}

TEST_F(VendorProperties, UseAKeyThroughTheRam) {
  const auto message = pattern(100, 3);
  const auto request = [](const Words& words) {
    Bytes bytes;
    for (const auto word : words) mboot::append32(bytes, word);
    return bytes;
  };
  constexpr auto kHmac = static_cast<std::uint32_t>(device::KeyOperation::kHmac);
  const Words good = {kHmac, 41, 0, kRamStart + 0x1000, 100, 0, 0, 0, 0, kRamStart + 0x2000, 64, 0};
  write_ram(kRamStart + 0x1000, message);
  write_ram(kRamStart, request(good));
  EXPECT_EQ(set(VendorProperty::kKeyUse, kRamStart), StatusCode::kSuccess);
  Bytes expected(32);
  done(core::hmac(world_.crypto(), core::Hash::kSha256, pattern(32, 8), {message}, expected));
  EXPECT_EQ(read_ram(kRamStart + 0x2000, 32), expected);
  EXPECT_EQ(mboot::load32(read_ram(kRamStart + 44, 4)), 32U);

  const auto refused_with = [&](std::size_t at, std::uint32_t word) {
    auto words = good;
    words[at] = word;
    write_ram(kRamStart, request(words));
    return set(VendorProperty::kKeyUse, kRamStart);
  };
  using Layout = device::KeyUseWords;
  EXPECT_EQ(refused_with(Layout::kOperation, 5), StatusCode::kSecurityViolation) << "its flags";
  EXPECT_EQ(refused_with(Layout::kOperation, 0x100 + kHmac), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused_with(Layout::kSlot, 42), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused_with(Layout::kPath, 3), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused_with(Layout::kInput, kRamStart + device::Ram::kSize - 99),
            StatusCode::kMemoryRange);
  EXPECT_EQ(refused_with(Layout::kInput + 1, 0xFFFFFFFF), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused_with(Layout::kOutput, 0), StatusCode::kMemoryRange);
  EXPECT_EQ(refused_with(Layout::kOutput + 1, 31), StatusCode::kInvalidArgument) << "no room";
  EXPECT_EQ(refused_with(Layout::kAside + 1, 1), StatusCode::kMemoryRange);
  EXPECT_EQ(set(VendorProperty::kKeyUse, kRamStart + device::Ram::kSize - 47),
            StatusCode::kMemoryRange);
  EXPECT_EQ(set(VendorProperty::kKeyUse, 0xFFFFFFFF), StatusCode::kMemoryRange);
  EXPECT_EQ(get(VendorProperty::kKeyUse), (Words{4})) << "there is nothing to read of it";
}

}  // namespace
}  // namespace tallystick::test
