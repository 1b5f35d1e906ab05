#!/bin/bash
# nginx: HTTPS with the key in the token, by libp11's engine; workers that are forked after the key
# was loaded, and a new configuration while it runs.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "nginx"
needs curl curl
nginx=$(PATH=$unpacked/usr/sbin:/usr/sbin:$PATH command -v nginx) ||
  skip "nginx is missing (package nginx)"
prepare_engine

make_token line
make_pair EC:prime256v1 ec 01
make_pair rsa:2048 rsa 02
labels=(ec rsa)

# Master and workers are one user here, because a token's folder belongs to one.
configure() { # <label> <answer>
  mkdir -p "$home/nginx"
  cat >"$home/nginx.conf" <<EOF
$([ "$(id -u)" != 0 ] || echo "user root root;")
env OPENSSL_CONF;
env TALLYSTICK_HOME;
daemon off;
worker_processes 2;
pid $home/nginx/pid;
error_log stderr info;
ssl_engine pkcs11;
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
    ssl_certificate_key "engine:pkcs11:$(key_uri "$1")";
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
    location / { return 200 "$2"; }
  }
}
EOF
}
answers() { # <label> <answer> <option of curl>...
  curl -sS --cacert "$home/$1.crt" "${@:3}" "https://127.0.0.1:$port/" >"$home/log" 2>&1 &&
    [ "$(<"$home/log")" = "$2" ]
}

for label in "${labels[@]}"; do
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$(key_uri "$label")" -days 2 \
    -out "$home/$label.crt"
  port=$(free_port)
  configure "$label" first
  OPENSSL_CONF=$engine_config in_background "$nginx" -p "$home/nginx" -c "$home/nginx.conf" \
    2>"$home/nginx.log"
  server=${started[-1]}
  until_true test -s "$home/nginx/pid"
  for version in 1.2 1.3; do
    job "$label: TLS $version in forked workers"
    until_true answers "$label" first --tlsv$version --tls-max $version
    for _ in {1..20}; do
      answers "$label" first --tlsv$version --tls-max $version || {
        cat "$home/nginx.log" "$home/log" >&2
        fail "no answer"
      }
    done
  done

  job "$label: a new configuration while it runs"
  configure "$label" second
  kill -HUP "$server"
  until_true answers "$label" second
  kill "$server"
  wait "$server" || fail "nginx ended with status $?"
done
