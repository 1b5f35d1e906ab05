// Private keys, public keys, certificates and devices' identities from files, in PEM, DER and JSON.
#include <sstream>

#include "core/crypto/pkcs8.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/file.h"
#include "tests/fuzz/support/world.h"
#include "tools/cli/environment.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/private_key_file.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::ostringstream out;
  static cli::Environment env(out, out);
  const auto& crypto = fuzz::world().crypto;
  const auto path = fuzz::as_file({data, size});
  if (const auto key = cli::private_key_as_pkcs8(crypto, path)) {
    fuzz::expect(core::parse_pkcs8(crypto, key->view()).ok(), "a key from a file is PKCS#8");
  }
  if (const auto key = cli::load_p384_public_key(env, path)) {
    fuzz::expect(core::EcPublicKey::from_xy(crypto, core::Curve::kP384, *key).ok(),
                 "a public key from a file is on the curve");
  }
  if (const auto device = cli::load_device_identity(env, path)) {
    const auto id = core::key_id(crypto, device->xy);
    fuzz::expect(id && *id == device->id, "a device has the id of its key");
  }
  if (const auto der = cli::load_certificate(path)) {
    (void)core::verify_device_certificate(crypto, *der, fuzz::world().icm.public_xy());
    (void)core::icm_public_key_of(crypto, *der);
    (void)cli::in_form(*der, true);
  }
  out.str({});
  return 0;
}
