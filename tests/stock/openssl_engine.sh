#!/bin/bash
# OpenSSL's engine "pkcs11" (libp11): openssl's own commands with a key of the token.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "openssl with libp11's engine"
needs openssl openssl
prepare_engine

make_token line
printf 'a message' >"$home/message"
openssl dgst -sha256 -binary "$home/message" >"$home/digest"
new_key "$home/leaf.key"
run openssl req -new -key "$home/leaf.key" -subj /CN=leaf -out "$home/leaf.csr"

whole_life() { # <label> <option of pkeyutl>...
  local key mine=$home/$1
  key=$(key_uri "$1")
  job "$1: read the public key"
  with_engine openssl pkey -engine pkcs11 -inform engine -in "$key" -pubout -out "$mine.pem"
  run openssl pkey -pubin -in "$mine.pem" -noout

  job "$1: sign (dgst, pkeyutl)"
  with_engine openssl dgst -engine pkcs11 -keyform engine -sign "$key" -sha256 \
    -out "$home/signature" "$home/message"
  run openssl dgst -sha256 -verify "$mine.pem" -signature "$home/signature" "$home/message"
  with_engine openssl pkeyutl -engine pkcs11 -keyform engine -inkey "$key" -sign "${@:2}" \
    -in "$home/digest" -out "$home/signature"
  run openssl pkeyutl -verify -pubin -inkey "$mine.pem" "${@:2}" -in "$home/digest" \
    -sigfile "$home/signature"

  job "$1: self-signed certificate and request (req)"
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$key" -days 2 -out "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"
  with_engine openssl req -new -engine pkcs11 -keyform engine -key "$key" -out "$mine.csr"
  run openssl req -in "$mine.csr" -verify -noout

  job "$1: certificate authority (x509, ca)"
  with_engine openssl x509 -req -engine pkcs11 -CAkeyform engine -in "$home/leaf.csr" \
    -CA "$mine.crt" -CAkey "$key" -CAcreateserial -days 2 -out "$home/leaf.crt"
  run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"
  rm -rf "$home/ca" && mkdir "$home/ca" && touch "$home/ca/index.txt" && echo 01 >"$home/ca/serial"
  with_engine openssl ca -batch -engine pkcs11 -keyform engine -keyfile "$key" -cert "$mine.crt" \
    -in "$home/leaf.csr" -config "$home/ca.cnf" -days 2 -out "$home/leaf2.crt" -notext
  run openssl verify -CAfile "$mine.crt" "$home/leaf2.crt"

  job "$1: sign a message (cms, smime)"
  with_engine openssl cms -sign -engine pkcs11 -keyform engine -inkey "$key" -signer "$mine.crt" \
    -in "$home/message" -binary -outform DER -out "$home/message.cms"
  run openssl cms -verify -inform DER -in "$home/message.cms" -content "$home/message" -binary \
    -CAfile "$mine.crt" -purpose any
  with_engine openssl smime -sign -engine pkcs11 -keyform engine -inkey "$key" \
    -signer "$mine.crt" -in "$home/message" -binary -outform DER -out "$home/message.p7"
  run openssl smime -verify -inform DER -in "$home/message.p7" -content "$home/message" -binary \
    -CAfile "$mine.crt" -purpose any
}
cat >"$home/ca.cnf" <<EOF
[ca]
default_ca = here
[here]
new_certs_dir = $home/ca
database = $home/ca/index.txt
serial = $home/ca/serial
default_md = sha256
policy = any
[any]
commonName = supplied
EOF
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa -pkeyopt digest:sha256

job "a wrong PIN is refused"
OPENSSL_CONF=$engine_config refused openssl dgst -engine pkcs11 -keyform engine \
  -sign 'pkcs11:token=line;object=ec;type=private;pin-value=wrongpin' -sha256 "$home/message"
