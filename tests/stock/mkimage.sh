#!/bin/bash
# mkimage (U-Boot): FIT images signed for verified boot with a key of the token, by libp11's engine.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "mkimage"
needs mkimage u-boot-tools
for program in dtc fdtput fdtget; do needs "$program" device-tree-compiler; done
prepare_engine
# mkimage takes the PIN from here; the key is the URI without its scheme, and the image's hint names
# the public key in the device tree.
export MKIMAGE_SIGN_PIN=$pin
image=(mkimage -N pkcs11 -k "token=line;object=rsa")

make_token line
make_pair rsa:2048 rsa 01
public_of 01 "$home/rsa.pem"
head -c 20000 /dev/urandom >"$home/kernel"
printf '/dts-v1/;\n/ { model = "stock"; };\n' >"$home/board.dts"
run dtc -O dtb -o "$home/board.dtb" "$home/board.dts"
cp "$home/board.dtb" "$home/other.dtb"

description() { # <file> <padding>
  cat >"$1" <<EOF
/dts-v1/;
/ {
  description = "stock";
  #address-cells = <1>;
  images {
    kernel {
      data = /incbin/("$home/kernel");
      type = "kernel"; arch = "arm64"; os = "linux"; compression = "none";
      load = <0x80000000>; entry = <0x80000000>;
      hash { algo = "sha256"; };
    };
    fdt {
      data = /incbin/("$home/board.dts");
      type = "flat_dt"; arch = "arm64"; compression = "none";
      hash { algo = "sha256"; };
    };
  };
  configurations {
    default = "conf";
    conf {
      kernel = "kernel"; fdt = "fdt";
      signature {
        algo = "sha256,rsa2048"; padding = "$2";
        key-name-hint = "rsa"; sign-images = "kernel", "fdt";
      };
    };
  };
};
EOF
}

take_apart() { # <image without .itb>
  run python3 "$(dirname "$0")/fit_signed_bytes.py" "$1.itb" /configurations/conf/signature \
    "$1.signed" "$1.sig"
}
verifies() { # <image without .itb>
  take_apart "$1"
  run "${verify[@]}" -signature "$1.sig" "$1.signed"
  # What was signed names the hash of the data.
  cmp -s <(fdtget -t bx "$1.itb" /images/kernel/hash value | awk '{for (i = 1; i <= NF; ++i) printf "%2s", $i}' |
    tr ' ' 0) <(openssl dgst -sha256 -r "$home/kernel" | head -c 64) || fail "another kernel's hash"
}

for padding in pkcs-1.5 pss; do
  mine=$home/$padding
  verify=(openssl dgst -sha256 -verify "$home/rsa.pem")
  [ $padding = pkcs-1.5 ] || verify+=(-sigopt rsa_padding_mode:pss)
  description "$mine.its" $padding
  cp "$home/board.dtb" "$mine.dtb"

  job "$padding: sign a FIT image"
  with_engine "${image[@]}" -f "$mine.its" -K "$mine.dtb" -r "$mine.itb"

  job "$padding: openssl verifies the configuration's signature"
  verifies "$mine"
  # The key that the boot loader is given to trust is the token's.
  modulus=$(fdtget -t x "$mine.dtb" /signature/key-rsa rsa,modulus |
    awk '{for (i = 1; i <= NF; ++i) {printf "%8s", toupper($i)}}' | tr ' ' 0)
  [ "Modulus=$modulus" = "$(openssl rsa -pubin -in "$home/rsa.pem" -noout -modulus)" ] ||
    fail "another public key in the device tree"

  job "$padding: a changed image is refused"
  cp "$mine.itb" "$mine-changed.itb"
  run fdtput -t s "$mine-changed.itb" /images/kernel os elf
  take_apart "$mine-changed"
  refused "${verify[@]}" -signature "$mine-changed.sig" "$mine-changed.signed"
done

job "sign again what was signed"
with_engine "${image[@]}" -F -K "$home/pss.dtb" -r "$home/pss.itb"
verifies "$home/pss"

job "a wrong PIN is refused"
MKIMAGE_SIGN_PIN=00000000 OPENSSL_CONF=$engine_config \
  refused "${image[@]}" -f "$home/pss.its" -K "$home/other.dtb" -r "$home/refused.itb"
