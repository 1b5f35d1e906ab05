#!/bin/bash
# sbsign: UEFI programs signed for secure boot by libp11's engine with a key of the token.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "sbsign"
for program in sbsign sbverify sbattach; do needs "$program" sbsigntool; done
prepare_engine

make_token line
run python3 "$(dirname "$0")/make_pe.py" "$home/program.efi"

whole_life() { # <label>
  local key mine=$home/$1
  key=$(key_uri "$1")
  code_signing_certificate "$1" "$mine.crt"

  job "$1: sign a program"
  with_engine sbsign --engine pkcs11 --key "$key" --cert "$mine.crt" --output "$mine.efi" \
    "$home/program.efi"
  run sbverify --cert "$mine.crt" "$mine.efi"
  says "Signature verification OK"

  job "$1: a detached signature"
  with_engine sbsign --engine pkcs11 --key "$key" --cert "$mine.crt" --detached \
    --output "$mine.sig" "$home/program.efi"
  run sbverify --cert "$mine.crt" --detached "$mine.sig" "$home/program.efi"
  says "Signature verification OK"

  job "$1: a changed program is refused"
  printf 'x' | dd of="$mine.efi" bs=1 seek=600 conv=notrunc status=none
  refused sbverify --cert "$mine.crt" "$mine.efi"
}
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa
