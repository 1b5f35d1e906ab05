#!/bin/bash
# pkcs11-tool --test: OpenSC's own walk over whatever the token offers.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"

make_token line
tool --token-label line --login --pin $pin --keypairgen --key-type EC:prime256v1 --label a --id 01
tool --token-label line --login --pin $pin --test
cat "$home/log"
grep -q "No errors" "$home/log" || fail "pkcs11-tool --test found errors"
if grep -qi "error\|failed" <(grep -v "No errors" "$home/log"); then fail "see above"; fi
