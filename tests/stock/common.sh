# shellcheck shell=bash
# For the scripts here: a home of their own, the module's path in $module, jobs, and what they share.
#
# A script names its tool and then each job before doing it:
#
#   stock_tool "GnuTLS"
#   job "list tokens"
#   run p11tool …
#
# Every job ends as one line of standard output, "stock<TAB>tool<TAB>job<TAB>result", which
# tools/stock makes a table of. A tool that is not there ends the script with status 77.
set -euo pipefail

home=$(mktemp -d)
# The module under a path that fits into every configuration file, whatever the folder is called.
module=$home/libtallystick.so
ln -s "$1" "$module"
export TALLYSTICK_HOME=$home/tokens
unset TALLYSTICK_PIN TALLYSTICK_SO_PIN OPENSSL_CONF OPENSSL_MODULES
so_pin=12345678
pin=87654321
# Where tools/stock unpacks what should not be installed: services, and packages of backports.
unpacked=${TALLYSTICK_STOCK_UNPACKED:-$(dirname "$1")/../stock-unpacked}

the_tool=$(basename "$0" .sh)
the_job=
stock_tool() { the_tool=$1; }
result() { printf 'stock\t%s\t%s\t%s\n' "$the_tool" "$1" "$2"; }
end_job() {
  [ -z "$the_job" ] || result "$the_job" passed
  the_job=
}
job() {
  end_job
  the_job=$1
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# skip <reason>: the tool is not there.
skip() {
  the_job=
  result "-" "skipped: $*"
  exit 77
}
# needs <command or file> <package>
needs() {
  command -v "$1" >/dev/null || [ -e "$1" ] || skip "$1 is missing (package $2)"
}

started=()
# in_background <program>...: a server that ends with the script. (Not a function: its shell would
# end in the server's place.)
in_background() {
  "$@" &
  started+=($!)
}
ends() {
  local status=$? process
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  case $status in
    0) end_job ;;
    77) ;;
    *) [ -z "$the_job" ] || result "$the_job" FAILED ;;
  esac
  rm -rf "$home"
  exit "$status"
}
trap ends EXIT

# Runs a command quietly; shows what it said when it fails.
run() {
  "$@" >"$home/log" 2>&1 </dev/null || {
    cat "$home/log" >&2
    fail "$*"
  }
}
# refused <command>...: it has to fail, and to say so with its status, not by a signal.
refused() {
  local status=0
  "$@" >"$home/log" 2>&1 </dev/null || status=$?
  { [ "$status" != 0 ] && { [ "$status" -lt 126 ] || [ "$status" = 255 ]; }; } || {
    cat "$home/log" >&2
    fail "not refused (status $status): $*"
  }
}
# says <extended regular expression>: the output of the last run() or refused().
says() {
  grep -qE -- "$1" "$home/log" || {
    cat "$home/log" >&2
    fail "the output has no \"$1\""
  }
}
# until_true <command>...: waits for a server, at most 30 s.
until_true() {
  local end=$((SECONDS + 30))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "still not after 30 s: $*"
    sleep 0.05
  done
}
# A loopback port that nobody listens at.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# file_in <directory>... <name>: the first that exists of the multiarch places of a name.
file_in() {
  local name=${!#} found
  found=$(find "${@:1:$#-1}" -path "*/$name" -print -quit 2>/dev/null)
  [ -n "$found" ] && echo "$found"
}

tool() { run pkcs11-tool --module "$module" "$@"; }
make_token() {
  tool --slot-index 0 --init-token --label "$1" --so-pin $so_pin
  tool --token-label "$1" --login --login-type so --so-pin $so_pin --init-pin --pin $pin
}
# offers <mechanism of pkcs11-tool>
offers() {
  tool --list-mechanisms
  grep -qE "^ *$1(,|$)" "$home/log"
}
# make_pair <key type> <label> <id> [option]...: a key pair in the token "line"
make_pair() {
  tool --token-label line --login --pin $pin --keypairgen --key-type "$1" --label "$2" --id "$3" \
    "${@:4}"
}
# public_of <id> <file>: the public key as PEM, read without a login
public_of() {
  tool --token-label line --read-object --type pubkey --id "$1" --output-file "$home/public.der"
  run openssl pkey -pubin -inform DER -in "$home/public.der" -pubout -out "$2"
}
# A signing key outside the token, and what it certifies, for the tests' other ends.
new_key() { # <file>
  run openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

# as_nobody [file of $unpacked]...: p11-kit and sshd treat root in their own way; then the script
# runs again as nobody, on copies that nobody can read.
as_nobody() {
  [ "$(id -u)" = 0 ] || return 0
  local copy=$home status=0 file
  trap - EXIT
  cp --remove-destination "$(readlink -f "$module")" "$module"
  cp "$0" "$(dirname "$0")/common.sh" "$copy"
  for file in "$@"; do
    [ ! -f "$unpacked/$file" ] || install -D "$unpacked/$file" "$copy/stock-unpacked/$file"
  done
  chown -R nobody "$copy"
  setpriv --reuid=nobody --regid=nogroup --clear-groups env TMPDIR="$copy" HOME="$copy" \
    TALLYSTICK_STOCK_UNPACKED="$copy/stock-unpacked" \
    "$copy/$(basename "$0")" "$module" || status=$?
  rm -rf "$copy"
  exit "$status"
}

# openssl's engine "pkcs11" (libp11): $engine_config is a configuration with it, for OPENSSL_CONF.
prepare_engine() {
  engine=$(file_in /usr/lib engines-3/pkcs11.so) ||
    skip "OpenSSL's engine pkcs11 is missing (package libengine-pkcs11-openssl)"
  engine_config=$home/engine.cnf
  cat >"$engine_config" <<EOF
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11_engine
[pkcs11_engine]
engine_id = pkcs11
dynamic_path = $engine
MODULE_PATH = $module
init = 0
$request_config
EOF
}
# What `openssl req` needs of a configuration.
request_config='[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = stock
[extensions]
basicConstraints = critical,CA:TRUE
subjectAltName = DNS:stock,IP:127.0.0.1'
# with_engine <command>...
with_engine() { OPENSSL_CONF=$engine_config run "$@"; }
# key_uri <label>: the private key, with its PIN, as the engine takes it
key_uri() { echo "pkcs11:token=line;object=$1;type=private;pin-value=$pin"; }
# code_signing_certificate <label> <file>: self-signed, for a key of the token
code_signing_certificate() {
  with_engine openssl req -x509 -engine pkcs11 -keyform engine -key "$(key_uri "$1")" -days 2 \
    -out "$2" -addext extendedKeyUsage=codeSigning
}
