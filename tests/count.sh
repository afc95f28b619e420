# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Checks that are counted, for scripts that test with commands. Sourced; $work is their temporary
# folder. What commands leave in its files out and err is shown with a failure, too.

passed=0
failed=0

# check WHAT COMMAND...: its output is shown if it fails. What the check before it printed is in last.
check() {
	local what=$1 file
	shift
	[ ! -f "$work/log" ] || mv "$work/log" "$work/last"
	if "$@" >"$work/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok: $what"
		return
	fi
	failed=$((failed + 1))
	for file in log out err; do
		[ ! -s "$work/$file" ] || tail -n 60 "$work/$file" | cut -c 1-200 | sed 's/^/    /'
	done
	echo "FAILED: $what"
}

# finish LABEL: the script's last line
finish() {
	echo "$1: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
