# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The device is a shared object inside the distribution's QEMU, so it is compiled against the source
# of exactly the installed build. Only headers are needed; nothing of QEMU is configured or built.
#
#   store/qemu-VERSION/{include,qapi,linux-headers,stamp}

qemu_version() {
	dpkg-query -W -f '${source:Version}' "$qemu_package" 2>/dev/null ||
		die "$qemu_package is not installed: run scripts/setup.sh matrix"
}

# qemu_headers VERSION: the folder with the headers; fetches them when there are none
qemu_headers() {
	local dir=$cache/store/qemu-${1#*:}
	[ -f "$dir/stamp" ] || qemu_fetch "$1" "$dir"
	echo "$dir"
}

# Runs in a subshell, so that the lock ends with it.
qemu_fetch() (
	local version=$1 dir=$2 tmp src
	need dpkg-source python3
	cache_lock
	tmp=$(cache_tmp)
	src=$(cache_tmp)
	apt_setup deb-src "$(host_codename)" "$(dpkg --print-architecture)"
	say "fetching the source of qemu $version"
	if ! (cd "$src" && apt-get -qq -c "$apt_conf" source --download-only --only-source \
		"qemu=$version" >log 2>&1); then
		cat "$src/log" >&2
		die "no source of qemu $version: if newer packages exist, upgrade $qemu_package"
	fi
	dpkg-source --no-check -x "$src"/*.dsc "$src/qemu" >/dev/null 2>&1
	qemu_keep "$src/qemu" "$tmp"
	rm -rf "$src"
	cache_commit "$tmp" "$dir"
)

# The headers, those that QEMU generates, and what its build would know from ./configure.
qemu_keep() {
	local src=$1 to=$2 version package
	version=$(cat "$src/VERSION")
	package=$("$qemu" --version | sed -n '1s/^[^(]*(\(.*\))$/\1/p')
	mv "$src/include" "$src/linux-headers" "$to"
	(cd "$src" && python3 -B scripts/qapi-gen.py -b -o "$to/qapi" qapi/qapi-schema.json)
	mkdir "$to/config"
	: >"$to/config/config-poison.h"
	"$here/qemu/config-host.sh" "$version" >"$to/config/config-host.h"
	# What QEMU demands of its own modules: a hash over version, package and ./configure.
	python3 -B "$src/scripts/qemu-stamp.py" "$version" "$package" -- "$src/configure" |
		sed 's/^/qemu_stamp/' >"$to/stamp"
}

# qemu_device: where the device for the installed QEMU is
qemu_device() {
	local version
	version=$(qemu_version)
	# LD_PRELOAD takes a colon, as before the epoch, for the end of a name.
	echo "$(readlink -m "$build")/qemu-${version#*:}/npu-board.so"
}

# qemu_build: makes the device unless it is newer than its source
qemu_build() {
	local out headers
	need "$qemu" gcc pkg-config
	out=$(qemu_device)
	headers=$(qemu_headers "$(qemu_version)")
	grep -qaF "$(cat "$headers/stamp")" "$(command -v "$qemu")" ||
		die "the source of $qemu_package does not belong to $(command -v "$qemu")"
	if [ ! -f "$out" ] || [ -n "$(find "$here/qemu" "$here/model/npu_model.h" "$headers/stamp" \
		-newer "$out" -type f)" ]; then
		mkdir -p "$(dirname "$out")"
		"$here/qemu/build.sh" "$headers" "$out.new"
		mv "$out.new" "$out"
	fi
}
