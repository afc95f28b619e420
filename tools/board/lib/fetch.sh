# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# board fetch: everything that a board needs from the network, so that the rest works without it.

fetch() {
	if [ -n "$update" ]; then
		# Lists that were read before now are too old.
		rm -f "$cache"/apt/*/updated
		kernel_fetch
		sysroot_fetch
		[ -z "$compat" ] || (conf_compat && sysroot_fetch)
	fi
	kernel_dir >/dev/null
	sysroot_dir >/dev/null
	[ -z "$compat" ] || (conf_compat && sysroot_dir >/dev/null)
	qemu_headers "$(qemu_version)" >/dev/null
}
