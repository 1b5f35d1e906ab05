# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: signatures.

signs_digest() { # <label> <digest>... -- [option of dgst]...
  local label=$1 digest options
  shift
  while [ "$1" != -- ]; do
    digests+=("$1")
    shift
  done
  options=("${@:2}")
  for digest in "${digests[@]}"; do
    with_token dgst "-$digest" "${options[@]}" -sign "$(key_of "$label")" -out signature "$home/message"
    plain dgst "-$digest" "${options[@]}" -verify "$mine/$label.pub" -signature signature "$home/message"
    said "Verified OK"
  done
}
digests=()
for digest in sha1 sha224 sha256 sha384 sha512 sha512-256 sha3-224 sha3-256 sha3-384 sha3-512 ripemd160; do
  job "dgst -sign: RSA, PKCS#1 v1.5, $digest" signs_digest rsa "$digest" --
done
for digest in sha1 sha224 sha256 sha384 sha512 sha3-256; do
  job "dgst -sign: RSA, PSS, $digest" signs_digest rsa "$digest" -- -sigopt rsa_padding_mode:pss
done
job "dgst -sign: RSA, PSS, salts of 0, 20, digest, max" signs_salts
signs_salts() {
  local salt
  for salt in 0 20 digest max; do
    signs_digest rsa sha256 -- -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$salt
  done
}
job "dgst -sign: RSA, PSS, another digest for the mask" signs_digest rsa sha256 -- \
  -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha384
job "dgst -sign: RSA, X9.31" signs_digest rsa sha256 -- -sigopt rsa_padding_mode:x931
job "dgst -sign: RSA-PSS key, nothing said" signs_digest pss sha256 --
job "dgst -sign: RSA-PSS key, PSS said" signs_digest pss sha256 -- -sigopt rsa_padding_mode:pss
for label in P-256 P-384 P-521; do
  job "dgst -sign: $label, every digest" signs_digest "$label" sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512 --
done
signs_large() {
  with_token dgst -sha256 -sign "$(key_of "$1")" -out signature "$home/large"
  plain dgst -sha256 -verify "$mine/$1.pub" -signature signature "$home/large"
}
job "dgst -sign: a large message, P-256" signs_large P-256
job "dgst -sign: a large message, RSA" signs_large rsa
signs_without_digest() {
  with_token dgst -sign "$(key_of "$1")" -out signature "$home/message"
  plain dgst -verify "$mine/$1.pub" -signature signature "$home/message"
}
for label in rsa P-256 P-384; do job "dgst -sign: $label, no digest said" signs_without_digest "$label"; done
job "dgst -sign: Ed25519" signs_without_digest ed25519
verifies() { # <label>: by both halves
  with_token dgst -sha256 -sign "$(key_of "$1")" -out signature "$home/message"
  with_token dgst -sha256 -prverify "$(key_of "$1")" -signature signature "$home/message"
  said "Verified OK"
  with_token dgst -sha256 -verify "$(public_of "$1")" -signature signature "$home/message"
  said "Verified OK"
  if call_openssl dgst -sha384 -verify "$(public_of "$1")" -signature signature "$home/message" \
    >said 2>&1; then
    ends_wrong "another digest verifies"
  fi
}
for label in rsa P-256; do job "dgst -prverify, -verify: $label" verifies "$label"; done

signs_there() { # <label> <digest> [option of pkeyutl]...: of a digest that is there already
  with_token pkeyutl -sign -inkey "$(key_of "$1")" "${@:3}" -in "$home/$2.bin" -out signature
  plain pkeyutl -verify -pubin -inkey "$mine/$1.pub" "${@:3}" -in "$home/$2.bin" -sigfile signature
  said "Verified Successfully"
}
for digest in sha1 sha224 sha256 sha384 sha512 sha3-256; do
  job "pkeyutl -sign: RSA, PKCS#1 v1.5, $digest" signs_there rsa "$digest" -pkeyopt digest:"$digest"
done
job "pkeyutl -sign: RSA, PKCS#1 v1.5 of what is no digest" signs_there rsa sha256
job "pkeyutl -sign: RSA, PSS" signs_there rsa sha256 -pkeyopt digest:sha256 \
  -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:max
job "pkeyutl -sign: RSA, PSS without a digest said" signs_there rsa sha1 -pkeyopt rsa_padding_mode:pss
job "pkeyutl -sign: RSA-PSS key" signs_there pss sha256 -pkeyopt digest:sha256
signs_raw_rsa() {
  head -c 256 /dev/zero >block
  printf 'end' | dd of=block bs=1 seek=253 conv=notrunc 2>/dev/null
  with_token pkeyutl -sign -inkey "$(key_of rsa)" -pkeyopt rsa_padding_mode:none -in block -out signature
  plain pkeyutl -verifyrecover -pubin -inkey "$mine/rsa.pub" -pkeyopt rsa_padding_mode:none -in signature -out got
  same block got
}
job "pkeyutl -sign: RSA without padding" signs_raw_rsa
for label in P-256 P-384 P-521; do job "pkeyutl -sign: $label" signs_there "$label" sha256; done
# Longer than the order: cut off in the same way on both sides.
job "pkeyutl -sign: P-256, a digest longer than its order" signs_there P-256 sha512
signs_message() { # <label> [option]...
  with_token pkeyutl -sign -rawin -inkey "$(key_of "$1")" "${@:2}" -in "$home/message" -out signature
  plain pkeyutl -verify -rawin -pubin -inkey "$mine/$1.pub" "${@:2}" -in "$home/message" -sigfile signature
  said "Verified Successfully"
}
job "pkeyutl -sign -rawin: RSA" signs_message rsa -digest sha256
job "pkeyutl -sign -rawin: RSA, PSS" signs_message rsa -digest sha384 -pkeyopt rsa_padding_mode:pss
job "pkeyutl -sign -rawin: P-256" signs_message P-256 -digest sha256
for label in ed25519 ed448; do job "pkeyutl -sign -rawin: $label" signs_message "$label"; done
verifies_there() { # <label> [option]...
  with_token pkeyutl -sign -inkey "$(key_of "$1")" "${@:2}" -in "$home/sha256.bin" -out signature
  with_token pkeyutl -verify -inkey "$(key_of "$1")" "${@:2}" -in "$home/sha256.bin" -sigfile signature
  with_token pkeyutl -verify -pubin -inkey "$(public_of "$1")" "${@:2}" -in "$home/sha256.bin" -sigfile signature
  said "Verified Successfully"
}
job "pkeyutl -verify: RSA" verifies_there rsa -pkeyopt digest:sha256
job "pkeyutl -verify: P-256" verifies_there P-256
verifies_message() {
  with_token pkeyutl -sign -rawin -inkey "$(key_of "$1")" -in "$home/message" -out signature
  with_token pkeyutl -verify -rawin -pubin -inkey "$(public_of "$1")" -in "$home/message" -sigfile signature
}
for label in ed25519 ed448; do job "pkeyutl -verify -rawin: $label" verifies_message "$label"; done
recovers() {
  signs_there rsa sha256 -pkeyopt digest:sha256
  with_token pkeyutl -verifyrecover -inkey "$(key_of rsa)" -pkeyopt digest:sha256 -in signature -out got
  same "$home/sha256.bin" got
  with_token pkeyutl -verifyrecover -pubin -inkey "$(public_of rsa)" -pkeyopt digest:sha256 -in signature -out got
  same "$home/sha256.bin" got
}
job "pkeyutl -verifyrecover: RSA" recovers
old_signs() {
  with_token rsautl -sign -inkey "$(key_of rsa)" -in "$home/sha256.bin" -out signature
  plain rsautl -verify -pubin -inkey "$mine/rsa.pub" -in signature -out got
  same "$home/sha256.bin" got
  with_token rsautl -verify -inkey "$(key_of rsa)" -in signature -out got
  same "$home/sha256.bin" got
}
job "rsautl -sign, -verify" old_signs
keys_in_files() {
  with_token dgst -sha256 -sign "$keys/leaf.key" -out signature "$home/message"
  plain dgst -sha256 -verify "$keys/leaf.pub" -signature signature "$home/message"
  with_token dgst -sha256 -sign "$keys/pss.key" -out signature "$home/message"
  plain dgst -sha256 -verify "$home/file/pss.pub" -signature signature "$home/message"
}
job "dgst -sign: keys in files, beside the token's" keys_in_files
