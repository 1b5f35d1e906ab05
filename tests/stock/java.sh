#!/bin/bash
# Java's SunPKCS11: keytool and jarsigner on keys of the token, and a TLS server's key.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "Java 17 (keytool, jarsigner)"
for program in java keytool jarsigner; do needs "$program" openjdk-17-jdk-headless; done

make_token line
# A slot is named by its number or its place in the list; the token is the first.
printf 'name = Tallystick\nlibrary = %s\nslotListIndex = 0\n' "$module" >"$home/java.cfg"
store=(-providerClass sun.security.pkcs11.SunPKCS11 -providerArg "$home/java.cfg"
  -keystore NONE -storetype PKCS11 -storepass "$pin")
# What the machine has set for Java is no concern of this test.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
keys() { run keytool "$@" "${store[@]}"; }

job "list an empty token"
keys -list
says "contains 0 entries"

# whole_life <key type> <signature algorithm> <option of -genkeypair>...
whole_life() {
  local kind=$1 algorithm=$2 mine=$home/$1
  shift 2
  job "$kind: key and self-signed certificate"
  keys -genkeypair -alias "$kind" "$@" -sigalg "$algorithm" -dname "CN=$kind" -validity 2
  keys -list
  says "^$kind, PrivateKeyEntry"
  keys -exportcert -rfc -alias "$kind" -file "$mine.crt"
  run openssl verify -check_ss_sig -CAfile "$mine.crt" "$mine.crt"

  job "$kind: certificate request, and a chain brought in"
  keys -certreq -alias "$kind" -sigalg "$algorithm" -file "$mine.csr"
  run openssl req -in "$mine.csr" -verify -noout
  run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/ca.key" \
    -subj /CN=authority -days 2 -out "$home/ca.crt"
  run openssl x509 -req -in "$mine.csr" -CA "$home/ca.crt" -CAkey "$home/ca.key" -CAcreateserial \
    -days 2 -out "$home/leaf.crt"
  cat "$home/leaf.crt" "$home/ca.crt" >"$home/chain"
  keys -importcert -noprompt -alias "$kind" -file "$home/chain"
  keys -list -v -alias "$kind"
  says "Certificate chain length: 2"

  job "$kind: sign a JAR (jarsigner)"
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("a.txt", "hello")' \
    "$home/signed.jar"
  run jarsigner "${store[@]}" -sigalg "$algorithm" -digestalg SHA-256 -sigfile STOCK \
    "$home/signed.jar" "$kind"
  run jarsigner -verify "$home/signed.jar"
  says "jar verified"
  rm -rf "$home/jar"
  run python3 -m zipfile -e "$home/signed.jar" "$home/jar"
  run openssl cms -verify -inform DER -in "$home/jar/META-INF/STOCK.$kind" \
    -content "$home/jar/META-INF/STOCK.SF" -binary -CAfile "$home/ca.crt" -purpose any

  job "$kind: delete"
  keys -delete -alias "$kind"
  keys -list
  says "contains 0 entries"
}
whole_life EC SHA256withECDSA -keyalg EC -groupname secp256r1
whole_life RSA SHA256withRSA -keyalg RSA -keysize 2048

job "bring in a PKCS#12 file"
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/in.key" \
  -subj /CN=in -days 2 -out "$home/in.crt"
run openssl pkcs12 -export -inkey "$home/in.key" -in "$home/in.crt" -name brought \
  -passout pass:secret -out "$home/in.p12"
run keytool -importkeystore -srckeystore "$home/in.p12" -srcstoretype PKCS12 -srcstorepass secret \
  -providerClass sun.security.pkcs11.SunPKCS11 -providerArg "$home/java.cfg" -destkeystore NONE \
  -deststoretype PKCS11 -deststorepass "$pin"
keys -certreq -alias brought -file "$home/in.csr"
run openssl req -in "$home/in.csr" -verify -noout
cmp -s <(openssl req -in "$home/in.csr" -noout -pubkey) <(openssl pkey -in "$home/in.key" -pubout) ||
  fail "signed with another key"

job "AES keys: generate and list"
keys -genseckey -alias secret -keyalg AES -keysize 256
keys -list
says "^secret, SecretKeyEntry"

job "a wrong PIN is refused"
store=("${store[@]:0:8}" -storepass wrongpin)
refused keytool -v -list "${store[@]}"
says CKR_PIN_INCORRECT
