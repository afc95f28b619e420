#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Fuzzes targets one after the other, each for so much time of the processor, however busy the
# machine is. Starts from tests/fuzz/corpus and from FOLDER/fuzz_TARGET, where new inputs are kept,
# with the words of a .dict if there is one. What was done is added to FOLDER/ledger, and its sums
# are printed: time adds up over runs.
#
#   tests/fuzz/run.sh FOLDER PROGRAMS SECONDS TARGET...
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
programs=$2
seconds=$3
shift 3
least=$((seconds < 10 ? seconds : 10))
# What is interrupted loses no more than this.
most=600
TIMEFORMAT='%U %S'

# Whole seconds of the next slice of a target, 0 if it has had its time. To begin takes time, too: no
# slice is shorter than it is worth.
next() {
	awk -v all="$seconds" -v spent="$spent" -v least=$least -v most=$most 'BEGIN {
		left = int(all - spent + 0.99)
		print (left <= 0 ? 0 : left < least ? least : left > most ? most : left)
	}'
}

# Runs a target for at most so long by the clock; adds to "spent" what it took of the processor.
slice() {
	local target=$1 limit=$2 status=0 inputs time log=$folder/fuzz_$1.log
	local options=(-max_total_time="$limit" -max_len=4096 -verbosity=0 -print_final_stats=1
		-artifact_prefix="$folder/")

	[ ! -f "tests/fuzz/$target.dict" ] || options+=(-dict="tests/fuzz/$target.dict")
	time=$({ time "$programs/fuzz_$target" "${options[@]}" "$folder/fuzz_$target" \
		"tests/fuzz/corpus/$target" >"$log" 2>&1; } 2>&1) || status=$?
	time=$(awk '{ printf "%.2f", $1 + $2 }' <<<"$time")
	spent=$(awk "BEGIN { print $spent + $time }")
	inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	echo "$target $time ${inputs:-0}" >>"$folder/ledger"
	[ $status -eq 0 ] || cat "$log" >&2
	return $status
}

for target; do
	mkdir -p "$folder/fuzz_$target"
	spent=0
	limit=$(next)
	while [ "$limit" -gt 0 ]; do
		slice "$target" "$limit"
		limit=$(next)
	done
done
awk '{ seconds[$1] += $2; inputs[$1] += $3 }
	END { for (t in seconds) printf "%-12s %6d s, %d inputs\n", t, seconds[t], inputs[t] }' \
	"$folder/ledger" | sort
