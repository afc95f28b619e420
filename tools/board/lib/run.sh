# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# board run: boots the guest for one command. Everything of a run is in one temporary folder and
# a few processes, and all of it goes when the run ends, however it ends.

status_panic=123
status_timeout=124

# What a kernel says when it has found a fault, as an expression for grep and awk. A fault found with
# panic_on_warn ends the guest; locks, contexts and leaks are only reported.
kernel_fault='BUG:|WARNING:|UBSAN:|INFO: (possible|task|trying)|kmemleak: .*(suspected|disabled)'
kernel_fault+='|turning off the locking|DMA-API: debugging out of memory|ODEBUG: .*disabled'

run() {
	local kernel_at release sysroot compat_sysroot device
	[ ${#command[@]} -gt 0 ] || die "run needs a command after --"
	[ -z "$disabled" ] || [ -n "$overlay" ] || die "--disabled: $arch has no device tree"
	need "$qemu" dtc fdtoverlay cpio setpriv modprobe
	[ -d "$share" ] || die "--share: no folder '$share'"
	run_check_config
	run_check_files
	[ "$npus" -le 8 ] || die "--npus: a machine has room for 8, not $npus"

	device=$(qemu_device)
	[ -f "$device" ] || die "no device for the installed QEMU: run 'make board'"
	model=${model:-$(built_tool model/libnpu-model.so)}
	[ -f "$model" ] || die "no device model '$model': run 'make board', or name one by --model"
	[ -z "$recording" ] || record_begin
	kernel_at=$(kernel_dir)
	sysroot=$(sysroot_dir)
	[ -z "$with_compat" ] || compat_sysroot=$(conf_compat && sysroot_dir)
	release=$(cat "$kernel_at/release")
	run_modules

	tmp=$(mktemp -d "${TMPDIR:-/tmp}/board.XXXXXX")
	trap run_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	guest_script="exec$(printf " '%s'" "${command[@]//\'/\'\\\'\'}")"
	initramfs "$tmp" "$sysroot" "${modules[@]}" >"$tmp/initramfs"
	devicetree=()
	[ -z "$overlay" ] || run_devicetree
	run_qemu
	[ -z "$recording" ] || record_end
	run_result
}

# A model of somebody else may know other configurations, and says so itself if it does not.
run_check_config() {
	[ -z "$model" ] || return 0
	case ${config%+gated} in
	nv_small | nv_large) ;;
	*) die "--config: no configuration '$config'; there are nv_small and nv_large, each also with +gated" ;;
	esac
}

run_check_files() {
	local spec
	for spec in "${files[@]}"; do
		[ -e "${spec%%:*}" ] || die "--file: no such file '${spec%%:*}'"
	done
}

# Modules for init, then npu.ko after what it depends on
run_modules() {
	local ko=$build/kmod/$release/npu.ko wanted=$init_modules$loads
	if [ -n "$module" ]; then
		[ -f "$ko" ] || die "no $ko: run 'make guest', or use --no-module"
		wanted+=" $(modinfo -F depends "$ko" | tr ',' ' ')"
	fi
	mapfile -t modules < <(modules_in_order "$kernel_at" "$release" $wanted)
	[ ${#modules[@]} -gt 0 ] || die "modules of $release are missing in $kernel_at"
	[ -z "$module" ] || modules+=("$ko")
}

# The machine's device tree is QEMU's own for the same options, with the NPUs added.
run_devicetree() {
	local unit overlays=() edits=()
	"$qemu" -M "$machine,dumpdtb=$tmp/machine.dtb" -cpu "$cpu" -smp "$cpus" -m "$memory" \
		-nodefaults -no-user-config -display none >"$tmp/qemu.log" 2>&1 ||
		run_failed "QEMU gave no device tree"
	: >"$tmp/qemu.log"
	[ -z "$no_reset" ] || edits+=(-e '/\<reset\(s\|-names\) = /d')
	[ -z "$disabled" ] || edits+=(-e 's/^\(\t*\)compatible = "nvidia,.*/&\n\1status = "disabled";/')
	[ -n "$region" ] || edits+=(-e '/^	reserved-memory {/,/^	};/d' -e '/memory-region = /d')
	[[ $config = *+gated ]] || edits+=(-e '/clock-gating;/d')
	for ((unit = 0; unit < npus; unit++)); do
		sed -e "s/@CLOCK@/$clock/; s/@AT@/c$((unit + 1))/; s/@SPI@/$((100 + unit))/" \
			-e "s/@CONFIG@/${config%%+*}/; s/@REGION@/$((region << 20))/" "${edits[@]}" \
			"$here/boards/$overlay" | dtc -q -O dtb -o "$tmp/npu-$unit.dtbo"
		overlays+=("$tmp/npu-$unit.dtbo")
	done
	fdtoverlay -i "$tmp/machine.dtb" -o "$tmp/board.dtb" "${overlays[@]}"
	devicetree=(-dtb "$tmp/board.dtb")
}

# A value within a -device option: a comma is written twice.
quoted() {
	printf '%s' "${1//,/,,}"
}

# The guest's output goes into files, which take all of it at once: when the guest's write has
# returned, the host has the data, and nothing is lost however the guest ends.
run_qemu() {
	local device_options npu_options=() time_options=() all_faults unit
	all_faults=$(IFS=';' && echo "${faults[*]-}")
	device_options=$front,model=$(quoted "$(readlink -f "$model")"),clock=$clock
	device_options+=,config=$(quoted "$config")
	device_options+=,faults=$(quoted "$all_faults")
	[ -z "$no_reset" ] || [ -n "$overlay" ] || device_options+=,flr=off
	if [ -n "$icount" ]; then
		time_options=(-icount shift=0,sleep=off)
		device_options+=,tick-ns=$((100000000000 / clock)),host-us=0
	fi
	for ((unit = 0; unit < npus; unit++)); do
		npu_options+=(-device "$device_options${overlay:+,unit=$unit}")
	done
	touch "$tmp/out" "$tmp/err" "$tmp/status" "$tmp/kernel.log"

	# The preload must reach QEMU and nothing else. setpriv: no QEMU outlives the board.
	setpriv --pdeathsig TERM timeout -k 5 "$timeout" setpriv --pdeathsig KILL \
		env LD_PRELOAD="$device" "$qemu" \
		-M "$machine" -cpu "$cpu" -smp "$cpus" -m "$memory" -accel tcg "${time_options[@]}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel_at/vmlinuz" -initrd "$tmp/initramfs" "${devicetree[@]}" \
		-append "console=$console panic=-1 oops=panic panic_on_warn=1 $append" \
		-serial "file:$tmp/kernel.log" \
		-chardev "file,id=out,path=$tmp/out,append=on" \
		-chardev "file,id=err,path=$tmp/err,append=on" \
		-chardev "file,id=status,path=$tmp/status,append=on" \
		-device "virtio-serial-$virtio" -device virtserialport,nr=1,chardev=out \
		-device virtserialport,nr=2,chardev=err -device virtserialport,nr=3,chardev=status \
		-fsdev "local,id=share,path=$(quoted "$share"),security_model=none" \
		-device "virtio-9p-$virtio,fsdev=share,mount_tag=share" \
		"${npu_options[@]}" \
		</dev/null >>"$tmp/qemu.log" 2>&1 &
	qemu_pid=$!
	run_follow out >&1
	run_follow err >&2
	[ -z "$verbose" ] || run_follow kernel.log >&2
	run_wait
}

# Copies a file to standard output until QEMU has ended and all of it is out.
run_follow() {
	tail -q -c +1 -s 0.05 -f --pid="$qemu_pid" "$tmp/$1" &
	readers+=($!)
}

run_wait() {
	qemu_status=0
	wait -n "$qemu_pid" "${readers[0]}" || qemu_status=$?
	# As a command here would end when nobody reads its output any more, so does one there.
	! kill -0 "$qemu_pid" 2>/dev/null || exit 141
	wait "${readers[@]}" || true
	qemu_pid=
	readers=()
}

# What the guest told last decides.
run_result() {
	local what rest
	[ -z "$verbose" ] || sed 's/^/qemu: /' "$tmp/qemu.log" >&2
	[ "$qemu_status" -ne 124 ] ||
		run_failed "time-out: '${command[*]}' had $timeout seconds" $status_timeout
	read -r what rest < <(tail -n1 "$tmp/status" 2>/dev/null) || true
	case $what in
	exit)
		! grep -qE "$kernel_fault" "$tmp/kernel.log" ||
			run_failed "the guest's kernel found a fault" $status_panic
		exit "$rest"
		;;
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
	[ -n "$verbose" ] || [ ! -s "$tmp/qemu.log" ] || sed 's/^/qemu: /' "$tmp/qemu.log" >&2
	[ -n "$verbose" ] || [ ! -s "$tmp/kernel.log" ] || last_words | sed 's/^/kernel: /' >&2
	say "$1"
	exit "${2:-125}"
}

# The kernel's first report of a fault and what follows it, else its last lines
last_words() {
	tr -d '\r' <"$tmp/kernel.log" |
		awk -v fault="$kernel_fault|-\\\\[ cut here|Unable to handle|Internal error|Kernel panic" '
			$0 ~ fault { found = 1 }
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
	rm -rf "$tmp" ${recording_part:+"$recording_part"}
}

readers=()
