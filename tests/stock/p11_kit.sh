#!/bin/bash
# p11-kit finds the module by a .module file, and with it everything that asks p11-kit for modules.
set -euo pipefail

# p11-kit leaves the user's configuration aside for root: then this runs as nobody, on copies that
# nobody can read.
if [ "$(id -u)" = 0 ]; then
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  cp "$1" "$copy/libtallystick.so"
  cp "$0" "$(dirname "$0")/common.sh" "$copy"
  chown -R nobody "$copy"
  setpriv --reuid=nobody --regid=nogroup --clear-groups env TMPDIR="$copy" \
    "$copy/$(basename "$0")" "$copy/libtallystick.so"
  exit
fi

# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"

make_token "line 4"
export HOME=$home XDG_CONFIG_HOME=$home/config
mkdir -p "$home/config/pkcs11/modules"
printf 'module: %s\n' "$module" >"$home/config/pkcs11/modules/tallystick.module"

run p11-kit list-modules
grep -q "^tallystick: " "$home/log" || fail "the module is not listed"
grep -q "token: line 4" "$home/log" || fail "the token is not listed"
grep -q "manufacturer: Tallystick" "$home/log" || fail "the token has no manufacturer"

# Through p11-kit's proxy module, as applications that know no other module do.
proxy=$(find /usr/lib -name p11-kit-proxy.so -print -quit)
[ -n "$proxy" ] || fail "p11-kit's proxy module is not installed"
run pkcs11-tool --module "$proxy" --token-label "line 4" --login --pin "$pin" --keypairgen \
  --key-type EC:prime256v1 --label through-the-proxy --id 01
printf 'message' >"$home/message"
run pkcs11-tool --module "$proxy" --token-label "line 4" --login --pin "$pin" --sign \
  --mechanism ECDSA-SHA256 --signature-format openssl --id 01 --input-file "$home/message" \
  --output-file "$home/signature"
tool --token-label "line 4" --read-object --type pubkey --id 01 --output-file "$home/public.der"
run openssl dgst -sha256 -verify <(openssl pkey -pubin -inform DER -in "$home/public.der") \
  -signature "$home/signature" "$home/message"
echo "p11-kit: passed"
