# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The compiler of another Debian release, for kernels that this machine's own is too old for. Its
# programs come with the libraries and the loader they were linked with, named by absolute path, so
# they run here without being installed and without a chroot.
#
#   toolchains/SUITE-TRIPLET-SUM -> store/toolchain-SUITE-TRIPLET-SUM/{bin,usr/...}

toolchain_wanted() {
	local gnu=${triplet//_/-}
	echo "gcc-$gcc-$gnu cpp-$gcc-$gnu binutils-$gnu $libraries"
}

# toolchain_dir: the toolchain that the board's table names; fetches it when there is none
toolchain_dir() {
	local gcc libraries name
	# shellcheck source=/dev/null
	. "$here/boards/$toolchain.toolchain"
	name=$toolchain-$triplet-$(sum $(toolchain_wanted))
	[ -d "$cache/toolchains/$name" ] || toolchain_fetch "$name"
	readlink -f "$cache/toolchains/$name"
}

# Runs in a subshell, so that the lock ends with it.
toolchain_fetch() (
	local name=$1 dir=$cache/store/toolchain-$1 tmp
	need patchelf
	cache_lock
	apt_setup deb "$toolchain" "$(dpkg --print-architecture)"
	tmp=$(cache_tmp)
	mkdir -p "$tmp"/bin "$tmp"/usr/{bin,lib,lib64}
	ln -s usr/{lib,lib64} "$tmp"
	apt_unpack "$tmp" $(toolchain_wanted)
	toolchain_adopt "$tmp" "$dir"
	toolchain_commands "$tmp" "$dir"
	cache_commit "$tmp" "$dir"
	cache_point "$cache/toolchains/$name" "$dir"
	say "compiler for $deb_arch of $toolchain is in $dir"
)

# toolchain_adopt ROOT DIR: the programs below ROOT use loader and libraries of the toolchain DIR.
# RPATH, because a library finds by it what it needs itself.
toolchain_adopt() {
	local root=$1 dir=$2 file loader
	find "$root" -type f -perm /111 | while read -r file; do
		loader=$(patchelf --print-interpreter "$file" 2>/dev/null) || continue
		patchelf --set-interpreter "$dir$loader" --force-rpath \
			--set-rpath "$dir/usr/lib/$(gcc -dumpmachine)" "$file"
	done
}

# What kbuild calls. The compiler would look for its assembler in /usr/bin.
toolchain_commands() {
	local root=$1 dir=$2 file
	(cd "$root/usr/bin" && ls) | while read -r file; do
		ln -s "../usr/bin/$file" "$root/bin/$file"
	done
	cat >"$root/bin/$triplet-gcc" <<-END
	#!/bin/sh
	exec $dir/usr/bin/$triplet-gcc-$gcc -B$dir/usr/bin/$triplet- "\$@"
	END
	chmod +x "$root/bin/$triplet-gcc"
}
