// A token's files: attributes, the configuration, the database.
#include "tests/fuzz/maker/call.h"

namespace tallystick::fuzz::maker {

void make_token_files(const Corpus& corpus) {
  core::Writer attributes;
  attributes.u16(3).u64(CKA_CLASS).lv(core::be64(CKO_DATA)).u64(CKA_TOKEN).lv(Bytes{1});
  attributes.u64(CKA_LABEL).lv(kText);
  corpus.add("pkcs11_attributes", "data", attributes.view());
  corpus.add("pkcs11_attributes", "none", core::Bytes{0, 0});

  corpus.add("pkcs11_settings", "all",
             "# everything\n[token]\ndirectory = \"/var/lib/tokens\"\n[log]\nfile = \"stderr\"\n"
             "[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = false\npkcs5_pbkd2 = true\n");
  corpus.add("pkcs11_settings", "wrong", "[token]\ndirectory = \"relative\"\n[what]\nx = 1\n");

  const auto database = [&corpus](const std::string& name, unsigned flags, const Call& changes) {
    core::Writer out;
    out.u8(static_cast<std::uint8_t>(flags)).bytes(changes.view());
    corpus.add("pkcs11_database", name, out.view());
  };
  database("good", 3, Call());
  database("header", 0, Call().u8(0).u8(0).u8(18).u8(2).u8(1).u8(1));
  database("page", 0, Call().u8(0).u8(0x30).u8(0).u8(4).u8(13).u8(0).u8(0).u8(9));
  database("cut", 0, Call().u8(0xFF).u8(0x10).u8(0).u8(0));
  database("class", 6, Call().u8(1).u8(3).u8(0).number(2));
  database("sealed", 4, Call().u8(9).u8(0).u8(1).region(Bytes(40, 1)));
  database("cost", 5, Call().u8(14).u8(1).u8(0).number(1ULL << 40U));
  database("tries", 5, Call().u8(18).u8(1).u8(2).region(Bytes{'a'}));
  database("log", 8, Call().raw(Bytes(32, 7)));
  database("root-key", 17, Call().raw(Bytes(32, 7)));
}

}  // namespace tallystick::fuzz::maker
