#!/bin/bash
# SPDX-License-Identifier: MIT
#
# `make install` and what other people's build systems ask of it: where files land, a program that
# finds the library with pkg-config, uninstall, the driver's module, other processors, and that what
# packages say agrees with what is built.
#
#   tests/install.sh BUILD    needs the packages of scripts/setup.sh, set packaging
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

build=$1
board="tools/board/board --build $build"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. tests/count.sh

version=$(sed -n 's/^#define NPU_VERSION_[A-Z]* *//p' libnpu/include/npu.h | paste -sd.)

# files ROOT: what is in it, manual pages of calls left out; there are many
files() {
	(cd "$1" && find . ! -type d ! -path '*/man3/*' ! -path '*completion*' ! -path '*/zsh/*' |
		LC_ALL=C sort)
}

expected() {
	local prefix=$1 lib=$2 page
	{
		printf '%s\n' "$prefix/bin/npu-run" \
			"$lib/libnpu.a" "$lib/libnpu.so" "$lib/libnpu.so.1" "$lib/libnpu.so.1.$version" \
			"$lib/pkgconfig/libnpu.pc" \
			"$prefix/lib/udev/rules.d/60-npu.rules" "$prefix/lib/modules-load.d/npu.conf"
		for page in docs/man/npu-run*.1; do
			echo "$prefix/share/man/man1/${page##*/}"
		done
		for page in libnpu/include/*.h; do
			echo "$prefix/include/${page##*/}"
		done
	} | sed 's,^,.,' | LC_ALL=C sort
}

placed() {
	local root=$1 prefix=$2 lib=$3
	shift
	make -s O="$build" DESTDIR="$root" prefix="$prefix" libdir="$lib" install &&
		diff <(expected "$prefix" "$lib") <(files "$root") &&
		[ "$(find "$root$prefix/share/man/man3" -name 'npu_*.3' | wc -l)" -ge 50 ] &&
		! grep -r "$root" "$root"
}

# consumer ROOT PREFIX LIB: as a program is built that was told only where libnpu.pc is
consumer() {
	local root=$1 prefix=$2 lib=$3 flags
	sed -n '/^#include <npu.h>/,/^END/p' packaging/debian/tests/consumer | sed '$d' >"$work/program.c"
	export PKG_CONFIG_PATH="$root$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
	flags=$(pkg-config --cflags --libs libnpu) || return
	# shellcheck disable=SC2086
	gcc -o "$work/program" "$work/program.c" $flags &&
		[ "$(LD_LIBRARY_PATH="$root$lib" "$work/program")" = "$version" ] &&
		readelf -d "$work/program" | grep -q 'NEEDED.*\[libnpu.so.1\]'
}

uninstalled() {
	echo "not ours" >"$1$2/bin/other"
	make -s O="$build" DESTDIR="$1" prefix="$2" libdir="$3" uninstall &&
		[ "$(cd "$1" && find . ! -type d)" = ".$2/bin/other" ]
}

# ---- this machine ----

check "make builds what is installed" make -s O="$build" runtime
check "installed below /usr/local" placed "$work/local" /usr/local /usr/local/lib
check "a program is built against that" consumer "$work/local" /usr/local /usr/local/lib
check "installed as a distribution does" placed "$work/usr" /usr /usr/lib/x86_64-linux-gnu
check "a program is built against that, too" consumer "$work/usr" /usr /usr/lib/x86_64-linux-gnu
check "uninstall removes it, and nothing else" uninstalled "$work/usr" /usr /usr/lib/x86_64-linux-gnu

# linked SHARED: is npu-run as that wants it, though it was built in another way before?
linked() {
	make -s O="$build" SHARED="$1" runtime || return
	readelf -d "$build/$(gcc -dumpmachine)/tools/npu-run/npu-run" >"$work/dynamic" || return
	[ "$(grep -c 'NEEDED.*\[libnpu\.so\.1\]' "$work/dynamic")" -eq "${1:-0}" ]
}
check "SHARED=1 links npu-run with the library" linked 1
check "and without it there is a copy in it" linked ""

without_modules_load() {
	make -s O="$build" DESTDIR="$work/bare" prefix=/usr modulesloaddir= install-system &&
		[ "$(files "$work/bare")" = ./usr/lib/udev/rules.d/60-npu.rules ]
}
check "modules-load.d can be left out" without_modules_load

# ---- the driver ----

module() {
	local kdir cross release
	kdir=$($board kdir) && cross=$($board cross) || return
	release=$(sed -n 's/.*"\(.*\)".*/\1/p' "$kdir/include/generated/utsrelease.h")
	make -s O="$build" kmod_install KDIR="$kdir" CROSS_COMPILE="$cross" \
		INSTALL_MOD_PATH="$work/target" || return
	find "$work/target" -name 'npu.ko*' | grep -q "/lib/modules/$release/" &&
		grep -q 'of:.*nvidia,nv_small npu$' "$work/target/lib/modules/$release/modules.alias"
}
check "kmod_install, for a board" module

# The source that dkms gets is whole: it is built as dkms.conf says.
dkms_source() {
	local tree=$work/dkms/usr/src/npu-$version cross dkms_tree=$work/dkms_tree
	make -s DESTDIR="$work/dkms" prefix=/usr install-dkms || return
	# shellcheck disable=SC2034
	kernel_source_dir=$($board kdir) && cross=$($board cross) || return
	mkdir -p "$dkms_tree/npu/$version"
	cp -r "$tree" "$dkms_tree/npu/$version/build"
	# shellcheck source=/dev/null
	. "$tree/dkms.conf"
	[ "$PACKAGE_VERSION $AUTOINSTALL" = "$version yes" ] || return
	CROSS_COMPILE=$cross ${MAKE[0]} && [ -f "$dkms_tree/npu/$version/build/npu.ko" ]
}
check "the driver's source for dkms is whole" dkms_source

# ---- other processors ----

# cross ARCH EMULATOR: library and tools, installed, and the self-test in an emulator
cross() {
	local sysroot prefix root=$work/$1 lib
	sysroot=$($board sysroot --arch "$1") && prefix=$($board cross --arch "$1") || return
	lib=/usr/lib/$("${prefix}gcc" -print-multiarch)
	make -s O="$build" CROSS_COMPILE="$prefix" SYSROOT="$sysroot" SHARED=1 DESTDIR="$root" \
		prefix=/usr libdir="$lib" TARGET="packages-$1" install || return
	[ "$(readelf -h "$root$lib/libnpu.so" | sed -n 's/ *Machine: *//p')" = "$3" ] &&
		"$2" -L "$sysroot" -E LD_LIBRARY_PATH="$root$lib" "$root/usr/bin/npu-run" selftest \
			--device cpu
}
check "arm64: built, installed, passes its self-test" cross arm64 qemu-aarch64 AArch64
check "armhf: built, installed, passes its self-test" cross armhf qemu-arm ARM
check "riscv64: built, installed, passes its self-test" cross riscv64 qemu-riscv64 RISC-V

# ---- what packages say ----

# The version stands in the header. Files that others' tools read have to repeat it.
same_version() {
	grep "^npu ($version-" packaging/debian/changelog &&
		[ "$(find packaging/yocto -name '*.bb' | sed 's/.*_//; s/\.bb$//' | sort -u)" = "$version" ]
}
check "all packages are of the version that is built" same_version

finish install
