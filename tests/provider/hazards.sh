#!/bin/bash
# What providers stumble over: odd keys, several tokens, modules that are far away or found by p11-kit.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

second_pin=13572468
tool --slot-index 1 --init-token --label second --so-pin $so_pin
tool --token-label second --login --login-type so --so-pin $so_pin --init-pin --pin $second_pin
tool --token-label second --login --pin $second_pin --keypairgen --key-type EC:prime256v1 \
  --label ec --id 01
make_pair EC:prime256v1 ec 01
make_pair rsa:2048 rsa 02
make_pair EC:prime256v1 lone 03
tool --token-label line --login --pin $pin --delete-object --type pubkey --id 03
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$home/pss.key" 2>/dev/null
openssl pkey -in "$home/pss.key" -pubout -out "$home/pss.pem"

# EC keys whose parameters are spelled out. Our token takes curves by their names only.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit \
  -out "$home/explicit.key"
[ "$module_name" = tallystick ] || import_key "$home/explicit.key" explicit 04 --usage-sign

# Key files in every form in which libcrypto writes them.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/form-ec.key"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$home/form-rsa.key" 2>/dev/null
for encoding in der pem; do
  for kind in ec rsa; do
    key=$home/form-$kind.key
    openssl pkey -in "$key" -pubout -out "$home/form-$kind.pub"
    openssl pkcs8 -topk8 -nocrypt -in "$key" -outform $encoding -out "$home/form-$kind-pkcs8.$encoding"
  done
  openssl ec -in "$home/form-ec.key" -outform $encoding -out "$home/form-ec-sec1.$encoding" 2>/dev/null
  openssl rsa -in "$home/form-rsa.key" -traditional -outform $encoding \
    -out "$home/form-rsa-pkcs1.$encoding" 2>/dev/null
  openssl pkcs8 -topk8 -in "$home/form-rsa.key" -passout pass:0000 -outform $encoding \
    -out "$home/form-rsa-encrypted.$encoding"
done

for configuration in "${all_configurations[@]}"; do
  use "$configuration"

  if [ "$module_name" != tallystick ]; then
    job "EC public keys with explicit parameters leave with the curve's name"
    run token_openssl pkey -in "$(uri explicit)" -pubout -out "$home/explicit.pem"
    run openssl asn1parse -in "$home/explicit.pem"
    says "prime256v1"
    run token_openssl dgst -sha256 -sign "$(uri explicit)" -out "$home/signature" "$home/message"
    run openssl dgst -sha256 -verify "$home/explicit.pem" -signature "$home/signature" \
      "$home/message"
    run token_openssl req -x509 -key "$(uri explicit)" -days 2 -out "$home/explicit.crt"
    run openssl verify -check_ss_sig -CAfile "$home/explicit.crt" "$home/explicit.crt"
  fi

  job "the p11-kit trust module: its certificates without a PIN, and beside a token"
  trust=$(file_in /usr/lib pkcs11/p11-kit-trust.so) || fail "p11-kit's trust module is not there"
  TALLYSTICK_PIN=$pin run token_openssl storeutl -noout "pkcs11:?module-path=$trust"
  run token_openssl dgst -sha256 -sign "$(uri ec)" -out "$home/signature" "$home/message"
  # All that p11-kit has registered, the trust module among them, where nobody names a module.
  if [ "$configuration" = line ]; then
    refused openssl pkey -provider-path "$(dirname "$provider")" -provider tallystick \
      -provider default -in "pkcs11:token=nowhere;object=none" -noout
    says "no such token|module failed"
  fi

  job "genpkey that makes a key and cannot write it names the key"
  refused token_openssl genpkey -propquery '?provider=tallystick' -algorithm EC \
    -pkeyopt ec_paramgen_curve:P-256 -outform DER -out "$home/made.der" \
    -pkeyopt "tallystick_uri:pkcs11:token=line;object=made-$configuration?pin-value=$pin"
  says "does not leave the token; its URI is pkcs11:.*object=made-$configuration"
  run token_openssl pkey -in "$(uri "made-$configuration")" -noout

  job "key files of every form are read as they are without the provider"
  for form in ec-sec1 ec-pkcs8 rsa-pkcs1 rsa-pkcs8 rsa-encrypted; do
    for encoding in der pem; do
      file=$home/form-$form.$encoding
      run token_openssl pkey -in "$file" -passin pass:0000 -pubout -out "$home/form.pub"
      same_file "$home/form.pub" "$home/form-${form%-*}.pub"
      # What decoders say of data that is not theirs must not stay in the queue and be read as a failure.
      [ ! -s "$home/log" ] || fail "openssl says of $form in $encoding: $(cat "$home/log")"
    done
  done

  job "two tokens, two PINs, one command"
  second="pkcs11:token=second;object=ec?pin-value=$second_pin"
  run token_openssl req -x509 -key "$second" -subj /CN=second -days 2 -out "$home/second.crt"
  run token_openssl req -new -key "$(uri ec)" -out "$home/first.csr"
  run token_openssl x509 -req -in "$home/first.csr" -CA "$home/second.crt" -CAkey "$second" \
    -CAcreateserial -days 2 -out "$home/first.crt"
  run openssl verify -CAfile "$home/second.crt" "$home/first.crt"

  job "a PIN is given to one token only"
  refused token_openssl pkey -in "pkcs11:object=ec?pin-value=$pin" -noout
  says "ambiguous uri.*2 tokens that want a PIN match"

  job "a private key whose public key object is gone"
  if [ "$module_name" = tallystick ]; then
    run token_openssl pkey -in "$(uri lone)" -pubout -out "$home/lone.pem"
    run token_openssl dgst -sha256 -sign "$(uri lone)" -out "$home/signature" "$home/message"
    run openssl dgst -sha256 -verify "$home/lone.pem" -signature "$home/signature" "$home/message"
  else
    # SoftHSM2 does not tell the public part then.
    refused token_openssl pkey -in "$(uri lone)" -pubout
    says "bad key.*does not tell the key's public part"
  fi

  job "a key without the use that is asked for"
  refused token_openssl pkeyutl -derive -inkey "$(uri rsa)" -peerkey "$home/pss.pem"

  job "an RSA-PSS key in a file beside the provider"
  run token_openssl dgst -sha256 -sign "$home/pss.key" -out "$home/signature" "$home/message"
  run openssl dgst -sha256 -verify "$home/pss.pem" -signature "$home/signature" "$home/message"
done

job "a setting that is none, and one with a wrong value"
use beside
for setting in "tallystick-load = sometimes" "pkcs11-module-login-behavior = maybe"; do
  configuration wrong "$the_default"$'\n'"$ours" "" "$setting"
  OPENSSL_CONF=$home/wrong.cnf refused openssl pkey -in "$(uri ec)" -noout
  says "bad setting.*${setting%% *}"
done

client=$(file_in /usr/lib pkcs11/p11-kit-client.so) || fail "p11-kit's client module is not there"
in_background p11-kit server --foreground --provider "$module" --name "$home/server" \
  "pkcs11:token=line" >"$home/server.log" 2>&1
until_true test -S "$home/server"
export P11_KIT_SERVER_ADDRESS=unix:path=$home/server
module=$client
configuration beside "$the_default"$'\n'"$ours" "" "tallystick-module = $module"
configuration preferred "$ours"$'\n'"$the_default" "?provider=tallystick" \
  "tallystick-module = $module"
module_name="$module_name by p11-kit server"
for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for label in rsa ec; do
    job "$label: sign and certify"
    run token_openssl pkey -in "$(uri $label)" -pubout -out "$home/mine.pem"
    run token_openssl dgst -sha256 -sign "$(uri $label)" -out "$home/signature" "$home/message"
    run openssl dgst -sha256 -verify "$home/mine.pem" -signature "$home/signature" "$home/message"
    run token_openssl req -x509 -key "$(uri $label)" -days 2 -out "$home/mine.crt"
    run openssl verify -check_ss_sig -CAfile "$home/mine.crt" "$home/mine.crt"
  done
  job "generate"
  run token_openssl genpkey -propquery '?provider=tallystick' -algorithm EC \
    -pkeyopt ec_paramgen_curve:P-256 \
    -pkeyopt "tallystick_uri:pkcs11:token=line;object=far-$configuration?pin-value=$pin" \
    -out "$home/far.uri"
done
