#include "tests/fuzz/maker/call.h"

namespace tallystick::fuzz::maker {

void make_pkcs11(const Corpus& corpus) {
  SeedToken token(corpus.seed_folder() / "token");
  make_operations(corpus);
  make_keys(corpus, token);
  make_objects(corpus);
  make_vendor(corpus, token);
  make_token_files(corpus);
}

}  // namespace tallystick::fuzz::maker
