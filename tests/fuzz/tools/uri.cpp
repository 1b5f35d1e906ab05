// pkcs11: URIs, and the small texts that people type: hexadecimal digits, ids, challenges.
#include "tools/cli/pkcs11/uri.h"

#include "tests/fuzz/support/expect.h"
#include "tools/cli/formats/challenge.h"
#include "tools/cli/text.h"

using namespace tallystick;

namespace {

void parse_uri(const std::string& text) {
  const auto uri = cli::parse_uri(text);
  if (!uri) {
    fuzz::expect(!cli::line_of(uri.error()).empty(), "a refused URI is told what is wrong");
    return;
  }
  CK_TOKEN_INFO token{};
  (void)uri->matches(token);
  (void)uri->names_token();
  (void)uri->names_object();
  (void)uri->object_label();
  (void)uri->object_id();
  (void)uri->module_path();
  (void)uri->module_name();
  (void)uri->pin_source();
  (void)uri->slot_id();
  // A PIN of some length that stands in the URI is not shown again.
  if (const auto pin = uri->pin_value(); pin && pin->size() >= 8) {
    fuzz::expect(uri->text().find("pin-value=" + std::string(*pin)) == std::string::npos,
                 "a PIN is not part of what is shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(core::text_of(core::ByteView(data, size)));
  parse_uri(text);
  parse_uri("pkcs11:" + text);
  const auto shown = cli::printable(text);
  fuzz::expect(std::ranges::none_of(shown, [](char letter) { return letter >= 0 && letter < ' '; }),
               "what is shown has no control characters");
  if (const auto bytes = cli::from_hex(text)) {
    fuzz::expect(cli::from_hex(core::to_hex(*bytes)) == bytes,
                 "digits are the same when written again");
  }
  if (const auto id = cli::uuid_from(text)) {
    fuzz::expect(cli::uuid_from(cli::uuid_text(*id)) == id, "an id is the same when written again");
  }
  if (!text.starts_with("file:")) (void)cli::parse_challenge(text);
  return 0;
}
