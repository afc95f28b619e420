#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Static analysis that takes minutes: clang-tidy on what runs in user space, with the checks of
# .clang-tidy, and the kernel's own Coccinelle rules on the driver. What is found and is no mistake
# is in analyse.known; the rest fails.
#
#   scripts/analyse.sh [FILE.c...]      only clang-tidy, and only on these
set -euo pipefail
cd "$(dirname "$0")/.."

known=scripts/analyse.known
found=$(mktemp)
rules=$(mktemp -d)
trap 'rm -rf "$found" "$rules"' EXIT

flags=(-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iuapi -Ilibnpu/include)
read -ra drm <<<"$(pkg-config --cflags libdrm)"

# One line a finding: "file:line: what [check]".
tidy() {
	local file

	for file; do
		clang-tidy --quiet "$file" -- "${flags[@]}" "${drm[@]}" 2>/dev/null |
			sed -n "s|^$PWD/||; s/^\([^ ]*:[0-9]*\):[0-9]*: error: /\1: /p" || true
	done
}

# The rules of the newest kernel source of the distribution, each with the options that it asks for.
# Two of them need a compiler for OCaml.
cocci() {
	local rule sources=(/usr/src/linux-source-*.tar.xz) options

	tar -C "$rules" -xJf "${sources[-1]}" --wildcards --strip-components=1 \
		'*/scripts/coccinelle'
	find "$rules" -name '*.cocci' ! -name check_bq27xxx_data.cocci ! -name badzero.cocci | sort |
		while read -r rule; do
			grep -q '^virtual.*report' "$rule" || continue
			read -ra options <<<"$(sed -n 's|^// *Options: *||p' "$rule" | head -n 1)"
			spatch -D report --very-quiet --cocci-file "$rule" "${options[@]}" \
				--no-includes --dir kmod 2>/dev/null >"$rules/out" ||
				echo "kmod:0: the rule ${rule##*/} could not be tried"
			sed -n 's/^\([^ ]*:[0-9]*\):[-0-9]*:* */\1: /p' "$rules/out"
		done
}

# True if a line of analyse.known is about this finding.
is_known() {
	local file what

	while read -r file what _; do
		[[ $file == \#* || -z $file ]] && continue
		[[ $1 == "$file":*"$what"* ]] && return 0
	done <"$known"
	return 1
}

if [ $# -gt 0 ]; then
	tidy "$@" >"$found"
else
	# Each processor's kernels are for its own compiler.
	mapfile -t files < <(git ls-files 'libnpu/*.c' 'tools/npu-run/*.c' 'examples/*.c' |
		grep -vE '/(neon|avx)[^/]*$')
	tidy "${files[@]}" >"$found"
	cocci >>"$found"
fi

status=0
while read -r line; do
	is_known "$line" && continue
	echo "$line" >&2
	status=1
done <"$found"
[ $status -eq 0 ] && echo "analyse: clean, $(wc -l <"$found") findings are known"
exit $status
