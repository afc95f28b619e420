#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The commands of npu-run for whoever looks at a machine rather than multiplies: bench and its like,
# on the CPU device. What needs an NPU is in tests/device/npu-run.sh.
#
#   tests/cli/tools.sh NPU-RUN NPU-REPLAY
set -u

npu_run=$(readlink -f "$1")
npu_replay=$(readlink -f "$2")
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

# value EXPRESSION: what it gives with the last output, read as JSON, for d
value() {
	python3 -c "import json; d = json.load(open('out')); print($1)" 2>&1
}

# holds EXPRESSION VALUE
holds() {
	set -- "$1" "$2" "$(value "$1")"
	[ "$2" = "$3" ] || fail "$1 is '$3', not '$2'"
}

# ---- bench ----

bench() {
	"$npu_run" bench "$@"
}

check 'bench' 0 bench --device cpu,cpu:2 --count 5 3 40 5 64 64 64
says out "kernel     Linux $(uname -r)"; says out 'load       '; says out 'device     cpu '
says out '3 x 40 x 5         cpu:1  '; says out '64 x 64 x 64       cpu:1  '
[ "$(grep -c ' cpu:2  ' out)" -eq 2 ] || fail 'not a line for each shape on each device'; done_
check 'bench as JSON' 0 bench -d cpu:2 -d cpu --count 7 --json 3 40 5
is_json out
holds "d['conditions']['kernel']" "$(uname -r)"
holds "[x['threads'] for x in d['devices']]" '[2, 1]'
holds "[(r['m'], r['k'], r['n'], r['device']) for r in d['results']]" '[(3, 40, 5, 0), (3, 40, 5, 1)]'
holds "d['results'][0]['latency_ns']['calls']" 7
holds "d['results'][0]['stream']['matmuls']" 7
holds "d['results'][0]['fnv1a'] == d['results'][1]['fnv1a']" True
holds "'engine' in d['results'][0]" False
# What is said of a second follows from the seconds.
holds "abs(d['results'][0]['stream']['gops'] * d['results'][0]['stream']['seconds'] / (2e-9 * 600 * 7) - 1) < 1e-9" True
holds "(lambda l: l == sorted(l))([d['results'][1]['latency_ns'][p] for p in ('min', 'p50', 'p90', 'p99', 'max')])" True
done_
check 'bench of the usual shapes' 0 bench -d cpu --count 1 --warm-up 0 --json
holds "len(d['results'])" 6; done_
check 'bench as a chart' 0 bench -d cpu --count 2 --chart --svg chart.svg 8 16 8 16 64 16 64 256 64
says out 'int8 matrix multiplication'; says out 'operations for each byte'; says out 'GOPS'
python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("chart.svg")' || fail 'chart.svg is not XML'
says chart.svg 'cpu:1, '; done_
rm chart.svg
check 'bench with a chart in JSON' 2 bench -d cpu --chart --json
says err '--chart and --json exclude each other'; done_
check 'bench with a chart to nowhere' 4 bench -d cpu --svg no/chart.svg
says err 'npu-run: bench: no/chart.svg: cannot be created in no'; done_
check 'bench of half a shape' 2 bench -d cpu 64 64
says err 'npu-run: bench: a shape is three sizes, M K N'; done_
check 'bench of nothing' 2 bench -d cpu 64 0 64
says err "K is a whole number from 1 to 1048576, not '0'"; done_
check 'bench of no calls' 2 bench -d cpu --count 0
says err '--count is a whole number from 1'; done_
check 'bench of no time' 2 bench -d cpu --seconds 0
says err "--seconds is above 0 and at most 3600, not '0'"; done_
check 'bench for both a count and a time' 2 bench -d cpu -n 5 -s 1
says err '--count and --seconds exclude each other'; done_
check 'bench of an endless time' 2 bench -d cpu --seconds 1e300
says err "--seconds is above 0 and at most 3600, not '1e300'"; done_
for devices in 'cpu,,cpu' 'cpu,' ''; do
	check "bench of '$devices'" 2 bench -d "$devices"
	says err '--device has an empty name'; done_
done
check 'bench of nine devices' 2 bench -d cpu,cpu,cpu,cpu,cpu,cpu,cpu,cpu,cpu
says err '--device is up to 8 devices'; done_
check 'bench of a device that is none' 3 bench -d cpu,cpu:x 1 1 1
says err "no device is called 'cpu:x'"; done_
# A sanitizer reserves more than that for itself.
if ! grep -q __asan_init "$npu_run"; then
	check 'bench that is too large' 3 sh -c "ulimit -v 2000000; '$npu_run' bench -d cpu 1 1048576 1048576"
	says err 'memory'; done_
fi
check 'bench, interrupted' 130 interrupted is_catching "$npu_run" bench -d cpu --count 10000000 --json --svg chart.svg 64 64 64
says err 'npu-run: bench: interrupted'; is_json out; holds "d['results']" '[]'
[ "$(echo chart*)" = 'chart*' ] || fail 'there is a file'; done_

# ---- selftest --soak ----

check 'soak' 0 "$npu_run" selftest -d cpu --soak 0.2s --seed 7
says out 'soak      '; says out 'faults    0: 0 wrong results, 0 hangs'; done_
check 'soak to a count' 0 "$npu_run" selftest -d cpu --soak 2h --count 20 --json
is_json out; holds "(d['passed'], d['count'], d['faults']['wrong'])" '(20, 20, 0)'; done_
check 'soak of no time' 0 "$npu_run" selftest -d cpu --soak 1e-9 --json
is_json out; holds "d['passed']" 1; done_
for duration in 0 -1s 1x 1hh '' ' 1s' 1e9d inf nan; do
	check "soak for '$duration'" 2 "$npu_run" selftest -d cpu --soak "$duration"
	says err "npu-run: selftest: --soak is a time such as 90s, 5m, 2h or 1d, not '$duration'"; done_
done
check 'soak, interrupted' 130 interrupted is_catching "$npu_run" selftest -d cpu --soak 10d --json
says err 'npu-run: selftest: interrupted'; is_json out
holds "'count' in d" False; done_

# ---- replay ----

check 'version of npu-replay' 0 "$npu_replay" --version
says out "npu-replay $("$npu_run" --version | cut -d ' ' -f 2)"; done_

# ---- top ----

check 'top of no NPU' 3 "$npu_run" top --once --device /dev/null
says err 'npu-run: top: /dev/null: not the node of an NPU'; done_
check 'top that never looks' 2 "$npu_run" top --interval 0
says err "--interval is a time such as 90s, 5m, 2h or 1d, not '0'"; done_
check 'top in no order' 2 "$npu_run" top --sort name
says err "--sort is engine, memory or pid, not 'name'"; done_
check 'top of too much' 2 "$npu_run" top 1
says err "'1'"; done_
check 'unknown option of top' 2 "$npu_run" top --bogus
says err "npu-run: top: unrecognized option '--bogus'"; done_

# ---- trace ----

check 'trace to nowhere' 2 "$npu_run" trace -- true
says err 'npu-run: trace: --output says where'; done_
check 'trace of nothing' 2 "$npu_run" trace -o t.json
says err 'a command, or a time by --duration?'; done_
check 'trace of two things' 2 "$npu_run" trace -o t.json -t 1s true
says err 'a command, or a time by --duration?'; done_
check 'trace in no room' 2 "$npu_run" trace -o t.json --buffer 1 true
says err '--buffer is a whole number from 4'; done_
check 'unknown option of trace' 2 "$npu_run" trace --bogus true
says err "npu-run: trace: unrecognized option '--bogus'"; done_
if [ ! -e /sys/kernel/tracing/events/npu ] && [ ! -e /sys/kernel/debug/tracing/events/npu ]; then
	check 'trace without a driver' 3 "$npu_run" trace -o t.json -- touch ran
	says err 'npu-run: trace: '; [ ! -e ran ] || fail 'the command was run'
	[ "$(echo t.json*)" = 't.json*' ] || fail 'there is a file'; done_
fi

# ---- cdi ----

check 'cdi of no NPU' 3 "$npu_run" cdi --device /dev/null -o npu.json
says err 'npu-run: cdi: /dev/null: not the node of an NPU'
[ ! -e npu.json ] || fail 'there is a file'; done_
check 'cdi of a bad kind' 2 "$npu_run" cdi --kind npu
says err "--kind is a vendor and a class such as example.com/npu, not 'npu'"; done_
check 'cdi of too much' 2 "$npu_run" cdi 1
says err "'1'"; done_
check 'unknown option of cdi' 2 "$npu_run" cdi --bogus
says err "npu-run: cdi: unrecognized option '--bogus'"; done_

finish tools
