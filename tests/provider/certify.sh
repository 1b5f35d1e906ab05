#!/bin/bash
# Certificates and what is signed with them: the key is the token's, who checks has no provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
make_pair EC:edwards25519 ed 03
new_key "$home/leaf.key"
openssl req -new -key "$home/leaf.key" -subj /CN=leaf -out "$home/leaf.csr"

authority_config() { # <directory>
  mkdir -p "$1"
  : >"$1/index"
  echo 01 >"$1/serial"
  echo 01 >"$1/crlnumber"
  cat >"$1/ca.cnf" <<EOF
[ca]
default_ca = authority
[authority]
dir = $1
database = $1/index
new_certs_dir = $1
serial = $1/serial
crlnumber = $1/crlnumber
default_md = default
default_days = 2
default_crl_days = 2
policy = policy
[policy]
commonName = supplied
[tsa]
default_tsa = stamps
[stamps]
serial = $1/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
EOF
}

for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for label in rsa ec ed; do
    key=$(uri $label)
    mine=$home/$label

    job "$label: self-signed certificate and request (req)"
    run token_openssl req -x509 -key "$key" -days 2 -out "$mine.crt"
    run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"
    run token_openssl req -new -key "$key" -out "$mine.csr"
    run openssl req -in "$mine.csr" -verify -noout

    job "$label: issue a certificate (x509 -req -CAkey)"
    run token_openssl x509 -req -in "$home/leaf.csr" -CA "$mine.crt" -CAkey "$key" -days 2 \
      -CAcreateserial -out "$home/leaf.crt"
    run openssl verify -CAfile "$mine.crt" "$home/leaf.crt"

    job "$label: sign a certificate again (x509 -signkey), for a foreign key (-force_pubkey)"
    run token_openssl x509 -in "$mine.crt" -signkey "$key" -days 3 -out "$home/again.crt"
    run openssl verify -check_ss_sig -CAfile "$home/again.crt" "$home/again.crt"
    openssl pkey -in "$home/leaf.key" -pubout -out "$home/leaf.pub"
    run token_openssl x509 -new -subj /CN=forced -force_pubkey "$home/leaf.pub" -CA "$mine.crt" \
      -CAkey "$key" -CAcreateserial -days 2 -out "$home/forced.crt"
    run openssl verify -CAfile "$mine.crt" "$home/forced.crt"

    job "$label: authority with a list of what it revoked (ca)"
    authority=$home/$configuration-$label
    authority_config "$authority"
    run token_openssl ca -config "$authority/ca.cnf" -cert "$mine.crt" -keyfile "$key" -batch \
      -notext -in "$home/leaf.csr" -out "$home/issued.crt"
    run openssl verify -CAfile "$mine.crt" "$home/issued.crt"
    run token_openssl ca -config "$authority/ca.cnf" -cert "$mine.crt" -keyfile "$key" -batch \
      -revoke "$home/issued.crt"
    run token_openssl ca -config "$authority/ca.cnf" -cert "$mine.crt" -keyfile "$key" -batch \
      -gencrl -out "$home/revoked.crl"
    run openssl crl -in "$home/revoked.crl" -CAfile "$mine.crt" -noout
    says "verify OK"
    refused openssl verify -crl_check -CAfile "$mine.crt" -CRLfile "$home/revoked.crl" \
      "$home/issued.crt"

    job "$label: certificate status (ocsp)"
    run openssl ocsp -no_nonce -issuer "$mine.crt" -cert "$home/issued.crt" -reqout "$home/ask.der"
    run token_openssl ocsp -index "$authority/index" -CA "$mine.crt" -rsigner "$mine.crt" \
      -rkey "$key" -reqin "$home/ask.der" -respout "$home/answer.der"
    run openssl ocsp -no_nonce -respin "$home/answer.der" -issuer "$mine.crt" -cert "$home/issued.crt" \
      -CAfile "$mine.crt"
    says "revoked"

    # OpenSSL 3.0 has no attributes of time stamps for Ed25519.
    if [ $label != ed ]; then
      job "$label: time stamp (ts)"
      run token_openssl req -x509 -key "$key" -days 2 -subj /CN=stamps -out "$home/tsa.crt" \
        -addext extendedKeyUsage=critical,timeStamping -addext keyUsage=digitalSignature
      run openssl ts -query -data "$home/message" -sha256 -cert -out "$home/ask.tsq"
      # It reads key files only: the key's URI stands in one.
      run token_openssl pkey -in "$key" -out "$home/key.pem"
      TALLYSTICK_PIN=$pin run token_openssl ts -reply -config "$authority/ca.cnf" -section stamps \
        -queryfile "$home/ask.tsq" -inkey "$home/key.pem" -signer "$home/tsa.crt" \
        -out "$home/stamp.tsr"
      run openssl ts -verify -queryfile "$home/ask.tsq" -in "$home/stamp.tsr" \
        -CAfile "$home/tsa.crt"
    fi

    # OpenSSL 3.0 signs no messages by Ed25519, with key files neither.
    if [ $label != ed ]; then
      job "$label: sign a message (cms, detached and not)"
      run token_openssl cms -sign -binary -nodetach -inkey "$key" -signer "$mine.crt" \
        -in "$home/message" -outform DER -out "$home/message.cms"
      run openssl cms -verify -inform DER -in "$home/message.cms" -CAfile "$mine.crt" -purpose any
      run token_openssl cms -sign -binary -inkey "$key" -signer "$mine.crt" \
        -in "$home/message" -outform DER -out "$home/message.cms"
      run openssl cms -verify -inform DER -in "$home/message.cms" -content "$home/message" -binary \
        -CAfile "$mine.crt" -purpose any

      job "$label: sign a message (smime), a challenge (spkac)"
      run token_openssl smime -sign -inkey "$key" -signer "$mine.crt" -in "$home/message" \
        -out "$home/message.p7"
      run openssl smime -verify -in "$home/message.p7" -CAfile "$mine.crt" -purpose any
      run token_openssl spkac -key "$key" -digest sha256 -challenge hello -out "$home/spkac"
      run openssl spkac -in "$home/spkac" -verify -noout
    fi
  done

  job "rsa: PSS in certificates, requests and messages"
  key=$(uri rsa)
  for salt in digest max; do
    run token_openssl req -x509 -key "$key" -days 2 -sigopt rsa_padding_mode:pss \
      -sigopt rsa_pss_saltlen:$salt -out "$home/pss.crt"
    run openssl verify -check_ss_sig -CAfile "$home/pss.crt" "$home/pss.crt"
    run openssl x509 -in "$home/pss.crt" -noout -text
    says "rsassaPss"
  done
  run token_openssl cms -sign -binary -nodetach -inkey "$key" -signer "$home/pss.crt" \
    -keyopt rsa_padding_mode:pss -in "$home/message" -outform DER -out "$home/message.cms"
  run openssl cms -verify -inform DER -in "$home/message.cms" -CAfile "$home/pss.crt" -purpose any

  job "certificate and key that do not belong together are refused"
  refused token_openssl x509 -req -in "$home/leaf.csr" -CA "$home/ec.crt" -CAkey "$(uri rsa)" \
    -CAcreateserial -out "$home/bad.crt"
done
