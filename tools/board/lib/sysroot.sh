# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Libraries and headers of the guest, unpacked into the cache: programs are built against them here
# and run with them there.
#
#   sysroots/ARCH-SUM -> store/sysroot-ARCH-SUM/usr/...

# SUM stands for what is wanted, so that a changed table fetches again.
sysroot_name() {
	echo "$cache/sysroots/$deb_arch-$(sum $sysroot_suite $sysroot_packages)"
}

# sysroot_dir: the sysroot in the cache; fetches it when there is none
sysroot_dir() {
	[ -d "$(sysroot_name)" ] || sysroot_fetch
	readlink -f "$(sysroot_name)"
}

# Runs in a subshell, so that the lock ends with it.
sysroot_fetch() (
	local package versions=() packages=() dir tmp
	cache_lock
	apt_setup deb "$sysroot_suite" "$deb_arch"
	for package in $sysroot_packages; do
		packages+=("$package:$deb_arch")
		versions+=("$package=$(apt_field "$package:$deb_arch" Version)")
	done
	dir=$cache/store/sysroot-$deb_arch-$(sum "${versions[@]}")
	if [ ! -d "$dir/usr" ]; then
		tmp=$(cache_tmp)
		# One tree, as on an installed system: some packages still name /lib.
		mkdir -p "$tmp"/usr/{bin,lib,lib64}
		ln -s usr/{bin,lib,lib64} "$tmp"
		apt_unpack "$tmp" "${packages[@]}"
		sysroot_relocate "$tmp/usr/lib/$triplet"
		cache_commit "$tmp" "$dir"
	fi
	cache_point "$(sysroot_name)" "$dir"
	say "libraries for $deb_arch are in $dir"
)

# Linker scripts and links name files from the root of the system they belong to.
sysroot_relocate() {
	local lib=$1 file
	find "$lib" -maxdepth 1 -type l -lname '/*' | while read -r file; do
		ln -sfn "$(basename "$(readlink "$file")")" "$file"
	done
	find "$lib" -maxdepth 1 -type f -name '*.so' -size -4k | while read -r file; do
		sed -i -E '/^GROUP/s,/(usr/)?lib/([^ ]*/)?([^ /]+),\3,g' "$file"
	done
}
