#!/bin/bash
# mosquitto: an MQTT broker over TLS with the key in the token, by libp11's engine. (The clients of
# mosquitto 2.0.11 look for a file of the key's name before they hear of the engine.)
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "mosquitto"
PATH=$unpacked/usr/sbin:$unpacked/usr/bin:/usr/sbin:$PATH
needs mosquitto mosquitto
needs mosquitto_pub mosquitto-clients
prepare_engine
libraries=$(file_in "$unpacked" libmosquitto.so.1) || libraries=
with_libraries=(env LD_LIBRARY_PATH="$(dirname "$libraries")")

make_token line
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/client.key" \
  -subj /CN=client -days 2 -out "$home/client.crt"
whole_life() { # <label>
  local mine=$home/$1 key port server
  key=$(key_uri "$1")
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$key" -days 2 -out "$mine.crt"
  port=$(free_port)
  cat >"$home/mosquitto.conf" <<EOF
allow_anonymous true
$([ "$(id -u)" != 0 ] || echo "user root")
listener $port 127.0.0.1
certfile $mine.crt
keyfile $key
tls_engine pkcs11
tls_keyform engine
cafile $home/client.crt
require_certificate true
EOF
  job "$1: a broker with the key in the token"
  OPENSSL_CONF=$engine_config in_background "${with_libraries[@]}" mosquitto -c "$home/mosquitto.conf" >"$home/broker.log" 2>&1
  server=${started[-1]}
  local client=(-h 127.0.0.1 -p "$port" --cafile "$mine.crt" -t stock)
  local shown=(--cert "$home/client.crt" --key "$home/client.key")
  publishes() {
    "${with_libraries[@]}" mosquitto_pub "${client[@]}" "${shown[@]}" -r -m "a message"
  }
  until_true publishes
  run "${with_libraries[@]}" mosquitto_sub "${client[@]}" "${shown[@]}" -C 1 -W 20
  says "^a message$"

  job "$1: a client without a key is refused"
  refused "${with_libraries[@]}" mosquitto_pub "${client[@]}" -m "another"
  kill "$server"
  wait "$server" || fail "mosquitto ended with status $?"
}
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa
