# shellcheck shell=bash
# For the scripts here: a token "line" in the module that is tried, and openssl with the provider in
# one of three configurations. Arguments: the module, the provider, the module's name in the table.
# shellcheck source=tests/stock/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stock/common.sh"

provider=$2
module_name=$3
unset TALLYSTICK_MODULE PKCS11_PROVIDER_MODULE
mkdir "$home/softhsm"
export SOFTHSM2_CONF=$home/softhsm.conf
echo "directories.tokendir = $home/softhsm" >"$SOFTHSM2_CONF"

# The configurations: named on every command line; in openssl.cnf behind the default provider; there
# before it and preferred for everything.
# shellcheck disable=SC2034
all_configurations=(line beside preferred)
plain_config=$home/plain.cnf
printf 'openssl_conf = init\n[init]\n%s\n' "$request_config" >"$plain_config"
export OPENSSL_CONF=$plain_config

# configuration <name> <order of the providers> <default properties> <settings of the provider>
configuration() {
  cat >"$home/$1.cnf" <<EOF
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[providers]
$2
[algorithms]
default_properties = $3
[default_provider]
activate = 1
[tallystick_provider]
module = $provider
activate = 1
$4
$request_config
EOF
}
the_default='default = default_provider'
ours='tallystick = tallystick_provider'
configuration beside "$the_default"$'\n'"$ours" "" "tallystick-module = $module"
# With the settings of pkcs11-provider, as somebody has them who comes from there.
configuration preferred "$ours"$'\n'"$the_default" "?provider=tallystick" \
  "pkcs11-module-path = $module
pkcs11-module-load-behavior = late
pkcs11-module-quirks = no-deinit no-operation-state"

# use <configuration>
use() {
  the_configuration=$1
  stock_tool "provider, $module_name, $1"
}
# token_openssl <command> <argument>...: openssl with the provider.
token_openssl() {
  if [ "$the_configuration" = line ]; then
    TALLYSTICK_MODULE=$module openssl "$1" -provider-path "$(dirname "$provider")" \
      -provider tallystick -provider default "${@:2}"
  else
    OPENSSL_CONF=$home/$the_configuration.cnf openssl "$@"
  fi
}
# uri <label> [type]
uri() { echo "pkcs11:token=line;object=$1;type=${2:-private}?pin-value=$pin"; }

# import_key <file of a private key> <label> <id>: both halves, as objects of the token.
import_key() {
  openssl pkey -in "$1" -outform DER -out "$home/import.der"
  openssl pkey -in "$1" -pubout -outform DER -out "$home/import.pub"
  tool --token-label line --login --pin $pin --write-object "$home/import.der" --type privkey \
    --label "$2" --id "$3" "${@:4}"
  tool --token-label line --login --pin $pin --write-object "$home/import.pub" --type pubkey \
    --label "$2" --id "$3"
}
# import_secret <label> <AES|GENERIC> <bytes> <id> <sign|encrypt|derive>...: a secret key of the token;
# its value stands in the files <label>.bin and <label>.hex, too.
import_secret() {
  head -c "$3" /dev/urandom >"$home/$1.bin"
  od -An -v -tx1 "$home/$1.bin" | tr -d ' \n' >"$home/$1.hex"
  run "$TALLYSTICK_TEST_IMPORT" "$module" line $pin "$1" "$2" "$4" "$home/$1.bin" "${@:5}"
}
same_file() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }

make_token line
printf 'a message' >"$home/message"
openssl dgst -sha256 -binary "$home/message" >"$home/digest"
