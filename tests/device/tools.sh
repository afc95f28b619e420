#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The commands of npu-run that look at an NPU at work. The board is started with a fault, so that
# the soak has something to find: --fault hang:20.
#
#   tests/device/tools.sh
set -u

# shellcheck source=/dev/null
. "$(dirname "$0")/../cli/lib.sh"

# above 0 KEY: the number behind the first "KEY": in the output
above() {
	sed -n "s/.*\"$2\": \([0-9.e+-]*\)[,}].*/\1/p" out | head -n 1 >number
	awk -v least="$1" '{ exit !($1 > least) }' number || fail "$2 is '$(cat number)'"
}

node=$(npu-run info | sed -n 's/^nvdla .*, \(.*\) (driver npu)$/\1/p' | head -n 1)

# ---- selftest --soak ----

# The engine hangs once, is reset, and the test goes on: 50 multiplications, of which 49 are right.
ends 'soak past a hang' 3 npu-run selftest --soak 1h --count 50 --seed 1 --json
says out '"passed": 49, '; says out '"faults": {"wrong": 0, "hangs": 1, "errors": 0, '
says err 'npu-run: selftest: 1 faults in '; done_

# ---- bench ----

# says_limit FILE WHAT: if the kernel knows the engine's clock, which it does not of a card
says_limit() {
	! npu-run info | grep -q ' MHz' || says "$@"
}

ends 'bench beside the CPU' 0 npu-run bench --count 10 64 256 64 1 1024 1024
says out "device     nvdla nv_"; says_limit out 'MHz, at most '; says out 'device     cpu '
[ "$(grep -c ' nvdla  ' out)" -eq 2 ] || fail 'not two lines of the NPU'; done_
ends 'bench as a chart' 0 npu-run bench --count 3 --chart --svg chart.svg 64 256 64 1 1024 1024
says_limit out 'limit of nv_small'; says_limit chart.svg 'limit of nv_small'; done_
ends 'bench as JSON' 0 npu-run bench -d "$node" --count 10 --json 64 256 64
says out '"engine": {"jobs": '; says out '"limit_cycles": 16384, '
above 0 utilisation; above 0 busy; above 16383 cycles; done_
ends 'bench, interrupted' 130 interrupted is_catching npu-run bench --count 10000000 64 256 64
says err 'npu-run: bench: interrupted'; done_

# ---- top ----

# As long as the test runs, somebody is at work.
npu-run bench -d "$node" --count 10000000 --json 64 256 64 >/dev/null 2>&1 &
worker=$!
# It needs a moment to open the node.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	npu-run top --once --interval 1s --json >out
	! grep -q '"pid"' out || break
done
ends 'top, once' 0 npu-run top --once --interval 1s
says out "$node: engine "; says out ' busy over '; says out "    $worker 0 "
says out ' npu-run'; done_
ends 'top as JSON' 0 npu-run top --once --json --sort memory
says out "\"pid\": $worker, \"user\": \"0\", \"command\": \"npu-run\", \"node\": \"$node\", \"files\": 1"
above 0 busy; above 0 engine_ns; above 10000 total_bytes; done_
ends 'top of one node' 0 npu-run top --once --interval 0.1s --device "$node"
says out " $worker "; done_
has_looked_twice() {
	[ "$(wc -l <out)" -ge 2 ]
}
ends 'top, again and again' 130 interrupted has_looked_twice npu-run top --interval 0.2s --json
[ "$(grep -c '^{.*}$' out)" -gt 1 ] || fail 'not several looks'
[ "$(grep -vc '^{.*}$' out)" -eq 0 ] || fail 'a look that is no line'; done_
# Somebody else sees that there is something he does not see.
mkdir -p /etc
echo 'user:x:1000:1000::/:/bin/sh' >/etc/passwd
ends 'top as somebody else' 0 su user -s /usr/bin/sh -c "PATH=$PATH npu-run top --once"
says out ' processes of other users are hidden'; says out "$node: engine 0.0 %"
! grep -q " $worker " out || fail 'it is not hidden'; done_
kill "$worker"
wait "$worker"

# ---- trace ----

no_instance() {
	set -- /sys/kernel/debug/tracing/instances/*
	[ ! -e "$1" ] || fail "$1 is left"
}

ends 'trace of a command' 0 npu-run trace -o t.json -- npu-run bench -d "$node" -n 10 64 256 64
says out 'nvdla'; says err 'trace     t.json: 24 submissions, '
jobs=$(sed -n 's/.*submissions, \([0-9]*\) jobs, 0 hangs$/\1/p' err)
[ "$(grep -c '"ph": "X", "name": "[0-9]* x 256 x 64"' t.json)" -eq "$jobs" ] || fail 'not all jobs'
[ "$(grep -c '"outcome": "done"' t.json)" -eq 24 ] || fail 'not 24 ends in the file'
no_instance; done_
ends 'trace as JSON, of one node' 0 npu-run trace -d "$node" -o t.json --json -- npu-run bench -d "$node" -n 10 --json 64 256 64
says out "{\"trace\": \"t.json\", \"submissions\": 24, \"jobs\": $jobs, \"hangs\": 0, \"lost_events\": 0}"; done_
ends 'trace of a time' 0 npu-run trace -o t.json --duration 0.2s
says err ' 0 submissions'; says t.json '"traceEvents": []'; done_
# It does not read meanwhile.
cat >stopped <<'EOF'
kill -STOP $PPID
"$@"
kill -CONT $PPID
EOF
ends 'trace with too little room' 0 npu-run trace -o t.json -b 4 -- sh stopped npu-run bench -d "$node" -n 300 64 256 64
says err 'lost      '; done_
ends 'status of the command' 7 npu-run trace -o t.json -- sh -c 'exit 7'; done_
ends 'death of the command' 137 npu-run trace -o t.json -- sh -c 'kill -9 $$'; done_
rm t.json
ends 'a command that could not start one' 127 npu-run trace -o t.json -- sh -c 'exit 127'
says err 'trace     t.json: '; done_
rm t.json
ends 'no such command' 127 npu-run trace -o t.json -- nowhere
says err 'npu-run: trace: nowhere: No such file'; no_instance
[ "$(echo t.json*)" = 't.json*' ] || fail 'there is a file'; done_
ends 'no such folder' 4 npu-run trace -o no/t.json -- true
says err 'npu-run: trace: no/t.json: cannot be created'; no_instance; done_
# The command does not know of Ctrl-C what a terminal would tell it: it gets the signal from trace.
cat >long <<'EOF'
trap 'echo ended; exit 5' TERM
: >begun
while :; do sleep 0.1; done
EOF
ends 'trace, interrupted' 130 interrupted 'test -e begun' npu-run trace -o t.json -- sh long
says out 'ended'; says err 'trace     t.json: '; no_instance; done_
mkdir -m 777 /tmp/open
ends 'trace as somebody else' 3 su user -s /usr/bin/sh -c "PATH=$PATH npu-run trace -o /tmp/open/t.json -- true"
says err 'npu-run: trace: tracing is not permitted to this user; run it as root'; done_

# ---- cdi ----

ends 'cdi' 0 npu-run cdi
says out '{"cdiVersion": "0.6.0", "kind": "libnpu/npu", "devices": [{"name": "0", '
says out "\"deviceNodes\": [{\"path\": \"$node\", \"type\": \"c\", \"permissions\": \"rw\"}]"; done_
chgrp 105 "$node"
ends 'cdi into a file' 0 npu-run cdi --kind example.com/npu --device "$node" -o npu.json
says npu.json '"cdiVersion": "0.7.0", "kind": "example.com/npu"'
says npu.json '"additionalGids": [105]'; done_
chgrp 0 "$node"
ends 'cdi into no folder' 4 npu-run cdi -o no/npu.json
says err 'npu-run: cdi: no/npu.json: cannot be created in no'; done_

finish tools
