#!/bin/bash
# OpenSSH: a login at a real sshd with a key of the token, by ssh alone and by ssh-agent; the token
# as certificate authority; signatures over files.
# shellcheck source=tests/stock/common.sh
. "$(dirname "$0")/common.sh"
stock_tool "OpenSSH"
# A server of root wants directories of the system, and its users real passwords.
wrap=$(file_in "$unpacked" libwrap.so.0) || wrap=
as_nobody usr/sbin/sshd "${wrap#"$unpacked"/}"

for program in ssh ssh-keygen ssh-agent ssh-add sftp; do needs "$program" openssh-client; done
sshd=$(PATH=$unpacked/usr/sbin:/usr/sbin:$PATH command -v sshd) ||
  skip "sshd is missing (package openssh-server)"
libraries=$(dirname "$wrap")

make_token line
make_pair EC:prime256v1 login 01
make_pair EC:secp384r1 authority 02

# ssh asks this program for the PIN.
export SSH_ASKPASS=$home/pin SSH_ASKPASS_REQUIRE=force DISPLAY=
printf '#!/bin/sh\necho %s\n' $pin >"$home/pin"
chmod 700 "$home/pin"

# key_of <label> <file>: the line of ssh-keygen -D for a key.
key_of() {
  run ssh-keygen -D "$module"
  grep " $1\$" "$home/log" >"$2" || fail "ssh-keygen -D does not give the key \"$1\""
}

job "ssh-keygen -D"
key_of login "$home/login.pub"
key_of authority "$home/authority.pub"
public_of 01 "$home/public.pem"
run ssh-keygen -i -m PKCS8 -f "$home/public.pem"
[ "$(cut -d' ' -f2 "$home/log")" = "$(cut -d' ' -f2 "$home/login.pub")" ] ||
  fail "ssh-keygen and openssl read different public keys"

# A server of the user's own; sftp inside it needs no shell.
port=$(free_port)
user=$(id -un)
run ssh-keygen -q -t ed25519 -N '' -f "$home/host"
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$home/host.pub")" >"$home/known_hosts"
cat >"$home/sshd_config" <<EOF
Port $port
ListenAddress 127.0.0.1
HostKey $home/host
PidFile none
AuthorizedKeysFile $home/authorized_keys
TrustedUserCAKeys $home/trusted
StrictModes no
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
EOF
touch "$home/trusted"
cp "$home/login.pub" "$home/authorized_keys"
in_background env LD_LIBRARY_PATH="$libraries" "$sshd" -D -e -f "$home/sshd_config" 2>"$home/sshd.log"
until_true grep -q "Server listening" "$home/sshd.log"
printf 'from the other side' >"$home/there"
# logs_in <option of sftp>...: fetches a file.
fetch=(sftp -F none -P "$port" -o BatchMode=no -b - -o "UserKnownHostsFile=$home/known_hosts"
  -o PreferredAuthentications=publickey)
logs_in() {
  rm -f "$home/here"
  if ! echo "get $home/there $home/here" | "${fetch[@]}" "$@" "$user@127.0.0.1" >"$home/log" 2>&1; then
    cat "$home/log" "$home/sshd.log" >&2
    fail "no login"
  fi
  cmp -s "$home/there" "$home/here" || fail "the file is another"
}

job "log in with the token's key"
logs_in -o "PKCS11Provider=$module" -o IdentityAgent=none

job "a key that is not known is refused"
: >"$home/authorized_keys"
refused "${fetch[@]}" -o "PKCS11Provider=$module" -o IdentityAgent=none "$user@127.0.0.1"
says "Permission denied"
cp "$home/login.pub" "$home/authorized_keys"

job "log in by ssh-agent"
in_background ssh-agent -D -a "$home/agent" -P "$(dirname "$(readlink -f "$module")")/*" >/dev/null
export SSH_AUTH_SOCK=$home/agent
until_true test -S "$home/agent"
run ssh-add -s "$module"
run ssh-add -L
grep -qF "$(cut -d' ' -f2 "$home/login.pub")" "$home/log" || fail "the agent has not the key"
logs_in -o PKCS11Provider=none

job "sign a file by ssh-agent (ssh-keygen -Y)"
printf 'a message' >"$home/message"
run ssh-keygen -Y sign -f "$home/login.pub" -n file "$home/message"
printf 'stock %s\n' "$(cut -d' ' -f1,2 "$home/login.pub")" >"$home/signers"
ssh-keygen -Y verify -f "$home/signers" -I stock -n file -s "$home/message.sig" <"$home/message" \
  >"$home/log" 2>&1 || fail "the signature does not verify"
run ssh-add -e "$module"

job "the token as certificate authority of users"
run ssh-keygen -q -t ed25519 -N '' -f "$home/person"
run ssh-keygen -q -D "$module" -s "$home/authority.pub" -I person -n "$user" "$home/person.pub"
run ssh-keygen -L -f "$home/person-cert.pub"
says "Signing CA: ECDSA .* \(using ecdsa-sha2-nistp384\)"
cp "$home/authority.pub" "$home/trusted"
logs_in -i "$home/person" -o IdentityAgent=none -o PKCS11Provider=none
