// pkcs11: URIs as the commands take them: a bad one is a wrong command line.
#pragma once

#include "pkcs11/client/uri.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

using client::Uri;

Outcome<Uri> parse_uri(const std::string& text);

}  // namespace tallystick::cli
