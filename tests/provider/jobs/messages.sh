# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: messages that are signed.

signs_cms() { # <label> [option]...
  with_token cms -sign -binary -nodetach -inkey "$(key_of "$1")" -signer "$mine/$1.crt" "${@:2}" \
    -in "$home/message" -outform DER -out message.cms
  plain cms -verify -inform DER -in message.cms -CAfile "$mine/$1.crt" -purpose any -out got
  same "$home/message" got
}
for label in rsa P-256 P-384 P-521 ed25519 ed448; do job "cms -sign: $label" signs_cms "$label"; done
signs_cms_by_new() { # <algorithm, from OpenSSL 3.5 on>
  made_in "cms-$1"
  with_token req -x509 "${making[@]}" -newkey "$1" -noenc -keyout made.pem -days 2 -out own.crt
  TALLYSTICK_PIN=$pin with_token cms -sign -nodetach -signer own.crt -inkey made.pem -binary -in "$home/message" \
    -outform DER -out signed -md sha512
  plain cms -verify -inform DER -CAfile own.crt -purpose any -in signed -out got
  same "$home/message" got
}
for label in ML-DSA-65 SLH-DSA-SHA2-128f; do job "cms -sign: $label" signs_cms_by_new "$label"; done
# OpenSSL 3.0 has to be told, with a key file, too.
job "cms -sign: pss, PSS said" signs_cms pss -keyopt rsa_padding_mode:pss
job "cms -sign: rsa, PSS" signs_cms rsa -keyopt rsa_padding_mode:pss
job "cms -sign: rsa, PSS, SHA-384, salt as the digest" signs_cms rsa -keyopt rsa_padding_mode:pss \
  -keyopt rsa_pss_saltlen:digest -md sha384
job "cms -sign: rsa, SHA-512" signs_cms rsa -md sha512
job "cms -sign -noattr: rsa" signs_cms rsa -noattr
job "cms -sign -noattr: P-256" signs_cms P-256 -noattr
job "cms -sign -keyid: P-256" signs_cms P-256 -keyid
job "cms -sign -cades: rsa" signs_cms rsa -cades
detached() {
  with_token cms -sign -binary -inkey "$(key_of "$1")" -signer "$mine/$1.crt" \
    -in "$home/message" -outform DER -out message.cms
  plain cms -verify -binary -inform DER -in message.cms -content "$home/message" -CAfile "$mine/$1.crt" -purpose any
}
for label in rsa P-256; do job "cms -sign, detached: $label" detached "$label"; done
two_signers() {
  with_token cms -sign -binary -nodetach -signer "$mine/rsa.crt" -inkey "$(key_of rsa)" \
    -signer "$mine/P-256.crt" -inkey "$(key_of P-256)" -in "$home/message" -outform DER -out message.cms
  cat "$mine/rsa.crt" "$mine/P-256.crt" >both.crt
  plain cms -verify -inform DER -in message.cms -CAfile both.crt -purpose any
}
job "cms -sign: two signers" two_signers
signs_after() {
  signs_cms rsa
  with_token cms -resign -inform DER -in message.cms -inkey "$(key_of P-256)" -signer "$mine/P-256.crt" \
    -outform DER -out again.cms
  cat "$mine/rsa.crt" "$mine/P-256.crt" >both.crt
  plain cms -verify -inform DER -in again.cms -CAfile both.crt -purpose any
}
job "cms -resign" signs_after
signs_by_certificate_in_token() {
  with_token cms -sign -binary -nodetach -inkey "$(key_of rsa)" -signer "$(certificate_of rsa)" \
    -in "$home/message" -outform DER -out message.cms
  plain cms -verify -inform DER -in message.cms -CAfile "$mine/rsa.crt" -purpose any
}
job "cms -sign: the signer's certificate in the token" signs_by_certificate_in_token
receipt() {
  signs_cms rsa -receipt_request_to a@example.org
  with_token cms -sign_receipt -inform DER -in message.cms -inkey "$(key_of P-256)" -signer "$mine/P-256.crt" \
    -outform DER -out receipt.cms
}
job "cms -sign_receipt" receipt
signs_smime() {
  with_token smime -sign -inkey "$(key_of "$1")" -signer "$mine/$1.crt" -in "$home/message" -out message.p7
  plain smime -verify -in message.p7 -CAfile "$mine/$1.crt" -purpose any
}
for label in rsa P-256; do job "smime -sign: $label" signs_smime "$label"; done
