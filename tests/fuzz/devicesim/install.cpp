// A part at a programming station: a share blob and a package as streams, and commands between
// them. What was installed can be proved, read and opened again.
//
// Input: u8 flags (1: the head is signed and tagged after it was altered), u8 piece, a share blob
// (u16 length), a package (u24 length), then commands of u8 and what they take.
#include "core/ts1/proof.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/parts.h"

using namespace tallystick;

namespace {

void sign_head(core::Bytes& package) {
  if (package.size() < core::kPackageHeaderSize) return;
  const auto size =
      core::package_head_size_of(core::ByteView(package).first(core::kPackageHeaderSize));
  if (!size || *size > package.size()) return;
  fuzz::world().sign_and_tag(core::MutableByteView(package).first(*size));
}

bool install(device::Part& part, core::ByteView package, std::size_t piece) {
  auto installer = part.install_package(package.size());
  if (!installer) return false;
  while (!package.empty()) {
    const auto count = std::min(piece, package.size());
    if (!(*installer)->update(package.first(count))) return false;
    package = package.subspan(count);
  }
  return (*installer)->finish().ok();
}

void command(device::Part& part, fuzz::Input& in) {
  switch (in.u8() % 8U) {
    case 0:
      (void)part.reset();
      break;
    case 1: {
      const auto address = in.number();
      (void)part.read_flash(address, static_cast<std::size_t>(in.number()));
      break;
    }
    case 2:
      (void)part.lock();
      break;
    case 3:
      (void)part.blow_fuse(static_cast<std::size_t>(in.number()), in.u32());
      break;
    case 4:
      (void)part.read_fuse(static_cast<std::size_t>(in.number()));
      break;
    case 5:
      (void)part.load_software(in.chunk());
      break;
    case 6:
      (void)part.store_certificate(in.chunk());
      break;
    default:
      (void)part.fill_immutable_memory(in.chunk());
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes ready = fuzz::ready_part();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const std::size_t piece = in.u8() * 16U + 1U;
  const auto share = in.take(in.u16());
  const auto length = static_cast<std::size_t>(in.u8()) << 16U | in.u16();
  const auto given = in.take(length);
  core::Bytes package(given.begin(), given.end());
  if ((flags & 1U) != 0) sign_head(package);

  const auto file = std::make_shared<core::Bytes>(ready);
  auto opened = fuzz::part_on(file);
  fuzz::expect(opened.ok(), "a ready part opens");
  auto part = *std::move(opened);
  (void)part->load_share_blob(share);
  const bool installed = install(*part, package, piece);
  const auto info = part->info();
  fuzz::expect(info.package.has_value() == installed, "a package is installed whole or not at all");
  for (unsigned i = 0; i < 4 && !in.empty(); ++i) command(*part, in);
  if (!installed) return 0;

  constexpr core::ByteArray<core::kChallengeSize> kChallenge{9};
  part.reset();
  const auto again = fuzz::part_on(file);
  fuzz::expect(again.ok() && (*again)->info().package.has_value(),
               "what was installed is there after power-on");
  const auto proof = (*again)->prove(kChallenge);
  fuzz::expect(!proof || core::parse_proof(*proof).ok(), "a part's proofs parse");
  for (const auto& entry : info.assets) {
    const auto read = (*again)->read_flash(entry.address, 1);
    fuzz::expect(!read || (!entry.is_key() && (entry.flags & core::kAssetWriteOnly) == 0) ||
                     entry.plaintext_length == 0 || entry.is_key(),
                 "what is write-only is not read");
  }
  return 0;
}
