#!/bin/bash
# p11-kit finds the module by a .module file, and with it everything that asks p11-kit for modules;
# and its server gives the token to programs that do not load the module themselves.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "p11-kit"
# p11-kit leaves the user's configuration aside for root.
# shellcheck disable=SC2119 # nothing to copy
as_nobody

make_token "line 4"
export HOME=$home XDG_CONFIG_HOME=$home/config
mkdir -p "$home/config/pkcs11/modules"
printf 'module: %s\n' "$module" >"$home/config/pkcs11/modules/tallystick.module"

job "list-modules by a .module file"
run p11-kit list-modules
says "^tallystick: "
says "token: line 4"
says "manufacturer: Tallystick"

# signs <module> <id>: a pair made, and a signature that openssl verifies. ECDSA without a hash is
# what the server of p11-kit 0.24 hands on; it leaves ECDSA-SHA256 out.
printf 'message' >"$home/message"
openssl dgst -sha256 -binary "$home/message" >"$home/digest"
signs() {
  local through=(pkcs11-tool --module "$1" --token-label "line 4" --login --pin "$pin")
  run "${through[@]}" --keypairgen --key-type EC:prime256v1 --label through --id "$2"
  run "${through[@]}" --sign --mechanism ECDSA --signature-format openssl --id "$2" \
    --input-file "$home/digest" --output-file "$home/signature"
  tool --token-label "line 4" --read-object --type pubkey --id "$2" --output-file "$home/public.der"
  run openssl pkey -pubin -inform DER -in "$home/public.der" -pubout -out "$home/public.pem"
  run openssl dgst -sha256 -verify "$home/public.pem" -signature "$home/signature" "$home/message"
}

job "through p11-kit-proxy.so"
proxy=$(file_in /usr/lib p11-kit-proxy.so) || fail "p11-kit's proxy module is not installed"
signs "$proxy" 01

job "through p11-kit server and p11-kit-client.so"
client=$(file_in /usr/lib pkcs11/p11-kit-client.so) || fail "p11-kit's client module is not installed"
in_background p11-kit server --foreground --provider "$module" --name "$home/server" \
  "pkcs11:token=line%204" >"$home/server.log" 2>&1
until_true test -S "$home/server"
export P11_KIT_SERVER_ADDRESS=unix:path=$home/server
run pkcs11-tool --module "$client" --list-slots
says "token label *: line 4"
# The server shows the token that it was given, and no free slot.
if grep uninitialized "$home/log"; then fail "see above"; fi
signs "$client" 02

job "AES and objects through the server"
remote=(pkcs11-tool --module "$client" --token-label "line 4" --login --pin "$pin")
run "${remote[@]}" --keygen --key-type AES:32 --label store-key --id 03
run "${remote[@]}" --write-object "$home/message" --type data --label note
run "${remote[@]}" --list-objects
says "label: *'?store-key"
tool --token-label "line 4" --login --pin "$pin" --read-object --type data --label note \
  --output-file "$home/back"
cmp -s "$home/message" "$home/back" || fail "the data object came back changed"
