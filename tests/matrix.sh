#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Kernels and machines: what `board list` has, one line for each.
#
#   tests/matrix.sh compile BUILD    npu.ko is compiled for each kernel; no warnings with W=1, none
#                                    of sparse
#   tests/matrix.sh device BUILD     the device tests pass on each machine that can be booted
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

what=$1
build=$2
board="tools/board/board --build $build"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Of the compiler, of sparse, and of modpost.
complaints='\.[ch]:[0-9:]+ (warning|error)|^(WARNING|ERROR): modpost'

compile() {
	local arch=$2 kernel=$4 kdir cross checks options
	kdir=$($board kdir --arch "$arch" --kernel "$kernel") || return
	cross=$($board cross --arch "$arch") || return
	options=()
	# It does not know this processor.
	[ "$arch" != riscv64 ] || options+=(SPARSE=)
	make O="$build" lint-kmod KDIR="$kdir" CROSS_COMPILE="$cross" "${options[@]}" >"$log" 2>&1 ||
		return
	! grep -qE "$complaints" "$log" || return
	checks="W=1"
	! grep -q '^ *CHECK ' "$log" || checks+=", sparse"
	result="${kdir##*/linux-headers-}, $checks"
}

device() {
	local arch=$2 kernel=$4
	make O="$build" guest check-device GUEST_ARCH="$arch" GUEST_KERNEL="$kernel" >"$log" 2>&1 ||
		return
	result=$(sed -n 's/^device: //p' "$log")
}

passed=0
failed=0
while read -r arch_option arch kernel_option kernel only; do
	[ -z "$only" ] || [ "$what" = compile ] || continue
	result=
	if "$what" "$arch_option" "$arch" "$kernel_option" "$kernel" </dev/null && [ -n "$result" ]; then
		passed=$((passed + 1))
		echo "ok: $what $arch $kernel: $result"
	else
		failed=$((failed + 1))
		grep -E "$complaints|FAILED|\*\*\*|^board:" "$log" | tail -n 20 | sed 's/^/    /'
		echo "FAILED: $what $arch $kernel"
	fi
done < <($board list)

echo "$what: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
