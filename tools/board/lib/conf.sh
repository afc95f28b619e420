# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The tables in tools/board/boards: ARCH.conf for a machine, ARCH-KERNEL.conf for a kernel on it.

conf_list() {
	(cd "$here/boards" && ls -- *-*.conf) | sed 's/\(.*\)-\(.*\)\.conf/--arch \1 --kernel \2/'
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

conf_board() {
	[ -f "$here/boards/$arch-$kernel.conf" ] ||
		die "no board with kernel '$kernel' on '$arch'; there are:
$(conf_list)"
	conf_machine
	# shellcheck source=/dev/null
	. "$here/boards/$arch-$kernel.conf"
}
