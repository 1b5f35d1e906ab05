#!/bin/bash
# tools/provider-leaks: a token, and the program of leaks.cpp on it. Arguments as for the others here,
# the program, how often, and what it runs under.
# shellcheck source=tests/provider/common.sh
. "$(dirname "$0")/common.sh"

make_pair rsa:2048 rsa 01
make_pair EC:prime256v1 ec 02
export TALLYSTICK_TEST_MODULE=$module TALLYSTICK_TEST_PROVIDER=$provider TALLYSTICK_TEST_PIN=$pin
"${@:6}" "$4" "$5"
