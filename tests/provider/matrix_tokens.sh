# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what the matrix sets and uses
# For tests/provider/matrix: the same keys in files and in a token of each module, and the
# configurations of openssl.

# shellcheck source=tests/stock/common.sh
. "$root/tests/stock/common.sh" "$build/pkcs11/libtallystick.so"
the_tool=matrix
# What is built may change while this runs.
mkdir "$home/built"
cp --remove-destination "$(readlink -f "$module")" "$module"
cp "$provider" "$home/built"
provider=$home/built/tallystick.so
unset TALLYSTICK_MODULE PKCS11_PROVIDER_MODULE TALLYSTICK_CONF
mkdir "$home/softhsm-tokens" "$home/keys" "$home/jobs"
export SOFTHSM2_CONF=$home/softhsm.conf
echo "directories.tokendir = $home/softhsm-tokens" >"$SOFTHSM2_CONF"
printf 'openssl_conf = init\n[init]\n%s\n' "$request_config" >"$home/plain.cnf"
export OPENSSL_CONF=$home/plain.cnf
printf '%s' $pin >"$home/pin"
keys=$home/keys

declare -A module_file=(
  [tallystick]=$module
  [softhsm]=$(file_in /usr/lib softhsm/libsofthsm2.so)
  [remote]=$(file_in /usr/lib pkcs11/p11-kit-client.so))

imported=(rsa P-256 P-384 P-521)
generated=(pss ed25519 ed448 x25519 x448)
declare -A algorithm=(
  [rsa]="RSA -pkeyopt rsa_keygen_bits:2048" [pss]="RSA-PSS -pkeyopt rsa_keygen_bits:2048"
  [P-256]="EC -pkeyopt ec_paramgen_curve:P-256" [P-384]="EC -pkeyopt ec_paramgen_curve:P-384"
  [P-521]="EC -pkeyopt ec_paramgen_curve:P-521" [ed25519]=ED25519 [ed448]=ED448
  [x25519]=X25519 [x448]=X448)

# certificate <how openssl is called> <folder> <label> <key>: self-signed; of keys that cannot sign,
# by the authority.
certificate() {
  case $3 in
    x*)
      "$1" pkey -in "$4" -pubout -out "$2/$3.pub"
      run openssl x509 -new -subj "/CN=$3" -force_pubkey "$2/$3.pub" -CA "$keys/authority.crt" \
        -CAkey "$keys/authority.key" -CAcreateserial -days 2 -out "$2/$3.crt"
      ;;
    *)
      run "$1" req -x509 -key "$4" -subj "/CN=$3" -days 2 -out "$2/$3.crt"
      run openssl x509 -in "$2/$3.crt" -noout -pubkey
      cp "$home/log" "$2/$3.pub"
      ;;
  esac
}

make_keys() {
  local label
  printf 'a message' >"$home/message"
  printf 'secret' >"$home/secret"
  head -c 3000000 /dev/zero >"$home/large"
  for label in sha1 sha224 sha256 sha384 sha512 sha3-256; do
    openssl dgst "-$label" -binary "$home/message" >"$home/$label.bin"
  done
  new_key "$keys/authority.key"
  run openssl req -x509 -key "$keys/authority.key" -subj /CN=authority -days 2 \
    -out "$keys/authority.crt"
  new_key "$keys/leaf.key"
  run openssl pkey -in "$keys/leaf.key" -pubout -out "$keys/leaf.pub"
  run openssl req -new -key "$keys/leaf.key" -subj /CN=leaf -out "$keys/leaf.csr"
  mkdir "$home/file"
  for label in "${imported[@]}" "${generated[@]}"; do
    # shellcheck disable=SC2086
    run openssl genpkey -algorithm ${algorithm[$label]} -out "$keys/$label.key"
    certificate openssl "$home/file" "$label" "$keys/$label.key"
  done
}

# configuration <module> <configuration> <providers> <properties> [setting]
configuration() {
  cat >"$home/$1-$2.cnf" <<END
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[providers]
$3
[algorithms]
default_properties = $4
[default_provider]
activate = 1
[tallystick_provider]
module = $provider
tallystick-module = ${module_file[$1]}
activate = 1
${5:-}
$request_config
END
}

# import_key <label> <id> [option]...: both halves and the certificate, as objects of the token
import_key() {
  run openssl pkey -in "$keys/$1.key" -outform DER -out "$home/import.der"
  run openssl pkey -in "$keys/$1.key" -pubout -outform DER -out "$home/import.pub"
  run openssl x509 -in "$home/file/$1.crt" -outform DER -out "$home/import.crt"
  local type
  for type in privkey:der pubkey:pub cert:crt; do
    tool --token-label line --login --pin $pin --write-object "$home/import.${type#*:}" \
      --type "${type%:*}" --label "$1" --id "$2" "${@:3}"
  done
}

# make_token_of <module>
make_token_of() {
  local label id=1 extra ours='tallystick = tallystick_provider'
  local the_default='default = default_provider' key=$home/$1
  configuration "$1" beside "$the_default"$'\n'"$ours" ""
  configuration "$1" preferred "$ours"$'\n'"$the_default" '?provider=tallystick'
  if [ "$1" = remote ]; then
    # The same token, with the keys that it has without a server.
    [ -d "$home/tallystick" ] || make_token_of tallystick
    cp -r "$home/tallystick" "$key"
    in_background p11-kit server --foreground --provider "${module_file[tallystick]}" \
      --name "$home/server" "pkcs11:token=line" >"$home/server.log" 2>&1
    until_true test -S "$home/server"
    export P11_KIT_SERVER_ADDRESS=unix:path=$home/server
    return
  fi
  mkdir "$key"
  module=${module_file[$1]}
  make_token line
  for label in "${imported[@]}"; do
    extra=()
    case $label in
      rsa) extra=(--usage-sign --usage-decrypt) ;;
      P-*) extra=(--usage-sign --usage-derive) ;;
    esac
    import_key "$label" "0$id" "${extra[@]}"
    cp "$home/file/$label".* "$key"
    id=$((id + 1))
  done
  for label in "${generated[@]}"; do
    # Where the module has no such keys, its jobs are refused for want of one.
    # shellcheck disable=SC2086
    if OPENSSL_CONF=$home/$1-beside.cnf openssl genpkey -propquery '?provider=tallystick' \
      -algorithm ${algorithm[$label]} -out "$key/$label.uri" \
      -pkeyopt "tallystick_uri:pkcs11:token=line;object=$label;id=%0$id?pin-value=$pin" \
      >"$home/log" 2>&1; then
      the_module=$1 the_configuration=beside
      certificate call_openssl "$key" "$label" "$(key_of "$label")"
    fi
    id=$((id + 1))
  done
}

# What names a key of the token; of the key file in its place.
key_of() {
  if [ "$the_module" = file ]; then
    echo "$keys/$1.key"
  else
    echo "pkcs11:token=line;object=$1;type=private?pin-value=$pin"
  fi
}
public_of() {
  if [ "$the_module" = file ]; then
    echo "$home/file/$1.pub"
  else
    echo "pkcs11:token=line;object=$1;type=public"
  fi
}
certificate_of() {
  if [ "$the_module" = file ]; then
    echo "$home/file/$1.crt"
  else
    echo "pkcs11:token=line;object=$1;type=cert"
  fi
}

# call_openssl <command> <argument>...: openssl as the configuration has it
call_openssl() {
  case $the_configuration in
    plain) timeout --foreground 120 openssl "$@" ;;
    line)
      TALLYSTICK_MODULE=${module_file[$the_module]} timeout --foreground 120 openssl "$1" \
        -provider-path "$(dirname "$provider")" -provider tallystick -provider default "${@:2}"
      ;;
    *) OPENSSL_CONF=$home/$the_module-$the_configuration.cnf timeout --foreground 120 openssl "$@" ;;
  esac
}
