# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A stock kernel in the cache: image, the modules the board uses, and headers to build against.
#
#   kernels/ARCH-KERNEL-SUM -> store/ARCH-VERSION-SUM/{release,vmlinuz,config,lib/modules,headers}

# SUM stands for the modules that are kept, for whose modpost is, and for a configuration of our own:
# a board that wants others fetches again.
kernel_sum() {
	sum $init_modules $driver_modules $qemu_user $kernel_options \
		${kconfig:+"$(kernel_config)"}
}

# kernel_config: a configuration of our own, whole
kernel_config() {
	(cd "$here/boards" && cat $kconfig)
}

kernel_name() {
	echo "$cache/kernels/$deb_arch-$kernel-$(kernel_sum)"
}

# kernel_dir: the kernel in the cache; fetches it when there is none
kernel_dir() {
	[ -d "$(kernel_name)" ] || kernel_fetch
	readlink -f "$(kernel_name)"
}

kernel_fetch() {
	if [ -n "$source_package" ]; then
		kernel_build
	else
		kernel_download
	fi
}

# Runs in a subshell, so that the lock ends with it.
kernel_download() (
	local package release version dir tmp toolchain_at=
	need depmod modprobe xz $qemu_user
	[ -z "$toolchain" ] || toolchain_at=$(toolchain_dir)
	cache_lock
	apt_setup deb "$suite" "$deb_arch"
	package=$(apt_newest "$image")
	[ -n "$package" ] || die "no package '$image' in $suite"
	release=${package#linux-image-}
	version=$(apt_field "$package" Version)
	dir=$cache/store/$deb_arch-$version-$(kernel_sum)

	if [ ! -f "$dir/release" ]; then
		tmp=$(cache_tmp)
		[ -z "$init_modules" ] || kernel_image "$tmp" "$package" "$release"
		kernel_headers "$tmp/headers" "$release"
		echo "$release" >"$tmp/release"
		cache_commit "$tmp" "$dir"
	fi
	cache_point "$(kernel_name)" "$dir"
	say "kernel $release ($version) is in $dir"
)

# The image package is large; only the modules that the board's table names are kept.
kernel_image() {
	local to=$1 package=$2 release=$3 all module
	all=$(cache_tmp)
	# Since 7.x the image is in several packages, and all of it beside the modules.
	apt_unpack "$all" "$package" $(apt_field "$package" Depends | tr ',' '\n' |
		sed -n "s/^ *\(linux-\(base\|binary\|modules\)-$release\) .*/\1/p")
	[ -d "$all/lib/modules" ] || mv "$all/usr/lib" "$all/lib"
	find "$all" -regex '.*/vmlinuz\(-.*\)?' -exec mv {} "$to/vmlinuz" \;
	find "$all" -regex '.*/config\(-.*\)?' -type f -exec mv {} "$to/config" \;
	depmod -b "$all" "$release"

	mkdir -p "$to/lib/modules/$release"
	cp "$all/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} \
		"$to/lib/modules/$release"
	modules_in_order "$all" "$release" $init_modules $driver_modules | while read -r module; do
		kernel_keep "$module" "$to/lib/modules/$release"
	done
	depmod -b "$to" "$release"
	rm -rf "$all"
}

# init has no decompressor for modules, and QEMU no hurry for small ones
kernel_keep() {
	local file=$1 to=$2
	case $file in
	*.xz) xz -dc "$file" >"$to/$(basename "$file" .xz)" ;;
	*) cp "$file" "$to" ;;
	esac
}

# modules_in_order ROOT RELEASE MODULE...: files of modules and of what they need, in load order
modules_in_order() {
	local root=$1 release=$2
	shift 2
	modprobe -d "$root" -S "$release" --show-depends -a "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' ||
		die "kernel $release lacks a module that is wanted: $*"
}

# Headers of the guest with the build tools of this machine. Their links are relative; one path
# that is not becomes so, and the folder can be used where it lies. They name the compiler of their
# own release; this machine may have another.
kernel_headers() {
	local to=$1 release=$2 headers=linux-headers-$2 common kbuild
	common=$(kernel_depends "$headers" 'linux-headers-[^ ]*-common')
	kbuild=$(kernel_depends "$headers" 'linux-kbuild-[^ ]*')
	apt_unpack "$to" "$headers" "$common" "$kbuild:$(dpkg --print-architecture)"
	sed -i 's,/usr/src/,$(dir $(lastword $(MAKEFILE_LIST)))../,' "$to/usr/src/$headers/Makefile"
	sed -i 's/\(gcc\)-[0-9]*/\1/' "$to/usr/src/$headers/.kernelvariables"
	if [ -n "$toolchain_at" ]; then
		toolchain_adopt "$to/usr/lib" "$toolchain_at"
		echo "override CROSS_COMPILE = $toolchain_at/bin/$triplet-" \
			>>"$to/usr/src/$headers/.kernelvariables"
	fi
	[ -z "$qemu_user" ] || kernel_modpost "$to" "$kbuild"
}

# kernel_modpost TO KBUILD: this machine's modpost knows the sizes of device tables for 64 bits only.
# The guest's own is used in its place. It is called without the program that chooses between those
# for different processors: that one could not start another in an emulator.
kernel_modpost() {
	local to=$1 kbuild=$2 mod=$1/usr/lib/$2/scripts/mod
	mkdir -p "$to/modpost/usr/lib"
	ln -s usr/lib "$to/modpost/lib"
	apt_unpack "$to/modpost" "$kbuild:$deb_arch" "libc6:$deb_arch"
	mv "$to/modpost/usr/lib/$kbuild/scripts/mod/modpost.real-lsb-32" "$mod/modpost.$deb_arch"
	rm -rf "$to/modpost/usr/"{share,src,"lib/$kbuild"}
	cat >"$mod/modpost" <<-END
	#!/bin/sh
	mod=\$(dirname "\$(readlink -f "\$0")")
	exec $qemu_user -L "\$mod/../../../../../modpost" "\$mod/modpost.$deb_arch" "\$@"
	END
}

# kernel_depends PACKAGE PATTERN: the package of that name that PACKAGE depends on
kernel_depends() {
	local name
	name=$(apt_field "$1" Depends | tr ',' '\n' | sed -n "s/^ *\($2\)\( .*\)\?$/\1/p")
	[ -n "$name" ] || die "$1 depends on no package like $2"
	echo "$name"
}

kernel_kdir() {
	local dir
	dir=$(kernel_dir)
	echo "$dir/headers/usr/src/linux-headers-$(cat "$dir/release")"
}
