#!/bin/bash
# Key pairs made inside the token, and the PEM with a key's URI in the place of a key file.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

export TALLYSTICK_PIN=$pin
# signs_by <file with a key's URI> <file>: what it signs holds against the public key in the token.
signs_by() {
  run token_openssl pkey -in "$1" -pubout -out "$2"
  run token_openssl dgst -sha256 -sign "$1" -out "$home/signature" "$home/message"
  run openssl dgst -sha256 -verify "$2" -signature "$home/signature" "$home/message"
}
# Behind the default provider, it has to be said that the token makes the key.
by_us=(-propquery '?provider=tallystick')
made_uri() { echo "pkcs11:token=line;object=$the_configuration-$1"; }

for configuration in "${all_configurations[@]}"; do
  use "$configuration"

  job "generate EC and RSA in the token (genpkey), our option and pkcs11-provider's"
  run token_openssl genpkey "${by_us[@]}" -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -pkeyopt "tallystick_uri:$(made_uri ec)" -out "$home/ec.uri"
  signs_by "$home/ec.uri" "$home/ec.pem"
  run openssl pkey -pubin -in "$home/ec.pem" -text -noout
  says "NIST CURVE: P-256"
  run token_openssl genpkey "${by_us[@]}" -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
    -pkeyopt "pkcs11_uri:$(made_uri rsa)" -out "$home/rsa.uri"
  signs_by "$home/rsa.uri" "$home/rsa.pem"

  job "generate Ed25519 in the token (genpkey)"
  run token_openssl genpkey "${by_us[@]}" -algorithm ED25519 -pkeyopt "tallystick_uri:$(made_uri ed)" \
    -out "$home/ed.uri"
  run token_openssl pkey -in "$home/ed.uri" -pubout -out "$home/ed.pem"
  run token_openssl pkeyutl -sign -rawin -inkey "$home/ed.uri" -in "$home/message" \
    -out "$home/signature"
  run openssl pkeyutl -verify -rawin -pubin -inkey "$home/ed.pem" -in "$home/message" \
    -sigfile "$home/signature"

  job "generate with a request (req -newkey)"
  run token_openssl req -x509 "${by_us[@]}" -newkey ec -pkeyopt ec_paramgen_curve:P-384 \
    -pkeyopt "tallystick_uri:$(made_uri req)" -noenc -keyout "$home/req.uri" -days 2 \
    -out "$home/req.crt"
  run openssl verify -check_ss_sig -CAfile "$home/req.crt" "$home/req.crt"

  job "a name that the token has already is refused"
  refused token_openssl genpkey "${by_us[@]}" -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -pkeyopt "tallystick_uri:$(made_uri ec)" -out "$home/second.uri"
  says "ambiguous uri.*has such a private key already"

  job "the URI in a file holds no PIN and no key"
  run openssl asn1parse -in "$home/ec.uri"
  says "PKCS#11 Provider URI v1.0"
  says "pkcs11:.*object=$configuration-ec;type=private"
  ! grep -q "pin-value" "$home/log" || fail "a PIN in the file"

  job "a key as text (pkey -text)"
  run token_openssl pkey -in "$home/ec.uri" -text -noout
  says "Private-Key: .256 bit, in a token"

  job "a wrong file is refused"
  sed 's/^MI/MA/' "$home/ec.uri" >"$home/bad.uri"
  refused token_openssl pkey -in "$home/bad.uri" -noout

  job "keys outside the token are generated as before (genpkey, req)"
  run token_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 \
    -pass pass:secret -out "$home/file.key"
  run openssl pkey -in "$home/file.key" -passin pass:secret -noout
  run token_openssl req -x509 -newkey rsa:2048 -noenc -keyout "$home/file.key" -days 2 \
    -out "$home/file.crt"
  run openssl rsa -in "$home/file.key" -check -noout
done
