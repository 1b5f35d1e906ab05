# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: what is encrypted for a key, and secrets agreed on with it.

opens() { # [option of pkeyutl]...
  plain pkeyutl -encrypt -pubin -inkey "$mine/rsa.pub" "$@" -in "$home/secret" -out sealed
  with_token pkeyutl -decrypt -inkey "$(key_of rsa)" "$@" -in sealed -out opened
  same "$home/secret" opened
}
oaep=(-pkeyopt rsa_padding_mode:oaep)
job "pkeyutl -decrypt: PKCS#1 v1.5" opens
# Our token does it when its settings allow it.
opens_allowed() {
  printf '[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = true\n' >token.toml
  TALLYSTICK_CONF=$PWD/token.toml opens
  opens_raw_with "$PWD/token.toml"
}
opens_raw_with() {
  head -c 256 /dev/zero >block
  printf 'end' | dd of=block bs=1 seek=253 conv=notrunc 2>/dev/null
  plain pkeyutl -encrypt -pubin -inkey "$mine/rsa.pub" -pkeyopt rsa_padding_mode:none -in block -out sealed
  TALLYSTICK_CONF=$1 with_token pkeyutl -decrypt -inkey "$(key_of rsa)" -pkeyopt rsa_padding_mode:none \
    -in sealed -out opened
  same block opened
}
opens_raw() {
  : >token.toml
  opens_raw_with "$PWD/token.toml"
}
job "pkeyutl -decrypt: no padding" opens_raw
job "pkeyutl -decrypt: both, where our token's settings allow them" opens_allowed
job "pkeyutl -decrypt: OAEP, nothing said of digests" opens "${oaep[@]}"
for digest in sha1 sha224 sha256 sha384 sha512 sha3-256; do
  job "pkeyutl -decrypt: OAEP, $digest" opens "${oaep[@]}" -pkeyopt rsa_oaep_md:"$digest"
done
job "pkeyutl -decrypt: OAEP, sha256, mask sha1" opens "${oaep[@]}" -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1
job "pkeyutl -decrypt: OAEP, sha1, mask sha512" opens "${oaep[@]}" -pkeyopt rsa_mgf1_md:sha512
job "pkeyutl -decrypt: OAEP, sha384, mask sha384, a label" opens "${oaep[@]}" -pkeyopt rsa_oaep_md:sha384 \
  -pkeyopt rsa_mgf1_md:sha384 -pkeyopt rsa_oaep_label:616c6c65
job "pkeyutl -decrypt: OAEP, sha1, a label" opens "${oaep[@]}" -pkeyopt rsa_oaep_label:00ff616c
wrong_label() {
  plain pkeyutl -encrypt -pubin -inkey "$mine/rsa.pub" "${oaep[@]}" -in "$home/secret" -out sealed
  if call_openssl pkeyutl -decrypt -inkey "$(key_of rsa)" "${oaep[@]}" -pkeyopt rsa_oaep_label:616c \
    -in sealed -out opened >said 2>&1; then
    # SoftHSM2 does not look at labels, and nobody outside it can tell.
    [ "$the_module" = softhsm ] || ends_wrong "another label opens it"
    echo "the module does not look at the label: another one opens the message, too" >reason
    exit "$kRefused"
  fi
  return 0
}
job "pkeyutl -decrypt: OAEP, another label does not open it" wrong_label
seals() {
  with_token pkeyutl -encrypt -pubin -inkey "$(public_of rsa)" "${oaep[@]}" -in "$home/secret" -out sealed
  with_token pkeyutl -encrypt -inkey "$(key_of rsa)" "${oaep[@]}" -in "$home/secret" -out sealed2
  with_token pkeyutl -decrypt -inkey "$(key_of rsa)" "${oaep[@]}" -in sealed -out opened
  same "$home/secret" opened
}
job "pkeyutl -encrypt: by both halves" seals
old_opens() { # <option of rsautl>
  plain rsautl -encrypt -pubin -inkey "$mine/rsa.pub" "$1" -in "$home/secret" -out sealed
  with_token rsautl -decrypt -inkey "$(key_of rsa)" "$1" -in sealed -out opened
  same "$home/secret" opened
}
job "rsautl -decrypt -oaep" old_opens -oaep
job "rsautl -decrypt: PKCS#1 v1.5" old_opens -pkcs

agrees() { # <label> [option]...
  if [[ $1 == P-* ]]; then
    plain genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$1" -out peer.key
  else
    plain genpkey -algorithm "$1" -out peer.key
  fi
  plain pkey -in peer.key -pubout -out peer.pub
  with_token pkeyutl -derive -inkey "$(key_of "$1")" -peerkey peer.pub "${@:2}" -out ours
  plain pkeyutl -derive -inkey peer.key -peerkey "$mine/$1.pub" "${@:2}" -out theirs
  same theirs ours
}
for label in P-256 P-384 P-521 x25519 x448; do job "pkeyutl -derive: $label" agrees "$label"; done
for label in P-256 P-521; do
  job "pkeyutl -derive: $label, X9.63 derivation" agrees "$label" -pkeyopt kdf-type:X963KDF \
    -pkeyopt kdf-digest:sha256 -pkeyopt kdf-outlen:48
done
job "pkeyutl -derive: P-256, X9.63 with shared information" agrees P-256 -pkeyopt kdf-type:X963KDF \
  -pkeyopt kdf-digest:sha512 -pkeyopt kdf-outlen:100 -pkeyopt hexkdf-ukm:00112233
job "pkeyutl -derive: P-256, with the cofactor" agrees P-256 -pkeyopt ecdh_cofactor_mode:1
agrees_in_token() {
  with_token pkeyutl -derive -inkey "$(key_of P-256)" -peerkey "$(public_of P-256)" -out ours
  plain pkeyutl -derive -inkey "$keys/P-256.key" -peerkey "$mine/P-256.pub" -out theirs
  same theirs ours
}
job "pkeyutl -derive: the peer's key in the token, too" agrees_in_token

opens_cms() { # <label> <option of -encrypt>... [-- <option after the recipient>...]
  local options=() label=$1
  shift
  while (($#)) && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  plain cms -encrypt -binary "${options[@]}" -in "$home/message" -outform DER -out sealed -recip "$mine/$label.crt" "${@:2}"
  with_token cms -decrypt -binary -inform DER -in sealed -inkey "$(key_of "$label")" -recip "$mine/$label.crt" -out opened
  same "$home/message" opened
}
job "cms -decrypt: RSA, PKCS#1 v1.5" opens_cms rsa -aes256
job "cms -decrypt: RSA, OAEP" opens_cms rsa -aes256 -- -keyopt rsa_padding_mode:oaep
job "cms -decrypt: RSA, OAEP with SHA-256" opens_cms rsa -aes256 -- -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
job "cms -decrypt: RSA, OAEP, AuthEnvelopedData" opens_cms rsa -aes-256-gcm -- -keyopt rsa_padding_mode:oaep
for label in P-256 P-384 P-521; do job "cms -decrypt: $label" opens_cms "$label" -aes256; done
job "cms -decrypt: P-256, SHA-256, AES-256 wrap" opens_cms P-256 -aes256 -aes256-wrap -- -keyopt ecdh_kdf_md:sha256
job "cms -decrypt: P-256, AuthEnvelopedData" opens_cms P-256 -aes-128-gcm
job "cms -decrypt: P-384, AuthEnvelopedData, SHA-384" opens_cms P-384 -aes-256-gcm -- -keyopt ecdh_kdf_md:sha384
job "cms -decrypt: P-256, recipient by key id" opens_cms P-256 -aes256 -keyid
two_recipients() {
  plain cms -encrypt -binary -aes256 -in "$home/message" -outform DER -out sealed \
    -recip "$mine/rsa.crt" -keyopt rsa_padding_mode:oaep -recip "$mine/P-256.crt" -recip "$keys/authority.crt"
  with_token cms -decrypt -binary -inform DER -in sealed -inkey "$(key_of P-256)" -recip "$mine/P-256.crt" -out opened
  same "$home/message" opened
}
job "cms -decrypt: among several recipients" two_recipients
no_certificate() {
  plain cms -encrypt -binary -aes256 -in "$home/message" -outform DER -out sealed -recip "$mine/rsa.crt" \
    -keyopt rsa_padding_mode:oaep
  with_token cms -decrypt -binary -inform DER -in sealed -inkey "$(key_of rsa)" -out opened
  same "$home/message" opened
}
job "cms -decrypt: RSA, OAEP, no certificate given" no_certificate
opens_smime() {
  plain smime -encrypt -binary -aes256 -in "$home/message" -out sealed "$mine/rsa.crt"
  with_token smime -decrypt -in sealed -inkey "$(key_of rsa)" -recip "$mine/rsa.crt" -out opened
  same "$home/message" opened
}
job "smime -decrypt: RSA, PKCS#1 v1.5" opens_smime
