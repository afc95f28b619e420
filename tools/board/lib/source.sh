# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A kernel of our own configuration, from the source that Debian packages. It lies in the cache as a
# stock one does; what headers are there is what is left of the tree it was built in.
#
#   building/ARCH-VERSION-SUM       the tree while it is built; an interrupted build goes on there

# Runs in a subshell, so that the locks end with it. The cache's is not held while the compiler
# runs: whoever wants another kernel need not wait for this one.
kernel_build() (
	local version dir tree tmp
	need depmod modprobe xz make flex bison bc
	build_lock
	cache_lock
	apt_setup deb "$suite" "$deb_arch"
	version=$(apt_field "$source_package" Version)
	[ -n "$version" ] || die "no package '$source_package' in $suite"
	dir=$cache/store/$deb_arch-$version-$(kernel_sum)
	tree=$cache/building/$(basename "$dir")

	if [ ! -f "$dir/release" ]; then
		[ -d "$tree" ] || build_unpack "$tree"
		cache_unlock
		build_compile "$tree"
		cache_lock
		tmp=$(cache_tmp)
		build_keep "$tree" "$tmp"
		cache_commit "$tmp" "$dir"
		rm -rf "$tree" "$tree.log"
	fi
	cache_point "$(kernel_name)" "$dir"
	say "kernel $(cat "$dir/release") ($version) is in $dir"
)

# One build at a time.
build_lock() {
	local build_fd
	mkdir -p "$cache/building"
	exec {build_fd}>"$cache/building/lock"
	if ! flock -n "$build_fd"; then
		say "waiting for another build to end"
		flock "$build_fd"
	fi
}

build_unpack() {
	local tree=$1 package src wanted
	package=$(cache_tmp)
	src=$(cache_tmp)
	wanted=$package/wanted.config
	kernel_config >"$wanted"
	apt_unpack "$package" "$source_package"
	tar -x -J -f "$package/usr/src/$source_package.tar.xz" -C "$src" --strip-components=1
	build_make "$src" KCONFIG_ALLCONFIG="$wanted" allnoconfig >/dev/null
	build_check_config "$src" "$wanted"
	mv -T "$src" "$tree"
	rm -rf "$package"
}

build_make() {
	local tree=$1
	shift
	# A make that the board was called from has options that are not meant for this one.
	env -u MAKEFLAGS -u MAKELEVEL nice make -C "$tree" --no-print-directory \
		ARCH="$linux_arch" CROSS_COMPILE="$triplet-" LOCALVERSION="-$kernel" \
		$kernel_options "$@"
}

# build_check_config TREE WANTED: what depends on an option that is off is off without a word
build_check_config() {
	local missing
	missing=$(grep '^CONFIG_.*=' "$2" | grep -vxFf "$1/.config") || return 0
	die "$source_package takes not all of $kconfig:
$missing"
}

build_compile() {
	local tree=$1
	say "building $source_package with $kconfig; that takes minutes, the log is $tree.log"
	build_make "$tree" -j"$(nproc)" >"$tree.log" 2>&1 || {
		tail -n 20 "$tree.log" >&2
		die "$source_package does not build"
	}
}

# Image, modules, and of the tree what modules are built with: 3 GB become 100 MB.
build_keep() {
	local tree=$1 to=$2 release kdir
	release=$(build_make "$tree" -s kernelrelease)
	cp "$tree/$(build_make "$tree" -s image_name)" "$to/vmlinuz"
	cp "$tree/.config" "$to/config"
	build_make "$tree" INSTALL_MOD_PATH="$to" DEPMOD=true modules_install >/dev/null
	rm -f "$to/lib/modules/$release/build"
	depmod -b "$to" "$release"
	echo "$release" >"$to/release"

	kdir=$to/headers/usr/src/linux-headers-$release
	mkdir -p "$(dirname "$kdir")"
	mv -T "$tree" "$kdir"
	build_only "$kdir" Makefile Kbuild .config Module.symvers include scripts arch tools
	build_only "$kdir/arch" "${linux_arch%_64}"
	build_only "$kdir/tools" objtool
	find "$kdir/arch" "$kdir/tools" -name '*.[oa]' -delete
}

# build_only DIR NAME...: removes everything else from DIR
build_only() {
	local dir=$1 name keep=()
	shift
	for name; do
		keep+=(! -name "$name")
	done
	find "$dir" -mindepth 1 -maxdepth 1 "${keep[@]}" -exec rm -rf {} +
}
