#!/bin/bash
# The commands of docs/provider.md, as they stand there.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

page=$(dirname "$0")/../../docs/provider.md
commands=$(sed -n '/^<!-- provider:begin -->$/,/^<!-- provider:end -->$/p' "$page" |
  sed '/^<!--/d; /^```/d')
[ -n "$commands" ] || fail "the page has no commands"
commands=${commands//\$PWD\/build\/provider\/tallystick.so/$provider}
commands=${commands//\$PWD\/build\/pkcs11\/libtallystick.so/$module}

use beside
job "the commands of docs/provider.md"
cd "$home"
TALLYSTICK_PIN=$pin run bash -euo pipefail -c "$commands"
says "Verified OK"
says "Total found: "
