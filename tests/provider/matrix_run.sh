# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what the matrix sets and uses
# For tests/provider/matrix: runs jobs, and tells what came of them.

declare -A results
wrong=0
readonly kRefused=10 kWrong=11

# The calls of a job. with_token: openssl with the provider; it may refuse, and then the job ends.
with_token() {
  local status=0
  call_openssl "$@" >out 2>err </dev/null || status=$?
  cat out err >said
  ((status != 0)) || return 0
  if ((status >= 126 && status < 255)); then ends_wrong "crashed with status $status: openssl $*"; fi
  reason_of err >reason
  exit $kRefused
}
# plain: openssl without the provider, to prepare and to check; it has to work.
plain() {
  local status=0
  timeout --foreground 120 openssl "$@" >out 2>err </dev/null || status=$?
  cat out err >said
  ((status == 0)) || ends_wrong "openssl $*"
}
ends_wrong() {
  printf '%s\n' "$*" >reason
  exit $kWrong
}
# said <extended regular expression>: of the last call
said() { grep -qE -- "$1" said || ends_wrong "the output has no \"$1\""; }
same() { cmp -s "$1" "$2" || ends_wrong "$1 and $2 differ"; }
# serve <text that the server prints when it is ready, or nothing> <program>...: ends with the job
serve() {
  # A process group of its own, and no session: `ocsp -multi` makes itself the leader of a group.
  set -m
  "${@:2}" >server.log 2>&1 </dev/null &
  set +m
  servers+=($!)
  local end=$((SECONDS + 60))
  until [ -z "$1" ] || grep -q -- "$1" server.log; do
    if ! kill -0 "${servers[-1]}" 2>/dev/null; then
      reason_of server.log >reason
      exit $kRefused
    fi
    ((SECONDS < end)) || ends_wrong "the server is not ready after 60 s"
    sleep 0.05
  done
}
# The servers of a job, and their children.
end_servers() {
  local status=$? server
  for server in "${servers[@]}"; do kill -KILL -- "-$server" 2>/dev/null; done
  exit "$status"
}
# token_server <text> <command> <argument>...
token_server() {
  case $the_configuration in
    plain) serve "$1" openssl "${@:2}" ;;
    line)
      TALLYSTICK_MODULE=${module_file[$the_module]} serve "$1" openssl "$2" \
        -provider-path "$(dirname "$provider")" -provider tallystick -provider default "${@:3}"
      ;;
    *) OPENSSL_CONF=$home/$the_module-$the_configuration.cnf serve "$1" openssl "${@:2}" ;;
  esac
}

# What the provider said, in one line, or else what openssl said.
reason_of() {
  local line
  line=$(sed -nE 's/^[0-9A-F]+:error:[0-9A-F]+:tallystick::[^:]*:[^:]*:[^:]*:(.*)/\1/p' "$1" | head -n 1)
  if [ -n "$line" ]; then
    # Where it was is the table's; the name of the key is the job's.
    line=${line/#token line, key [^:]*: /}
    sed -E 's/^token line(, key [^:]*)?: //; s/; its URI is .*//; s/pkcs11:[^ ]*: //' <<<"$line"
    return
  fi
  line=$(sed -nE 's/^[0-9A-F]+:error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):.*/\1: \2/p' "$1" | tail -n 1)
  [ -n "$line" ] || line=$(grep -v '^ *$' "$1" | tail -n 1)
  echo "openssl: $line"
}

# run_job <module> <configuration> <job>: gives the result
run_job() {
  local folder=$home/jobs/$1-$2 status=0 reason
  rm -rf "$folder"
  mkdir "$folder"
  (
    cd "$folder"
    the_module=$1
    the_configuration=$2
    mine=$home/$1
    name=$1-$2
    servers=()
    trap end_servers EXIT
    eval "${job_commands[$3]}"
  ) >"$folder.log" 2>&1 || status=$?
  reason=$(head -n 1 "$folder/reason" 2>/dev/null || true)
  case $status:$1 in
    0:*) echo ok ;;
    "$kRefused:file") echo "no: $reason" ;;
    "$kRefused:"*) echo "refused: $reason" ;;
    *)
      echo "WRONG: ${reason:-status $status}"
      { cat "$folder.log" "$folder/err" 2>/dev/null || true; } | tail -n 20 >&2
      ;;
  esac
}

# run_module <module> <its number> <configuration>...: every job; the results go to a file, too.
run_module() {
  local job configuration number=$2 result
  for job in "${chosen[@]}"; do
    for configuration in "${@:3}"; do
      if ((slice && number++ % ($# - 2) != 0)); then continue; fi
      result=$(run_job "$1" "$configuration" "$job")
      printf '%s\t%s\t%s\t%s\n' "$1" "$configuration" "$job" "$result"
    done
    if ((slice)); then number=$((number + 1)); fi
  done
}

run_all() {
  local name number=0 runs=()
  ((slice)) || run_module file 0 plain >"$home/file.results" &
  runs+=($!)
  for name in "${modules[@]}"; do
    # The modules at once, if that was asked for.
    ((at_once || ${#runs[@]} < 2)) || wait "${runs[@]}"
    run_module "$name" $((number++)) "${configurations[@]}" > >(tee "$home/$name.results") &
    runs+=($!)
  done
  wait "${runs[@]}"
  local module configuration job result
  while IFS=$'\t' read -r module configuration job result; do
    results[$job/$module/$configuration]=$result
    case $result in WRONG*) wrong=1 ;; esac
  done < <(cat "$home"/*.results)
  # shellcheck disable=SC2034
  module=
}
