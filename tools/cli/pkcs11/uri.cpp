#include "tools/cli/pkcs11/uri.h"

namespace tallystick::cli {

Outcome<Uri> parse_uri(const std::string& text) {
  auto uri = Uri::parse(text);
  if (uri) return *std::move(uri);
  const client::BadUri& bad = uri.error();
  return bad.advice.empty() ? usage_failure(bad.uri, bad.why)
                            : usage_failure(bad.uri, bad.why, bad.advice);
}

}  // namespace tallystick::cli
