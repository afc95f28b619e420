# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The guest's root file system: busybox, the guest's libraries, kernel modules, the project's
# programs, and the files named on the command line. Several cpio archives one after the other are
# one initramfs.

# cpio_of ROOT: files named on standard input, as they are below ROOT
cpio_of() {
	(cd "$1" && cpio --quiet -o -H newc -R 0:0)
}

# initramfs TMP SYSROOT MODULE...: prints the archive; TMP is a folder to work in
initramfs() {
	local tmp=$1 sysroot=$2
	shift 2
	initramfs_libraries "$sysroot" usr/bin/busybox
	[ -z "$with_compat" ] || (conf_compat && initramfs_libraries "$compat_sysroot")
	initramfs_board "$tmp/root" "$@"
	(cd "$tmp/root" && find .) | (cd "$tmp/root" && cpio --quiet -o -L -H newc -R 0:0)
	initramfs_files
}

# initramfs_libraries SYSROOT FILE...: these files, and everything in the library folder itself:
# 10 MB, so no search for what is needed
initramfs_libraries() {
	local sysroot=$1
	shift
	(
		cd "$sysroot" || exit
		printf '%s\n' bin lib lib64 usr usr/bin usr/lib usr/lib64 "usr/lib/$triplet" "$@"
		find usr/lib usr/lib64 -maxdepth 2 -name '*.so.*'
	) | cpio_of "$sysroot"
}

# Links to what is wanted; cpio follows them.
initramfs_board() {
	local root=$1 file
	shift
	mkdir -p "$root"/{proc,sys,dev,tmp,root,mnt,npu/modules}
	ln -s "$here/guest/init" "$root/init"
	for file; do
		ln -s "$(readlink -f "$file")" "$root/npu/modules/"
		basename "$file" >>"$root/npu/modules/order"
	done
	initramfs_programs "$root/npu/bin" "$root/npu/lib"
	[ -z "$with_compat" ] ||
		(conf_compat && initramfs_programs "$root/npu/bin32" "$root/npu/lib32")
	printf '%s\n' "$guest_script" >"$root/npu/command"
}

# initramfs_programs BIN LIB: programs and shared libraries that are built for the guest
initramfs_programs() {
	local bin=$1 lib=$2 file
	mkdir -p "$bin" "$lib"
	project_programs | while read -r file; do
		case $file in
		*.so | *.so.*) ln -sf "$file" "$lib/" ;;
		*) ln -sf "$file" "$bin/" ;;
		esac
	done
}

project_programs() {
	local built
	built=$build/$(conf_target)
	[ -d "$built" ] || return 0
	find "$(readlink -f "$built")" -type f -executable ! -name '*.o' ! -name '*.ko'
	find "$(readlink -f "$built")" -type l -name '*.so*'
}

# --file HOST[:GUEST], for what lies outside the shared folder
initramfs_files() {
	local spec from to
	for spec in "${files[@]}"; do
		from=${spec%%:*} to=${spec#*:}
		[ "$spec" != "$from" ] || to=$(realpath -s "$from")
		mkdir -p "$tmp/files/$(dirname "$to")"
		ln -sfn "$(readlink -f "$from")" "$tmp/files/$to"
	done
	[ ! -d "$tmp/files" ] ||
		(cd "$tmp/files" && find -L . ! -name . | cpio --quiet -o -L -H newc -R 0:0)
}
