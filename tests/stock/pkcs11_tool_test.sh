#!/bin/bash
# pkcs11-tool's own tests: OpenSC's walks over whatever the token offers.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "OpenSC pkcs11-tool"

make_token line
make_pair EC:prime256v1 a 01
make_pair rsa:2048 b 02

job "--test"
# Without --allow-sw the tool leaves out all mechanisms that are not said to be in hardware.
tool --token-label line --login --pin $pin --allow-sw --test
says "No errors"
says "SHA256-RSA-PKCS: OK"
# It warns of mechanisms that sign in one part alone.
if grep -i "error\|failed" <(grep -vE "No errors|^warning: .* C_SignUpdate failed" "$home/log"); then
  fail "see above"
fi

job "--test-ec"
tool --token-label line --login --pin $pin --session-rw --test-ec --id 05 --key-type EC:prime256v1
says "==> OK"

job "--test-fork"
tool --token-label line --login --pin $pin --test-fork
says "Calling C_Initialize in forked child process"

job "--test-threads"
# Three threads initialize, list slots and read the tokens' information, all at once.
walk=IL:GI:SL:T0:T0:T0:GI:SL:T0
run pkcs11-tool --module "$module" --list-slots --test-threads $walk --test-threads $walk \
  --test-threads $walk
for thread in 0 1 2; do
  says "test_threads thread:$thread state:-1, rv:CKR_OK"
done
if grep "returned CKR_" "$home/log" | grep -vE "CKR_(OK|CRYPTOKI_ALREADY_INITIALIZED)$"; then
  fail "see above"
fi
