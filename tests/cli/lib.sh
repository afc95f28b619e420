# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the tests of the command line have in common, on the CPU and in tests/device: a temporary
# folder to work in, and the judge of a command. Sourced before the first relative path is used.

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

passed=0
failed=0

fail() {
	echo "FAILED: $what: $*" >&2
	sed 's/^/    /' out err >&2
	ok=
}

# ends WHAT STATUS COMMAND...: runs the command, and judges its exit status
ends() {
	what=$1 want=$2 ok=1
	shift 2
	"$@" >out 2>err
	status=$?
	[ "$status" -eq "$want" ] || fail "exit status $status, not $want"
}

# check WHAT STATUS COMMAND...: the same, and that errors have one line
check() {
	ends "$@"
	if [ "$want" -eq 0 ]; then
		[ ! -s err ] || fail "something on standard error"
	elif [ "$(wc -l <err)" -ne 1 ]; then
		fail "not one line on standard error"
	fi
}

# says FILE TEXT: the last command's output or error has the text in it
says() {
	grep -qF -e "$2" "$1" || fail "$1 does not say '$2'"
}

# is_json FILE
is_json() {
	python3 -m json.tool "$1" >/dev/null 2>why || fail "$1 is not JSON: $(cat why)"
}

# is_catching: $pid has got so far that SIGTERM no longer kills it, or has ended
is_catching() {
	mask=$(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/$pid/status" 2>/dev/null) || return 0
	[ -z "$mask" ] || [ $((mask & 0x4000)) -ne 0 ]
}

# interrupted READY COMMAND...: asks the command to end as soon as READY says so
interrupted() {
	ready=$1
	shift
	"$@" &
	pid=$!
	until $ready || [ ! -d "/proc/$pid" ]; do
		sleep 0.1
	done
	kill "$pid"
	wait "$pid"
}

# done_: counts the check that was just judged
done_() {
	if [ -n "$ok" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# finish LABEL: the script's last line
finish() {
	echo "$1: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
