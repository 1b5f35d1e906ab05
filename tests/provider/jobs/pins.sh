# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: where the PIN comes from; of a key file, its password.

# bare_key: the key's name without a PIN in it; a key file that is encrypted with the PIN.
bare_key() {
  if [ "$the_module" = file ]; then
    plain pkey -in "$keys/rsa.key" -aes256 -passout "pass:$pin" -out encrypted.key
    bare=encrypted.key
  else
    bare="pkcs11:token=line;object=rsa;type=private"
  fi
}
signs_with() { # <option>...
  with_token dgst -sha256 -sign "$bare" "$@" -out signature "$home/message"
  plain dgst -sha256 -verify "$mine/rsa.pub" -signature signature "$home/message"
}
pin_in_uri() {
  bare_key
  [ "$the_module" = file ] || bare="$bare?$1"
  if [ "$the_module" = file ]; then signs_with -passin "pass:$pin"; else signs_with; fi
}
pin_value() { pin_in_uri "pin-value=$pin"; }
job "PIN: pin-value" pin_value
pin_source() { pin_in_uri "pin-source=file:$home/pin"; }
job "PIN: pin-source" pin_source
pin_setting() { # <value>
  bare_key
  if [ "$the_module" = file ]; then
    signs_with -passin "file:$home/pin"
    return
  fi
  # The command line has no settings.
  if [ "$the_configuration" = line ]; then
    TALLYSTICK_PIN=$pin signs_with
    return
  fi
  sed "s|^tallystick-module .*|&\ntallystick-pin = file:$home/pin|" "$home/$the_module-$the_configuration.cnf" \
    >"$home/$the_module-pin-$the_configuration.cnf"
  OPENSSL_CONF=$home/$the_module-pin-$the_configuration.cnf openssl dgst -sha256 -sign "$bare" -out signature \
    "$home/message" >out 2>err </dev/null || {
    reason_of err >reason
    exit "$kRefused"
  }
  plain dgst -sha256 -verify "$mine/rsa.pub" -signature signature "$home/message"
}
job "PIN: tallystick-pin in openssl.cnf" pin_setting
pin_variable() {
  bare_key
  if [ "$the_module" = file ]; then signs_with -passin "pass:$pin"; else TALLYSTICK_PIN=$pin signs_with; fi
}
job "PIN: TALLYSTICK_PIN" pin_variable
pin_passed() {
  bare_key
  signs_with -passin "pass:$pin"
  signs_with -passin "file:$home/pin"
  the_pin=$pin signs_with -passin env:the_pin
}
job "PIN: -passin pass:, file:, env:" pin_passed
pin_typed() {
  bare_key
  # script(1) is the terminal, and types the PIN.
  declare -f call_openssl >call.sh
  declare -p the_module the_configuration provider module_file home >>call.sh
  # shellcheck disable=SC2016
  echo 'call_openssl dgst -sha256 -sign "$1" -out signature "$home/message"' >>call.sh
  printf '%s\n' "$pin" | python3 "$here/typed.py" bash call.sh "$bare" >out 2>&1 || {
    cp out err
    reason_of err >reason
    exit "$kRefused"
  }
  plain dgst -sha256 -verify "$mine/rsa.pub" -signature signature "$home/message"
}
job "PIN: typed" pin_typed
pin_wrong() {
  bare_key
  if call_openssl dgst -sha256 -sign "$bare" -passin pass:99999999 -out signature "$home/message" >said 2>&1; then
    ends_wrong "a wrong PIN opens the key"
  fi
  if [ "$the_module" != file ]; then said "CKR_PIN_INCORRECT"; fi
}
job "PIN: a wrong one is refused" pin_wrong
