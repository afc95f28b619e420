#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The command line where several NPUs are: it lists all of them, and --device is the one that works.
# Which one worked is seen from its interrupts.
#
#   tests/device/npu-run.sh
set -u

passed=0
failed=0

check() {
	what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $what"
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
	fi
}

# interrupts NODE: how many the device behind the node has had
interrupts() {
	device=$(basename "$(readlink /sys/class/*/"$(basename "$1")"/device)")
	awk -v device="$device" '$NF == device || index($0, " " device ",") {
		for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i
	} END { print n + 0 }' /proc/interrupts
}

# works NODE OTHER: a selftest on NODE takes interrupts of NODE and none of OTHER
works() {
	before=$(interrupts "$1") other=$(interrupts "$2")
	npu-run selftest --device "$1" >/dev/null || return
	[ "$(interrupts "$1")" -gt "$before" ] && [ "$(interrupts "$2")" -eq "$other" ]
}

# names NODE: info about NODE is about NODE and no other
names() {
	npu-run info --device "$1" | grep -q "^nvdla .*, $1 " &&
		[ "$(npu-run info --device "$1" | grep -c '^nvdla ')" -eq 1 ]
}

# shellcheck disable=SC2046
set -- $(npu-run info | sed -n 's/^nvdla .*, \(.*\) (driver npu)$/\1/p')
check "info lists two NPUs" [ $# -eq 2 ]
[ $# -eq 2 ] || exit 1
check "info --device names the first" names "$1"
check "info --device names the second" names "$2"
check "--device runs on the first" works "$1" "$2"
check "--device runs on the second" works "$2" "$1"

echo "npu-run: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
