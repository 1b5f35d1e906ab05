#!/bin/bash
# MACs by keys of the token, compared with those that openssl makes of the same bytes without the
# provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

# SoftHSM2 wants HMAC keys as long as the digest.
import_secret generic GENERIC 64 01 sign
import_secret long GENERIC 100 02 sign
import_secret aes128 AES 16 03 sign
import_secret aes256 AES 32 04 sign
import_secret no-use AES 32 05 encrypt
import_secret twin GENERIC 32 06 sign
import_secret twin GENERIC 32 07 sign
head -c 3000000 /dev/zero >"$home/large"
: >"$home/empty"
export TALLYSTICK_PIN=$pin

# Behind the default provider, it has to be said that the token makes the MAC.
by_us=(-propquery '?provider=tallystick')
secret_uri() { echo "pkcs11:token=line;object=$1;type=secret-key"; }
# same_mac <name of the MAC> <label> <file> <option of mac>...
same_mac() {
  run token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri "$2")" "${@:4}" -in "$3" \
    -out "$home/by-token" "$1"
  run openssl mac -macopt "hexkey:$(cat "$home/$2.hex")" "${@:4}" -in "$3" -out "$home/by-bytes" "$1"
  same_file "$home/by-token" "$home/by-bytes"
}
# The digests that the module has an HMAC for.
digests=(SHA1 SHA224 SHA256 SHA384 SHA512)
[ "$module_name" != tallystick ] || digests+=(SHA512-256 SHA3-256 SHA3-512)

for configuration in "${all_configurations[@]}"; do
  use "$configuration"

  for digest in "${digests[@]}"; do
    job "HMAC, $digest (mac)"
    same_mac HMAC generic "$home/message" -digest "$digest"
  done
  job "HMAC of a key longer than a block, of nothing, of 3 MB"
  same_mac HMAC long "$home/message" -digest SHA256
  same_mac HMAC generic "$home/empty" -digest SHA256
  same_mac HMAC generic "$home/large" -digest SHA256

  job "CMAC, AES-128 and AES-256 (mac)"
  same_mac CMAC aes128 "$home/message" -cipher AES-128-CBC
  same_mac CMAC aes256 "$home/message" -cipher AES-256-CBC
  same_mac CMAC aes256 "$home/empty" -cipher AES-256-CBC
  same_mac CMAC aes256 "$home/large" -cipher AES-256-CBC

  job "CMAC: the key says which cipher"
  run token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri aes256)" -in "$home/message" \
    -out "$home/by-token" CMAC
  run openssl mac -macopt "hexkey:$(cat "$home/aes256.hex")" -cipher AES-256-CBC \
    -in "$home/message" -out "$home/by-bytes" CMAC
  same_file "$home/by-token" "$home/by-bytes"

  job "options in any order, a shorter MAC"
  for options in "-macopt digest:SHA256 -macopt size:16 -macopt uri:$(secret_uri generic)" \
    "-macopt size:16 -macopt uri:$(secret_uri generic) -macopt digest:SHA256" \
    "-macopt tallystick_uri:$(secret_uri generic) -macopt digest:SHA256 -macopt size:16"; do
    # shellcheck disable=SC2086 # options, word by word
    run token_openssl mac "${by_us[@]}" $options -in "$home/message" -out "$home/by-token" HMAC
    run openssl mac -macopt "hexkey:$(cat "$home/generic.hex")" -digest SHA256 \
      -in "$home/message" -out "$home/by-bytes" HMAC
    head -c 32 "$home/by-bytes" >"$home/short"
    same_file "$home/by-token" "$home/short"
  done

  # OpenSSL 3.0 takes no -propquery here, so that the provider has to be preferred.
  if [ "$configuration" = preferred ]; then
    job "HMAC and CMAC (dgst -mac)"
    run token_openssl dgst -mac HMAC -macopt "uri:$(secret_uri generic)" -sha384 \
      -out "$home/by-token" "$home/message"
    run openssl dgst -mac HMAC -macopt "hexkey:$(cat "$home/generic.hex")" -sha384 \
      -out "$home/by-bytes" "$home/message"
    same_file "$home/by-token" "$home/by-bytes"
    run token_openssl dgst -mac CMAC -macopt "uri:$(secret_uri aes256)" \
      -out "$home/by-token" "$home/message"
    run openssl dgst -mac CMAC -macopt cipher:aes-256-cbc \
      -macopt "hexkey:$(cat "$home/aes256.hex")" -out "$home/by-bytes" "$home/message"
    same_file "$home/by-token" "$home/by-bytes"
  fi

  job "HMAC and CMAC by the key's URI alone (dgst -sign)"
  run token_openssl dgst -sha256 -sign "$(secret_uri generic)" -out "$home/by-token" "$home/message"
  run openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(cat "$home/generic.hex")" -binary \
    -out "$home/by-bytes" "$home/message"
  same_file "$home/by-token" "$home/by-bytes"
  run token_openssl dgst -sign "$(secret_uri aes256)" -out "$home/by-token" "$home/message"
  run openssl mac -macopt "hexkey:$(cat "$home/aes256.hex")" -cipher AES-256-CBC -binary \
    -in "$home/message" -out "$home/by-bytes" CMAC
  same_file "$home/by-token" "$home/by-bytes"

  job "keys that are bytes, as without the provider (mac, dgst -mac, dgst -hmac)"
  for arguments in "mac -digest SHA256 -macopt key:secret -in $home/message HMAC" \
    "mac -cipher AES-128-CBC -macopt hexkey:$(cat "$home/aes128.hex") -in $home/message CMAC" \
    "dgst -sha256 -hmac secret $home/message" \
    "dgst -sha256 -mac HMAC -macopt key:secret $home/message" \
    "dgst -mac CMAC -macopt cipher:aes-128-cbc -macopt hexkey:$(cat "$home/aes128.hex") $home/large"; do
    # shellcheck disable=SC2086 # a command, word by word
    run token_openssl $arguments
    cp "$home/log" "$home/by-token"
    # shellcheck disable=SC2086
    run openssl $arguments
    same_file "$home/by-token" "$home/log"
  done

  job "secret keys in lists are named (storeutl)"
  run token_openssl storeutl -noout "pkcs11:token=line;type=secret-key"
  says "Total found: 7"
  run token_openssl storeutl -noout "$(secret_uri aes256)"
  says "Name: pkcs11:.*object=aes256;type=secret-key"

  job "what does not fit is refused, and said"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri generic)" -in "$home/message" HMAC
  says "bad key|operation failed.*key generic: no digest is given"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri aes256)" -cipher AES-128-CBC \
    -in "$home/message" CMAC
  says "bad key.*key aes256: it has 32 bytes, and the cipher takes 16"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri generic)" -in "$home/message" CMAC
  says "bad key.*not an AES key"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri no-use)" -in "$home/message" CMAC
  says "operation failed.*sign by CKM_AES_CMAC.*CKR_KEY_FUNCTION_NOT_PERMITTED"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri generic)" -digest SHA256 \
    -macopt size:33 -in "$home/message" HMAC
  says "a MAC of 33 bytes is wanted"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri none)" -digest SHA256 HMAC
  says "no such object.*object=none.*no such secret key"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri twin)" -digest SHA256 HMAC
  says "ambiguous uri.*2 secret keys match"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:pkcs11:token=line;object=generic;type=private" \
    -digest SHA256 HMAC
  says "bad uri.*a secret key is wanted"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:http://x" -digest SHA256 HMAC
  says "bad uri"
  refused token_openssl mac "${by_us[@]}" -macopt "uri:$(secret_uri generic)" -macopt key:bytes \
    -digest SHA256 HMAC
  says "bad key.*give one of them"

  job "a wrong PIN is tried once and not shown"
  TALLYSTICK_PIN=99999999 refused token_openssl mac "${by_us[@]}" \
    -macopt "uri:$(secret_uri generic)" -digest SHA256 HMAC
  says "login failed.*CKR_PIN_INCORRECT"
  ! grep -q 99999999 "$home/log" || fail "the PIN is shown"
  [ "$(grep -c CKR_PIN_INCORRECT "$home/log")" = 1 ] || fail "the PIN was tried more than once"
done

# Far away: what p11-kit's remoting passes on.
client=$(file_in /usr/lib pkcs11/p11-kit-client.so) || fail "p11-kit's client module is not there"
in_background p11-kit server --foreground --provider "$module" --name "$home/server" \
  "pkcs11:token=line" >"$home/server.log" 2>&1
until_true test -S "$home/server"
export P11_KIT_SERVER_ADDRESS=unix:path=$home/server
configuration preferred "$ours"$'\n'"$the_default" "?provider=tallystick" \
  "tallystick-module = $client"
module_name="$module_name by p11-kit server"
use preferred
job "HMAC in one call and streamed"
same_mac HMAC generic "$home/message" -digest SHA256
same_mac HMAC generic "$home/large" -digest SHA512
job "CMAC: the remoting passes it on, or says that it does not"
if token_openssl mac -macopt "uri:$(secret_uri aes256)" -in "$home/message" -out "$home/by-token" \
  CMAC >"$home/log" 2>&1; then
  same_mac CMAC aes256 "$home/message" -cipher AES-256-CBC
else
  says "sign by CKM_AES_CMAC.*CKR_MECHANISM_INVALID"
fi
