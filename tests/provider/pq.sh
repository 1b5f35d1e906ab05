#!/bin/bash
# ML-DSA keys in our token, from OpenSSL 3.5 on; whoever checks has no provider.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

openssl list -signature-algorithms | grep -q ML-DSA-65 || skip "this OpenSSL has no ML-DSA (3.5 has)"

head -c 100000 /dev/urandom >"$home/long"
for configuration in "${all_configurations[@]}"; do
  use "$configuration"
  for set in 44 65 87; do
    label=dsa-$set-$configuration
    key=$(uri "$label")
    public=$home/$label.pem

    job "ML-DSA-$set: made in the token, and its public key"
    run token_openssl genpkey -propquery '?provider=tallystick' -algorithm "ML-DSA-$set" \
      -pkeyopt "tallystick_uri:pkcs11:token=line;object=$label?pin-value=$pin" -out "$home/$label.key"
    run token_openssl pkey -in "$key" -pubout -out "$public"
    run openssl pkey -pubin -in "$public" -text -noout
    says "ML-DSA-$set Public-Key"
    run token_openssl pkey -in "$home/$label.key" -passin "pass:$pin" -pubout -out "$home/again.pem"
    same_file "$public" "$home/again.pem"
    refused token_openssl pkey -in "$key" -outform DER -out "$home/private.der"
    says "does not leave the token"

    job "ML-DSA-$set: sign and verify"
    for message in message long; do
      run token_openssl pkeyutl -sign -rawin -inkey "$key" -in "$home/$message" -out "$home/signature"
      run openssl pkeyutl -verify -rawin -pubin -inkey "$public" -in "$home/$message" \
        -sigfile "$home/signature"
      run token_openssl pkeyutl -verify -rawin -pubin -inkey "$(uri "$label" public)" \
        -in "$home/$message" -sigfile "$home/signature"
      refused openssl pkeyutl -verify -rawin -pubin -inkey "$public" -in "$home/digest" \
        -sigfile "$home/signature"
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
    port=$(free_port)
    if [ "$configuration" = line ]; then
      TALLYSTICK_MODULE=$module in_background openssl s_server -provider-path \
        "$(dirname "$provider")" -provider tallystick -provider default -accept "127.0.0.1:$port" \
        -cert "$home/$label.crt" -key "$key" -www >"$home/server.log" 2>&1
    else
      OPENSSL_CONF=$home/$configuration.cnf in_background openssl s_server \
        -accept "127.0.0.1:$port" -cert "$home/$label.crt" -key "$key" -www >"$home/server.log" 2>&1
    fi
    until_true grep -q ACCEPT "$home/server.log"
    openssl s_client -connect "127.0.0.1:$port" -CAfile "$home/$label.crt" -verify_return_error \
      -ign_eof <<<$'GET / HTTP/1.0\r\n\r\n' >"$home/log" 2>&1 || {
      cat "$home/log" "$home/server.log" >&2
      fail "no connection"
    }
    says "[Pp]eer signature type: mldsa$set"
    kill "${started[-1]}"
  done
done
