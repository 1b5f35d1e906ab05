// Seeds of the files and texts that the command takes.
#include <openssl/pem.h>

#include "core/ts1/proof.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/support/value.h"

namespace tallystick::fuzz::maker {
namespace {

using test::value;

std::string pem(const char* name, core::ByteView der) {
  const core::BioPtr bio(BIO_new(BIO_s_mem()));
  (void)PEM_write_bio(bio.get(), name, "", der.data(), static_cast<long>(der.size()));
  const unsigned char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, text + size};
}

void manifests(const Corpus& corpus) {
  corpus.add("tools_manifest", "every-asset", R"(product = "meter"
package_version = 3
suite = "ccm"
created = 2026-01-02T03:04:05Z

[[asset]]
id = 1
slot = 2
name = "fw"
kind = "firmware"
version = 9
address = 0x80000000
file = "fw.bin"

[[asset]]
id = 2
slot = 3
name = "k"
kind = "private-key"
uses = ["sign", "derive"]
generate = "p256"
index = 4

[[asset]]
id = 3
slot = 4
name = "table"
kind = "further"
write_only = true
generate = "bytes"
length = 16

[[asset]]
id = 4
slot = 5
name = "imported"
kind = "key"
uses = "unwrap"
token = "pkcs11:object=imported"
)");
  corpus.add(
      "tools_manifest", "created-number",
      "product = \"\"\npackage_version = 1\nsuite = \"gcm\"\ncreated = 1700000000\n"
      "[[asset]]\nid = 1\nslot = 1\nname = \"c\"\nkind = \"configuration\"\nfile = \"/c\"\n");
  corpus.add("tools_permission_list", "every-operation",
             "\2name = \"standard\"\nversion = 7\n"
             "family_id = \"11111111-2222-3333-4444-555555555555\"\n"
             "roles = [\"provisioning\", \"part\"]\n[permit]\n"
             "make-shares = true\nregenerate = true\ngive-blobs = [1, 3]\ntake-blobs = [2]\n"
             "seal = [\"gcm\", \"ccm\"]\nopen = \"gcm\"\nfurther-types = true\n"
             "generate = [\"aes128\", \"bytes\"]\ninstall = true\nprove = true\n"
             "life-cycle = [\"blank to provisioning\", \"provisioned to locked\"]\n"
             "nxp-commands = true\n");
  corpus.add("tools_permission_list", "no-family",
             "\1name = \"\"\nversion = 1\nroles = [\"station\"]\n[permit]\nprove = true\n");
}

void json_files(const Corpus& corpus) {
  const std::string secret(64, 'a');
  corpus.add(
      "tools_family_file", "counted",
      R"({"family_id": "00112233445566778899aabbccddeeff", "flags": "counted", "shares": [")" +
          secret + "\", \"" + secret + R"("], "k_oem_share": ")" + secret +
          R"(", "k_oem_master_share": ")" + secret + "\"}");
  const auto hex = [](std::size_t size) { return core::to_hex(core::Bytes(size, 0x5A)); };
  corpus.add("tools_share_file", "shares",
             R"({"format": "tallystick-shares-1", "family_id": ")" + hex(16) + R"(", "oem_id": ")" +
                 hex(32) + R"(", "share_id": ")" + hex(16) + R"(", "sw_floor": 3})");
  corpus.add("tools_share_file", "consent",
             R"({"format": "tallystick-consent-1", "device_id": ")" + hex(32) + R"(", "nonce": ")" +
                 hex(32) + R"(", "oem_public_key": ")" + hex(96) + R"(", "signature": ")" +
                 hex(96) + "\"}");
  corpus.add("tools_share_file", "grant",
             R"({"format": "tallystick-grant-1", "share_id": ")" + hex(16) + R"(", "job_id": ")" +
                 hex(16) + R"(", "limit": 1000, "oem_public_key": ")" + hex(96) +
                 R"(", "signature": ")" + hex(96) + "\"}");
  corpus.add("tools_record", "two-parts",
             "{\"part_id\":\"a\",\"result\":\"ok\",\"package_digest\":\"d\"}\n"
             "{\"part_id\":\"b\",\"result\":\"failed\"}\n");
  corpus.add("tools_record", "cut",
             "{\"part_id\":\"a\",\"result\":\"ok\"}\n\n[]\n7\n{\"part_id\": \"b");
}

void texts(const Corpus& corpus) {
  corpus.add("tools_uri", "token",
             "token=OEM%20desk;object=key?module-path=/usr/lib/x.so&pin-value=secret1234");
  corpus.add("tools_uri", "two-pins", "pkcs11:slot-id=3?pin-value=first123&pin-value=second45");
  corpus.add("tools_uri", "pin-source", "manufacturer=T;serial=1;id=%01%02?pin-source=file:/p");
  corpus.add("tools_uri", "digits", "00:11:aA:fF");
  corpus.add("tools_uri", "uuid", "11111111-2222-3333-4444-555555555555");
  corpus.add("tools_uri", "challenge", std::string(64, 'c'));
  corpus.add("tools_uri", "escapes", "a\x1b[31m\xE2\x80\xAEx\xC0");
}

void keys(const Corpus& corpus) {
  const auto& of = world();
  const auto ec = value(of.token.pkcs8());
  corpus.add("tools_key_file", "p256.pem", pem("PRIVATE KEY", ec.view()));
  corpus.add("tools_key_file", "p256.der", ec.view());
  corpus.add("tools_key_file", "p384.der", value(of.oem.pkcs8()).view());
  corpus.add("tools_key_file", "ed25519.der", test::to_pkcs8(test::libcrypto_key("ED25519").get()));
  corpus.add("tools_key_file", "rsa.der", test::to_pkcs8(test::some_rsa_key()));
  corpus.add("tools_key_file", "part.pem",
             pem("CERTIFICATE", of.certificate(core::DeviceKind::kPart, of.part.public_xy())));
  corpus.add("tools_key_file", "icm.der", of.icm_certificate());
  corpus.add("tools_key_file", "raw", of.oem.public_xy());
  corpus.add("tools_key_file", "empty", "");
  corpus.add("tools_key_file", "oem.json",
             "{\"public_key\": \"" + core::to_hex(of.oem.public_xy()) + "\"}");
  corpus.add("tools_key_file", "token.json",
             "{\"kind\": \"token\", \"device_id\": \"" + core::to_hex(of.token_id) +
                 "\", \"public_key\": \"" + core::to_hex(of.token.public_xy()) + "\"}");
}

void profile_files(const Corpus& corpus) {
  const auto& of = world();
  const auto package = small_package();
  corpus.add("tools_inspect", "package", package);
  corpus.add("tools_inspect", "software", of.software_image());
  corpus.add("tools_inspect", "family",
             of.family_blob(core::FamilyRole::kPart, of.part.public_xy()));
  corpus.add("tools_inspect", "role-1",
             value(of.oem_device.give_share(of.share, core::Suite::kGcm)));
  corpus.add("tools_inspect", "role-2",
             value(of.oem_device.give_master(of.share, core::Suite::kGcm)));
  corpus.add("tools_inspect", "role-3", of.device_blob());
  core::Proof proof;
  proof.slots = {{3, {}}};
  proof.suite = 2;
  proof.signature = core::Bytes(64, 1);
  corpus.add("tools_inspect", "proof", core::encode_proof(proof));
  corpus.add("tools_inspect", "part", "TSPART-2 and nothing more");
}

}  // namespace

void make_tools(const Corpus& corpus) {
  manifests(corpus);
  json_files(corpus);
  texts(corpus);
  keys(corpus);
  profile_files(corpus);
}

}  // namespace tallystick::fuzz::maker
