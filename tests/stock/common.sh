# shellcheck shell=bash
# For the scripts here: a home of its own, the module's path in $module, and run().
set -euo pipefail

module=$1
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export TALLYSTICK_HOME=$home/tokens
so_pin=12345678
pin=87654321

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# Runs a command quietly; shows what it said when it fails.
run() {
  "$@" >"$home/log" 2>&1 || {
    cat "$home/log" >&2
    fail "$*"
  }
}
tool() { run pkcs11-tool --module "$module" "$@"; }
make_token() {
  tool --slot-index 0 --init-token --label "$1" --so-pin $so_pin
  tool --token-label "$1" --login --login-type so --so-pin $so_pin --init-pin --pin $pin
}
