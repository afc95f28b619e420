#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Things go wrong with an NPU, and npu-run info says what: no permission, no driver, another driver,
# a driver that may not have it, no module. Everything is put back in between. With "disabled" the
# device tree has the NPU but says that it is not to be used.
#
#   tests/device/diagnosis.sh [disabled]
set -u

passed=0
failed=0

# says WHAT STATUS TEXT...: info ends so, and names each of these
says() {
	what=$1 want=$2 ok=1
	shift 2
	$info "PATH=$PATH npu-run info" >/tmp/out 2>/tmp/err
	status=$?
	[ "$status" -eq "$want" ] || ok=
	for text; do
		grep -qF -e "$text" /tmp/out || ok=
	done
	if [ -n "$ok" ]; then
		passed=$((passed + 1))
		echo "ok: $what"
	else
		failed=$((failed + 1))
		echo "FAILED: $what (status $status)"
		sed 's/^/    /' /tmp/out /tmp/err
	fi
}

finish() {
	echo "diagnosis: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

info="sh -c"
if [ "${1-}" = disabled ]; then
	says 'a disabled node' 3 'problem      /npu@c100000: the device tree says' '(disabled)' 'okay'
	finish
fi

node=$(npu-run info | sed -n 's/^nvdla .*, \(.*\) (driver npu)$/\1/p')
device=$(readlink -f "$(echo /sys/class/*/"${node##*/}"/device)")
bus=$(basename "$(readlink -f "$device/subsystem")")
name=${device##*/}
drivers=/sys/bus/$bus/drivers
if [ -z "$node" ] || [ ! -d "$drivers/npu" ]; then
	echo "FAILED: no NPU to begin with"
	exit 1
fi

says 'nothing wrong' 0 "$node (driver npu)"
! grep -q problem /tmp/out || { failed=$((failed + 1)); echo "FAILED: a problem of no kind"; }

# A user who is not root.
mkdir -p /etc
echo 'user:x:1000:1000::/:/bin/sh' >/etc/passwd
printf 'user:x:1000:\nrender:x:105:\n' >/etc/group
says_as() {
	info="su user -s /usr/bin/sh -c"
	says "$@"
	info="sh -c"
}
chmod 600 "$node"
says_as 'a node of its owner' 3 "problem      $node: no permission, only the node's owner" \
	"chmod 660 $node"
chgrp 105 "$node"
chmod 660 "$node"
says_as 'a node of a group' 3 "problem      $node: no permission, the node belongs to group render" \
	'(no-permission)'
chmod 666 "$node"
says_as 'a node for everybody' 0 "$node (driver npu)"

mv "$node" /tmp/node
says 'a missing file' 3 "problem      $node: the kernel has this node" '(no-device-file)'
mv /tmp/node "$node"

echo "$name" >"$drivers/npu/unbind"
says 'an NPU without a driver' 3 "problem      $name: no driver has it" '(not-bound)' \
	"echo $name >$drivers/npu/bind"

echo vfio-none >"$device/driver_override"
says 'an NPU that no driver may have' 3 "problem      $name: no driver has it" 'vfio-none' \
	'(driver-override)'

# A driver that takes whatever it is told to.
if [ -d "$drivers/simple-pm-bus" ]; then
	echo simple-pm-bus >"$device/driver_override"
	echo "$name" >"/sys/bus/$bus/drivers_probe"
	says 'an NPU of another driver' 3 "problem      $name: driver simple-pm-bus has it" \
		'(other-driver)'
	# What it says to do works.
	sed -n 's/^  remedy     give it to npu: //p' /tmp/out >/tmp/remedy
	sh /tmp/remedy
else
	echo >"$device/driver_override"
	echo "$name" >"/sys/bus/$bus/drivers_probe"
fi
says 'an NPU that was given back' 0 "$node (driver npu)"

rmmod npu
says 'no module' 3 'problem      the kernel module npu is not loaded' '(module-not-installed)'
folder=/lib/modules/$(uname -r)
mkdir -p "$folder"
echo 'updates/npu.ko:' >"$folder/modules.dep"
says 'a module that is not loaded' 3 '(module-not-loaded)' 'modprobe npu'
insmod /npu/modules/npu.ko
says 'nothing wrong any more' 0 "$node (driver npu)"
finish
