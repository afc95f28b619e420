#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The kernel ends while programs keep the NPU busy. Whatever is in memory afterwards, another kernel
# perhaps, the engine must not write to it: each job that it began was done before the restart. The
# kernel's log is what outlives it, so the driver's trace goes there. The engine's clock is slow, so
# that it is never without a job. Then the same with an engine that cannot be stopped.
#
#   tests/device/shutdown.sh BOARD...     what runs the virtual board, up to --
set -u
cd "$(dirname "$0")/../.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. tests/count.sh

"$@" --verbose --clock 200000 --append tp_printk -- sh -c '
	mount -t tracefs trace /sys/kernel/tracing
	cd /sys/kernel/tracing/events/npu
	npu-load --processes 4 --contexts 4 --seconds 1000 >/dev/null &
	sleep 3
	echo 1 >npu_job_done/enable
	echo 1 >npu_job_start/enable
	sleep 1
	reboot -f
	sleep 1000' >"$work/out" 2>"$work/err"

# The jobs of an event, each by the names it has in all of them.
jobs_of() {
	sed -n "s/.* $1: \(dev=.* index=[0-9]*\).*/\1/p" "$work/err" | sort
}

jobs_of npu_job_start >"$work/began"
jobs_of npu_job_done >"$work/done"
check "it restarts" grep -q 'reboot: Restarting system' "$work/err"
check "the NPU was busy" [ "$(wc -l <"$work/done")" -gt 10 ]
check "what it began is done" [ -z "$(comm -23 "$work/began" "$work/done")" ]
no_fault() { ! grep -E 'BUG:|WARNING:' "$work/err"; }
check "the kernel finds no fault" no_fault

# shellcheck disable=SC2016 # expanded in the guest
# An engine that hangs and cannot be reset loses its clock, on a bus where the driver has it.
"$@" --no-reset --fault hang:1 --verbose --append tp_printk -- sh -c '
	mount -t tracefs trace /sys/kernel/tracing
	echo 10 >/sys/module/npu/parameters/timeout_floor_ms
	for device in /sys/bus/platform/drivers/npu/*/power/control; do
		[ ! -e "$device" ] || echo on >"$device"
	done
	npu-load --processes 1 --contexts 1 --seconds 1 >/dev/null 2>&1
	grep -h "state:" /sys/kernel/debug/*/*/state >/dev/kmsg
	echo 1 >/sys/kernel/tracing/events/clk/clk_disable/enable
	reboot -f
	sleep 1000' >"$work/out" 2>"$work/err"

check "it restarts with a wedged engine" grep -q 'reboot: Restarting system' "$work/err"
check "the engine was wedged" grep -q '\] state: wedged' "$work/err"
if ! grep -q 'npu 0000:' "$work/err"; then
	check "the wedged engine has no clock" grep -q '\] clk_disable: .*npu' "$work/err"
fi
check "the kernel finds no fault" no_fault
finish shutdown
