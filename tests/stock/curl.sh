#!/bin/bash
# curl: a TLS client that shows a certificate whose key is in the token, by libp11's engine.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "curl"
needs curl curl
prepare_engine

make_token line
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/server.key" \
  -days 2 -out "$home/server.crt" -config <(echo "$request_config")

whole_life() { # <label>
  local mine=$home/$1 version port
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$(key_uri "$1")" -days 2 \
    -out "$mine.crt"
  for version in 1.2 1.3; do
    job "$1: TLS $version with a client certificate"
    port=$(free_port)
    in_background openssl s_server -accept "127.0.0.1:$port" -cert "$home/server.crt" \
      -key "$home/server.key" -CAfile "$mine.crt" -Verify 1 -verify_return_error \
      "-tls${version/./_}" -www >"$home/server.log" 2>&1
    until_true grep -q ACCEPT "$home/server.log"
    with_engine curl -sS --engine pkcs11 --key-type ENG --key "$(key_uri "$1")" --cert "$mine.crt" \
      --cacert "$home/server.crt" "https://127.0.0.1:$port/"
    says "Protocol *: TLSv$version"
    says "^Client certificate"
    refused curl -sS --cacert "$home/server.crt" "https://127.0.0.1:$port/"
  done
}
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa
