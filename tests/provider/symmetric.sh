#!/bin/bash
# Ciphers, random numbers and digests by a token. The sixth argument is the program with the tests
# of what no command does.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

import_secret aes128 AES 16 01 encrypt
import_secret aes256 AES 32 02 encrypt
import_secret generic GENERIC 32 03 sign
export TALLYSTICK_PIN=$pin

# A token for digests, random numbers, and keys by their labels.
configuration with-token "$ours"$'\n'"$the_default" "?provider=tallystick" \
  "tallystick-module = $module
tallystick-token = pkcs11:token=line"
configuration token-behind "$the_default"$'\n'"$ours" "" "tallystick-module = $module
tallystick-token = pkcs11:token=line"

job "programs: ciphers, MACs, random numbers, digests"
export TALLYSTICK_TEST_MODULE=$module TALLYSTICK_TEST_PROVIDER=$provider TALLYSTICK_TEST_PIN=$pin
export TALLYSTICK_TEST_HOME=$home TALLYSTICK_TEST_CONFIG=$home/token-behind.cnf
[ "$module_name" = tallystick ] || export TALLYSTICK_TEST_NO_CCM=1
"$6" || fail "the program's tests"

for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for cipher in aes-128-cbc aes-256-cbc aes-256-ctr; do
    job "$cipher with keys that are bytes, as without the provider (enc)"
    arguments=(-K "$(cat "$home/aes256.hex")" -iv 000102030405060708090a0b0c0d0e0f)
    [ $cipher != aes-128-cbc ] || arguments[1]=$(cat "$home/aes128.hex")
    run token_openssl enc -$cipher "${arguments[@]}" -in "$home/message" -out "$home/encrypted"
    run openssl enc -d -$cipher "${arguments[@]}" -in "$home/encrypted" -out "$home/back"
    same_file "$home/message" "$home/back"
  done

  job "messages sealed for a certificate, as without the provider (cms)"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/file.key"
  openssl req -x509 -key "$home/file.key" -days 2 -out "$home/file.crt"
  run token_openssl cms -encrypt -binary -aes256 -in "$home/message" -outform DER \
    -out "$home/sealed" -recip "$home/file.crt"
  run token_openssl cms -decrypt -binary -inform DER -in "$home/sealed" -inkey "$home/file.key" \
    -recip "$home/file.crt" -out "$home/back"
  same_file "$home/message" "$home/back"

  # OpenSSL 3.5 has opaque keys.
  if openssl skeyutl -help >/dev/null 2>&1; then
    job "opaque keys: made in the token, and used (skeyutl, enc -skeymgmt)"
    new="uri:pkcs11:token=line;object=$configuration-new"
    by_us=(-propquery '?provider=tallystick')
    run token_openssl skeyutl "${by_us[@]}" -genkey -skeymgmt AES -skeyopt "$new" \
      -skeyopt key-length:32
    says "identified by pkcs11:.*object=$configuration-new;type=secret-key"
    refused token_openssl skeyutl "${by_us[@]}" -genkey -skeymgmt AES -skeyopt "$new"
    says "ambiguous uri.*has such a secret key already"
    for key in "$new" "uri:pkcs11:token=line;object=aes256"; do
      opaque=(-aes-256-cbc -skeymgmt AES -skeyopt "$key" -iv 000102030405060708090a0b0c0d0e0f)
      run token_openssl enc "${by_us[@]}" "${opaque[@]}" -in "$home/message" -out "$home/encrypted"
      run token_openssl enc -d "${by_us[@]}" "${opaque[@]}" -in "$home/encrypted" -out "$home/back"
      same_file "$home/message" "$home/back"
    done
    run openssl enc -d -aes-256-cbc -K "$(cat "$home/aes256.hex")" \
      -iv 000102030405060708090a0b0c0d0e0f -in "$home/encrypted" -out "$home/back"
    same_file "$home/message" "$home/back"
  fi

  job "without a token in the settings, random numbers and labels say so"
  refused token_openssl enc -tallystick-aes-256-cbc -K 61 -iv 00 -in "$home/message"
  says "bad setting.*tallystick-token does not say in which token"
done

for configuration in with-token token-behind; do
  use $configuration
  for cipher in aes-128-cbc aes-256-cbc aes-128-ctr aes-256-ctr; do
    job "$cipher by a key's label (enc)"
    label=aes${cipher:4:3}
    iv=000102030405060708090a0b0c0d0e0f
    named=$(printf %s "$label" | od -An -v -tx1 | tr -d ' \n')
    head -c 100003 /dev/urandom >"$home/data"
    run token_openssl enc -tallystick-$cipher -K "$named" -iv $iv -in "$home/data" \
      -out "$home/encrypted"
    run openssl enc -d -$cipher -K "$(cat "$home/$label.hex")" -iv $iv -in "$home/encrypted" \
      -out "$home/back"
    same_file "$home/data" "$home/back"
    run token_openssl enc -d -tallystick-$cipher -K "$named" -iv $iv -in "$home/encrypted" \
      -out "$home/back"
    same_file "$home/data" "$home/back"
  done
  job "a label that no key has is refused"
  refused token_openssl enc -tallystick-aes-256-cbc -K 6e6f6e65 -iv 00 -in "$home/message"
  says "no such object.*object=none.*no such secret key"
  refused token_openssl enc -tallystick-aes-256-cbc -K "$(printf aes128 | od -An -tx1 | tr -d ' \n')" \
    -iv 00 -in "$home/message"
  says "bad key.*key aes128: it has 16 bytes, and AES-256-CBC takes 32"

  job "digests by the token (dgst)"
  for digest in sha1 sha256 sha384 sha512; do
    run token_openssl dgst -propquery provider=tallystick -$digest -out "$home/by-token" "$home/data"
    run openssl dgst -$digest -out "$home/by-software" "$home/data"
    same_file "$home/by-token" "$home/by-software"
  done

  job "random numbers by the token (rand)"
  OPENSSL_CONF=$home/random.cnf
  sed "s/^alg_section = algorithms/&\nrandom = random/" "$home/$configuration.cnf" >"$OPENSSL_CONF"
  printf '[random]\nrandom = TALLYSTICK-RAND\n' >>"$OPENSSL_CONF"
  OPENSSL_CONF=$home/random.cnf run openssl rand -out "$home/first" 1000
  OPENSSL_CONF=$home/random.cnf run openssl rand -out "$home/second" 1000
  ! cmp -s "$home/first" "$home/second" || fail "the same numbers twice"
  OPENSSL_CONF=$home/random.cnf run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out "$home/random.key"
  sed 's/^random = TALLYSTICK-RAND/seed = TALLYSTICK-RAND/' "$home/random.cnf" >"$home/seed.cnf"
  OPENSSL_CONF=$home/seed.cnf run openssl rand -out "$home/first" 1000
  sed -i 's/token=line/token=nowhere/' "$home/random.cnf"
  OPENSSL_CONF=$home/random.cnf refused openssl rand -out "$home/first" 1000
  export OPENSSL_CONF=$plain_config
done

use with-token
job "TLS while the token makes the digests"
token_uri="pkcs11:token=line;object=tls;type=private?pin-value=$pin"
make_pair EC:prime256v1 tls 04
run token_openssl req -x509 -key "$token_uri" -days 2 -out "$home/tls.crt"
printf 'GET / HTTP/1.0\r\n\r\n' >"$home/ask"
for version in 1.2 1.3; do
  port=$(free_port)
  OPENSSL_CONF=$home/with-token.cnf in_background openssl s_server -accept "127.0.0.1:$port" \
    -cert "$home/tls.crt" -key "$token_uri" "-tls${version/./_}" -www >"$home/server.log" 2>&1
  until_true grep -q ACCEPT "$home/server.log"
  openssl s_client -connect "127.0.0.1:$port" -CAfile "$home/tls.crt" -verify_return_error \
    -ign_eof <"$home/ask" >"$home/log" 2>&1 || fail "no connection"
  says "New, TLSv$version, Cipher"
done
