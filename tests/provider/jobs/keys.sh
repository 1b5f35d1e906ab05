# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: lists, keys as they are, keys that are made.

all_keys=(rsa pss P-256 P-384 P-521 ed25519 ed448 x25519 x448)

lists_providers() {
  with_token list -providers
  said "OpenSSL Default Provider"
  with_token list -store-loaders
  with_token list -key-managers
}
job "list: providers, loaders, key managers" lists_providers

stores() { # <what is said> <URI or file> [option]...
  with_token storeutl "${@:3}" "$2"
  said "$1"
}
all_of_token() {
  if [ "$the_module" = file ]; then
    stores "Total found: 1" "$(key_of rsa)" -noout
  else
    stores "Total found: [1-9][0-9]" "pkcs11:token=line?pin-value=$pin" -noout
  fi
}
public_objects() {
  if [ "$the_module" = file ]; then
    stores "Total found: 1" "$(public_of rsa)" -noout
  else
    stores "Total found: [1-9][0-9]" "pkcs11:token=line" -noout
  fi
}
finds_certificates() {
  stores "^-----BEGIN CERTIFICATE" "$(certificate_of rsa)" -certs
  stores "Subject: .*CN ?= ?rsa" "$(certificate_of rsa)" -certs -text
}
finds_keys() {
  stores "Total found: 1" "$(key_of rsa)" -keys -noout
}
job "storeutl: everything, with the PIN" all_of_token
job "storeutl: what is public, without a PIN" public_objects
job "storeutl -certs: a certificate, as PEM and as text" finds_certificates
job "storeutl -keys: a key" finds_keys

public_key() { # <label>
  with_token pkey -in "$(key_of "$1")" -pubout -outform DER -out got
  plain pkey -pubin -in "$mine/$1.pub" -pubout -outform DER -out expected
  same expected got
  with_token pkey -pubin -in "$(public_of "$1")" -pubout -outform DER -out got
  same expected got
  # As openssl itself writes it.
  plain pkey -pubin -inform DER -in got -pubout -outform DER -out expected
  same expected got
}
for label in "${all_keys[@]}"; do
  job "pkey -pubout: $label, byte for byte, from both halves" public_key "$label"
done

shows() { # <label>
  with_token pkey -in "$(key_of "$1")" -noout -text
  said "Private-Key"
  with_token pkey -in "$(key_of "$1")" -noout -text_pub
  said "Public-Key"
}
for label in rsa P-256 ed25519 x25519; do job "pkey -text: $label" shows "$label"; done
checks() {
  with_token pkey -in "$(key_of "$1")" -noout -check
  said "Key is valid"
  with_token pkey -in "$(key_of "$1")" -noout -pubcheck
}
for label in rsa P-256; do job "pkey -check: $label" checks "$label"; done

old_rsa() {
  with_token rsa -in "$(key_of rsa)" -pubout -outform DER -out got
  plain rsa -pubin -in "$mine/rsa.pub" -pubout -outform DER -out expected
  same expected got
  with_token rsa -in "$(key_of rsa)" -noout -modulus
  said "^Modulus=[0-9A-F]{512}$"
}
old_ec() {
  with_token ec -in "$(key_of P-256)" -pubout -outform DER -out got
  plain ec -pubin -in "$mine/P-256.pub" -pubout -outform DER -out expected
  same expected got
  with_token ec -in "$(key_of P-256)" -noout -param_out
}
job "rsa -pubout, -modulus" old_rsa
job "ec -pubout" old_ec

takes_out() { with_token "$@" -out got; }
leaves_as_pem() {
  with_token pkey -in "$(key_of P-256)" -out again.pem
  TALLYSTICK_PIN=$pin with_token dgst -sha256 -sign again.pem -out signature "$home/message"
  plain dgst -sha256 -verify "$mine/P-256.pub" -signature signature "$home/message"
}
job "pkey: a PEM that stands for the key, used as a key file" leaves_as_pem
takes_key_out() { takes_out "${@:2}" -in "$(key_of "$1")"; }
job "pkey -outform DER: the private key itself" takes_key_out rsa pkey -outform DER
job "rsa -traditional: the private key itself" takes_key_out rsa rsa -traditional
# It reads key files only: the key's URI stands in one.
takes_key_out_of_file() {
  with_token pkey -in "$(key_of P-256)" -out key.pem
  TALLYSTICK_PIN=$pin takes_out pkcs8 -topk8 -nocrypt -outform DER -in key.pem
}
job "pkcs8 -topk8 -outform DER: the private key itself" takes_key_out_of_file
exports_pkcs12() {
  with_token pkcs12 -export -inkey "$(key_of rsa)" -in "$mine/rsa.crt" -passout pass:x -out got
}
job "pkcs12 -export: the private key itself" exports_pkcs12
exports_certificates() {
  with_token pkcs12 -export -nokeys -in "$(certificate_of rsa)" -passout pass:x -out got
  plain pkcs12 -in got -passin pass:x -nokeys
  said "BEGIN CERTIFICATE"
}
job "pkcs12 -export -nokeys: the token's certificate" exports_certificates

# Where a key is to be made, in a command's options; a file has nothing to say.
made_in() { # <label>
  making=()
  if [ "$the_module" != file ]; then
    making=(-propquery '?provider=tallystick'
      -pkeyopt "tallystick_uri:pkcs11:token=line;object=$name-$1?pin-value=$pin")
  fi
}
makes() { # <label> <how it is used> <option of genpkey>...
  made_in "$1"
  with_token genpkey "${making[@]}" "${@:3}" -out made.pem
  [ -s made.pem ] || ends_wrong "nothing written"
  export TALLYSTICK_PIN=$pin
  with_token pkey -in made.pem -pubout -out made.pub
  case $2 in
    signs)
      with_token dgst -sha256 -sign made.pem -out signature "$home/message"
      plain dgst -sha256 -verify made.pub -signature signature "$home/message"
      ;;
    signs-raw)
      with_token pkeyutl -sign -rawin -inkey made.pem -in "$home/message" -out signature
      plain pkeyutl -verify -rawin -pubin -inkey made.pub -in "$home/message" -sigfile signature
      ;;
    agrees)
      plain genpkey -algorithm "$4" -out peer.key
      plain pkey -in peer.key -pubout -out peer.pub
      with_token pkeyutl -derive -inkey made.pem -peerkey peer.pub -out ours
      plain pkeyutl -derive -inkey peer.key -peerkey made.pub -out theirs
      same ours theirs
      ;;
    opens)
      plain pkeyutl -encap -pubin -inkey made.pub -out sent -secret theirs
      with_token pkeyutl -decap -inkey made.pem -in sent -secret ours
      same ours theirs
      ;;
  esac
  unset TALLYSTICK_PIN
}
makes_pss() {
  makes "$1" signs -algorithm RSA-PSS "${@:2}"
  plain asn1parse -in made.pub
  said "rsassaPss"
}
job "genpkey: RSA" makes rsa signs -algorithm RSA -pkeyopt rsa_keygen_bits:2048
job "genpkey: RSA of 3072 bits, exponent 65539" makes rsa3 signs -algorithm RSA \
  -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:65539
job "genpkey: RSA-PSS" makes_pss pss
job "genpkey: RSA-PSS for SHA-256" makes_pss pss256 -pkeyopt rsa_pss_keygen_md:sha256 \
  -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32
for label in P-256 P-384 P-521; do
  job "genpkey: $label" makes "$label" signs -algorithm EC -pkeyopt ec_paramgen_curve:"$label"
done
job "genpkey: brainpoolP256r1" makes bp signs -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1
job "genpkey: secp256k1" makes k1 signs -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
job "genpkey: Ed25519" makes ed25519 signs-raw -algorithm ED25519
job "genpkey: Ed448" makes ed448 signs-raw -algorithm ED448
job "genpkey: X25519" makes x25519 agrees -algorithm X25519
job "genpkey: X448" makes x448 agrees -algorithm X448
# From OpenSSL 3.5 on.
for label in ML-DSA-44 ML-DSA-65 ML-DSA-87 SLH-DSA-SHA2-128s SLH-DSA-SHAKE-256f; do
  job "genpkey: $label" makes "$label" signs-raw -algorithm "$label"
done
for label in ML-KEM-512 ML-KEM-768 ML-KEM-1024; do
  job "genpkey: $label" makes "$label" opens -algorithm "$label"
done
makes_by_parameters() {
  plain genpkey -genparam -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out curve.pem
  makes param signs -paramfile curve.pem
}
job "genpkey -paramfile: P-384" makes_by_parameters
makes_outside() {
  with_token genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:secret \
    -out outside.key
  plain pkey -in outside.key -passin pass:secret -noout
  with_token ecparam -name prime256v1 -genkey -noout -out outside.key
  plain pkey -in outside.key -noout
}
job "genpkey, ecparam: a key in a file, encrypted" makes_outside
