#!/bin/bash
# GnuTLS's p11tool and certtool: keys made and used in the token, certificates that openssl verifies.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "GnuTLS (p11tool, certtool)"
needs p11tool gnutls-bin
needs certtool gnutls-bin

make_token line
export GNUTLS_PIN=$pin GNUTLS_SO_PIN=$so_pin
token=pkcs11:token=line
p11() { run p11tool --provider "$module" --batch "$@"; }
cert() { run certtool --provider "$module" --template "$home/template" "$@"; }
cat >"$home/template" <<EOF
cn = stock
ca
cert_signing_key
signing_key
expiration_days = 2
EOF

job "list tokens and mechanisms"
p11 --list-tokens
says 'token=line$'
says 'Uninitialized'
p11 --list-mechanisms "$token"
says 'CKM_ECDSA_KEY_PAIR_GEN'

# whole_life <key type> <id> <option of --generate-privkey>...
whole_life() {
  local kind=$1 id=$2 key="$token;object=$1" mine=$home/$1
  shift 2
  job "$kind: generate a key pair"
  p11 --login --generate-privkey="$kind" "$@" --label "$kind" --id "$id" \
    --outfile "$mine.pub" "$token"
  p11 --login --list-all "$token"
  says "object=$kind;type=private"
  p11 --login --info "$key;type=private"
  says 'CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE'

  job "$kind: read the public key without a login"
  p11 --export-pubkey "$key;type=public" --outfile "$mine.again"
  run openssl pkey -pubin -in "$mine.again" -noout
  cmp -s <(openssl pkey -pubin -in "$mine.pub") <(openssl pkey -pubin -in "$mine.again") ||
    fail "two public keys of one pair"

  job "$kind: sign and verify in the token"
  p11 --login --test-sign "$key;type=private"
  says 'Verifying against public key in the token... ok'

  job "$kind: self-signed certificate"
  cert --generate-self-signed --load-privkey "$key;type=private" --load-pubkey "$key;type=public" \
    --outfile "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"

  job "$kind: certificate request"
  cert --generate-request --load-privkey "$key;type=private" --load-pubkey "$key;type=public" \
    --outfile "$mine.csr"
  run openssl req -in "$mine.csr" -verify -noout

  job "$kind: a certificate authority in the token"
  run openssl ecparam -name prime256v1 -genkey -noout -out "$home/leaf.key"
  run openssl req -new -key "$home/leaf.key" -subj /CN=leaf -out "$home/leaf.csr"
  cert --generate-certificate --load-request "$home/leaf.csr" --load-ca-certificate "$mine.crt" \
    --load-ca-privkey "$key;type=private" --outfile "$home/leaf.crt"
  run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"

  job "$kind: write, read, rename and delete the certificate"
  p11 --login --write --load-certificate "$mine.crt" --label "$kind" --id "$id" "$token"
  p11 --export "$key;type=cert" --outfile "$mine.back"
  cmp -s <(openssl x509 -in "$mine.crt") <(openssl x509 -in "$mine.back") ||
    fail "the certificate came back changed"
  p11 --login --set-label renamed "$key;type=cert"
  p11 --login --delete "$token;object=renamed;type=cert"
  refused p11tool --provider "$module" --batch --list-all-certs "$token"
  says "No matching objects"
}
whole_life ecdsa 01 --curve secp256r1
whole_life rsa 02 --bits 2048

job "import a private key and sign with it"
new_key "$home/imported.key"
p11 --login --write --load-privkey "$home/imported.key" --label imported --id 0a "$token"
p11 --login --write --load-pubkey <(openssl pkey -in "$home/imported.key" -pubout) --label imported \
  --id 0a "$token"
cert --generate-request --load-privkey "$token;object=imported;type=private" \
  --load-pubkey "$token;object=imported;type=public" --outfile "$home/imported.csr"
run openssl req -in "$home/imported.csr" -verify -noout

job "random numbers"
p11 --generate-random 64 "$token" --outfile "$home/random"
[ "$(stat -c %s "$home/random")" = 64 ] || fail "64 random bytes were asked for"

job "initialize a token and its PIN"
p11 --initialize --label second --set-so-pin $so_pin "pkcs11:model=Tallystick;token="
p11 --initialize-pin --set-pin 11112222 "pkcs11:token=second"
p11 --list-tokens
says 'token=second$'
pkcs11-tool --module "$module" --token-label second --login --pin 11112222 --list-objects \
  >/dev/null 2>&1 || fail "the new PIN does not open the new token"

job "a wrong PIN is refused"
GNUTLS_PIN=wrongpin refused p11tool --provider "$module" --batch --login --list-privkeys "$token"
