#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library as a stranger meets it: installed, found with pkg-config, included from C and C++, with
# exactly the symbols that its map promises and its header declares.
#
#   tests/abi.sh BUILD-FOLDER
set -eu
cd "$(dirname "$0")/.."

build=$1
lib=$build/libnpu/libnpu.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "abi: $*" >&2
	exit 1
}

same() {
	diff "$work/$1" "$work/$2" >"$work/difference" && return
	cat "$work/difference" >&2
	fail "$3"
}

# ---- symbols ----

sed -n 's/^\t\(npu_[a-z0-9_]*\);$/\1/p' libnpu/libnpu.map >"$work/map"
nm -D --defined-only "$lib" | sed -n 's/.* [TDBR] \(.*\)@@LIBNPU_0\.1$/\1/p' >"$work/exported"
nm -D --defined-only "$lib" | grep -v ' A LIBNPU_' | sed 's/.* //; s/@.*//' >"$work/all"
# A function is declared where its name begins a parameter list and its type a line.
sed -n 's/^[a-z][a-z0-9_ ]*[ *]\(npu_[a-z0-9_]*\)(.*/\1/p' libnpu/include/*.h | LC_ALL=C sort \
	>"$work/declared"

[ -s "$work/map" ] || fail "libnpu.map has no symbols"
LC_ALL=C sort -c "$work/map" || fail "libnpu.map is not in order"
for list in exported all; do
	LC_ALL=C sort -o "$work/$list" "$work/$list"
done
same map exported "libnpu.so does not export what libnpu.map promises (<)"
same exported all "libnpu.so exports more than libnpu.map says (>)"
same map declared "the headers do not declare what libnpu.map promises (<)"

# ---- installed ----

make -s O="${build%/*}" DESTDIR="$work/root" prefix=/usr install-libnpu
export PKG_CONFIG_PATH="$work/root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work/root"
flags=$(pkg-config --cflags --libs libnpu) || fail "pkg-config does not find libnpu"
version=$(sed -n 's/^#define NPU_VERSION_[A-Z]* *//p' libnpu/include/npu.h | paste -sd.)
[ "$(pkg-config --modversion libnpu)" = "$version" ] || fail "pkg-config tells another version"

# Each header can be included alone.
for header in libnpu/include/*.h; do
	echo "#include <${header##*/}>" >"$work/alone.c"
	for language in c c++; do
		# shellcheck disable=SC2086
		"${CC:-gcc}" -x $language -fsyntax-only -Wall -Wextra -pedantic -Werror \
			"$work/alone.c" $flags ||
			fail "${header##*/} does not stand alone in $language"
	done
done

# Pages that exist describe calls that exist, each under its own name.
for page in docs/man/npu_*.3; do
	sed -n 's/^\.Nm \([a-z0-9_]*\).*/\1/p' "$page" >"$work/names"
	while read -r name; do
		grep -qx "$name" "$work/map" || fail "$page: there is no $name()"
		cmp -s "$page" "$work/root/usr/share/man/man3/$name.3" ||
			fail "$name.3 is not what $page is"
	done <"$work/names"
done

{
	for header in libnpu/include/*.h; do
		echo "#include <${header##*/}>"
	done
	cat <<'EOF'

int main(void)
{
	struct npu_device *dev;
	struct npu_error err;

	if (npu_device_open("cpu", &dev, &err))
		return 1;
	npu_device_close(dev);
	return 0;
}
EOF
} >"$work/program.c"
cp "$work/program.c" "$work/program.cc"
warn='-Wall -Wextra -pedantic -Werror'
try() {
	# shellcheck disable=SC2086
	"$@" -o "$work/program" $flags || fail "not compiled: $*"
	LD_LIBRARY_PATH="$work/root/usr/lib" "$work/program" || fail "not run: $*"
}
# shellcheck disable=SC2086
try "${CC:-gcc}" -std=c99 $warn "$work/program.c"
# shellcheck disable=SC2086
try "${CXX:-g++}" -std=c++17 $warn "$work/program.cc"

echo "abi: $(wc -l <"$work/map") symbols, header and package are as promised"
