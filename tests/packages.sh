#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Debian packages from their source to their purge, in clean Debian systems: built, looked at by
# lintian, installed, used, the driver built for kernels it fits and kernels it does not, upgraded,
# removed. Only the base systems and downloaded packages are kept, in
# ${XDG_CACHE_HOME:-~/.cache}/npu-packages.
#
#   tests/packages.sh SUITE    SUITE is bookworm or trixie; needs root, for chroot
set -eu -o pipefail
cd "$(dirname "$0")/.."

suite=${1-}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/npu-packages

die() {
	echo "packages: $*" >&2
	exit 2
}

case $suite in
bookworm | trixie) ;;
*) die "which Debian? bookworm or trixie" ;;
esac
[ "$(id -u)" -eq 0 ] || die "run as root: packages are installed in a chroot"
command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed: run scripts/setup.sh packaging"
# shellcheck source=/dev/null
. tools/board/lib/apt.sh
# shellcheck source=/dev/null
. tests/count.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache/$suite/archives/partial"
exec {lock}>"$cache/$suite/lock"
flock "$lock"

# ---- systems ----

# inside ROOT COMMAND...: with a /proc and downloaded packages; mounts and processes end with it
inside() {
	local root=$work/$1
	shift
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child sh -c '
		mount -t proc proc "$0/proc" && mount --bind "$1" "$0/var/cache/apt/archives" &&
		shift && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot "$0" "$@"' \
		"$root" "$cache/$suite/archives" "$@" </dev/null
}

# system NAME: a clean one
system() {
	local tar=$cache/$suite/base.tar root=$work/$1
	if [ ! -f "$tar" ]; then
		apt_sources deb "$suite" >"$work/sources"
		mmdebstrap --quiet --variant=apt "$suite" "$tar.new.tar" "$work/sources"
		mv "$tar.new.tar" "$tar"
	fi
	mkdir "$root"
	tar -xpf "$tar" -C "$root"
	cp /etc/resolv.conf "$root/etc/"
	# No service is started, nothing that dies with the chroot is synchronized to disk, and what was
	# downloaded is kept.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	echo 'APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/keep"
	quietly inside "$1" apt-get -qq update
}

get() {
	inside "$1" apt-get -qy install --no-install-recommends "${@:2}"
}

# quietly COMMAND...: what has to be there before anything can be tested
quietly() {
	"$@" >"$work/log" 2>&1 && return
	tail -n 20 "$work/log" >&2
	die "the clean systems cannot be prepared: $*"
}

# Does what the last check printed hold TEXT?
said() {
	grep -qF "$1" "$work/last" || { cat "$work/last"; echo "it did not say: $1"; return 1; }
}

# ---- build ----

build() {
	local tree=$1
	inside build sh -c "cd /build/$tree && dpkg-buildpackage -us -uc"
}

symbols() {
	grep -q 'dh_makeshlibs' "$work/last" &&
		! grep -E 'dpkg-(gensymbols|shlibdeps): (warning|error)' "$work/last"
}

# Numbers of bugs are what Debian gives to packages of its own. Nothing else is passed over.
style() {
	inside build sh -c 'cd /build && lintian --allow-root --display-info --fail-on error,warning \
		--suppress-tags initial-upload-closes-no-bugs *.changes'
}

# contents PACKAGE: what is in it, without documentation of the package itself. Calls have links to
# manual pages; only the pages count.
contents() {
	dpkg-deb --contents "$work/build/build/$1_${this#npu-}-1_"*.deb |
		awk -v package="$1" '/^d/ || /^l.*\/man3\// || /\/doc\/[^\/]*\/(changelog|copyright)/ { next }
			{ print package, substr($6, 2) }'
}

# expected PACKAGE FOLDER FILE...: files of the source tree, as they are to lie in the package
expected() {
	local package=$1 folder=$2 file
	shift 2
	for file; do
		echo "$package $folder/${file##*/}"
	done
}

# Everything of the source that users are to have is in one package, and nothing else is.
placed() {
	local lib
	lib=/usr/lib/$(inside build dpkg-architecture -qDEB_HOST_MULTIARCH) || return
	{
		expected libnpu1 "$lib" libnpu.so.1 "libnpu.so.1.${this#npu-}"
		expected libnpu-dev "$lib" libnpu.so libnpu.a
		expected libnpu-dev "$lib/pkgconfig" libnpu.pc
		expected libnpu-dev /usr/include libnpu/include/*.h
		expected libnpu-dev /usr/share/man/man3 docs/man/*.3 | sed 's/$/.gz/'
		expected libnpu-dev /usr/share/doc/libnpu-dev/examples examples/*.c
		expected npu-tools /usr/bin npu-run
		expected npu-tools /usr/share/man/man1 docs/man/npu-run*.1 | sed 's/$/.gz/'
		expected npu-tools /usr/share/bash-completion/completions npu-run
		expected npu-tools /usr/share/zsh/vendor-completions _npu-run
		expected npu-tools /usr/share/fish/vendor_completions.d npu-run.fish
		expected npu-dkms /etc/kernel/postinst.d npu-dkms
		expected npu-dkms /etc/kernel/header_postinst.d npu-dkms
		expected npu-dkms /usr/lib/udev/rules.d 60-npu.rules
		expected npu-dkms /usr/lib/modules-load.d npu.conf
	} | sort >"$work/expected"
	# The driver's source is whole if it builds.
	for package in libnpu1 libnpu-dev npu-tools npu-dkms; do
		contents "$package"
	done | sed '/^npu-dkms \/usr\/src\//d' | sort | diff "$work/expected" -
}

# next_version: the same source, one version on, beside the first
next_version() {
	local tree=$work/build/build/$next
	cp -r "$work/source/deb/$this" "$tree" &&
		sed -i "s/^#define NPU_VERSION_PATCH .*/#define NPU_VERSION_PATCH $((patch + 1))/" \
			"$tree/libnpu/include/npu.h" &&
		sed -i "1s/(.*)/(${next#npu-}-1)/" "$tree/debian/changelog" &&
		tar -C "$work/build/build" --exclude="$next/debian" -cJf \
			"$work/build/build/npu_${next#npu-}.orig.tar.xz" "$next"
}

patch=$(sed -n 's/^#define NPU_VERSION_PATCH *//p' libnpu/include/npu.h)
make -s O="$work/source" deb-source
this=$(basename "$work"/source/deb/npu-*/)
next=${this%.*}.$((patch + 1))

system build
mkdir "$work/build/build"
cp -r "$work/source/deb/." "$work/build/build"
quietly get build build-essential lintian
quietly inside build sh -c "cd /build/$this && apt-get -qy build-dep --no-install-recommends ."

check "builds from source" build "$this"
check "symbols and dependencies are as declared" symbols
check "lintian has nothing to say" style
check "each file is in its package" placed
check "the next version's source" next_version
check "the next version builds" build "$next"

# ---- use ----

system user
mkdir "$work/user/debs"
cp "$work"/build/build/*.deb "$work/user/debs/"
cp packaging/debian/tests/consumer "$work/user/debs/"
rm -f "$work"/user/debs/*-dbgsym_*

# debs VERSION PACKAGE...: the files of packages, as apt takes them
debs() {
	local version=${1#npu-} package file
	shift
	for package; do
		for file in "$work/user/debs/${package}_$version-1_"*.deb; do
			echo "/debs/${file##*/}"
		done
	done
}

shares_library() {
	readelf -d "$work/user/usr/bin/npu-run" | grep 'NEEDED.*\[libnpu\.so\.1\]'
}

examples() {
	# shellcheck disable=SC2016
	inside user sh -c 'for file in /usr/share/doc/libnpu-dev/examples/*.c; do
			cc -o /tmp/example "$file" $(pkg-config --cflags --libs libnpu) || exit
		done'
}

# Commands are what the help lists as "  info       show ...".
pages() {
	local commands name
	commands=$(inside user npu-run --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p') || return
	[ "$(echo "$commands" | wc -l)" -ge 5 ] || { echo "$commands"; return 1; }
	for name in $commands; do
		[ -f "$work/user/usr/share/man/man1/npu-run-$name.1.gz" ] ||
			{ echo "no manual page of npu-run $name"; return 1; }
	done
}

kernel_of() {
	basename "$(echo "$work"/user/lib/modules/*-amd64)"
}

# driver_is VERSION: built and installed for the stock kernel, and nothing else is
driver_is() {
	local kernel module
	kernel=$(kernel_of)
	module=$(cd "$work/user" && find "lib/modules/$kernel/updates" -name 'npu.ko*')
	inside user dkms status -m npu | tee "$work/status"
	[ "$(grep -c 'installed' "$work/status")" = 1 ] &&
		grep -q "${1#npu-}, $kernel,.*installed" "$work/status" &&
		inside user modinfo "/$module" &&
		inside user modinfo -F vermagic "/$module" | grep -qF "$kernel " &&
		grep -q '^alias pci:.* npu$' "$work/user/lib/modules/$kernel/modules.alias"
}

whole() {
	inside user dpkg --audit
	[ -z "$(inside user dpkg --audit)" ]
}

# fake_kernel RELEASE CONFIG: a package of headers that no driver can be built with, which tells
# the hooks, as Debian's do
fake_kernel() {
	local tree=$work/fake-$1
	mkdir -p "$tree/DEBIAN" "$tree/usr/src/linux-headers-$1/include/config" "$tree/lib/modules/$1"
	ln -s "/usr/src/linux-headers-$1" "$tree/lib/modules/$1/build"
	# shellcheck disable=SC2016
	echo '$(error these headers are broken)' >"$tree/usr/src/linux-headers-$1/Makefile"
	printf '%b' "$2" >"$tree/usr/src/linux-headers-$1/.config"
	printf 'Package: linux-headers-%s\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' \
		"$1" >"$tree/DEBIAN/control"
	printf '#!/bin/sh\nset -e\nrun-parts --report --exit-on-error --arg=%s /etc/kernel/header_postinst.d\n' \
		"$1" >"$tree/DEBIAN/postinst"
	chmod 755 "$tree/DEBIAN/postinst"
	dpkg-deb --build "$tree" "$work/user/debs/linux-headers-$1.deb"
	get user "/debs/linux-headers-$1.deb"
}

left_over() {
	local found
	found=$(cd "$work/user" && find . -xdev \( -path ./debs -o -path './usr/src/linux-headers*' -o \
		-path ./var/cache \) -prune -o \( -name 'npu*' -o -name 'libnpu*' -o -name '60-npu*' \) -print)
	echo "$found"
	[ -z "$found" ]
}

mapfile -t programs < <(debs "$this" libnpu1 libnpu-dev npu-tools)
mapfile -t driver < <(debs "$this" npu-dkms)
mapfile -t all_next < <(debs "$next" libnpu1 libnpu-dev npu-tools npu-dkms)

check "library, headers and tools install" get user "${programs[@]}"
check "the tools use the packaged library" shares_library
check "each command has a manual page" pages
quietly get user gcc libc6-dev pkgconf
check "a program is compiled with pkg-config, and the self-test passes" inside user /debs/consumer
check "the packaged examples are compiled" examples
check "the driver installs where there is no kernel" get user "${driver[@]}"
check "a kernel's headers arrive, and the driver is built" get user linux-headers-amd64
check "the driver is that kernel's" driver_is "$this"
drm='CONFIG_DRM=m\nCONFIG_DRM_SCHED=m\nCONFIG_SYNC_FILE=y\n'
check "a kernel that the driver does not fit installs" fake_kernel 99.9-broken "$drm"
check "... and is reported" said "FAILED to build npu.ko ${this#npu-} for kernel 99.9-broken"
check "a kernel without DRM installs" fake_kernel 99.9-cloud 'CONFIG_NET=y\n'
check "... and is passed over" said "kernel 99.9-cloud lacks DRM"
check "nothing is half configured" whole
check "upgrade" get user "${all_next[@]}"
check "... tells of the broken kernel again" said "FAILED to build npu.ko ${next#npu-}"
check "... and has the new driver only" driver_is "$next"
check "... and the new library and tool" \
	inside user sh -c "npu-run --version | grep -qx 'npu-run ${next#npu-}' && /debs/consumer"
if [ "$suite" != bookworm ]; then
	quietly get user udev
	check "udev understands the rule" inside user udevadm verify --no-style \
		/usr/lib/udev/rules.d/60-npu.rules
fi
check "removal" inside user apt-get -qy remove libnpu1 libnpu-dev npu-tools npu-dkms
check "nothing is half removed" whole
check "purge" inside user dpkg --purge libnpu1 libnpu-dev npu-tools npu-dkms
check "nothing is left" left_over

finish "packages $suite"
