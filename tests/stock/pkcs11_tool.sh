#!/bin/bash
# pkcs11-tool: tokens, PINs, key pairs, signatures that openssl verifies, wrapping, hashes, objects.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "OpenSC pkcs11-tool"

job "initialize a token and its PIN, list slots and mechanisms"
make_token line
tool --list-slots
says "token label *: line"
# A slot is left for another token.
says "uninitialized"
tool --list-mechanisms
says "ECDSA-SHA256"

printf 'a message from a stock tool' >"$home/message"
user() { tool --token-label line --login --pin $pin "$@"; }

count=0
for curve in prime256v1:SHA256 secp384r1:SHA384; do
  name=${curve%%:*}
  hash=${curve##*:}
  id=$(printf '%02d' $((++count)))
  job "$name: generate, sign, verify"
  make_pair "EC:$name" "$name" "$id"
  user --sign --mechanism "ECDSA-$hash" --signature-format openssl --id "$id" \
    --input-file "$home/message" --output-file "$home/signature"
  public_of "$id" "$home/public.pem"
  run openssl dgst "-${hash,,}" -verify "$home/public.pem" -signature "$home/signature" \
    "$home/message"
  user --verify --mechanism "ECDSA-$hash" --signature-format openssl --id "$id" \
    --input-file "$home/message" --signature-file "$home/signature"
  says "Signature is valid"
  printf 'another' >"$home/another"
  # A wrong signature is told by the output alone.
  user --verify --mechanism "ECDSA-$hash" --signature-format openssl --id "$id" \
    --input-file "$home/another" --signature-file "$home/signature"
  says "Invalid signature"
done

job "RSA: generate, sign, verify"
make_pair rsa:2048 rsa 10
public_of 10 "$home/public.pem"
user --sign --mechanism SHA256-RSA-PKCS --id 10 --input-file "$home/message" \
  --output-file "$home/signature"
run openssl dgst -sha256 -verify "$home/public.pem" -signature "$home/signature" "$home/message"
user --sign --mechanism SHA384-RSA-PKCS-PSS --id 10 --input-file "$home/message" \
  --output-file "$home/signature"
run openssl dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest \
  -verify "$home/public.pem" -signature "$home/signature" "$home/message"
user --verify --mechanism SHA384-RSA-PKCS-PSS --id 10 --input-file "$home/message" \
  --signature-file "$home/signature"
says "Signature is valid"

job "RSA: decrypt (OAEP)"
run openssl pkeyutl -encrypt -pubin -inkey "$home/public.pem" -pkeyopt rsa_padding_mode:oaep \
  -pkeyopt rsa_oaep_md:sha256 -in "$home/message" -out "$home/encrypted"
user --decrypt --mechanism RSA-PKCS-OAEP --hash-algorithm SHA256 --id 10 \
  --input-file "$home/encrypted" --output-file "$home/decrypted"
cmp -s "$home/message" "$home/decrypted" || fail "something else came out"

job "ECDH"
make_pair EC:prime256v1 agrees 11 --usage-derive
public_of 11 "$home/public.pem"
new_key "$home/other.pem"
run openssl pkey -in "$home/other.pem" -pubout -outform DER -out "$home/other.der"
user --derive --mechanism ECDH1-DERIVE --id 11 --input-file "$home/other.der" \
  --output-file "$home/secret"
run openssl pkeyutl -derive -inkey "$home/other.pem" -peerkey "$home/public.pem" \
  -out "$home/same-secret"
cmp -s "$home/secret" "$home/same-secret" || fail "the two sides have different secrets"

job "EdDSA"
make_pair EC:edwards25519 ed 12
# The tool writes such a key as PEM.
tool --token-label line --read-object --type pubkey --id 12 --output-file "$home/public.pem"
user --sign --mechanism EDDSA --id 12 --input-file "$home/message" --output-file "$home/signature"
run openssl pkeyutl -verify -pubin -inkey "$home/public.pem" -rawin -in "$home/message" \
  -sigfile "$home/signature"

job "hash and random"
tool --token-label line --hash --mechanism SHA256 --input-file "$home/message" \
  --output-file "$home/hash"
[ "$(od -An -tx1 "$home/hash" | tr -d ' \n')" = "$(sha256sum "$home/message" | cut -d' ' -f1)" ] ||
  fail "SHA-256 differs from sha256sum"
tool --token-label line --generate-random 64 --output-file "$home/random"
[ "$(stat -c %s "$home/random")" = 64 ] || fail "64 random bytes were asked for"

job "AES: generate, wrap, unwrap"
# 0x210B is CKM_AES_KEY_WRAP_KWP, which pkcs11-tool has no name for.
user --keygen --key-type AES:32 --label wrapping-key --id 0a --usage-wrap
user --keygen --key-type AES:32 --label store-key --id 0c --extractable
user --wrap --mechanism 0x210B --id 0a --application-id 0c --output-file "$home/wrapped"
[ "$(stat -c %s "$home/wrapped")" = 40 ] || fail "32 bytes wrapped are not 40"
user --unwrap --mechanism 0x210B --id 0a --key-type AES: --sensitive --application-id 0d \
  --application-label unwrapped --input-file "$home/wrapped"
refused pkcs11-tool --module "$module" --token-label line --login --pin $pin --unwrap \
  --mechanism 0x210B --id 0a --key-type AES: --sensitive --application-id 0d \
  --input-file <(head -c 39 "$home/wrapped" && printf x)
says CKR_WRAPPED_KEY_INVALID

job "write and read data, a certificate and a private key"
user --write-object "$home/message" --type data --label note --application-label tests --private
user --read-object --type data --label note --application-label tests --output-file "$home/back"
cmp -s "$home/message" "$home/back" || fail "the data object came back changed"
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/key.pem" \
  -subj "/CN=stock" -days 2 -outform DER -out "$home/cert.der"
user --write-object "$home/cert.der" --type cert --label stock --id 0b
tool --token-label line --read-object --type cert --id 0b --output-file "$home/cert.back"
cmp -s "$home/cert.der" "$home/cert.back" || fail "the certificate came back changed"
run openssl pkey -in "$home/key.pem" -outform DER -out "$home/key.der"
user --write-object "$home/key.der" --type privkey --usage-sign --label stock --id 0b
user --sign --mechanism ECDSA-SHA256 --signature-format openssl --id 0b \
  --input-file "$home/message" --output-file "$home/signature"
run openssl x509 -inform DER -in "$home/cert.der" -noout -pubkey -out "$home/public.pem"
run openssl dgst -sha256 -verify "$home/public.pem" -signature "$home/signature" "$home/message"

job "list and delete objects"
user --list-objects
for label in prime256v1 secp384r1 store-key unwrapped note stock device; do
  says "label: *'?$label"
done
user --delete-object --type data --label note
user --list-objects
if grep -q "label: *'note'" "$home/log"; then fail "the note was deleted and is still there"; fi

job "change the PIN; a wrong PIN is refused"
user --change-pin --new-pin 11112222
refused pkcs11-tool --module "$module" --token-label line --login --pin $pin --list-objects
says CKR_PIN_INCORRECT
pin=11112222
user --list-objects

job "unblock the PIN as SO"
tool --token-label line --login --login-type so --so-pin $so_pin --init-pin --pin 33334444
pin=33334444
user --list-objects
