# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # what the matrix sets and uses
# Jobs of tests/provider/matrix: certificates and what belongs to them.

signing_keys=(rsa pss P-256 P-384 P-521 ed25519 ed448)

self_signs() { # <label> [option]...
  with_token req -x509 -key "$(key_of "$1")" "${@:2}" -days 2 -out own.crt
  plain verify -check_ss_sig -CAfile own.crt own.crt
}
requests() { # <label> [option]...
  with_token req -new -key "$(key_of "$1")" "${@:2}" -out own.csr
  plain req -in own.csr -verify -noout
  with_token req -in own.csr -verify -noout
}
issues() { # <label> [option]...
  with_token x509 -req -in "$keys/leaf.csr" -CA "$mine/$1.crt" -CAkey "$(key_of "$1")" "${@:2}" \
    -days 2 -CAcreateserial -CAserial serial -out leaf.crt
  plain verify -CAfile "$mine/$1.crt" leaf.crt
}
for label in "${signing_keys[@]}"; do
  job "req -x509: $label" self_signs "$label"
  job "req -new: $label" requests "$label"
  job "x509 -req -CAkey: $label" issues "$label"
done
pss_options=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)
job "req -x509: rsa, PSS" self_signs rsa "${pss_options[@]}"
job "req -x509: rsa, PSS with the longest salt" self_signs rsa -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max
job "req -new: rsa, PSS" requests rsa "${pss_options[@]}"
job "x509 -req -CAkey: rsa, PSS, SHA-384" issues rsa "${pss_options[@]}" -sha384
job "x509 -req -CAkey: rsa, SHA3-256" issues rsa -sha3-256
makes_request() { # <label> <option of req>...
  made_in "req-$1"
  with_token req -x509 "${making[@]}" "${@:2}" -noenc -keyout made.pem -days 2 -out own.crt
  plain verify -check_ss_sig -CAfile own.crt own.crt
}
job "req -newkey: RSA" makes_request rsa -newkey rsa:2048
job "req -newkey: RSA-PSS" makes_request pss -newkey rsa-pss:2048
job "req -newkey: P-384" makes_request ec -newkey ec -pkeyopt ec_paramgen_curve:P-384
job "req -newkey: Ed25519" makes_request ed25519 -newkey ed25519
job "req -newkey: Ed448" makes_request ed448 -newkey ed448
job "req -newkey: ML-DSA-65" makes_request mldsa -newkey ML-DSA-65
job "req -newkey: SLH-DSA-SHA2-128f" makes_request slhdsa -newkey SLH-DSA-SHA2-128f
issues_by_uri() { # <label>: the certificate is the token's, too
  with_token x509 -req -in "$keys/leaf.csr" -CA "$(certificate_of "$1")" -CAkey "$(key_of "$1")" -days 2 \
    -CAcreateserial -CAserial serial -out leaf.crt
  plain verify -CAfile "$mine/$1.crt" leaf.crt
}
for label in rsa P-256; do job "x509 -CA: the certificate in the token, $label" issues_by_uri "$label"; done
signs_again() {
  with_token x509 -in "$mine/$1.crt" -signkey "$(key_of "$1")" -days 3 -out again.crt
  plain verify -check_ss_sig -CAfile again.crt again.crt
  with_token x509 -x509toreq -in "$mine/$1.crt" -signkey "$(key_of "$1")" -out again.csr
  plain req -in again.csr -verify -noout
}
for label in rsa pss P-256 ed25519; do job "x509 -signkey, -x509toreq: $label" signs_again "$label"; done
forces() {
  with_token x509 -new -subj /CN=forced -force_pubkey "$keys/leaf.pub" -CA "$mine/$1.crt" \
    -CAkey "$(key_of "$1")" -CAcreateserial -CAserial serial -days 2 -out forced.crt
  plain verify -CAfile "$mine/$1.crt" forced.crt
}
job "x509 -force_pubkey: a foreign key" forces P-256
is_forced() {
  with_token x509 -new -subj /CN=forced -force_pubkey "$(public_of "$1")" -CA "$keys/authority.crt" \
    -CAkey "$keys/authority.key" -CAcreateserial -CAserial serial -days 2 -out forced.crt
  plain x509 -in forced.crt -noout -pubkey
  cp out got
  same "$mine/$1.pub" got
}
for label in rsa P-256 x25519 x448; do job "x509 -force_pubkey: the token's public key, $label" is_forced "$label"; done
does_not_fit() {
  if call_openssl x509 -req -in "$keys/leaf.csr" -CA "$mine/P-256.crt" -CAkey "$(key_of P-384)" \
    -CAcreateserial -CAserial serial -out bad.crt >said 2>&1; then
    ends_wrong "a key that is another one's signed"
  fi
  said "mismatch|do not match"
}
job "x509 -CAkey: a key that is not the certificate's is noticed" does_not_fit

authority() {
  : >index
  echo 01 >serial
  echo 01 >crlnumber
  cat >ca.cnf <<END
[ca]
default_ca = authority
[authority]
dir = .
database = index
new_certs_dir = .
serial = serial
crlnumber = crlnumber
default_md = default
default_days = 2
default_crl_days = 2
policy = policy
[policy]
commonName = supplied
[tsa]
default_tsa = stamps
[stamps]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
END
}
by_authority() { with_token ca -config ca.cnf -cert "$mine/$1.crt" -keyfile "$(key_of "$1")" -batch "${@:2}"; }
runs_authority() {
  authority
  by_authority "$1" -notext -in "$keys/leaf.csr" -out issued.crt
  plain verify -CAfile "$mine/$1.crt" issued.crt
  by_authority "$1" -revoke issued.crt
  by_authority "$1" -gencrl -out revoked.crl
  plain crl -in revoked.crl -CAfile "$mine/$1.crt" -noout
  said "verify OK"
  if openssl verify -crl_check -CAfile "$mine/$1.crt" -CRLfile revoked.crl issued.crt >said 2>&1; then
    ends_wrong "the certificate is not revoked"
  fi
}
for label in "${signing_keys[@]}"; do job "ca: issue, revoke, list; $label" runs_authority "$label"; done
delta_list() {
  authority
  by_authority rsa -gencrl -out first.crl
  by_authority rsa -gencrl -out second.crl
  with_token crl -in first.crl -gendelta second.crl -key "$(key_of rsa)" -out delta.crl
  plain crl -in delta.crl -CAfile "$mine/rsa.crt" -noout
  said "verify OK"
}
job "crl -gendelta" delta_list

tells_status() { # <label>
  authority
  by_authority "$1" -notext -in "$keys/leaf.csr" -out issued.crt
  by_authority "$1" -revoke issued.crt
  plain ocsp -no_nonce -issuer "$mine/$1.crt" -cert issued.crt -reqout ask.der
  with_token ocsp -index index -CA "$mine/$1.crt" -rsigner "$mine/$1.crt" -rkey "$(key_of "$1")" \
    -reqin ask.der -respout answer.der
  plain ocsp -no_nonce -respin answer.der -issuer "$mine/$1.crt" -cert issued.crt -CAfile "$mine/$1.crt"
  said "issued.crt: revoked"
}
for label in rsa P-256 ed25519; do job "ocsp: an answer, $label" tells_status "$label"; done
asks_status() {
  with_token ocsp -issuer "$mine/rsa.crt" -cert "$mine/rsa.crt" -signer "$mine/rsa.crt" -signkey "$(key_of rsa)" \
    -reqout ask.der
  plain ocsp -reqin ask.der -req_text
  said "Signature Algorithm"
}
job "ocsp -signkey: a signed question" asks_status
# Nobody but a client that asks may connect: a child of -multi ends over a connection without a word.
responds() { # [option]...
  authority
  by_authority rsa -notext -in "$keys/leaf.csr" -out issued.crt
  local port
  port=$(free_port)
  token_server "" ocsp -index index -CA "$mine/rsa.crt" \
    -rsigner "$mine/rsa.crt" -rkey "$(key_of rsa)" -port "$port" "$@"
  local end=$((SECONDS + 60))
  until openssl ocsp -url "http://127.0.0.1:$port" -issuer "$mine/rsa.crt" -cert issued.crt \
    -CAfile "$mine/rsa.crt" >first 2>&1 || ((SECONDS > end)); do sleep 0.1; done
  local _
  for _ in 1 2 3 4; do
    plain ocsp -url "http://127.0.0.1:$port" -issuer "$mine/rsa.crt" -cert issued.crt -CAfile "$mine/rsa.crt"
    said "issued.crt: good"
  done
}
job "ocsp -port: a responder" responds
job "ocsp -port -multi: a responder that forks" responds -multi 2

stamps() { # <label>
  authority
  with_token req -x509 -key "$(key_of "$1")" -days 2 -subj /CN=stamps -out tsa.crt \
    -addext extendedKeyUsage=critical,timeStamping -addext keyUsage=digitalSignature
  plain ts -query -data "$home/message" -sha256 -cert -out ask.tsq
  # It reads key files only: the key's URI stands in one.
  with_token pkey -in "$(key_of "$1")" -out key.pem
  TALLYSTICK_PIN=$pin with_token ts -reply -config ca.cnf -section stamps -queryfile ask.tsq \
    -inkey key.pem -signer tsa.crt -out stamp.tsr
  plain ts -verify -queryfile ask.tsq -in stamp.tsr -CAfile tsa.crt
}
# OpenSSL 3.0 has no attributes of time stamps for Ed25519, with key files neither.
for label in rsa P-256 P-384; do job "ts: a time stamp, $label" stamps "$label"; done
challenges() {
  with_token spkac -key "$(key_of "$1")" -digest sha256 -challenge hello -out spkac
  plain spkac -in spkac -verify -noout
}
for label in rsa P-256; do job "spkac: $label" challenges "$label"; done
anchors() {
  # shellcheck disable=SC2046
  plain x509 -req -in "$keys/leaf.csr" -CA "$home/file/rsa.crt" -CAkey "$keys/rsa.key" -days 2 \
    -CAcreateserial -CAserial serial -out leaf.crt
  with_token verify -trusted "$(certificate_of rsa)" leaf.crt
  said "leaf.crt: OK"
  with_token verify -no-CAfile -no-CApath -CAstore "$(certificate_of rsa)" leaf.crt
  said "leaf.crt: OK"
}
job "verify: trust anchors in the token (-trusted, -CAstore)" anchors
shows_certificate() {
  with_token x509 -in "$(certificate_of rsa)" -outform DER -out got
  plain x509 -in "$home/file/rsa.crt" -outform DER -out expected
  same expected got
}
job "x509 -in: a certificate of the token" shows_certificate
enrolls() {
  with_token cmp -cmd ir -use_mock_srv -srv_ref mock -srv_secret pass:mock -ref mock -secret pass:mock \
    -rsp_cert "$keys/authority.crt" -newkey "$(key_of P-256)" -subject /CN=device -recipient /CN=authority \
    -certout got.crt
}
job "cmp: enrolment with a key of the token" enrolls
