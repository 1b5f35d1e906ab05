#!/bin/bash
# curl and nginx, with a key file that holds the URI of a token's key.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "provider, $module_name, curl and nginx"
needs curl curl
nginx=$(PATH=$unpacked/usr/sbin:/usr/sbin:$PATH command -v nginx) ||
  skip "nginx is missing (package nginx)"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
new_key "$home/peer.key"
run openssl req -x509 -key "$home/peer.key" -days 2 -out "$home/peer.crt"
export TALLYSTICK_PIN=$pin

# Master and workers are one user here, because a token's folder belongs to one.
configure() { # <label> <answer>
  mkdir -p "$home/nginx"
  cat >"$home/nginx.conf" <<END
$([ "$(id -u)" != 0 ] || echo "user root root;")
env OPENSSL_CONF;
env TALLYSTICK_HOME;
env TALLYSTICK_PIN;
env SOFTHSM2_CONF;
daemon off;
worker_processes 2;
pid $home/nginx/pid;
error_log stderr info;
events {}
http {
  access_log off;
  client_body_temp_path $home/nginx/body;
  proxy_temp_path $home/nginx/proxy;
  fastcgi_temp_path $home/nginx/fastcgi;
  uwsgi_temp_path $home/nginx/uwsgi;
  scgi_temp_path $home/nginx/scgi;
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $home/$1.crt;
    ssl_certificate_key $home/$1.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
    location / { return 200 "$2"; }
  }
}
END
}
answers() { # <label> <answer> <option of curl>...
  curl -sS --cacert "$home/$1.crt" "${@:3}" "https://127.0.0.1:$port/" >"$home/log" 2>&1 &&
    [ "$(<"$home/log")" = "$2" ]
}

for configuration in beside preferred; do
  stock_tool "provider, $module_name, $configuration"
  the_configuration=$configuration
  for label in rsa ec; do
    run token_openssl pkey -in "$(uri $label)" -out "$home/$label.key"
    run token_openssl req -x509 -key "$(uri $label)" -days 2 -out "$home/$label.crt"

    job "$label: curl with a client certificate"
    port=$(free_port)
    in_background openssl s_server -accept "127.0.0.1:$port" -cert "$home/peer.crt" \
      -key "$home/peer.key" -CAfile "$home/$label.crt" -Verify 1 -verify_return_error -www \
      >"$home/server.log" 2>&1
    until_true grep -q ACCEPT "$home/server.log"
    OPENSSL_CONF=$home/$configuration.cnf run curl -sS --cacert "$home/peer.crt" \
      --cert "$home/$label.crt" --key "$home/$label.key" "https://127.0.0.1:$port/"
    says "Client certificate"
    kill "${started[-1]}"

    job "$label: nginx, and a new configuration while it runs"
    port=$(free_port)
    configure "$label" first
    OPENSSL_CONF=$home/$configuration.cnf in_background "$nginx" -p "$home/nginx" \
      -c "$home/nginx.conf" 2>"$home/nginx.log"
    server=${started[-1]}
    until_true test -s "$home/nginx/pid"
    for version in 1.2 1.3; do
      until_true answers "$label" first --tlsv$version --tls-max $version
      for _ in {1..10}; do
        answers "$label" first --tlsv$version --tls-max $version || {
          cat "$home/nginx.log" "$home/log" >&2
          fail "no answer"
        }
      done
    done
    configure "$label" second
    kill -HUP "$server"
    until_true answers "$label" second
    kill "$server"
    wait "$server" || fail "nginx ended with status $?"
  done
done
