#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that the project needs, and nothing else. It does nothing, and needs
# no privilege, when they are there.
#
#   scripts/setup.sh            what make run and make check need
#   scripts/setup.sh SET...     only these: build, board, check, peers, matrix, rtl, docs,
#                               packaging, analysis, debug
#   scripts/setup.sh --list     the packages, one a line
set -eu

# The library, the tools and the examples, for this machine, and the images that one classifies.
build='gcc make pkg-config libc6-dev libdrm-dev zlib1g-dev dataset-fashion-mnist'

# The virtual board: QEMU and what its device is compiled with, cross compiler, what the kernel and
# the guest's files are unpacked and packed with.
board='qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf
	libglib2.0-dev python3 dpkg-dev debian-archive-keyring device-tree-compiler cpio kmod xz-utils'

# Tests and the style check. Arm's instructions are tested under qemu-user.
check='git libcmocka-dev g++ clang-format cppcheck shellcheck mandoc sparse qemu-user'

# Libraries that make bench-cpu measures beside libnpu.
peers='libdnnl-dev libxnnpack-dev libpthreadpool-dev'

# Machines, and compilers for kernels, beyond what make run and make check use.
matrix='qemu-system-x86 qemu-user gcc-i686-linux-gnu patchelf dt-schema'

# RTL as the board's device model.
rtl='verilator g++'

# The reference of the library, from its headers, and what commands in the documentation use.
docs='doxygen python3-numpy'

# Clean Debian systems that packages are tested in, and what make install is tested with.
packaging='mmdebstrap gcc-riscv64-linux-gnu qemu-user dt-schema'

# What takes minutes to look for mistakes; the kernel's own rules for that are in its source.
analysis='clang-tidy valgrind coccinelle linux-source'

# What a kernel is built with.
debug='bc bison flex libelf-dev'

packages=
[ $# -gt 0 ] || set -- build board check
for arg; do
	case $arg in
	build) packages="$packages $build" ;;
	board) packages="$packages $build $board" ;;
	check) packages="$packages $build $check" ;;
	peers) packages="$packages $build $peers" ;;
	matrix) packages="$packages $build $board $check $matrix" ;;
	rtl) packages="$packages $build $board $rtl" ;;
	docs) packages="$packages $docs" ;;
	packaging) packages="$packages $build $board $packaging" ;;
	analysis) packages="$packages $build $check $analysis" ;;
	debug) packages="$packages $build $board $check $matrix $debug" ;;
	--list)
		# shellcheck disable=SC2086
		printf '%s\n' $build $board $check
		exit 0
		;;
	*)
		echo "setup.sh: unknown set '$arg'; there are build, board, check, peers, matrix, rtl," \
			"docs, packaging, analysis and debug" >&2
		exit 2
		;;
	esac
done

if ! command -v apt-get >/dev/null; then
	echo "setup.sh: not a Debian system; install what corresponds to:$packages" >&2
	exit 1
fi

missing=
for package in $packages; do
	# shellcheck disable=SC2016
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup.sh: install these packages as root, then try again:$missing" >&2
		exit 1
	fi
	root=sudo
fi

echo "setup.sh: installing$missing" >&2
$root apt-get -q update
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $missing
