# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The tables in tools/board/boards: ARCH.conf for a machine, ARCH-KERNEL.conf for a kernel on it.

# What a table need not say: a kernel without modules is only compiled for, and a machine without
# QEMU is one for such kernels only. A kernel has an image, or a source package, a configuration and
# options of its own for make.
init_modules=
driver_modules=
source_package=
kconfig=
kernel_options=
toolchain=
qemu=
compat=
cross=
overlay=
qemu_user=

conf_list() {
	(cd "$here/boards" && ls -- *-[0-9]*.conf) | sed 's/\(.*\)-\(.*\)\.conf/\1 \2/' |
		while read -r arch kernel; do
			conf_board
			echo "--arch $arch --kernel $kernel$([ -n "$init_modules" ] || echo " # to compile for")"
			init_modules=
		done
}

# conf_target: the folder below $build with what is built for the guest. Machines that differ in
# more than their processor share it, and the guest's libraries may be other than this machine's.
conf_target() {
	echo "guest-$deb_arch"
}

conf_machine() {
	[ -f "$here/boards/$arch.conf" ] || die "no machine '$arch'; there are:
$(conf_list)"
	# shellcheck source=/dev/null
	. "$here/boards/$arch.conf"
}

# conf_compat: the machine becomes the one whose 32-bit programs this one runs beside its own
conf_compat() {
	[ -n "$compat" ] || die "$arch runs no programs for 32 bits"
	arch=$compat
	conf_machine
}

# conf_programs: the machine that programs are built for
conf_programs() {
	conf_machine
	[ -z "$with_compat" ] || conf_compat
}

conf_board() {
	[ -f "$here/boards/$arch-$kernel.conf" ] ||
		die "no board with kernel '$kernel' on '$arch'; there are:
$(conf_list)"
	conf_machine
	# shellcheck source=/dev/null
	. "$here/boards/$arch-$kernel.conf"
}
