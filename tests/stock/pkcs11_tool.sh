#!/bin/bash
# pkcs11-tool: a token, PINs, key pairs, signatures that openssl verifies, hashes, random, objects.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"

make_token line
tool --list-slots
grep -q "token label *: line" "$home/log" || fail "the token is not listed"
grep -q "uninitialized" "$home/log" || fail "no slot is left for another token"
tool --list-mechanisms
grep -q "ECDSA-SHA256" "$home/log" || fail "ECDSA-SHA256 is not listed"

printf 'a message from a stock tool' >"$home/message"
user() { tool --token-label line --login --pin $pin "$@"; }

count=0
for curve in prime256v1:SHA256 secp384r1:SHA384; do
  name=${curve%%:*}
  hash=${curve##*:}
  id=$(printf '%02d' $((++count)))
  user --keypairgen --key-type "EC:$name" --label "$name" --id "$id"
  user --sign --mechanism "ECDSA-$hash" --signature-format openssl --id "$id" \
    --input-file "$home/message" --output-file "$home/signature"
  # The public key is readable without a login.
  tool --token-label line --read-object --type pubkey --id "$id" --output-file "$home/public.der"
  run openssl dgst "-${hash,,}" -verify <(openssl pkey -pubin -inform DER -in "$home/public.der") \
    -signature "$home/signature" "$home/message"
  user --verify --mechanism "ECDSA-$hash" --signature-format openssl --id "$id" \
    --input-file "$home/message" --signature-file "$home/signature"
  grep -q "Signature is valid" "$home/log" || fail "pkcs11-tool does not verify its own signature"
done

tool --token-label line --hash --mechanism SHA256 --input-file "$home/message" \
  --output-file "$home/hash"
[ "$(od -An -tx1 "$home/hash" | tr -d ' \n')" = "$(sha256sum "$home/message" | cut -d' ' -f1)" ] ||
  fail "SHA-256 differs from sha256sum"

tool --token-label line --generate-random 64 --output-file "$home/random"
[ "$(stat -c %s "$home/random")" = 64 ] || fail "64 random bytes were asked for"

user --keygen --key-type AES:32 --label store-key --id 0a
user --write-object "$home/message" --type data --label note --application-label tests --private
user --read-object --type data --label note --application-label tests --output-file "$home/back"
cmp -s "$home/message" "$home/back" || fail "the data object came back changed"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/key.pem" \
  -subj "/CN=stock" -days 2 -outform DER -out "$home/cert.der" 2>/dev/null
user --write-object "$home/cert.der" --type cert --label stock --id 0b
tool --token-label line --read-object --type cert --id 0b --output-file "$home/cert.back"
cmp -s "$home/cert.der" "$home/cert.back" || fail "the certificate came back changed"
openssl pkey -in "$home/key.pem" -outform DER -out "$home/key.der"
user --write-object "$home/key.der" --type privkey --usage-sign --label stock --id 0b
user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id 0b \
  --input-file "$home/message" --output-file "$home/signature"
run openssl dgst -sha256 -verify <(openssl x509 -inform DER -in "$home/cert.der" -noout -pubkey) \
  -signature "$home/signature" "$home/message"

user --list-objects
for label in prime256v1 secp384r1 store-key note stock device; do
  grep -q "$label" "$home/log" || fail "$label is not listed"
done
user --delete-object --type data --label note
user --change-pin --new-pin 11112222
pin=11112222
user --list-objects
if grep -q "label: *'note'" "$home/log"; then fail "the note was deleted and is still there"; fi

# Errors end with a status.
if pkcs11-tool --module "$module" --token-label line --login --pin wrongpin --list-objects \
  >"$home/log" 2>&1; then
  fail "a wrong PIN lists objects"
fi
grep -q CKR_PIN_INCORRECT "$home/log" || fail "a wrong PIN is not said to be one"
echo "pkcs11-tool: passed"
