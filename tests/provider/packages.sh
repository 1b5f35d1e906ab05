#!/bin/bash
# The recipe of docs/openssl-packages.md, as it stands there, and simulated parts that take what
# comes of it. The fifth argument is the command.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
commands_dir=$(dirname "$5")
page=$root/docs/openssl-packages.md
# commands_of <file> <mark>
commands_of() {
  sed -n "/^<!-- $2:begin -->\$/,/^<!-- $2:end -->\$/p" "$1" | sed '/^<!--/d; /^```/d'
}
# The tour of README.md up to the shares, and the firmware; in our folder.
tour=$(commands_of "$root/README.md" tour | sed '/^head -c 100000/q')
[ -n "$tour" ] || fail "README.md has no tour"
tour=${tour//\/tmp\/tour/$home\/tour}
tour=${tour//\$PWD\/build\/tools/$commands_dir}
use beside
# shell <commands>: in the tour's folder, with the tour's variables.
shell() { bash -euo pipefail -c "$tour_variables"$'\n'"$1"; }
tour_variables="export TALLYSTICK_HOME=$home/tour/tokens TALLYSTICK_PIN=1234 TALLYSTICK_SO_PIN=5678
export TALLYSTICK_MODULE=$module OPENSSL_CONF=$home/beside.cnf PATH='$commands_dir':\$PATH
ICM_KEY='pkcs11:token=icm-hsm;object=icm'; OEM_KEY='pkcs11:token=oem-hsm;object=oem'
cd '$home/tour'"
recipe=$(commands_of "$page" recipe)
functions=$(sed -n '/^field()/,/^}/p; /^digest()/p; /^PUBLIC=/p' <<<"$recipe")

job "a package with openssl and text tools"
export TALLYSTICK_MODULE=$module
run bash -euo pipefail -c "$tour"
run shell "$recipe"
says "openssl.tspk|asset"

job "parts take it, and hold what was sealed"
run shell "tallystick program --parts parts --package openssl.tspk --shares shares/shares.tsos \
  --software tour.tssw --record record.jsonl"
[ "$(grep -c '"result":"ok"' "$home/tour/record.jsonl")" = 10 ] || fail "not all parts took it"
run shell "tallystick part read parts/part-0001.part --slot 0 -o read.bin
  tallystick part read parts/part-0001.part --slot 1 -o read.toml"
same_file "$home/tour/firmware.bin" "$home/tour/read.bin"
same_file "$home/tour/settings.toml" "$home/tour/read.toml"

job "the token tags only the signed head of a package of its own"
shell "head -c 100 tour.head > half.head"
refused shell "openssl mac -propquery '?provider=tallystick' -binary -in half.head -out bad.tag \
  -macopt 'uri:pkcs11:token=oem;object=tour-auth;type=secret-key' CMAC"
says "operation failed.*CKM_AES_CMAC.*CKR_DATA_INVALID"

job "a context that does not fit is refused, and said"
encd='pkcs11:token=oem;object=tour-encd;type=secret-key'
refused shell "openssl pkeyutl -encrypt -inkey '$encd' -in firmware.bin -out bad"
says "operation failed.*key tour-encd: no context: give it as tallystick_context"
refused shell "openssl pkeyutl -encrypt -inkey '$encd' -pkeyopt tallystick_context:5453 \
  -in firmware.bin -out bad"
says "CKM_TS_SEAL.*CKR_MECHANISM_PARAM_INVALID"
refused shell "openssl pkeyutl -encrypt -inkey '$encd' -pkeyopt tallystick_context:xy \
  -in firmware.bin -out bad"
says "tallystick_context: not an even number of hexadecimal digits"

job "a key for sealing seals, and does nothing else; none comes out"
refused shell "openssl pkeyutl -decrypt -inkey '$encd' -in firmware.sealed -out bad"
refused shell "openssl mac -propquery '?provider=tallystick' -macopt 'uri:$encd' -digest SHA256 \
  -in firmware.bin HMAC"
says "bad key.*not a key for HMAC"
refused shell "openssl kdf -propquery '?provider=tallystick' -kdfopt 'uri:$encd' -kdfopt digest:SHA256 \
  -keylen 32 HKDF"
refused shell "openssl kdf -propquery '?provider=tallystick' -kdfopt digest:SHA256 -keylen 32 \
  -kdfopt 'uri:pkcs11:token=oem;object=tour-auth;type=secret-key' HKDF"
refused shell "openssl pkey -in '$encd' -outform DER -out bad"
[ ! -s "$home/tour/bad" ] || fail "something came out"

job "the largest asset, and one that is too long"
shell "$functions
$(sed -n '/^ENCD=/p; /^entry()/p; /^context()/p; /^REST=/p' <<<"$recipe")
head -c 67108864 /dev/zero > large.bin
HEADER=\$(head -c 128 tour.head | hex)
bytes=67108864
sealed=\$(sealed_size \$bytes)
HEADER=\${HEADER:0:176}\$(printf '%016x' \$sealed)\${HEADER:192}
HEADER=\${HEADER:0:14}01\${HEADER:16}
openssl pkeyutl -encrypt -inkey \"\$ENCD\" -in large.bin -out large.sealed \
  -pkeyopt \"tallystick_context:\$(context \"\$(entry 1 0 0 0 0x80000000 \$bytes large)\")\"
[ \"\$(size large.sealed)\" = \$sealed ]" || fail "64 MiB are not sealed"
refused shell "$functions
$(sed -n '/^ENCD=/p; /^entry()/p; /^context()/p; /^REST=/p' <<<"$recipe")
head -c 70000000 /dev/zero > large.bin
HEADER=\$(head -c 128 tour.head | hex)
sealed=\$(sealed_size 70000000)
HEADER=\${HEADER:0:176}\$(printf '%016x' \$sealed)\${HEADER:192}
HEADER=\${HEADER:0:14}01\${HEADER:16}
openssl pkeyutl -encrypt -inkey \"\$ENCD\" -in large.bin -out large.sealed \
  -pkeyopt \"tallystick_context:\$(context \"\$(entry 1 0 0 0 0x80000000 70000000 large)\")\""
says "CKR_DATA_LEN_RANGE|more than 64 MiB"

job "provisioning software signed by openssl"
run shell "$functions
$(commands_of "$page" software)"
run shell "tallystick oem install-software two.tssw --token pkcs11:token=oem \
  --fingerprint \$(tallystick icm fingerprint icm.cer)"

job "consent to regeneration signed by openssl"
run shell "$functions
$(commands_of "$page" consent)
tallystick oem regenerate shares/master.tsms --consent consent.json --token pkcs11:token=oem -o again"
