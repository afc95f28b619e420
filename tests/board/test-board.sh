#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tests of the virtual board itself: what goes into the guest, what comes out, and how it ends.
#
#   tests/board/test-board.sh BUILD     BUILD is where this machine's objects are
set -u
cd "$(dirname "$0")/../.." || exit 1

built=$1
build=$(dirname "$built")
board=$PWD/tools/board/board
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. tests/count.sh

mkdir "$work/tmp"
export TMPDIR=$work/tmp

# Runs the board; sets $status, fills out and err. The driver has its own tests.
board() {
	"$board" "$@" >"$work/out" 2>"$work/err"
	status=$?
}

# A boot that takes seconds takes minutes on a machine with other things to do.
guest() {
	board run --build "$build" --no-module --timeout 300 --share "$work" "$@"
}

status_is() { [ "$status" -eq "$1" ]; }
out_is() { [ "$(cat "$work/out")" = "$1" ]; }
err_is() { [ "$(cat "$work/err")" = "$1" ]; }
err_has() { grep -qF -- "$1" "$work/err"; }
err_lines() { [ "$(wc -l <"$work/err")" -eq "$1" ]; }
nothing_left() { [ -z "$(ls -A "$TMPDIR")" ]; }

# ---- what goes through ----

guest -- sh -c 'echo to out; echo to err >&2; exit 7'
check "the command's status is the board's" status_is 7
check "standard output is the command's and nothing else" out_is "to out"
check "standard error is the command's and nothing else" err_is "to err"

# shellcheck disable=SC2016
guest -- printf '%s|' "two words" "it's" '"$HOME"' '' 'a\b' '*'
check "arguments arrive as they are" out_is "two words|it's|\"\$HOME\"||a\\b|*|"
check "success is status 0" status_is 0

# Everything a terminal would touch: all byte values, many times what its buffers hold.
every_byte=$(printf '\\%03o' $(seq 0 255))
for _ in $(seq 4096); do
	# shellcheck disable=SC2059
	printf "$every_byte"
done >"$work/bytes"
guest --file "$PWD/Makefile:/tmp/copied" -- sh -c 'cat bytes; cp bytes returned; test -s /tmp/copied'
check "a mebibyte of every byte value comes out unchanged" cmp "$work/bytes" "$work/out"
check "a file written in the guest is on the host" cmp "$work/bytes" "$work/returned"
check "--file puts a file where it says" status_is 0

guest -- no-such-program
check "a command that does not exist is status 127" status_is 127

# ---- the device ----

id=0xc100000
guest -- devmem $id
cp "$work/out" "$work/id"
check "the built model answers" grep -qx '0x[0-9A-F]*' "$work/id"

# The id is in the tiny model's source.
guest --model "$built/tests/tiny-model.so" -- devmem $id
check "--model is the model that answers" out_is 0x54494E59

# shellcheck disable=SC2016
guest --config nv_small+gated -- sh -c 'tr "\0" "\n" </sys/firmware/devicetree/base/npu@c100000/compatible'
check "the device tree names the configuration, not its options" out_is nvidia,nv_small

board overlay --arch armhf
check "overlay names what describes the NPU in a device tree" out_is virt.dtso
board overlay --arch amd64
check "a card is in no device tree" out_is ""
board overlay --arch riscv64
check "nor is an NPU of a machine that nothing boots on" status_is 0

unbind='echo c110000.reset-controller >/sys/bus/platform/drivers/simple-reset/unbind'
guest --model "$built/tests/tiny-model.so" -- sh -c "$unbind
	devmem 0xc110000 32 1; devmem $id; devmem 0xc110000; devmem 0xc110000 32 0; devmem $id"
check "a device in reset reads as nothing, and comes back" \
	out_is $'0x00000000\n0x00000001\n0x54494E59'

# Pulling the first one's reset line is nothing to the second one.
unbind_all="$unbind; echo c210000.reset-controller >/sys/bus/platform/drivers/simple-reset/unbind"
guest --npus 2 --model "$built/tests/tiny-model.so" -- sh -c "$unbind_all
	devmem $id; devmem 0xc200000; devmem 0xc110000 32 1; devmem $id; devmem 0xc200000"
check "--npus is the number of devices, each with its own reset line" \
	out_is $'0x54494E59\n0x54494E59\n0x00000000\n0x54494E59'
guest -- devmem 0xc200000
check "without it there is one" [ "$(cat "$work/out")" != "$(cat "$work/id")" ]

guest --clock 12345678 -- sh -c \
	'hexdump -e "4/1 \"%02x\"" /sys/firmware/devicetree/base/clock-npu-c1/clock-frequency'
check "--clock is what the device tree says" out_is "$(printf '%08x' 12345678)"

# ---- how it ends ----

guest -- sh -c 'echo c >/proc/sysrq-trigger'
check "a panic is status 123" status_is 123
check "a panic is named" err_has "board: the guest's kernel panicked"
check "a panic shows what the kernel said" err_has "sysrq triggered crash"

guest -- sh -c 'echo "WARNING: possible circular locking dependency detected" >/dev/kmsg'
check "a fault that the kernel only reports is status 123, too" status_is 123
check "it is shown" err_has "possible circular locking"

guest -- poweroff -f
check "a guest that switches off early is status 123" status_is 123

"$board" run --build "$build" --no-module --share "$work" -- yes 2>"$work/err" |
	head -n 1 >"$work/out"
check "a reader that goes away ends the board" out_is y

# The boot is part of it: a busy machine may need more until the guest has said something.
for seconds in 10 40 160; do
	guest --timeout $seconds -- sh -c 'echo begun; sleep 1000'
	[ ! -s "$work/out" ] || break
done
check "a time-out is status 124" status_is 124
check "a time-out is named" \
	err_has "time-out: 'sh -c echo begun; sleep 1000' had $seconds seconds"
check "output from before a time-out is there" out_is begun

guest -- true &
other=$!
guest -- devmem $id
wait $other
check "a second board at once does not disturb the first" cmp "$work/out" "$work/id"

# The board tells the guest's first output before the signal comes; then it must go, QEMU with it.
interrupt() {
	local fifo=$work/fifo line running
	mkfifo "$fifo"
	"$board" run --build "$build" --no-module --share "$work" -- sh -c 'echo begun; sleep 1000' >"$fifo" 2>"$work/err" &
	running=$!
	read -r line <"$fifo"
	kill -TERM $running
	wait $running
	status=$?
	[ "$line" = begun ] && [ $status -eq 143 ]
}
check "a signal ends the board" interrupt
check "no temporary files are left" nothing_left
qemu_gone() { ! grep -qF "path=$TMPDIR" /proc/[0-9]*/cmdline 2>/dev/null; }
check "no QEMU is left" qemu_gone

# ---- mistakes ----

# mistake WHAT MESSAGE ARGUMENT...: status 125 and one line that says what is wrong
mistake() {
	local what=$1 message=$2
	shift 2
	board "$@"
	check "$what: status" status_is 125
	check "$what: message" err_has "$message"
}

mistake "unknown option" "unknown option '--colour'" run --colour -- true
mistake "option without value" "--model needs a value" run --model
mistake "not a number" "--timeout takes a positive number, not 'soon'" run --timeout soon -- true
mistake "too many NPUs" "--npus: a machine has room for 8, not 9" run --npus 9 -- true
mistake "no command" "run needs a command" run
mistake "unknown kernel" "no board with kernel '2.4' on 'arm64'" run --kernel 2.4 -- true
mistake "unknown machine" "no machine 'vax'" sysroot --arch vax
mistake "nothing for 32 bits" "riscv64 runs no programs for 32 bits" sysroot --arch riscv64 --compat
mistake "no such file" "--file: no such file '$work/absent'" run --file "$work/absent" -- true
mistake "no such folder" "--share: no folder '$work/absent'" run --share "$work/absent" -- true
mistake "missing model" "no device model '$work/absent.so'" run --model "$work/absent.so" -- true
mistake "nothing built" "run 'make board'" run --build "$work/absent" -- true

echo 'unsigned int npu_model_abi(void); unsigned int npu_model_abi(void) { return 99; }' |
	gcc -shared -fPIC -x c -o "$work/abi.so" -
mistake "model with another interface" "has interface version 99, the board has 1" \
	run --build "$build" --no-module --model "$work/abi.so" -- true
mistake "unknown configuration" "--config: no configuration 'nv_medium'; there are nv_small" \
	run --config nv_medium -- true
mistake "unknown option of a configuration" "--config: no configuration 'nv_small+gate'" \
	run --config nv_small+gate -- true
mistake "configuration that a model does not know" "does not know the configuration nv_medium" \
	run --build "$build" --no-module --model "$built/tools/board/model/libnpu-model.so" \
	--config nv_medium -- true
mistake "no device tree" "--disabled: amd64 has no device tree" run --arch amd64 --disabled -- true
mistake "not a model" "cannot open the model" run --build "$build" --no-module --model "$board" -- true
mistake "unknown fault" "does not take the fault 'flood:1'" run --build "$build" --no-module --fault flood:1 -- true

# ---- without a network ----

mkdir "$work/offline"
cat >"$work/offline/apt-get" <<EOF
#!/bin/sh
case " \$* " in
*" indextargets "*) exec $(command -v apt-get) "\$@" ;;
*) echo "no network" && exit 100 ;;
esac
EOF
chmod +x "$work/offline/apt-get"
PATH=$work/offline:$PATH guest -- true
check "what is in the cache needs no network" status_is 0
PATH=$work/offline:$PATH XDG_CACHE_HOME=$work/cache board kdir
check "what is not in the cache is status 125 without network" status_is 125
check "it says so" err_has "cannot read the package lists of bookworm: is this machine offline?"
check "nothing half is in the cache" [ -z "$(find "$work/cache" -name kernels)" ]

finish board
