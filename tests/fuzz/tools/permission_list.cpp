// Lists of permissions in TOML: what is accepted makes an image. Input: u8 flags (1: the family
// comes from the command line), the text.
#include "tools/cli/formats/permission_list.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  std::optional<core::FamilyId> family;
  if (in.flag()) family = fuzz::world().icm_family.id;
  const auto list = cli::parse_permission_list("software.toml", core::text_of(in.rest()), family);
  if (!list) return 0;
  const auto payload = core::Permissions::encode(list->records);
  fuzz::expect(payload.ok(), "the permissions of a list can be written");
  fuzz::expect(core::software_header(fuzz::world().crypto, list->header, *payload).ok(),
               "the header of a list can be written");
  return 0;
}
