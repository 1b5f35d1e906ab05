// Seeds of what a part is given, and of what its file keeps.
#include "devicesim/part_state.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/parts.h"

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

  using namespace std::string_view_literals;
  corpus.add("devicesim_install", "small", station_input(0, share, small, "\0\1\0\x10"sv));
  corpus.add("devicesim_install", "small-signed",
             station_input(1, share, small, "\2\3\0\0\0\0\1"sv));
  corpus.add("devicesim_install", "chunked", station_input(0, share, chunked, "\4\1"sv));
  corpus.add("devicesim_part_file", "header", "\0\0\0\x08\4\0\0\0\0"sv);
  corpus.add("devicesim_part_file", "first-place", "\0\x40\0\x10\4\1\2\3\4"sv);
  corpus.add("devicesim_part_file", "second-place", "\0\x80\0\x50\2\xFF\xFF"sv);
  corpus.add("devicesim_part_file", "bank", "\0\xC2\0\0\1\7\1\0\x30\0"sv);
}

}  // namespace tallystick::fuzz::maker
