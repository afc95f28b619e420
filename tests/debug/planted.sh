#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Each detector of a debug kernel finds the bug that is planted for it, and the board's run fails.
#
#   tests/debug/planted.sh BUILD KERNEL MODULE
set -u
cd "$(dirname "$0")/../.." || exit 1

build=$1
kernel=$2
module=$3
# A race takes two.
cpus=$([ "$kernel" = kcsan ] && echo 2 || echo 1)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0
failed=0

guest() {
	tools/board/board run --build "$build" --arch amd64 --kernel "$kernel" --cpus "$cpus" --no-module \
		--file "$module:/planted.ko" -- "$@" >"$out" 2>&1
}

result() {
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $what"
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
		tail -n 5 "$out" | cut -c 1-200 | sed 's/^/    /'
	fi
}

reported() { [ "$status" -eq 123 ] && grep -qE "$report" "$out"; }
well() { [ "$status" -eq 0 ]; }

debug_bugs() {
	cat <<'END'
use-after-free BUG: KASAN: slab-use-after-free in use_after_free
beyond-vmalloc BUG: KASAN: vmalloc-out-of-bounds in beyond_vmalloc
leak kmemleak: [0-9]+ new suspected memory leaks
lock-inversion WARNING: possible circular locking dependency
lock-in-irq WARNING: inconsistent lock state
rcu-unlocked WARNING: suspicious RCU usage
sleep-in-atomic BUG: sleeping function called from invalid context
free-active-timer ODEBUG: free active .*timer_list
shift UBSAN: shift-out-of-bounds in .*planted.c
dma-leak DMA-API: .*device driver has pending DMA allocations
dma-size DMA-API: .*device driver frees DMA memory with different size
END
}

kcsan_bugs() {
	echo "data-race BUG: KCSAN: data-race in race_plain"
}

while read -r bug report; do
	what="$bug is reported"
	guest insmod /planted.ko "bug=$bug" </dev/null
	status=$?
	result reported
done < <("${kernel}_bugs")

case $kernel in
debug)
	# The same module without a bug, and what tests that make allocations fail need.
	what="no bug is no report; failures can be injected, coverage recorded"
	guest sh -c 'insmod /planted.ko bug=none && rmmod planted && cd /sys/kernel/debug &&
		ls kcov failslab/require-start fail_page_alloc/probability fail_function/inject \
			sync/sw_sync'
	;;
kcsan)
	what="a race of marked accesses is no report"
	guest insmod /planted.ko bug=marked-race
	;;
esac
status=$?
result well

echo "planted in $kernel: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
