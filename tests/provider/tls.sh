#!/bin/bash
# TLS with the server's key, and with the client's, in the token; the other end has no provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
new_key "$home/peer.key"
openssl req -x509 -key "$home/peer.key" -days 2 -out "$home/peer.crt"

# token_server <port> <argument>...: openssl s_server with the provider
token_server() {
  local port=$1
  shift
  if [ "$the_configuration" = line ]; then
    TALLYSTICK_MODULE=$module in_background openssl s_server \
      -provider-path "$(dirname "$provider")" -provider tallystick -provider default \
      -accept "127.0.0.1:$port" "$@" -www >"$home/server.log" 2>&1
  else
    OPENSSL_CONF=$home/$the_configuration.cnf in_background openssl s_server \
      -accept "127.0.0.1:$port" "$@" -www >"$home/server.log" 2>&1
  fi
  until_true grep -q ACCEPT "$home/server.log"
}

printf 'GET / HTTP/1.0\r\n\r\n' >"$home/ask"
for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for label in rsa ec; do
    run token_openssl req -x509 -key "$(uri $label)" -days 2 -out "$home/$label.crt"
    for version in 1.2 1.3; do
      job "$label: TLS $version server (s_server)"
      port=$(free_port)
      token_server "$port" -cert "$home/$label.crt" -key "$(uri $label)" "-tls${version/./_}"
      # More than one connection; the ephemeral keys of one group, and of another.
      for groups in X25519:P-256 P-256; do
        openssl s_client -connect "127.0.0.1:$port" -groups $groups -CAfile "$home/$label.crt" \
          -verify_return_error -ign_eof <"$home/ask" >"$home/log" 2>&1 || fail "no connection"
        says "New, TLSv$version, Cipher"
      done

      if [ $label$version = rsa1.2 ]; then
        job "rsa: TLS 1.2 server, the client's secret encrypted for its key (RSA key exchange)"
        printf '[mechanisms]\nrsa_pkcs1_decrypt = true\n' >"$home/token.toml"
        port=$(free_port)
        TALLYSTICK_CONF=$home/token.toml token_server "$port" -cert "$home/rsa.crt" \
          -key "$(uri rsa)" -tls1_2 -cipher AES128-GCM-SHA256
        openssl s_client -connect "127.0.0.1:$port" -CAfile "$home/rsa.crt" -verify_return_error \
          -ign_eof <"$home/ask" >"$home/log" 2>&1 || fail "no connection"
        says "New, TLSv1.2, Cipher is AES128-GCM-SHA256"
        if [ "$module_name" = tallystick ]; then
          port=$(free_port)
          token_server "$port" -cert "$home/rsa.crt" -key "$(uri rsa)" -tls1_2 \
            -cipher AES128-GCM-SHA256
          refused openssl s_client -connect "127.0.0.1:$port" -CAfile "$home/rsa.crt" \
            -verify_return_error -ign_eof
          grep -q "CKM_RSA_PKCS.*CKR_MECHANISM_INVALID" "$home/server.log" ||
            fail "the server does not name what the token refuses: $(cat "$home/server.log")"
        fi
      fi

      job "$label: TLS $version client (s_client)"
      port=$(free_port)
      in_background openssl s_server -accept "127.0.0.1:$port" -cert "$home/peer.crt" \
        -key "$home/peer.key" -CAfile "$home/$label.crt" -Verify 1 -verify_return_error \
        "-tls${version/./_}" -www >"$home/server.log" 2>&1
      until_true grep -q ACCEPT "$home/server.log"
      token_openssl s_client -connect "127.0.0.1:$port" -cert "$home/$label.crt" \
        -key "$(uri $label)" -CAfile "$home/peer.crt" -verify_return_error -ign_eof \
        <"$home/ask" >"$home/log" 2>&1 || fail "no connection"
      says "^Client certificate"
    done
  done
done
