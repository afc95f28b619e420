#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs cmocka test programs one after the other and adds up what they counted. Plain POSIX, so
# that the same script serves the build machine and a guest with nothing but busybox.
#
#   tests/run.sh LABEL PROGRAM...
#
# TEST_RUNNER, if set, is the command that programs are started with: an emulator.
set -u

label=$1
shift
passed=0
failed=0
skipped=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

# Sum of the numbers in lines like "[  PASSED  ] 12 test(s)." of the program's output.
count() {
	sed -n "s/^\[ *$1 *\] \([0-9]*\) test.*/\1/p" "$out" | awk '{ n += $1 } END { print n + 0 }'
}

for program; do
	began=$(date +%s)
	# shellcheck disable=SC2086
	${TEST_RUNNER-} "$program" >"$out" 2>&1
	status=$?
	cat "$out"
	p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
	# A crash, or a failure outside any test, must not pass for success.
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "$program: ended with status $status" >&2
		f=1
	fi
	if [ $((p + f + s)) -eq 0 ]; then
		echo "$program: ran no test" >&2
		f=1
	fi
	took=$(($(date +%s) - began))
	[ $took -lt 10 ] || echo "$(basename "$program"): took $took s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

echo "$label: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
