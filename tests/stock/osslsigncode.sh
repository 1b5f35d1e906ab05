#!/bin/bash
# osslsigncode: Windows programs signed by libp11's engine with a key of the token.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "osslsigncode"
needs osslsigncode osslsigncode
prepare_engine

make_token line
run python3 "$(dirname "$0")/make_pe.py" "$home/program.exe"

whole_life() { # <label>
  local key mine=$home/$1
  key=$(key_uri "$1")
  code_signing_certificate "$1" "$mine.crt"

  job "$1: sign a program"
  run osslsigncode sign -pkcs11module "$module" -certs "$mine.crt" \
    -key "$key" -h sha256 -n stock -in "$home/program.exe" -out "$mine.exe"
  run osslsigncode verify -CAfile "$mine.crt" -in "$mine.exe"
  says "Number of verified signatures: 1"

  job "$1: a changed program is refused"
  printf 'x' | dd of="$mine.exe" bs=1 seek=600 conv=notrunc status=none
  refused osslsigncode verify -CAfile "$mine.crt" -in "$mine.exe"
}
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa
