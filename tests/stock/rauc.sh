#!/bin/bash
# RAUC: update bundles signed with a key of the token, by libp11's engine.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "rauc"
PATH=$unpacked/usr/bin:$PATH
needs rauc rauc
needs mksquashfs squashfs-tools
prepare_engine
# What rauc comes with when it is unpacked.
libraries=$(file_in "$unpacked" libjson-glib-1.0.so.0) || libraries=
rauc=(env LD_LIBRARY_PATH="$(dirname "$libraries")" RAUC_PKCS11_MODULE="$module"
  RAUC_PKCS11_PIN="$pin" rauc)

make_token line
mkdir "$home/content"
head -c 10000 /dev/urandom >"$home/content/rootfs.img"

whole_life() { # <label>
  local mine=$home/$1 format size
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$(key_uri "$1")" -days 2 \
    -out "$mine.crt"
  for format in plain verity; do
    job "$1: a bundle of format $format"
    printf '[update]\ncompatible=stock\nversion=1\n[bundle]\nformat=%s\n[image.rootfs]\nfilename=rootfs.img\n' \
      "$format" >"$home/content/manifest.raucm"
    run "${rauc[@]}" bundle --cert "$mine.crt" --key "pkcs11:token=line;object=$1" "$home/content" \
      "$mine-$format.raucb"
    run "${rauc[@]}" info --keyring "$mine.crt" "$mine-$format.raucb"
    says "Verified (inline|detached) signature"
  done

  job "$1: openssl verifies the bundle's signature"
  # At the end of a bundle stand the CMS signature and, in the last eight bytes, its size.
  size=$((16#$(tail -c 8 "$mine-plain.raucb" | od -An -tx1 | tr -d ' \n')))
  tail -c $((size + 8)) "$mine-plain.raucb" | head -c "$size" >"$home/signature"
  head -c "-$((size + 8))" "$mine-plain.raucb" >"$home/signed"
  run openssl cms -verify -inform DER -in "$home/signature" -content "$home/signed" -binary \
    -CAfile "$mine.crt" -purpose any

  job "$1: a changed bundle is refused"
  printf 'x' | dd of="$mine-plain.raucb" bs=1 seek=600 conv=notrunc status=none
  refused "${rauc[@]}" info --keyring "$mine.crt" "$mine-plain.raucb"
}
make_pair EC:prime256v1 ec 01
whole_life ec
make_pair rsa:2048 rsa 02
whole_life rsa
