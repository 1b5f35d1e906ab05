#!/bin/bash
# ML-DSA, SLH-DSA and ML-KEM keys in our token, from OpenSSL 3.5 on; whoever checks, or sends a secret,
# has no provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

openssl list -signature-algorithms | grep -q ML-DSA-65 || skip "this OpenSSL has no ML-DSA (3.5 has)"

# shake_hands <key> <its certificate> <option of both>...: the server has the key, and the client
# no provider; its words are in the log.
shake_hands() {
  local port
  port=$(free_port)
  if [ "$configuration" = line ]; then
    TALLYSTICK_MODULE=$module in_background openssl s_server -provider-path \
      "$(dirname "$provider")" -provider tallystick -provider default -accept "127.0.0.1:$port" \
      -cert "$2" -key "$1" -www "${@:3}" >"$home/server.log" 2>&1
  else
    OPENSSL_CONF=$home/$configuration.cnf in_background openssl s_server \
      -accept "127.0.0.1:$port" -cert "$2" -key "$1" -www "${@:3}" >"$home/server.log" 2>&1
  fi
  until_true grep -q ACCEPT "$home/server.log"
  openssl s_client -connect "127.0.0.1:$port" -CAfile "$2" -verify_return_error -ign_eof "${@:3}" \
    <<<$'GET / HTTP/1.0\r\n\r\n' >"$home/log" 2>&1 || {
    cat "$home/log" "$home/server.log" >&2
    fail "no connection"
  }
  kill "${started[-1]}"
}

# is_made <algorithm>: a key in the token, named $label, which $key and the file $label.key stand for;
# its public half goes to $public.
is_made() {
  run token_openssl genpkey -propquery '?provider=tallystick' -algorithm "$1" \
    -pkeyopt "tallystick_uri:pkcs11:token=line;object=$label?pin-value=$pin" -out "$home/$label.key"
  run token_openssl pkey -in "$key" -pubout -out "$public"
  run openssl pkey -pubin -in "$public" -text -noout
  says "$1 Public-Key"
  run token_openssl pkey -in "$home/$label.key" -passin "pass:$pin" -pubout -out "$home/again.pem"
  same_file "$public" "$home/again.pem"
  refused token_openssl pkey -in "$key" -outform DER -out "$home/private.der"
  says "does not leave the token"
}
# signs_and_verifies <file>
signs_and_verifies() {
  run token_openssl pkeyutl -sign -rawin -inkey "$key" -in "$home/$1" -out "$home/signature"
  run openssl pkeyutl -verify -rawin -pubin -inkey "$public" -in "$home/$1" -sigfile "$home/signature"
  run token_openssl pkeyutl -verify -rawin -pubin -inkey "$(uri "$label" public)" -in "$home/$1" \
    -sigfile "$home/signature"
  refused openssl pkeyutl -verify -rawin -pubin -inkey "$public" -in "$home/digest" \
    -sigfile "$home/signature"
}

head -c 100000 /dev/urandom >"$home/long"
for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for set in 44 65 87; do
    label=dsa-$set-$configuration
    key=$(uri "$label")
    public=$home/$label.pem

    job "ML-DSA-$set: made in the token, and its public key"
    is_made "ML-DSA-$set"

    job "ML-DSA-$set: sign and verify"
    for message in message long; do
      signs_and_verifies "$message"
    done
    # The token's signature would be one without it.
    refused token_openssl pkeyutl -sign -rawin -inkey "$key" -pkeyopt context-string:box \
      -in "$home/message" -out "$home/signature"

    job "ML-DSA-$set: certificates"
    run token_openssl req -x509 -key "$key" -days 2 -out "$home/$label.crt"
    run openssl verify -check_ss_sig -CAfile "$home/$label.crt" "$home/$label.crt"
    run token_openssl req -new -key "$key" -subj /CN=leaf -out "$home/$label.csr"
    run openssl req -in "$home/$label.csr" -verify -noout
    run token_openssl x509 -req -in "$home/$label.csr" -CA "$home/$label.crt" -CAkey "$key" \
      -CAcreateserial -days 2 -out "$home/issued.crt"
    run openssl verify -CAfile "$home/$label.crt" "$home/issued.crt"

    job "ML-DSA-$set: TLS 1.3 server"
    shake_hands "$key" "$home/$label.crt"
    says "[Pp]eer signature type: mldsa$set"
  done

  # Every one of the twelve once, in one of the configurations.
  number=0
  for set in {SHA2,SHAKE}-{128,192,256}{s,f}; do
    [ "${all_configurations[number++ % 3]}" = "$configuration" ] || continue
    label=slh-$set
    key=$(uri "$label")
    public=$home/$label.pem
    job "SLH-DSA-$set: made in the token, signs, and certifies itself"
    is_made "SLH-DSA-$set"
    signs_and_verifies message
    run token_openssl req -x509 -key "$home/$label.key" -passin "pass:$pin" -days 2 -out "$home/$label.crt"
    run openssl verify -check_ss_sig -CAfile "$home/$label.crt" "$home/$label.crt"
  done

  for set in 512 768 1024; do
    label=kem-$set-$configuration
    key=$(uri "$label")
    public=$home/$label.pem

    job "ML-KEM-$set: made in the token, and its public key"
    is_made "ML-KEM-$set"

    job "ML-KEM-$set: a secret that is sent is the one that the token opens"
    run openssl pkeyutl -encap -pubin -inkey "$public" -out "$home/sent" -secret "$home/theirs"
    run token_openssl pkeyutl -decap -inkey "$key" -in "$home/sent" -secret "$home/ours"
    same_file "$home/theirs" "$home/ours"
    run token_openssl pkeyutl -decap -inkey "$home/$label.key" -passin "pass:$pin" \
      -in "$home/sent" -secret "$home/ours"
    same_file "$home/theirs" "$home/ours"
    for from in "$key" "$(uri "$label" public)"; do
      run token_openssl pkeyutl -encap -inkey "$from" -out "$home/sent" -secret "$home/theirs"
      run token_openssl pkeyutl -decap -inkey "$key" -in "$home/sent" -secret "$home/ours"
      same_file "$home/theirs" "$home/ours"
    done

    job "ML-KEM-$set: what was altered gives another secret, what is too short none"
    cp "$home/sent" "$home/altered"
    printf '\377\0\377\0' | dd of="$home/altered" bs=1 seek=100 conv=notrunc status=none
    run token_openssl pkeyutl -decap -inkey "$key" -in "$home/altered" -secret "$home/ours"
    ! cmp -s "$home/theirs" "$home/ours" || fail "the altered secret was opened"
    head -c 700 "$home/sent" >"$home/short"
    refused token_openssl pkeyutl -decap -inkey "$key" -in "$home/short" -secret "$home/ours"
    says "decapsulate by CKM_ML_KEM.*CKR_WRAPPED_KEY_LEN_RANGE"
    refused token_openssl pkeyutl -decap -inkey "$(uri "$label" public)" -in "$home/sent" \
      -secret "$home/ours"

    job "ML-KEM-$set: a key file does what it does without the provider"
    run openssl genpkey -algorithm "ML-KEM-$set" -out "$home/file.key"
    run token_openssl pkey -in "$home/file.key" -pubout -out "$home/file.pem"
    run openssl pkeyutl -encap -pubin -inkey "$home/file.pem" -out "$home/sent" \
      -secret "$home/theirs"
    run token_openssl pkeyutl -decap -inkey "$home/file.key" -in "$home/sent" -secret "$home/ours"
    same_file "$home/theirs" "$home/ours"

    # The seed alone, which is expanded when the key is used.
    run openssl pkey -in "$home/file.key" -provparam ml-kem.output_formats=seed-only -out "$home/seed.key"
    run token_openssl pkeyutl -decap -inkey "$home/seed.key" -in "$home/sent" -secret "$home/ours"
    same_file "$home/theirs" "$home/ours"
    run token_openssl pkey -in "$home/seed.key" -outform DER -out "$home/private.der"
    run openssl pkey -in "$home/file.key" -outform DER -out "$home/expected.der"
    same_file "$home/expected.der" "$home/private.der"
    seed=$(printf '%064d%064d' 17 4)
    run token_openssl genpkey -algorithm "ML-KEM-$set" -pkeyopt "hexseed:$seed" -out "$home/seeded.key"
    run openssl genpkey -algorithm "ML-KEM-$set" -pkeyopt "hexseed:$seed" -out "$home/expected.key"
    same_file "$home/expected.key" "$home/seeded.key"
    refused token_openssl genpkey -propquery '?provider=tallystick' -algorithm "ML-KEM-$set" \
      -pkeyopt "tallystick_uri:pkcs11:token=line;object=seeded?pin-value=$pin" \
      -pkeyopt "hexseed:$seed" -out "$home/seeded.key"
    says "takes no seed"

    job "ML-KEM-$set: a certificate of it"
    run token_openssl x509 -req -in "$home/dsa-65-$configuration.csr" -force_pubkey "$key" \
      -CA "$home/dsa-65-$configuration.crt" -CAkey "$(uri "dsa-65-$configuration")" \
      -CAcreateserial -days 2 -out "$home/issued.crt"
    run openssl verify -CAfile "$home/dsa-65-$configuration.crt" "$home/issued.crt"
    run openssl x509 -in "$home/issued.crt" -pubkey -noout -out "$home/again.pem"
    same_file "$public" "$home/again.pem"

    job "ML-KEM-$set: TLS 1.3 agrees by a key of that kind"
    shake_hands "$(uri "dsa-65-$configuration")" "$home/dsa-65-$configuration.crt" \
      -groups "MLKEM$set"
    says "[Nn]egotiated TLS1.3 group: MLKEM$set"
  done
done
