// The head of an asset package: what parses is what the OEM's side would write again, byte for
// byte, and each of its assets has a sealing context that parses.
#include "core/ts1/package.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/world.h"

using namespace tallystick;

namespace {

void write_again(const core::PackageHead& head) {
  auto builder = core::PackageBuilder::create(head.header, head.entries);
  fuzz::expect(builder.ok(), "entries that pass the checks can be written");
  for (std::size_t i = 0; i < head.entries.size(); ++i) {
    fuzz::expect(fuzz::same(builder->seal_context(i), head.asset_context(i)),
                 "the sealing context is the same when written again");
    const auto context = core::parse_asset_context(head.asset_context(i));
    fuzz::expect(context.ok(), "a good entry has a good sealing context");
    fuzz::expect(context->entry.name == head.entries[i].name &&
                     context->entry.plaintext_length == head.entries[i].plaintext_length &&
                     context->header.context == head.header.context,
                 "the sealing context says what the head says");
    builder->set_digest(i, head.entries[i].digest);
  }
  builder->set_oem_public_key(head.oem_public_key());
  builder->set_signature(head.signature());
  builder->set_tag(head.tag());
  fuzz::expect(builder->head().raw == head.raw, "a head is the same when written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const core::ByteView bytes(data, size);
  // The same bytes as a sealing context, which is a header and an entry behind a prefix.
  (void)core::parse_asset_context(bytes);
  if (size < core::kPackageHeaderSize) return 0;
  const auto head_size = core::package_head_size_of(bytes.first(core::kPackageHeaderSize));
  if (!head_size || *head_size > size) return 0;
  // Only the head is here: the body is as long as the header says.
  std::uint64_t body = 0;
  for (const auto byte : bytes.subspan(88, 8)) body = body << 8U | byte;
  const auto head = core::parse_package_head(bytes.first(*head_size), *head_size + body);
  if (!head) return 0;
  (void)core::check_package_signature(fuzz::world().crypto, *head);
  if (core::check_package_entries(*head)) write_again(*head);
  return 0;
}
