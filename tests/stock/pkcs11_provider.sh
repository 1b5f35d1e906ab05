#!/bin/bash
# pkcs11-provider: OpenSSL 3's way to the token, without one quirk set; with the provider listed
# behind the default one, before it, and before it and preferred for everything.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
needs openssl openssl
needs curl curl
provider=$(file_in "$unpacked" /usr/lib ossl-modules/pkcs11.so) ||
  skip "pkcs11-provider is missing (package pkcs11-provider of bookworm-backports)"

make_token line
printf 'a message' >"$home/message"
openssl dgst -sha256 -binary "$home/message" >"$home/digest"

# configure <order of the providers> <properties> [more settings of the provider]
configure() {
  local default='default = default_provider' pkcs11='pkcs11 = pkcs11_provider' order
  case $1 in
    behind) order=$default$'\n'$pkcs11 ;;
    before) order=$pkcs11$'\n'$default ;;
  esac
  cat >"$home/openssl.cnf" <<EOF
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[providers]
$order
[algorithms]
default_properties = $2
[default_provider]
activate = 1
[pkcs11_provider]
module = $provider
pkcs11-module-path = $module
activate = 1
${3:-}
$request_config
EOF
}
# with_provider <command>...; without it openssl knows nothing of the token.
with_provider() { OPENSSL_CONF=$home/openssl.cnf run "$@"; }
uri() { echo "pkcs11:token=line;object=$1;type=${2:-private}?pin-value=$pin"; }

signatures() { # <label> <option of pkeyutl>...
  local key mine=$home/$1
  key=$(uri "$1")
  job "$1: read the public key"
  with_provider openssl pkey -in "$key" -pubout -out "$mine.pem"
  run openssl pkey -pubin -in "$mine.pem" -noout

  job "$1: sign (dgst, pkeyutl)"
  with_provider openssl dgst -sha256 -sign "$key" -out "$home/signature" "$home/message"
  run openssl dgst -sha256 -verify "$mine.pem" -signature "$home/signature" "$home/message"
  with_provider openssl pkeyutl -sign -inkey "$key" "${@:2}" -in "$home/digest" \
    -out "$home/signature"
  run openssl pkeyutl -verify -pubin -inkey "$mine.pem" "${@:2}" -in "$home/digest" \
    -sigfile "$home/signature"

  job "$1: verify with the token's public key"
  with_provider openssl pkeyutl -verify -pubin -inkey "$(uri "$1" public)" "${@:2}" \
    -in "$home/digest" -sigfile "$home/signature"
  says "Verified Successfully"
}

certificates() { # <label>
  local key mine=$home/$1
  key=$(uri "$1")
  job "$1: self-signed certificate and request"
  with_provider openssl req -x509 -key "$key" -days 2 -out "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"
  with_provider openssl req -new -key "$key" -out "$mine.csr"
  run openssl req -in "$mine.csr" -verify -noout

  job "$1: certificate authority"
  new_key "$home/leaf.key"
  run openssl req -new -key "$home/leaf.key" -subj /CN=leaf -out "$home/leaf.csr"
  with_provider openssl x509 -req -in "$home/leaf.csr" -CA "$mine.crt" -CAkey "$key" \
    -CAcreateserial -days 2 -out "$home/leaf.crt"
  run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"

  job "$1: sign a message (cms)"
  with_provider openssl cms -sign -binary -inkey "$key" -signer "$mine.crt" -in "$home/message" \
    -outform DER -out "$home/message.cms"
  run openssl cms -verify -inform DER -in "$home/message.cms" -content "$home/message" -binary \
    -CAfile "$mine.crt" -purpose any
}

tls() { # <label>
  local key port version mine=$home/$1
  key=$(uri "$1")
  for version in 1.2 1.3; do
    job "$1: TLS $version server and client"
    port=$(free_port)
    OPENSSL_CONF=$home/openssl.cnf in_background openssl s_server -accept "127.0.0.1:$port" \
      -cert "$mine.crt" -key "$key" "-tls${version/./_}" -www >"$home/server.log" 2>&1
    until_true grep -q ACCEPT "$home/server.log"
    run curl -sS --cacert "$mine.crt" --connect-to "stock:443:127.0.0.1:$port" https://stock/
    says "Protocol *: TLSv$version"

    port=$(free_port)
    in_background openssl s_server -accept "127.0.0.1:$port" -cert "$home/leaf.crt" \
      -key "$home/leaf.key" -CAfile "$mine.crt" -Verify 1 -verify_return_error \
      "-tls${version/./_}" -www >"$home/server.log" 2>&1
    until_true grep -q ACCEPT "$home/server.log"
    printf 'GET / HTTP/1.0\r\n\r\n' >"$home/ask"
    OPENSSL_CONF=$home/openssl.cnf openssl s_client -connect "127.0.0.1:$port" -cert "$mine.crt" \
      -key "$key" -CAfile "$mine.crt" -ign_eof <"$home/ask" >"$home/log" 2>&1 || fail "no connection"
    says "^Client certificate"
  done
}

pairs=()
make_pair EC:prime256v1 ec 01
pairs+=(ec)
make_pair rsa:2048 rsa 02
pairs+=(rsa)

for way in "behind|" "before|" "before|?provider=pkcs11"; do
  case $way in
    "behind|") stock_tool "pkcs11-provider, behind default" ;;
    "before|") stock_tool "pkcs11-provider, before default" ;;
    *) stock_tool "pkcs11-provider, preferred" ;;
  esac
  configure "${way%%|*}" "${way##*|}"

  job "list what the token has (storeutl)"
  with_provider openssl storeutl -noout -text "pkcs11:token=line?pin-value=$pin"
  says "Total found: "

  for label in "${pairs[@]}"; do
    signatures "$label"
    certificates "$label"
    if [ "$way" = "behind|" ]; then tls "$label"; fi
  done

  job "digests and random numbers"
  with_provider openssl dgst -sha256 -binary -out "$home/again" "$home/message"
  cmp -s "$home/digest" "$home/again" || fail "another digest"
  with_provider openssl rand -out "$home/random" 64
  [ "$(stat -c %s "$home/random")" = 64 ] || fail "64 random bytes were asked for"
  end_job
done

stock_tool "pkcs11-provider, preferred"
job "ec: generate in the token (genpkey)"
configure before "?provider=pkcs11" "pkcs11-module-encode-provider-uri-to-pem = true"
with_provider openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
  -pkeyopt "pkcs11_uri:pkcs11:token=line;object=made?pin-value=$pin" -out "$home/made.uri"
with_provider openssl dgst -sha256 -sign "$(uri made)" -out "$home/signature" "$home/message"
with_provider openssl pkey -in "$(uri made)" -pubout -out "$home/made.pem"
run openssl dgst -sha256 -verify "$home/made.pem" -signature "$home/signature" "$home/message"

job "a wrong PIN is refused"
OPENSSL_CONF=$home/openssl.cnf refused openssl dgst -sha256 \
  -sign 'pkcs11:token=line;object=ec;type=private?pin-value=wrongpin' "$home/message"
