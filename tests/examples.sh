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

# refuse TEXT COMMAND...: the command fails with status 1 and says the text
refuse() {
	text=$1
	shift
	"$@" >"$dir/out" 2>&1
	status=$?
	if [ $status -eq 1 ] && grep -q "$text" "$dir/out"; then
		passed=$((passed + 1))
	else
		echo "examples: FAILED: $*, which should fail and say '$text', status $status" >&2
		cat "$dir/out" >&2
		failed=$((failed + 1))
	fi
}

for example in matmul packed-weights dma-buf outlier-layer fallback; do
	check "^Usage: $example " $example --help
done

check '^  -4    5   -6 -122$' matmul "$@"
refuse 'matmul: /dev/null: not a DRM node' matmul /dev/null

w=$dir/w.npuw
check 'packed, because of this: cannot open .*No such file' packed-weights "$w" "$@"
check 'mapped from' packed-weights "$w" "$@"
check 'right, 4 x 256' packed-weights "$w" "$@"
echo >>"$w"
check 'packed, because of this: .*damaged' packed-weights "$w" "$@"
check 'mapped from' packed-weights "$w" "$@"
check '16 sums of 256 values' dma-buf "$@"

check 'layer.safetensors: 256 x 512' outlier-layer "$dir"
refuse '/no/layer.safetensors' outlier-layer "$dir/no"

# What is no NPU stands for none. The CPU takes over only when it may, and every line says so.
refuse 'fallback: /dev/null: not a DRM node' fallback /dev/null
refuse 'fallback: /dev/no: there is no such file' fallback --allow-cpu /dev/no
for text in 'fallback: /dev/null: not a DRM node' 'fallback: running on cpu' \
	'^queue .* matmuls 2, jobs 0, host_steps 0; all of it on the CPU' 'right, 8 x 64'; do
	check "$text" fallback --allow-cpu /dev/null
done
if [ $# -eq 0 ]; then
	for text in 'fallback: running on nvdla' '^int8 .* host_steps 0, host_stages 0x00$' \
		'^int32 .* host_steps [1-9].*\[output\]' 'jobs [1-9][0-9]*, host_steps [1-9][0-9]*$' \
		'right, 8 x 64'; do
		check "$text" fallback --allow-cpu
	done
fi

echo "examples: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
