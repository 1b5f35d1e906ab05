# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: TLS, with the server's key and with the client's.

asks() { # <port> <version> <certificate> [option]...
  printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect "127.0.0.1:$1" -CAfile "$3" -verify_return_error \
    -ign_eof "${@:4}" >said 2>&1 || {
    if grep -q tallystick:: server.log; then
      reason_of server.log >reason
    else
      echo "openssl: no connection" >reason
    fi
    exit "$kRefused"
  }
  said "New, TLSv$2, Cipher"
}
serves() { # <label> <version> [option of s_client]...
  local port
  port=$(free_port)
  token_server ACCEPT s_server -accept "127.0.0.1:$port" -cert "$mine/$1.crt" -key "$(key_of "$1")" "-tls${2/./_}" -www
  asks "$port" "$2" "$mine/$1.crt" "${@:3}"
  asks "$port" "$2" "$mine/$1.crt" "${@:3}"
}
for version in 1.2 1.3; do
  for label in rsa pss P-256 P-384 P-521 ed25519 ed448; do
    job "s_server: TLS $version, $label" serves "$label" "$version"
  done
done
job "s_server: TLS 1.3, P-256; the group P-256" serves P-256 1.3 -groups P-256
job "s_server: TLS 1.2, rsa; PKCS#1 v1.5 signatures" serves rsa 1.2 -sigalgs RSA+SHA256
job "s_server: TLS 1.2, rsa; RSA key exchange" serves rsa 1.2 -cipher kRSA
serves_allowed() {
  printf '[mechanisms]\nrsa_pkcs1_decrypt = true\n' >token.toml
  TALLYSTICK_CONF=$PWD/token.toml serves rsa 1.2 -cipher kRSA
}
job "s_server: TLS 1.2, rsa; RSA key exchange, where our token's settings allow it" serves_allowed
old_tls() {
  local port
  port=$(free_port)
  token_server ACCEPT s_server -accept "127.0.0.1:$port" -cert "$mine/rsa.crt" -key "$(key_of rsa)" -tls1_1 \
    -cipher DEFAULT@SECLEVEL=0 -www
  asks "$port" 1.0 "$mine/rsa.crt" -tls1_1 -cipher DEFAULT@SECLEVEL=0
}
job "s_server: TLS 1.1, rsa" old_tls
two_certificates() {
  local port
  port=$(free_port)
  token_server ACCEPT s_server -accept "127.0.0.1:$port" -cert "$mine/rsa.crt" -key "$(key_of rsa)" \
    -dcert "$mine/P-256.crt" -dkey "$(key_of P-256)" -www
  asks "$port" 1.3 "$mine/rsa.crt" -sigalgs RSA-PSS+SHA256
  asks "$port" 1.3 "$mine/P-256.crt" -sigalgs ECDSA+SHA256
}
job "s_server: two keys, RSA and P-256" two_certificates
connects() { # <label> <version>
  local port
  port=$(free_port)
  serve ACCEPT openssl s_server -accept "127.0.0.1:$port" -cert "$keys/authority.crt" -key "$keys/authority.key" \
    -CAfile "$mine/$1.crt" -Verify 1 -verify_return_error "-tls${2/./_}" -www
  printf 'GET / HTTP/1.0\r\n\r\n' >ask
  local status=0
  call_openssl s_client -connect "127.0.0.1:$port" -cert "$mine/$1.crt" -key "$(key_of "$1")" \
    -CAfile "$keys/authority.crt" -verify_return_error -ign_eof <ask >said 2>&1 || status=$?
  if ((status != 0)); then
    reason_of said >reason
    exit "$kRefused"
  fi
  said "^Client certificate"
}
for version in 1.2 1.3; do
  for label in rsa pss P-256 P-384 P-521 ed25519 ed448; do
    job "s_client: TLS $version, $label" connects "$label" "$version"
  done
done
by_uri() {
  local port
  port=$(free_port)
  token_server ACCEPT s_server -accept "127.0.0.1:$port" -cert "$(certificate_of rsa)" -key "$(key_of rsa)" -www
  asks "$port" 1.3 "$mine/rsa.crt"
}
job "s_server: the certificate in the token, too" by_uri
