// The JSON files of shares, consents and grants: what is read is the same when written again.
#include "tools/cli/formats/share_file.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/file.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::as_file({data, size});
  const auto copy = fuzz::home().file("copy");
  if (const auto share = cli::read_share_file(path)) {
    fuzz::expect(cli::write_share_file(copy, *share).ok(), "a share file can be written");
    const auto again = cli::read_share_file(copy);
    fuzz::expect(again && *again == *share, "a share file is the same when written again");
  }
  if (const auto consent = cli::read_consent_file(path)) {
    fuzz::expect(cli::write_consent_file(copy, *consent).ok(), "a consent can be written");
    const auto again = cli::read_consent_file(copy);
    fuzz::expect(again && again->nonce == consent->nonce && again->signature == consent->signature,
                 "a consent is the same when written again");
  }
  if (const auto grant = cli::read_grant_file(path)) {
    fuzz::expect(cli::write_grant_file(copy, *grant).ok(), "a grant can be written");
    const auto again = cli::read_grant_file(copy);
    fuzz::expect(again && again->limit == grant->limit && again->signature == grant->signature,
                 "a grant is the same when written again");
  }
  return 0;
}
