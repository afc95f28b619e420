#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The small examples, which check their own results, on one device. Plain POSIX, so that it runs in
# the virtual board too. The programs are looked for in PATH.
#
#   tests/examples.sh [DEVICE]
set -u

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

# check TEXT COMMAND...: the command succeeds and says the text
check() {
	text=$1
	shift
	if "$@" >"$dir/out" 2>&1 && grep -q "$text" "$dir/out"; then
		passed=$((passed + 1))
	else
		echo "examples: FAILED: $*, which should say '$text'" >&2
		cat "$dir/out" >&2
		failed=$((failed + 1))
	fi
}

w=$dir/w.npuw
check 'packed, because of this: cannot open .*No such file' packed-weights "$w" "$@"
check 'mapped from' packed-weights "$w" "$@"
check 'right, 4 x 256' packed-weights "$w" "$@"
echo >>"$w"
check 'packed, because of this: .*damaged' packed-weights "$w" "$@"
check 'mapped from' packed-weights "$w" "$@"
check '16 sums of 256 values' dma-buf "$@"

echo "examples: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
