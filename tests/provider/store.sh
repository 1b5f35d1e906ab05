#!/bin/bash
# What a pkcs11: URI gives: keys, certificates, lists; and what is said when it gives nothing.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

openssl genrsa -out "$home/rsa.key" 2048 2>/dev/null
for curve in P-256 P-384 P-521; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$curve -out "$home/$curve.key"
done
import_key "$home/rsa.key" rsa 01
import_key "$home/P-256.key" P-256 02
import_key "$home/P-384.key" P-384 03
import_key "$home/P-521.key" P-521 04
openssl req -x509 -key "$home/P-256.key" -subj /CN=P-256 -days 2 -outform DER -out "$home/P-256.der"
tool --token-label line --login --pin $pin --write-object "$home/P-256.der" --type cert \
  --label P-256 --id 02
make_pair EC:prime256v1 twin 05
make_pair EC:prime256v1 twin 06
printf '%s' $pin >"$home/pin"

for configuration in "${all_configurations[@]}"; do
  use "$configuration"

  job "list providers"
  run token_openssl list -providers
  says "Tallystick provider"

  job "list a token (storeutl), with a PIN and without"
  run token_openssl storeutl -noout "pkcs11:token=line?pin-value=$pin"
  # Six pairs and a certificate; our token has its device key as well.
  says "Total found: 1[345]"
  run token_openssl storeutl -noout "pkcs11:token=line"
  says "Total found: [78]"

  job "a certificate (storeutl, x509)"
  run token_openssl storeutl -certs -noout "pkcs11:token=line"
  says "Total found: 1$"
  run token_openssl x509 -in "pkcs11:token=line;object=P-256;type=cert" -outform DER \
    -out "$home/again.der"
  same_file "$home/P-256.der" "$home/again.der"

  for label in rsa P-256 P-384 P-521; do
    job "$label: the public key, byte for byte"
    openssl pkey -in "$home/$label.key" -pubout -outform DER -out "$home/expected.pub"
    run token_openssl pkey -in "$(uri $label)" -pubout -outform DER -out "$home/got.pub"
    same_file "$home/expected.pub" "$home/got.pub"
    run token_openssl pkey -pubin -in "pkcs11:token=line;object=$label;type=public" -pubout \
      -outform DER -out "$home/got.pub"
    same_file "$home/expected.pub" "$home/got.pub"
  done

  job "the public half by the private key's URI"
  run token_openssl pkey -pubin -in "$(uri P-521)" -pubout -outform DER -out "$home/got.pub"
  same_file "$home/expected.pub" "$home/got.pub"

  job "by id, by percent-encoded id"
  run token_openssl pkey -in "pkcs11:token=line;id=%04;type=private?pin-value=$pin" -pubout \
    -outform DER -out "$home/got.pub"
  same_file "$home/expected.pub" "$home/got.pub"

  job "PIN by pin-source, environment and -passin"
  run token_openssl pkey -in "pkcs11:token=line;object=rsa?pin-source=file:$home/pin" -pubout
  TALLYSTICK_PIN=$pin run token_openssl pkey -in "pkcs11:token=line;object=rsa" -pubout
  run token_openssl pkey -in "pkcs11:token=line;object=rsa" -passin pass:$pin -pubout

  job "two keys of one name are refused, by name"
  refused token_openssl pkey -in "$(uri twin)" -pubout
  says "ambiguous uri.*2 private keys match"
  refused token_openssl dgst -sha256 -sign "pkcs11:token=line?pin-value=$pin" "$home/message"
  says "ambiguous uri.*private keys match"
  run token_openssl pkey -in "pkcs11:token=line;object=twin;id=%05?pin-value=$pin" -pubout

  job "several keys are listed by their URIs (storeutl -keys)"
  run token_openssl storeutl -keys "pkcs11:token=line?pin-value=$pin"
  says "Name: pkcs11:.*object=P-384;type=private"

  job "a bad URI, no such token, no such key, no such module"
  refused token_openssl pkey -in "pkcs11:token=%zz" -noout
  says "bad uri.*not a pkcs11: URI"
  refused token_openssl pkey -in "pkcs11:token=line;colour=red" -noout
  says "bad uri.*attribute that is not known"
  refused token_openssl pkey -in "pkcs11:token=nowhere" -noout
  says "no such token"
  refused token_openssl pkey -in "pkcs11:token=line;object=none?pin-value=$pin" -noout
  says "no such object.*object=none"
  refused token_openssl pkey -in "pkcs11:token=line?module-path=/nowhere.so" -noout
  says "module failed.*/nowhere.so"

  job "a wrong PIN is tried once and not shown"
  refused token_openssl pkey -in "pkcs11:token=line;object=rsa?pin-value=99999999" -noout
  says "CKR_PIN_INCORRECT"
  # openssl itself shows the URI it was given; what the provider says does not.
  if grep tallystick: "$home/log" | grep -q 99999999; then fail "the PIN is shown"; fi

  job "the private key does not come out"
  refused token_openssl pkey -in "$(uri rsa)" -outform DER -traditional
done
