#!/bin/bash
# NSS: the module in a database of modutil; keys and certificates by certutil; a PKCS#12 file brought
# in; a message signed; a TLS server with the key in the token.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "NSS"
for program in modutil certutil pk12util cmsutil selfserv; do needs "$program" libnss3-tools; done

make_token line
database=sql:$home/nss
mkdir "$home/nss"
echo $pin >"$home/pin"
head -c 64 /dev/urandom >"$home/noise"
# basicConstraints: a certificate authority
printf '\x30\x03\x01\x01\xff' >"$home/basic"
on_token() { run certutil -d "$database" -h line -f "$home/pin" "$@"; }
run certutil -N -d "$database" --empty-password

job "modutil -add and -list"
# FRIENDLY: certificates can be read without a login; certutil -C counts on it.
run modutil -dbdir "$database" -force -add tallystick -libfile "$module" -mechanisms FRIENDLY
run modutil -dbdir "$database" -list tallystick
says "Token Name: line"
says "Status: Enabled"

# whole_life <key type> <option of certutil>...
whole_life() {
  local kind=$1 key=("-k" "$@") mine=$home/$1
  job "$kind: key and self-signed certificate (certutil -S)"
  on_token -S "${key[@]}" -s "CN=$kind" -n "$kind" -x -t CTu,CTu,CTu -z "$home/noise" -Z SHA256 \
    --extGeneric "2.5.29.19:critical:$home/basic"
  on_token -L -n "line:$kind" -a
  mv "$home/log" "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"
  on_token -K
  says "$kind .* line:$kind\$"

  job "$kind: certificate request (certutil -R)"
  on_token -R "${key[@]}" -s CN=request -a -o "$mine.csr" -z "$home/noise" -Z SHA256
  run openssl req -in "$mine.csr" -verify -noout

  job "$kind: certificate authority (certutil -C)"
  new_key "$home/leaf.key"
  run openssl req -new -key "$home/leaf.key" -subj /CN=leaf -out "$home/leaf.csr"
  on_token -C -c "line:$kind" -i "$home/leaf.csr" -a -o "$home/leaf.crt" -Z SHA256
  run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"

  job "$kind: sign a message (cmsutil)"
  printf 'a message' >"$home/message"
  run cmsutil -S -d "$database" -f "$home/pin" -N "line:$kind" -H SHA256 -i "$home/message" \
    -o "$home/message.cms"
  run openssl cms -verify -inform DER -in "$home/message.cms" -CAfile "$mine.crt" -purpose any
  says "a message"

  job "$kind: TLS server with the key in the token (selfserv)"
  local port version
  for version in tls1.2 tls1.3; do
    port=$(free_port)
    in_background selfserv -d "$database" -f "$home/pin" -p "$port" "-${server_key[$kind]}" \
      "line:$kind" -V "$version:$version" -H 1 >"$home/selfserv.log" 2>&1
    until_true answers "$port" "-${version/./_}" -CAfile "$mine.crt"
    says "Verify return code: 0 \(ok\)"
  done
}
declare -A server_key=([ec]=e [rsa]=n)
answers() {
  openssl s_client -connect "127.0.0.1:$1" "${@:2}" </dev/null >"$home/log" 2>&1
}
whole_life ec -q nistp256
whole_life rsa -g 2048

job "bring in a PKCS#12 file (pk12util)"
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/in.key" \
  -subj /CN=in -days 2 -out "$home/in.crt"
run openssl pkcs12 -export -inkey "$home/in.key" -in "$home/in.crt" -name brought -passout pass:x \
  -out "$home/in.p12"
run pk12util -i "$home/in.p12" -d "$database" -h line -k "$home/pin" -W x
on_token -R -k line:brought -s CN=brought -a -o "$home/in.csr" -z "$home/noise" -Z SHA256
run openssl req -in "$home/in.csr" -verify -noout
cmp -s <(openssl req -in "$home/in.csr" -noout -pubkey) <(openssl pkey -in "$home/in.key" -pubout) ||
  fail "signed with another key"

job "delete a key and its certificate (certutil -F)"
on_token -F -n line:brought
on_token -K
if grep brought "$home/log"; then fail "see above"; fi
