# shellcheck shell=bash
# What the scripts in this folder share. Sourced, not run.

set -euo pipefail

# The repository's root; every script works from there, whatever its path contains.
TALLYSTICK_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$TALLYSTICK_ROOT"

TALLYSTICK_SCRIPT="$(basename "$0")"

# How many things run at once; TALLYSTICK_JOBS changes it.
jobs_at_once() { echo "${TALLYSTICK_JOBS:-$(nproc)}"; }

fail() {
  echo "$TALLYSTICK_SCRIPT: $*" >&2
  exit 1
}

# usage_error <message>: a wrong command line is exit status 2.
usage_error() {
  echo "$TALLYSTICK_SCRIPT: $* (see --help)" >&2
  exit 2
}

# in_words <seconds>
in_words() {
  if (($1 < 60)); then
    echo "$1 s"
  else
    echo "$(($1 / 60)) min $(($1 % 60)) s"
  fi
}

# step <name> <command>...: runs one step, says how long it took, and ends the script with one clear
# line when it fails.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  echo "== $name"
  # Bash ignores -e on the left of `||`, so a step that is a function returns its own status.
  "$@" || status=$?
  if ((status != 0)); then
    echo "$TALLYSTICK_SCRIPT: FAILED at step \"$name\" (exit status $status)" >&2
    exit 1
  fi
  echo "== $name: done in $(in_words $((SECONDS - start)))"
}

# existing_folders <folder>...: those that exist, one per line.
existing_folders() {
  local folder
  for folder in "$@"; do
    [[ -d $folder ]] && echo "$folder"
  done
  return 0
}

# debian_sources <suite>: this machine's sources of Debian packages: address, suite and components.
debian_sources() {
  # The $(...) are apt's, not the shell's.
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
    'Created-By: Packages' | awk -v suite="$1" '$NF == "Debian" && index($2, suite) == 1 {print $1, $2, $3}' | sort -u
}
