# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# board run: boots the guest for one command. Everything of a run is in one temporary folder and
# a few processes, and all of it goes when the run ends, however it ends.

status_panic=123
status_timeout=124

run() {
	local kernel_at release sysroot device
	[ ${#command[@]} -gt 0 ] || die "run needs a command after --"
	need "$qemu" dtc fdtoverlay cpio setpriv modprobe
	[ -d "$share" ] || die "--share: no folder '$share'"
	run_check_files

	device=$(qemu_device)
	[ -f "$device" ] || die "no device for the installed QEMU: run 'make board'"
	model=${model:-$build/$(gcc -dumpmachine)/tools/board/model/libnpu-model.so}
	[ -f "$model" ] || die "no device model '$model': run 'make board', or name one by --model"
	kernel_at=$(kernel_dir)
	sysroot=$(sysroot_dir)
	release=$(cat "$kernel_at/release")
	run_modules

	tmp=$(mktemp -d "${TMPDIR:-/tmp}/board.XXXXXX")
	trap run_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	guest_script="exec$(printf " '%s'" "${command[@]//\'/\'\\\'\'}")"
	initramfs "$tmp" "$sysroot" "${modules[@]}" >"$tmp/initramfs"
	run_devicetree
	run_qemu
	run_result
}

run_check_files() {
	local spec
	for spec in "${files[@]}"; do
		[ -e "${spec%%:*}" ] || die "--file: no such file '${spec%%:*}'"
	done
}

# Modules for init, then npu.ko after what it depends on
run_modules() {
	local ko=$build/kmod/$release/npu.ko wanted=$init_modules
	if [ -n "$module" ]; then
		[ -f "$ko" ] || die "no $ko: run 'make guest', or use --no-module"
		wanted+=" $(modinfo -F depends "$ko" | tr ',' ' ')"
	fi
	mapfile -t modules < <(modules_in_order "$kernel_at" "$release" $wanted)
	[ ${#modules[@]} -gt 0 ] || die "modules of $release are missing in $kernel_at"
	[ -z "$module" ] || modules+=("$ko")
}

# The machine's device tree is QEMU's own for the same options, with the NPU added.
run_devicetree() {
	"$qemu" -M "$machine,dumpdtb=$tmp/machine.dtb" -cpu "$cpu" -smp "$cpus" -m "$memory" \
		-nodefaults -no-user-config -display none >"$tmp/qemu.log" 2>&1 ||
		run_failed "QEMU gave no device tree"
	: >"$tmp/qemu.log"
	sed "s/@CLOCK@/$clock/" "$here/boards/$overlay" | dtc -q -O dtb -o "$tmp/npu.dtbo"
	fdtoverlay -i "$tmp/machine.dtb" -o "$tmp/board.dtb" "$tmp/npu.dtbo"
}

# A value within a -device option: a comma is written twice.
quoted() {
	printf '%s' "${1//,/,,}"
}

run_qemu() {
	local name device_options time_options=() all_faults
	mkfifo "$tmp/out" "$tmp/err" "$tmp/serial"
	all_faults=$(IFS=';' && echo "${faults[*]-}")
	device_options=$front,model=$(quoted "$(readlink -f "$model")"),clock=$clock
	device_options+=,faults=$(quoted "$all_faults")
	if [ -n "$icount" ]; then
		time_options=(-icount shift=0,sleep=off)
		device_options+=,tick-ns=1000,host-us=0
	fi

	cat "$tmp/out" &
	readers+=($!)
	cat "$tmp/err" >&2 &
	readers+=($!)
	if [ -n "$verbose" ]; then
		tee "$tmp/kernel.log" <"$tmp/serial" >&2 &
	else
		cat "$tmp/serial" >"$tmp/kernel.log" &
	fi
	readers+=($!)

	# The preload must reach QEMU and nothing else. setpriv: no QEMU outlives the board.
	setpriv --pdeathsig TERM timeout -k 5 "$timeout" setpriv --pdeathsig KILL \
		env LD_PRELOAD="$device" "$qemu" \
		-M "$machine" -cpu "$cpu" -smp "$cpus" -m "$memory" -accel tcg "${time_options[@]}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel_at/vmlinuz" -initrd "$tmp/initramfs" -dtb "$tmp/board.dtb" \
		-append "console=$console panic=-1 oops=panic $append" \
		-chardev "file,id=serial,path=$tmp/serial" -serial chardev:serial \
		-chardev "file,id=out,path=$tmp/out" -chardev "file,id=err,path=$tmp/err" \
		-chardev "file,id=status,path=$tmp/status" \
		-device "virtio-serial-$virtio" -device virtconsole,chardev=out \
		-device virtconsole,chardev=err -device virtconsole,chardev=status \
		-fsdev "local,id=share,path=$(quoted "$share"),security_model=none" \
		-device "virtio-9p-$virtio,fsdev=share,mount_tag=share" \
		-device "$device_options" \
		</dev/null >>"$tmp/qemu.log" 2>&1 &
	qemu_pid=$!
	qemu_status=0
	wait "$qemu_pid" || qemu_status=$?
	qemu_pid=
	# A QEMU that never opened its consoles leaves their readers waiting.
	for name in out err serial; do
		[ -f "$tmp/status" ] || : <>"$tmp/$name"
	done
	wait "${readers[@]}" || true
	readers=()
}

# What the guest told last decides.
run_result() {
	local what rest
	[ "$qemu_status" -ne 124 ] ||
		run_failed "time-out: '${command[*]}' had $timeout seconds" $status_timeout
	read -r what rest < <(tail -n1 "$tmp/status" 2>/dev/null) || true
	case $what in
	exit) exit "$rest" ;;
	fail) run_failed "$rest" ;;
	esac
	if grep -q 'Kernel panic' "$tmp/kernel.log"; then
		run_failed "the guest's kernel panicked" $status_panic
	elif [ "$what" = ready ]; then
		run_failed "the guest stopped before '${command[*]}' ended" $status_panic
	fi
	run_failed "the guest did not start"
}

# run_failed REASON [STATUS]: with what QEMU and the guest's kernel had to say
run_failed() {
	[ ! -s "$tmp/qemu.log" ] || sed 's/^/qemu: /' "$tmp/qemu.log" >&2
	[ -n "$verbose" ] || [ ! -s "$tmp/kernel.log" ] || last_words | sed 's/^/kernel: /' >&2
	say "$1"
	exit "${2:-125}"
}

# The kernel's report of what stopped it, else its last lines
last_words() {
	tr -d '\r' <"$tmp/kernel.log" |
		awk '/Unable to handle|Internal error|BUG:|Kernel panic/ { found = 1 }
			found { report = report $0 "\n" }
			{ last[NR % 10] = $0 }
			END {
				if (found)
					printf "%s", report
				else
					for (i = NR + 1; i <= NR + 10; i++)
						if (i % 10 in last) print last[i % 10]
			}'
}

run_cleanup() {
	trap - EXIT
	[ -z "${qemu_pid:-}" ] || kill "$qemu_pid" 2>/dev/null || true
	[ -z "${qemu_pid:-}" ] || wait "$qemu_pid" 2>/dev/null || true
	[ ${#readers[@]} -eq 0 ] || kill "${readers[@]}" 2>/dev/null || true
	rm -rf "$tmp"
}

readers=()
