// Seeds of what a part is given, and of what its file keeps.
#include "devicesim/line/ram.h"
#include "devicesim/mboot/packet.h"
#include "devicesim/part_state.h"
#include "devicesim/puf/sealed_state.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/product.h"
#include "tests/fuzz/support/puf_part.h"

namespace tallystick::fuzz::maker {
namespace {

// The record in the first place: docs/formats.md has its layout.
core::Bytes state_of(const core::Bytes& file) {
  const core::ByteView record = core::ByteView(file).subspan(4096, 65536);
  core::Reader length(record.subspan(40, 4));
  return core::Bytes(record.begin() + 76, record.begin() + 76 + length.u32());
}

core::Bytes station_input(unsigned flags, core::ByteView share, core::ByteView package,
                          std::string_view commands) {
  core::Writer out;
  out.u8(static_cast<std::uint8_t>(flags)).u8(40);
  out.u16(static_cast<std::uint16_t>(share.size())).bytes(share);
  out.u8(static_cast<std::uint8_t>(package.size() >> 16U));
  out.u16(static_cast<std::uint16_t>(package.size() & 0xFFFFU)).bytes(package).text(commands);
  return out.take();
}

// The steps of the target `line`.
class Steps {
 public:
  Steps& step(unsigned number) {
    out_.u8(static_cast<std::uint8_t>(number));
    return *this;
  }
  Steps& acknowledge() { return step(2); }
  Steps& power_cycle() { return step(8); }
  Steps& data(core::ByteView bytes) {
    step(1);
    out_.u8(static_cast<std::uint8_t>(bytes.size())).bytes(bytes);
    return *this;
  }
  Steps& file(core::ByteView bytes) {
    step(9);
    out_.u16(static_cast<std::uint16_t>(bytes.size())).bytes(bytes);
    return *this;
  }
  Steps& command(mboot::Tag tag, std::initializer_list<std::uint32_t> parameters,
                 std::uint8_t flags = 0) {
    step(10);
    out_.u8(static_cast<std::uint8_t>(tag)).u8(flags);
    out_.u8(static_cast<std::uint8_t>(parameters.size()));
    for (const auto parameter : parameters) out_.u32(parameter);
    return *this;
  }
  core::Bytes take() { return out_.take(); }

 private:
  core::Writer out_;
};

void make_line(const Corpus& corpus, core::ByteView share, core::ByteView package) {
  using mboot::Tag;
  const auto add = [&](const char* name, Steps& steps) {
    corpus.add("devicesim_line", name, steps.take());
  };
  constexpr std::uint32_t kRam = device::Ram::kStart;
  Steps properties;
  properties.step(5);
  for (const std::uint32_t id : {1U, 3U, 4U, 5U, 7U, 11U, 14U, 15U, 17U, 18U, 24U, 99U}) {
    properties.command(Tag::kGetProperty, {id, 0}).acknowledge();
  }
  properties.command(Tag::kSetProperty, {11, 32}).acknowledge();
  add("properties", properties);
  Steps memory;
  for (const std::uint32_t address : {kRam, 256U}) {
    memory.command(Tag::kWriteMemory, {address, 6, 0}, mboot::kDataPhaseFollows).acknowledge();
    memory.data(core::bytes_of("abc")).data(core::bytes_of("def")).acknowledge();
    memory.command(Tag::kReadMemory, {address, 1030, 0}).acknowledge().acknowledge();
    memory.step(3).acknowledge().acknowledge();
    memory.command(Tag::kFillMemory, {address, 9, 0x01020304}).acknowledge();
  }
  memory.command(Tag::kFlashEraseRegion, {0, 4096, 0}).acknowledge().power_cycle();
  memory.command(Tag::kFlashEraseAll, {0}).acknowledge();
  add("memory", memory);
  Steps fuses;
  fuses.command(Tag::kFlashProgramOnce, {3, 8, 5, 6}).acknowledge();
  fuses.command(Tag::kFlashReadOnce, {3, 8}).acknowledge();
  fuses.command(Tag::kFuseProgram, {7, 4, 0}, mboot::kDataPhaseFollows);
  fuses.data(core::bytes_of("fuse")).acknowledge().command(Tag::kFuseRead, {7, 4, 0});
  fuses.acknowledge().acknowledge().acknowledge();
  add("fuses", fuses);
  Steps programming;
  programming.file(share).file(package).power_cycle().command(Tag::kReadMemory, {0, 16, 0});
  programming.acknowledge().acknowledge().command(Tag::kReset, {}).acknowledge();
  add("programming", programming);
  Steps vanishing;
  vanishing.file(share).command(Tag::kReceiveSbFile, {900}, mboot::kDataPhaseFollows);
  vanishing.data(package.first(200)).step(5).file(package.first(package.size() - 1)).step(7);
  vanishing.command(Tag::kReadMemory, {kRam, 5000, 0}).acknowledge().step(4).acknowledge();
  vanishing.command(Tag::kWriteMemory, {0, 50, 0}, mboot::kDataPhaseFollows).data({}).step(6);
  add("vanishing", vanishing);
  Steps nxp;
  constexpr std::uint32_t kSlots = 0x20008000;
  nxp.command(Tag::kKeyProvisioning, {0}).acknowledge();
  nxp.command(Tag::kKeyProvisioning, {1, 11, 32}, mboot::kDataPhaseFollows).acknowledge();
  nxp.data(core::ByteArray<32>{1, 2, 3}).acknowledge();
  nxp.command(Tag::kKeyProvisioning, {2, 3, 32}).acknowledge();
  nxp.command(Tag::kKeyProvisioning, {3, 0}).acknowledge();
  nxp.command(Tag::kKeyProvisioning, {4, 0}).acknowledge();
  nxp.command(Tag::kKeyProvisioning, {6}).acknowledge().acknowledge().acknowledge();
  nxp.command(Tag::kGenerateKeyBlob, {0, 16, 0}, mboot::kDataPhaseFollows).acknowledge();
  nxp.data(core::ByteArray<16>{4, 5}).acknowledge();
  nxp.command(Tag::kGenerateKeyBlob, {0, 72, 1}).acknowledge().acknowledge().acknowledge();
  nxp.command(Tag::kTrustProvisioning,
              {0, kSlots, 16, kSlots + 256, 256, kSlots + 512, 256, kSlots + 768, 256});
  nxp.acknowledge().command(Tag::kTrustProvisioning, {2, kSlots, 32, kSlots + 256, 64});
  nxp.acknowledge().file(core::bytes_of("sbv3 and what follows")).acknowledge();
  add("nxp", nxp);
  Steps refused;
  for (const auto tag : {Tag::kExecute, Tag::kCall, Tag::kKeyProvisioning, Tag::kTrustProvisioning,
                         Tag::kUpdateLifeCycle}) {
    refused.command(tag, {0, 1, 2}).acknowledge();
  }
  add("refused", refused);
}

// The commands of the target `product`.
void make_product(const Corpus& corpus) {
  using namespace std::string_view_literals;
  const auto add = [&](const char* name, std::string_view steps) {
    corpus.add("devicesim_product", name, steps);
  };
  add("boots", "\2\0\2\3\0\2\3\2\2\2\2"sv);
  add("keys",
      "\4\x0A\3\0\3abc\0\0\4\x0A\4\0\3abc\0\0\4\x0F\1\0\3abc\0\0\4\x0F\2\0\0\0\0"
      "\4\x0C\3\1\3abc\0\2xy\4\x0B\5\0\x1E"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\0"
      "\4\x0D\3\2\3abc\0\x1E"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv);
  add("locked", "\x08\0\x08\1\2\3\0\4\x0A\3\0\1a\0\0"sv);
  add("returned", "\5\7\0\0\0\x0A\x20\0\0\2\5\4\x0A\3\0\1a\0\0"sv);
  add("guesses", "\5\7\0\xFF\1\5\7\0\xFF\2\0\5\7\0\xFF\4\5\7\0\x0A\1\5\7\0\x30\1"sv);
  add("closed-line", "\x09\x1F\xC3\x3C\xC3\x3C\x08\1\x0B\4\2\4\0\0\0\3\2\3"sv);
  add("line", "\x0B\7\0\0\0\3\0\4\1\x09\2\4\3\2\3\0\0\0\0"sv);
}

// States of parts with a PUF: one with a key, one without, and a state to be sealed.
void make_puf_state(const Corpus& corpus, const core::Bytes& installed) {
  using namespace std::string_view_literals;
  const auto identity = puf_identity();
  auto state = test::value(device::decode_state(world().crypto, state_of(installed)));
  const auto add = [&](const char* name, std::uint8_t kind, core::ByteView rest) {
    core::Bytes input{kind};
    input.insert(input.end(), rest.begin(), rest.end());
    corpus.add("devicesim_puf_state", name, input);
  };
  add("sealed", 1, test::value(device::puf::seal_state(world().crypto, &identity, state)).view());
  state.device_key = nullptr;
  add("to-seal", 2, test::value(device::encode_state(state)).view());
  const auto blank = state.without_secrets();
  add("keyless", 0, test::value(device::puf::seal_state(world().crypto, nullptr, blank)).view());
  corpus.add("devicesim_puf_state", "helper", "\3\0\0\1\0\x80\x40\7\xFF\x80"sv);
}

}  // namespace

void make_devicesim(const Corpus& corpus) {
  const auto ready = ready_part();
  corpus.add("devicesim_part_state", "ready", state_of(ready));

  const auto share = test::value(world().oem_device.give_share(world().share, core::Suite::kGcm));
  const auto small = small_package();
  const auto chunked = chunked_package();
  const auto file = std::make_shared<core::Bytes>(ready);
  {
    auto part = test::value(part_on(file));
    test::done(part->load_share_blob(share));
    auto installer = test::value(part->install_package(small.size()));
    test::done(installer->update(small));
    test::done(installer->finish());
  }
  corpus.add("devicesim_part_state", "installed", state_of(*file));
  make_puf_state(corpus, *file);

  using namespace std::string_view_literals;
  corpus.add("devicesim_install", "small", station_input(0, share, small, "\0\1\0\x10"sv));
  corpus.add("devicesim_install", "small-signed",
             station_input(1, share, small, "\2\3\0\0\0\0\1"sv));
  corpus.add("devicesim_install", "chunked", station_input(0, share, chunked, "\4\1"sv));
  make_line(corpus, share, small);
  make_product(corpus);
  corpus.add("devicesim_part_file", "header", "\0\0\0\x08\4\0\0\0\0"sv);
  corpus.add("devicesim_part_file", "first-place", "\0\x40\0\x10\4\1\2\3\4"sv);
  corpus.add("devicesim_part_file", "second-place", "\0\x80\0\x50\2\xFF\xFF"sv);
  corpus.add("devicesim_part_file", "bank", "\0\xC2\0\0\1\7\1\0\x30\0"sv);
}

}  // namespace tallystick::fuzz::maker
