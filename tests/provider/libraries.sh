#!/bin/bash
# Programs that know nothing of providers, with a key file that holds the URI of a token's key:
# Python's ssl as client and as a server that forks.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"
here=$(cd "$(dirname "$0")" && pwd)

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
new_key "$home/peer.key"
run openssl req -x509 -key "$home/peer.key" -days 2 -out "$home/peer.crt"
# Not another one of the machine, with a libcrypto of its own.
python=/usr/bin/python3

for configuration in beside preferred; do
  use "$configuration"
  for label in rsa ec; do
    key=$home/$label.key
    run token_openssl pkey -in "$(uri $label)" -out "$key"
    run token_openssl req -x509 -key "$(uri $label)" -days 2 -out "$home/$label.crt"

    job "$label: Python's ssl, a server whose children shake hands"
    port=$(free_port)
    OPENSSL_CONF=$home/$configuration.cnf KEY_PASSWORD=$pin in_background "$python" \
      "$here/python_ssl.py" serve "$port" "$home/$label.crt" "$key" >"$home/server.log" 2>&1
    until_true grep -q ready "$home/server.log"
    asked=()
    for _ in 1 2 3; do
      "$python" "$here/python_ssl.py" ask "$port" "$home/$label.crt" >"$home/log" 2>&1 &
      asked+=($!)
    done
    for one in "${asked[@]}"; do
      wait "$one" || {
        cat "$home/server.log" "$home/log" >&2
        fail "no answer"
      }
    done
    says served
    kill "${started[-1]}"

    job "$label: Python's ssl, a client with a certificate"
    port=$(free_port)
    in_background openssl s_server -accept "127.0.0.1:$port" -cert "$home/peer.crt" \
      -key "$home/peer.key" -CAfile "$home/$label.crt" -Verify 1 -verify_return_error -www \
      >"$home/server.log" 2>&1
    until_true grep -q ACCEPT "$home/server.log"
    OPENSSL_CONF=$home/$configuration.cnf KEY_PASSWORD=$pin run "$python" "$here/python_ssl.py" \
      ask "$port" "$home/peer.crt" "$home/$label.crt" "$key"
    says "Client certificate"
    kill "${started[-1]}"
  done
done
