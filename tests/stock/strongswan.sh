#!/bin/bash
# strongSwan's pki with its pkcs11 plugin: certificates, requests, CRLs with the key in the token.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "strongSwan pki"
needs pki strongswan-pki
file_in /usr/lib plugins/libstrongswan-pkcs11.so >/dev/null ||
  skip "strongSwan's pkcs11 plugin is missing (package libstrongswan-extra-plugins)"

make_token line
export STRONGSWAN_CONF=$home/strongswan.conf
cat >"$STRONGSWAN_CONF" <<EOF
pki {
  load = pkcs11 openssl random nonce x509 pem pkcs1 pkcs8 pubkey revocation
}
libstrongswan {
  plugins {
    pkcs11 {
      load_certs = no
      modules {
        tallystick {
          path = $module
        }
      }
    }
  }
}
EOF
# pki asks for the PIN on its standard input.
asks() {
  echo $pin | pki "$@" >"$home/out" 2>"$home/log" || {
    cat "$home/log" >&2
    fail "pki $*"
  }
}

# whole_life <type of pki> <key id>
whole_life() {
  local kind=$1 id=$2 mine=$home/$1
  job "$kind: find the key and print it"
  asks --print --type priv --keyid "$id"
  grep -qi "^ *privkey: *$kind" "$home/out" || fail "no key $kind"

  job "$kind: self-signed certificate"
  asks --self --type "$kind" --keyid "$id" --dn "CN=$kind" --ca --outform pem
  mv "$home/out" "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"
  cmp -s <(openssl x509 -in "$mine.crt" -noout -pubkey) "$mine.pem" || fail "another public key"

  job "$kind: certificate request"
  asks --req --type "$kind" --keyid "$id" --dn CN=request --outform pem
  run openssl req -in "$home/out" -verify -noout

  job "$kind: certificate authority"
  new_key "$home/leaf.key"
  run openssl pkey -in "$home/leaf.key" -pubout -out "$home/leaf.pub"
  asks --issue --cakeyid "$id" --cacert "$mine.crt" --type pub --in "$home/leaf.pub" --dn CN=leaf \
    --outform pem
  mv "$home/out" "$home/leaf.crt"
  run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"

  job "$kind: revocation list"
  asks --signcrl --cakeyid "$id" --cacert "$mine.crt" --cert "$home/leaf.crt" --reason superseded \
    --outform pem
  mv "$home/out" "$home/list.crl"
  run openssl crl -in "$home/list.crl" -CAfile "$mine.crt" -noout
  says "verify OK"
}
make_pair EC:prime256v1 ecdsa 01
public_of 01 "$home/ecdsa.pem"
whole_life ecdsa 01
make_pair rsa:2048 rsa 02
public_of 02 "$home/rsa.pem"
whole_life rsa 02
