#!/bin/bash
# Key derivation from keys of the token, compared with what openssl derives from the same bytes
# without the provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

import_secret base GENERIC 32 01 derive
import_secret aes AES 16 02 derive
import_secret signs GENERIC 32 03 sign
export TALLYSTICK_PIN=$pin

by_us=(-propquery '?provider=tallystick')
secret_uri() { echo "pkcs11:token=line;object=$1;type=secret-key"; }
# same_key <name of the KDF> <label> <bytes> <option of kdf>...
same_key() {
  run token_openssl kdf "${by_us[@]}" -keylen "$3" -kdfopt "uri:$(secret_uri "$2")" "${@:4}" \
    -out "$home/by-token" "$1"
  run openssl kdf -keylen "$3" -kdfopt "hexkey:$(cat "$home/$2.hex")" "${@:4}" \
    -out "$home/by-bytes" "$1"
  same_file "$home/by-token" "$home/by-bytes"
}
# same_as_before <option of kdf>...: with bytes, as without the provider
same_as_before() {
  run token_openssl kdf -out "$home/by-token" "$@"
  run openssl kdf -out "$home/by-bytes" "$@"
  same_file "$home/by-token" "$home/by-bytes"
}

for configuration in "${all_configurations[@]}"; do
  use "$configuration"

  if [ "$module_name" = tallystick ]; then
    for digest in SHA1 SHA256 SHA384 SHA512 SHA3-256; do
      job "HKDF, $digest"
      same_key HKDF base 42 -kdfopt digest:$digest -kdfopt salt:grain -kdfopt info:why
    done
    job "HKDF without salt and info, short and long, in steps"
    same_key HKDF base 1 -kdfopt digest:SHA256
    same_key HKDF base 8160 -kdfopt digest:SHA256
    same_key HKDF base 32 -kdfopt digest:SHA256 -kdfopt mode:EXTRACT_ONLY -kdfopt salt:grain
    same_key HKDF base 64 -kdfopt info:why -kdfopt mode:EXPAND_ONLY -kdfopt digest:SHA256

    job "TLS13-KDF"
    same_key TLS13-KDF base 32 -kdfopt digest:SHA256 -kdfopt mode:EXPAND_ONLY \
      -kdfopt prefix:tls13\  -kdfopt label:derived -kdfopt hexdata:"$(od -An -tx1 -v "$home/digest" | tr -d ' \n')"
    same_key TLS13-KDF base 32 -kdfopt digest:SHA256 -kdfopt mode:EXTRACT_ONLY -kdfopt salt:before \
      -kdfopt prefix:tls13\  -kdfopt label:derived
    same_key TLS13-KDF base 32 -kdfopt digest:SHA256 -kdfopt mode:EXTRACT_ONLY \
      -kdfopt prefix:tls13\  -kdfopt label:derived

    job "KBKDF, HMAC and CMAC"
    same_key KBKDF base 32 -kdfopt digest:SHA256 -kdfopt mac:HMAC -kdfopt salt:label -kdfopt info:context
    same_key KBKDF base 100 -kdfopt digest:SHA512 -kdfopt mac:HMAC -kdfopt salt:label
    same_key KBKDF base 32 -kdfopt digest:SHA256 -kdfopt mac:HMAC -kdfopt info:context \
      -kdfopt use-l:0 -kdfopt use-separator:0
    same_key KBKDF aes 32 -kdfopt cipher:AES-128-CBC -kdfopt mac:CMAC -kdfopt salt:label -kdfopt info:context

    job "what no mechanism has, and keys that do not derive, are refused"
    refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri base)" \
      -kdfopt digest:SHA256 -kdfopt mac:HMAC -kdfopt mode:feedback -kdfopt salt:label KBKDF
    says "operation failed.*key base: KBKDF by a token is counter mode"
    refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri signs)" \
      -kdfopt digest:SHA256 HKDF
    says "operation failed.*CKM_HKDF_.*CKR_KEY_FUNCTION_NOT_PERMITTED"
    refused token_openssl kdf "${by_us[@]}" -keylen 9000 -kdfopt "uri:$(secret_uri base)" \
      -kdfopt digest:SHA256 HKDF
    says "operation failed.*CKM_HKDF_"
  else
    job "a module without the mechanism says so"
    refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri base)" \
      -kdfopt digest:SHA256 HKDF
    says "operation failed.*derive by CKM_HKDF_DERIVE.*CKR_"
    refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri base)" \
      -kdfopt digest:SHA256 -kdfopt mac:HMAC -kdfopt salt:label KBKDF
    says "operation failed.*derive by CKM_SP800_108_COUNTER_KDF.*CKR_"
  fi

  job "bytes, as without the provider (kdf)"
  same_as_before -keylen 42 -kdfopt digest:SHA256 -kdfopt key:secret -kdfopt salt:grain HKDF
  same_as_before -keylen 32 -kdfopt digest:SHA256 -kdfopt mac:HMAC -kdfopt key:secret -kdfopt salt:label KBKDF
  same_as_before -keylen 32 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:grain -kdfopt iter:1000 PBKDF2
  refused token_openssl kdf -keylen 32 -kdfopt digest:SHA256 HKDF

  job "everything that derives keys from passwords, as without the provider (enc, pkcs12, genpkey)"
  run openssl enc -aes-256-cbc -pbkdf2 -pass pass:secret -in "$home/message" -out "$home/encrypted"
  run token_openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:secret -in "$home/encrypted" -out "$home/back"
  same_file "$home/message" "$home/back"
  run token_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:secret \
    -out "$home/file.key"
  run openssl req -x509 -key "$home/file.key" -passin pass:secret -days 2 -out "$home/file.crt"
  run token_openssl pkcs12 -export -inkey "$home/file.key" -passin pass:secret -in "$home/file.crt" \
    -passout pass:more -out "$home/file.p12"
  run openssl pkcs12 -in "$home/file.p12" -passin pass:more -noenc

  job "a wrong URI, a key and a URI"
  refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri none)" \
    -kdfopt digest:SHA256 HKDF
  says "no such object.*object=none"
  refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri base)" \
    -kdfopt key:bytes -kdfopt digest:SHA256 HKDF
  says "bad key.*give one of them"
  refused token_openssl kdf "${by_us[@]}" -keylen 32 -kdfopt "uri:$(secret_uri base)" \
    -kdfopt pass:secret -kdfopt salt:grain -kdfopt digest:SHA256 PBKDF2
  says "bad uri.*PBKDF2 takes a password"

  job "PBKDF2 by the token"
  pbkdf2=(-keylen 32 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:grain -kdfopt iter:1000)
  if [ "$module_name" = tallystick ]; then
    printf '[mechanisms]\npkcs5_pbkd2 = true\n' >"$home/token.toml"
    TALLYSTICK_CONF=$home/token.toml run token_openssl kdf "${by_us[@]}" "${pbkdf2[@]}" \
      -kdfopt uri:pkcs11:token=line -out "$home/by-token" PBKDF2
    run openssl kdf "${pbkdf2[@]}" -out "$home/by-bytes" PBKDF2
    same_file "$home/by-token" "$home/by-bytes"
  fi
  refused token_openssl kdf "${by_us[@]}" "${pbkdf2[@]}" -kdfopt uri:pkcs11:token=line PBKDF2
  says "operation failed.*generate by CKM_PKCS5_PBKD2.*CKR_"
done
