// Names and labels: fields of 32 bytes, UTF-8, names of generated assets, labels of keys. Input: u8
// type, u32 index, u32 length, the name.
#include "core/ts1/generated_asset.h"
#include "core/ts1/text.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  core::GeneratedAsset asset;
  asset.type = static_cast<core::GeneratedType>(in.u8() % core::kGeneratedTypes + 1U);
  asset.index = in.u32();
  asset.length = in.u32();
  const auto bytes = in.rest();
  asset.name = core::text_of(bytes);

  const auto field = core::field_from_name(asset.name);
  if (field) {
    fuzz::expect(core::valid_utf8(bytes), "a name is UTF-8");
    fuzz::expect(test::value(core::name_from_field(*field)) == asset.name,
                 "a name is the same when read again");
  }
  if (bytes.size() == core::kNameSize) {
    if (const auto name = core::name_from_field(bytes)) {
      fuzz::expect(fuzz::same(test::value(core::field_from_name(*name)), bytes),
                   "a field is the same when written again");
    }
  }
  const auto made = world.oem_device.generate(world.share, asset);
  fuzz::expect(!made || (field.ok() && !asset.name.empty()), "generated assets have names");
  if (made) {
    fuzz::expect(core::package_form(world.crypto, asset.type, made->view()).ok(),
                 "what was generated can be packed");
  }
  const auto type = core::generated_type_from(asset.name);
  fuzz::expect(!type || core::generated_type_name(*type) == asset.name, "types keep their names");

  static const auto master = test::value(world.oem_device.derive_master_key(world.share));
  const auto key = world.oem_device.derive_asset_key(master, core::Suite::kGcm, asset.name);
  fuzz::expect(key.ok() == core::valid_label(asset.name), "keys have valid labels");
  return 0;
}
