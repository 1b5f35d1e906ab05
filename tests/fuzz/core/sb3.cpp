// An SB3.1 container as a part reads it: in pieces that are cut anywhere, and once more in one go.
// Both ways come to the same verdict and say the same commands, and nothing is said of a file that
// nobody signed.
//
// Input: u8 flags, u8 size of the pieces, and, by the flags: 0 a file; 1 what stands decrypted in
// the blocks of a good file; 2 a file whose block 0 is signed after it was altered.
#include "core/base/reader.h"
#include "core/provisioning/device_hsm.h"
#include "core/sb3/writer.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

constexpr std::size_t kMostBlocks = 16;

// What the share of the corpus stands for; the same in every run.
struct Signer {
  core::sb3::EncShare share;
  core::EcPrivateKey key;
  core::Secret part_common_key;
};

const Signer& signer() {
  static const Signer made = [] {
    const auto& world = fuzz::world();
    const core::ByteArray<core::sb3::kShareNonceSize> nonce{1};
    const auto share = test::value(core::sb3::derive_share(world.crypto, world.oem_family, nonce,
                                                           core::Bytes(core::sb3::kSeedSize, 2)));
    const auto keys =
        test::value(core::sb3::ShareKeys::create(world.crypto, world.oem_family, share.view()));
    return Signer{test::value(core::sb3::seal_share(world.crypto, world.oem_family, share.view())),
                  test::value(keys.signing_key(core::Curve::kP256)),
                  test::value(keys.part_common_key())};
  }();
  return made;
}

// Takes everything and writes down what it is told.
class Target : public core::sb3::Target {
 public:
  core::Bytes told;
  bool admitted = false;
  bool abandoned = false;

  core::Result<core::sb3::Authority> authority(const core::sb3::Header& header,
                                               const core::sb3::Certificate& certificate) override {
    const auto hsm = core::DeviceHsm::take_in(fuzz::world().crypto, fuzz::world().part_device,
                                              certificate.enc_oem_share);
    if (!hsm) return hsm.error();
    return hsm->authority(header.variant);
  }
  core::Status admit(const core::sb3::Header&, const core::sb3::Certificate&) override {
    admitted = true;
    return {};
  }
  core::Status begin(const core::sb3::Command& command) override {
    fuzz::expect(admitted && !in_command_, "commands come after the signature, one by one");
    in_command_ = true;
    left_ = command.has_data() ? command.length : 0;
    for (const auto word :
         {static_cast<std::uint32_t>(command.tag), command.address, command.length, command.memory,
          command.value, command.id, command.destination, command.destination_memory}) {
      const auto bytes = core::be32(word);
      told.insert(told.end(), bytes.begin(), bytes.end());
    }
    return {};
  }
  core::Status data(core::ByteView piece) override {
    fuzz::expect(in_command_ && piece.size() <= left_, "no more than a command's data comes");
    left_ -= piece.size();
    told.insert(told.end(), piece.begin(), piece.end());
    return {};
  }
  core::Status end() override {
    fuzz::expect(in_command_ && left_ == 0, "a command ends at its length");
    in_command_ = false;
    return {};
  }
  void abandon() override {
    fuzz::expect(admitted && !abandoned, "what was begun is abandoned once");
    abandoned = true;
  }

 private:
  bool in_command_ = false;
  std::uint64_t left_ = 0;
};

core::Bytes file_of(core::ByteView plaintext) {
  const auto& world = fuzz::world();
  core::sb3::Header header;
  header.timestamp = 1000;
  std::vector<core::Secret> blocks;
  do {
    core::Secret block(core::sb3::kDataSize);
    const auto part = plaintext.first(std::min(plaintext.size(), block.size()));
    plaintext = plaintext.subspan(part.size());
    std::ranges::copy(part, block.span().begin());
    blocks.push_back(std::move(block));
  } while (!plaintext.empty() && blocks.size() < kMostBlocks);
  const auto cipher = test::value(core::sb3::BlockCipher::create(
      world.crypto, signer().part_common_key.view(), header.timestamp, 128));
  const auto xy = signer().key.public_xy();
  return test::value(core::sb3::build_file(
      world.crypto, header, {core::Bytes(xy.begin(), xy.end()), signer().share}, std::move(blocks),
      [&](std::uint32_t number, core::MutableByteView data) {
        return cipher.encrypt(number, data);
      },
      [&](core::ByteView manifest) { return signer().key.sign(world.crypto, {manifest}); }));
}

void sign_again(core::Bytes& file) {
  const core::sb3::Variant variant;
  if (file.size() < variant.block0_size()) return;
  const auto manifest = core::ByteView(file).first(variant.manifest_size());
  const auto signature = test::value(signer().key.sign(fuzz::world().crypto, {manifest}));
  std::ranges::copy(signature, file.begin() + static_cast<std::ptrdiff_t>(manifest.size()));
}

int read(Target& target, core::ByteView file, std::size_t piece) {
  core::sb3::Reader reader(fuzz::world().crypto, file.size(), target);
  while (!file.empty()) {
    const auto count = std::min(piece, file.size());
    if (const auto taken = reader.update(file.first(count)); !taken) {
      fuzz::expect(!reader.finish(), "a refused file stays refused");
      fuzz::expect(target.abandoned == target.admitted, "and is abandoned");
      return 1000 + taken.error().check;
    }
    file = file.subspan(count);
  }
  const auto whole = reader.finish();
  fuzz::expect(target.abandoned == (target.admitted && !whole), "a good file is not abandoned");
  return whole ? 0 : 1000 + whole.error().check;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const auto flags = in.u8() % 3U;
  const std::size_t piece = in.u8() + 1U;
  const auto rest = in.rest();
  core::Bytes file(rest.begin(), rest.end());
  if (flags == 1) file = file_of(rest);
  if (flags == 2) sign_again(file);
  Target in_pieces;
  Target in_one;
  const auto pieced = read(in_pieces, file, piece);
  const auto whole = read(in_one, file, std::max<std::size_t>(file.size(), 1));
  fuzz::expect(pieced == whole, "pieces do not change the verdict");
  fuzz::expect(in_pieces.told == in_one.told, "pieces do not change what is said");
  return 0;
}
