#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Recordings of the driver at work in the virtual board, replayed to a sound model and to a broken
# one.
#
#   tests/board/test-record.sh BUILD     BUILD is where this machine's objects are
set -u
cd "$(dirname "$0")/../.." || exit 1

built=$1
board="$PWD/tools/board/board"
build=$(dirname "$built")
broken=$built/tests/broken-model.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. tests/count.sh

board() {
	"$board" "$@" --build "$build" >"$work/out" 2>"$work/err"
	status=$?
}

# record FILE COMMAND...: in the guest, whose working folder is $work
record() {
	local file=$1
	shift
	"$board" record -o "$work/$file" --build "$build" --timeout 120 --share "$work" -- "$@" \
		>"$work/out" 2>"$work/err"
	status=$?
}

# npy FILE ROWS COLUMNS: int8 that look like noise and are always the same
npy() {
	{
		printf '\223NUMPY\1\0\166\0'
		printf '%-117s\n' "{'descr': '|i1', 'fortran_order': False, 'shape': ($2, $3), }"
		yes 'int8 operands for a recording' | head -c $(($2 * $3)) | tr '\n' '\377'
	} >"$work/$1"
}

status_is() { [ "$status" -eq "$1" ]; }
out_has() { grep -qE -- "$1" "$work/out"; }
err_has() { grep -qF -- "$1" "$work/err"; }
recording_has() { grep -qE -- "$2" "$work/$1"; }
nothing_else() { [ "$(cd "$work" && echo ./*.vec*)" = "$1" ]; }

# ---- a multiplication ----

npy A.npy 24 100
npy W.npy 40 100
record matmul.vec npu-run matmul A.npy W.npy -o C.npy --type int32
check "a command that is recorded has its own status" status_is 0
"$built/tools/npu-run/npu-run" matmul --device cpu -o "$work/cpu.npy" --type int32 \
	"$work/A.npy" "$work/W.npy" >"$work/out" 2>&1
check "and its result" cmp "$work/C.npy" "$work/cpu.npy"
check "the recording has the ops" recording_has matmul.vec '^# op 1: 24x1 positions, 100 channels'
check "what they read" recording_has matmul.vec '^mem '
check "what they wrote" recording_has matmul.vec '^out '
check "and its end" recording_has matmul.vec '^end$'
check "nothing temporary is left" nothing_else ./matmul.vec

board replay "$work/matmul.vec"
check "it replays" status_is 0
check "as equal" out_has ': equal: [1-9][0-9]* ops, .* bytes of results'
board replay --cycles 0 --json "$work/matmul.vec"
check "to the cycle" out_has '"result": "equal", "ops": [1-9]'

board replay --model "$broken" "$work/matmul.vec"
check "a broken model has status 1" status_is 1
# The broken byte is that of the third line of results: its address is in the recording.
check "the first difference is named" \
	out_has "matmul.vec:[0-9]+: first difference, in cycle [0-9]+, .* ops have ended: memory at 0x"
# shellcheck disable=SC2046
set -- $(sed -n 's/.*vec:\([0-9]*\): .* is \(0x..\), recorded \(0x..\); .*/\1 \2 \3/p' "$work/out")
check "by the line of its result" [ "$(sed -n "${1:-0}s/ .*//p" "$work/matmul.vec")" = out ]
check "and both values, which differ in that bit" [ $((${2:-0} ^ ${3:-0})) -eq 1 ]
board replay --model "$broken" --json "$work/matmul.vec"
check "also in JSON" out_has '"result": "memory", .*"address": [0-9]+, "got": [0-9]+, "recorded": '

# ---- recordings of the RTL ----

board replay tests/vectors/*.vec
check "the recordings of the RTL replay" [ "$(grep -c ': equal: ' "$work/out")" -eq 44 ]
check "as equal" status_is 0
board replay --model "$broken" tests/vectors/*.vec
check "not with the broken model" status_is 1

# ---- a bad day ----

"$board" record -o "$work/hang.vec" --build "$build" --share "$work" --fault hang:2 -- \
	npu-run selftest --count 3 >"$work/out" 2>"$work/err"
status=$?
check "a run with a hang fails" status_is 3
check "its recording has the fault" recording_has hang.vec '^fault hang:2$'
board replay "$work/hang.vec"
check "and replays as equal" status_is 0
rm "$work/hang.vec"

# ---- mistakes ----

# mistake WHAT STATUS MESSAGE ARGUMENT...
mistake() {
	local what=$1 wanted=$2 message=$3
	shift 3
	board "$@"
	check "$what: status" status_is "$wanted"
	check "$what: message" err_has "$message"
}

mistake "no file" 125 "record needs -o FILE" record
mistake "a folder" 125 "-o: '$work' is a folder" record -o "$work"
mistake "no folder" 125 "-o: no folder '$work/absent'" record -o "$work/absent/x.vec"
mistake "two NPUs" 125 "a recording is of one NPU, not of 2" record -o "$work/x.vec" --npus 2
mistake "nothing to replay" 125 "replay needs a recording" replay
mistake "no recording" 2 "$work/absent.vec: No such file or directory" replay "$work/absent.vec"
head -n 50 "$work/matmul.vec" >"$work/half"
mistake "half a recording" 2 "half:50: the recording stops here, before its end" \
	replay "$work/half"
mistake "not a model" 2 "cannot open the model" replay --model README.md "$work/matmul.vec"
mistake "not a number" 2 "--cycles takes a number from 0 to 1e+06, not 'few'" \
	replay --cycles few "$work/matmul.vec"
"$board" record -o "$work/x.vec" --build "$build" --share "$work" --model README.md -- true \
	>"$work/out" 2>"$work/err"
status=$?
check "a model that is none: status" status_is 125
check "a model that is none: message" err_has "recorder: cannot open the model"
check "a recording that failed leaves nothing" nothing_else ./matmul.vec

finish record
