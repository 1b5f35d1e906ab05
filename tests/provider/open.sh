#!/bin/bash
# What is encrypted for a key of the token, and secrets agreed on with it; the other end has no
# provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01 --usage-sign --usage-decrypt
make_pair EC:prime256v1 P-256 02 --usage-sign --usage-derive
make_pair EC:secp521r1 P-521 03 --usage-sign --usage-derive
printf 'secret' >"$home/secret"

# opens <option of pkeyutl>...: what openssl encrypts, the token's key decrypts
opens() {
  run openssl pkeyutl -encrypt -pubin -inkey "$home/rsa.pem" "$@" -in "$home/secret" \
    -out "$home/sealed"
  run token_openssl pkeyutl -decrypt -inkey "$(uri rsa)" "$@" -in "$home/sealed" \
    -out "$home/opened"
  same_file "$home/secret" "$home/opened"
}
# does_not_open <CKM> <option of pkeyutl>...: one line names the mechanism
does_not_open() {
  run openssl pkeyutl -encrypt -pubin -inkey "$home/rsa.pem" "${@:2}" -in "$home/secret" \
    -out "$home/sealed"
  refused token_openssl pkeyutl -decrypt -inkey "$(uri rsa)" "${@:2}" -in "$home/sealed"
  says "decrypt by $1"
}

for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  run token_openssl pkey -in "$(uri rsa)" -pubout -out "$home/rsa.pem"

  job "RSA, OAEP without a word about digests (pkeyutl)"
  opens -pkeyopt rsa_padding_mode:oaep
  if [ "$module_name" = tallystick ]; then
    job "RSA, OAEP with other digests, masks and a label (pkeyutl)"
    opens -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
    opens -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1
    opens -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512 \
      -pkeyopt rsa_oaep_label:616c6c65
    job "RSA, PKCS#1 v1.5 (pkeyutl): refused by the token's settings"
    does_not_open CKM_RSA_PKCS
  else
    job "RSA, PKCS#1 v1.5 (pkeyutl)"
    opens
    job "RSA, OAEP with other digests (pkeyutl): the module has none"
    does_not_open CKM_RSA_PKCS_OAEP -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
  fi
  job "RSA, encrypt for the token's public key (pkeyutl)"
  run token_openssl pkeyutl -encrypt -pubin -inkey "$(uri rsa public)" \
    -pkeyopt rsa_padding_mode:oaep -in "$home/secret" -out "$home/sealed"
  run token_openssl pkeyutl -decrypt -inkey "$(uri rsa)" -pkeyopt rsa_padding_mode:oaep \
    -in "$home/sealed" -out "$home/opened"
  same_file "$home/secret" "$home/opened"

  for label in P-256 P-521; do
    job "$label: ECDH, as it is and with a KDF (pkeyutl -derive)"
    run token_openssl pkey -in "$(uri $label)" -pubout -out "$home/mine.pem"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$label -out "$home/peer.key"
    openssl pkey -in "$home/peer.key" -pubout -out "$home/peer.pem"
    for options in "" "-pkeyopt kdf-type:X963KDF -pkeyopt kdf-digest:sha256 -pkeyopt kdf-outlen:48"; do
      # shellcheck disable=SC2086
      run openssl pkeyutl -derive -inkey "$home/peer.key" -peerkey "$home/mine.pem" $options \
        -out "$home/theirs"
      # shellcheck disable=SC2086
      run token_openssl pkeyutl -derive -inkey "$(uri $label)" -peerkey "$home/peer.pem" $options \
        -out "$home/ours"
      same_file "$home/theirs" "$home/ours"
    done
    job "$label: open a message (cms -decrypt)"
    run token_openssl req -x509 -key "$(uri $label)" -days 2 -out "$home/mine.crt"
    run openssl cms -encrypt -binary -aes256 -in "$home/message" -outform DER \
      -out "$home/sealed" -recip "$home/mine.crt"
    run token_openssl cms -decrypt -binary -inform DER -in "$home/sealed" \
      -inkey "$(uri $label)" -recip "$home/mine.crt" -out "$home/opened"
    same_file "$home/message" "$home/opened"
  done

  job "RSA: open a message (cms -decrypt), OAEP"
  run token_openssl req -x509 -key "$(uri rsa)" -days 2 -out "$home/mine.crt"
  run openssl cms -encrypt -binary -aes256 -in "$home/message" -outform DER -out "$home/sealed" \
    -recip "$home/mine.crt" -keyopt rsa_padding_mode:oaep
  run token_openssl cms -decrypt -binary -inform DER -in "$home/sealed" -inkey "$(uri rsa)" \
    -recip "$home/mine.crt" -out "$home/opened"
  same_file "$home/message" "$home/opened"
done
