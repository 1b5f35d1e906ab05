#!/bin/bash
# Programs that use the provider in ways no command does: many threads, children, a module that
# somebody else uses and ends. The fourth argument is the program with these tests.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/spare.key"
import_key "$home/spare.key" spare 03

second_pin=24682468
number=1
for label in second spoilt; do
  tool --slot-index $number --init-token --label $label --so-pin $so_pin
  its_pin=$pin
  [ $label = spoilt ] || its_pin=$second_pin
  tool --token-label $label --login --login-type so --so-pin $so_pin --init-pin --pin $its_pin
  tool --token-label $label --login --pin $its_pin --keypairgen --key-type EC:prime256v1 --label ec \
    --id 01
  number=$((number + 1))
done
export TALLYSTICK_TEST_SECOND_PIN=$second_pin
# SoftHSM2 forgets a token whose folder was away, for as long as the process lives.
[ "$module_name" != tallystick ] || export TALLYSTICK_TEST_TOKENS=$TALLYSTICK_HOME

# RSA key exchange is PKCS#1 v1.5, which our token does when its settings allow it.
printf '[mechanisms]\nrsa_pkcs1_decrypt = true\n' >"$home/token.toml"
export TALLYSTICK_CONF=$home/token.toml

use beside
job "a program: threads, children, foreign users of the module, RSA key exchange"
export TALLYSTICK_TEST_MODULE=$module TALLYSTICK_TEST_PROVIDER=$provider TALLYSTICK_TEST_PIN=$pin
"$4" || fail "the program's tests"

for configuration in beside preferred; do
  use $configuration
  job "other users of openssl.cnf: pkcs11-tool, softhsm2-util"
  OPENSSL_CONF=$home/$configuration.cnf run pkcs11-tool --module "$module" --token-label line \
    --login --pin $pin --list-objects
  OPENSSL_CONF=$home/$configuration.cnf run softhsm2-util --show-slots
  job "digests and random numbers before any token"
  run token_openssl dgst -sha256 -binary -out "$home/again" "$home/message"
  same_file "$home/digest" "$home/again"
  run token_openssl rand -out "$home/random" 64
done
