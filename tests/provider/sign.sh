#!/bin/bash
# Signatures by keys of the token, verified by openssl without the provider, and the other way round.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 P-256 02
make_pair EC:secp384r1 P-384 03
make_pair EC:secp521r1 P-521 04
make_pair EC:edwards25519 ed25519 05

# dgst_signs <label> <digest> [option of dgst]...
dgst_signs() {
  run token_openssl dgst "-$2" "${@:3}" -sign "$(uri "$1")" -out "$home/signature" "$home/message"
  run openssl dgst "-$2" "${@:3}" -verify "$home/$1.pem" -signature "$home/signature" \
    "$home/message"
  says "Verified OK"
}
# pkeyutl_signs <label> <digest> [option of pkeyutl]...: of a digest that is there already
pkeyutl_signs() {
  openssl dgst "-$2" -binary "$home/message" >"$home/$2.bin"
  run token_openssl pkeyutl -sign -inkey "$(uri "$1")" "${@:3}" -in "$home/$2.bin" \
    -out "$home/signature"
  run openssl pkeyutl -verify -pubin -inkey "$home/$1.pem" "${@:3}" -in "$home/$2.bin" \
    -sigfile "$home/signature"
  says "Verified Successfully"
}

for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for label in rsa P-256 P-384 P-521 ed25519; do
    run token_openssl pkey -in "$(uri $label)" -pubout -out "$home/$label.pem"
  done

  for digest in sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512; do
    job "RSA, PKCS#1 v1.5, $digest (dgst, pkeyutl)"
    dgst_signs rsa $digest
    pkeyutl_signs rsa $digest -pkeyopt digest:$digest
  done
  job "RSA, PKCS#1 v1.5 of what is no digest (pkeyutl)"
  pkeyutl_signs rsa sha256

  for digest in sha1 sha256 sha384 sha512; do
    job "RSA, PSS, $digest (dgst, pkeyutl)"
    dgst_signs rsa $digest -sigopt rsa_padding_mode:pss
    dgst_signs rsa $digest -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
    dgst_signs rsa $digest -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20
    pkeyutl_signs rsa $digest -pkeyopt digest:$digest -pkeyopt rsa_padding_mode:pss \
      -pkeyopt rsa_pss_saltlen:max
  done

  for label in P-256 P-384 P-521; do
    job "$label: ECDSA with every digest (dgst, pkeyutl)"
    for digest in sha1 sha224 sha256 sha384 sha512 sha3-384; do
      dgst_signs $label $digest
    done
    pkeyutl_signs $label sha256
    # Longer than the order of P-256 and P-384: cut off in the same way on both sides.
    pkeyutl_signs $label sha512
  done

  job "a large message, streamed"
  head -c 3000000 /dev/zero >"$home/large"
  run token_openssl dgst -sha256 -sign "$(uri P-256)" -out "$home/signature" "$home/large"
  run openssl dgst -sha256 -verify "$home/P-256.pem" -signature "$home/signature" "$home/large"

  job "Ed25519 (pkeyutl -rawin)"
  run token_openssl pkeyutl -sign -rawin -inkey "$(uri ed25519)" -in "$home/message" \
    -out "$home/signature"
  run openssl pkeyutl -verify -rawin -pubin -inkey "$home/ed25519.pem" -in "$home/message" \
    -sigfile "$home/signature"

  job "verify with the token's public keys (dgst, pkeyutl)"
  for label in rsa P-256; do
    run token_openssl dgst -sha256 -sign "$(uri $label)" -out "$home/signature" "$home/message"
    run token_openssl pkeyutl -verify -pubin -inkey "$(uri $label public)" -in "$home/digest" \
      -pkeyopt digest:sha256 -sigfile "$home/signature"
    says "Verified Successfully"
    refused token_openssl pkeyutl -verify -pubin -inkey "$(uri $label public)" \
      -in "$home/sha224.bin" -pkeyopt digest:sha224 -sigfile "$home/signature"
  done
  run token_openssl pkeyutl -sign -rawin -inkey "$(uri ed25519)" -in "$home/message" \
    -out "$home/signature"
  run token_openssl pkeyutl -verify -rawin -pubin -inkey "$(uri ed25519 public)" \
    -in "$home/message" -sigfile "$home/signature"

  job "recover what an RSA signature holds (pkeyutl -verifyrecover)"
  pkeyutl_signs rsa sha256 -pkeyopt digest:sha256
  run token_openssl pkeyutl -verifyrecover -pubin -inkey "$(uri rsa public)" \
    -pkeyopt digest:sha256 -in "$home/signature" -out "$home/recovered"
  same_file "$home/sha256.bin" "$home/recovered"

  job "keys in files still work beside the token's"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/file.key"
  run token_openssl dgst -sha256 -sign "$home/file.key" -out "$home/signature" "$home/message"
  run token_openssl dgst -sha256 -prverify "$home/file.key" -signature "$home/signature" \
    "$home/message"

  job "a padding that no mechanism has is refused"
  refused token_openssl dgst -sha256 -sigopt rsa_padding_mode:x931 -sign "$(uri rsa)" \
    "$home/message"
done
