#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Verilated RTL as the board's device model: the stand-in of tools/board/rtl, through the glue that
# carries NVDLA.
#
#   tests/board/test-rtl.sh BUILD     BUILD is where this machine's objects are
#
# RTL_MODEL=FILE adds a model of the whole NVDLA, made by tools/board/rtl/build.sh: it must replay
# the recordings in tests/vectors, which takes some minutes.
set -u
cd "$(dirname "$0")/../.." || exit 1

built=$1
build=$(dirname "$built")
board=tools/board/board
model=$built/tools/board/rtl/stand_in.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. tests/count.sh

says() {
	local text=$1
	shift
	"$@" >"$work/said" 2>&1
	cat "$work/said"
	grep -qF -- "$text" "$work/said"
}

replay() { "$board" replay --build "$build" --model "$@"; }

mkdir -p "$(dirname "$model")"
check "RTL becomes a model" tools/board/rtl/build.sh "$model" tools/board/rtl/stand_in.v
check "that replays a recording" says "equal: 2 ops" replay "$model" tools/board/rtl/stand_in.vec

# A byte that the RTL does not write.
sed 's/^  0102030405060708090a/  0102030405060708090b/' tools/board/rtl/stand_in.vec >"$work/wrong.vec"
check "and not another one" says "memory at 0x80001009 is 0x0a, recorded 0x0b" \
	replay "$model" "$work/wrong.vec"

check "it is the NPU of the board" says 0x53544E44 "$board" run --build "$build" --no-module \
	--model "$model" -- devmem 0xc101000
check "registers keep what is written" says 0x00000007 "$board" run --build "$build" --no-module \
	--model "$model" -- sh -c 'devmem 0xc102008 32 7; devmem 0xc102008'
check "usage" says "usage: build.sh OUT.so VERILATOR-ARGUMENT" tools/board/rtl/build.sh
check "no such RTL" says "Cannot find file" tools/board/rtl/build.sh "$work/x.so" "$work/absent.v"

if [ -n "${RTL_MODEL-}" ]; then
	for vec in tests/vectors/*.vec; do
		case $vec in */large-*) continue ;; esac
		check "$(basename "$vec")" replay "$RTL_MODEL" "$vec"
	done
fi

finish rtl
