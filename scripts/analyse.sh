#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Static analysis that takes minutes: clang-tidy on what runs in user space, with the checks of
# .clang-tidy, and on the driver the kernel's own checkpatch, kernel-doc and Coccinelle rules. What is
# found and is no mistake is in analyse.known; the rest fails, and so does a line there that nothing
# is found for.
#
#   scripts/analyse.sh [FILE.c...]      only clang-tidy, and only on these
#   scripts/analyse.sh --rule FILE      what a rule finds
set -euo pipefail
cd "$(dirname "$0")/.."

known=scripts/analyse.known
flags="-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iuapi -Ilibnpu/include
	$(pkg-config --cflags libdrm)"

# With the options that it asks for.
if [ "${1-}" = --rule ]; then
	read -ra options <<<"$(sed -n 's|^// *Options: *||p' "$2" | head -n 1)"
	spatch -D report --very-quiet --cocci-file "$2" "${options[@]}" --no-includes --dir kmod \
		2>/dev/null | sed -n 's/^\([^ ]*:[0-9]*\):[-0-9]*:* */\1: /p' ||
		echo "kmod:0: the rule ${2##*/} could not be tried"
	exit
fi

found=$(mktemp)
kernel=$(mktemp -d)
trap 'rm -rf "$found" "$kernel"' EXIT

# Each line it reads is an argument for a command of its own, one a processor.
each() {
	xargs -P "$(nproc)" -I{} "$@"
}

# One line a finding: "file:line: what [check]".
tidy() {
	# shellcheck disable=SC2086
	printf '%s\n' "$@" | { each clang-tidy --quiet {} -- $flags 2>/dev/null || true; } |
		sed -n "s|^$PWD/||; s/^\([^ ]*:[0-9]*\):[0-9]*: error: /\1: /p"
}

# What the newest kernel source of the distribution has to look at a driver.
unpack_kernel() {
	local sources=(/usr/src/linux-source-*.tar.xz)

	tar -C "$kernel" -xJf "${sources[-1]}" --wildcards --strip-components=2 \
		'*/scripts/coccinelle' '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc'
}

# Two of the rules that make reports need a compiler for OCaml.
list_rules() {
	find "$kernel/coccinelle" -name '*.cocci' ! -name check_bq27xxx_data.cocci \
		! -name badzero.cocci -exec grep -l '^virtual.*report' {} +
}

# User space, which includes uapi, has no BIT().
kernel_style() {
	local files
	mapfile -t files < <(git ls-files 'kmod/*.[ch]' 'uapi/*.h')
	{ "$kernel/checkpatch.pl" --no-tree --strict --terse --max-line-length=100 \
		--ignore BIT_MACRO -f "${files[@]}" || true; } | sed '/^total: /d'
	"$kernel/kernel-doc" -none -Werror "${files[@]}" 2>&1 || echo "kmod:0: kernel-doc"
}

# The lines of analyse.known, without comments.
known_lines() {
	grep -v -e '^#' -e '^$' "$known"
}

# True if a line of analyse.known is about this finding.
is_known() {
	local file what

	while read -r file what _; do
		[[ $1 == "$file":*"$what"* ]] && return 0
	done < <(known_lines)
	return 1
}

# Lines of analyse.known that nothing is found for.
outdated() {
	local file what

	while read -r file what _; do
		grep -F "$file:" "$found" | grep -qF "$what" ||
			echo "$known: is not found any longer: $file $what"
	done < <(known_lines)
}

if [ $# -gt 0 ]; then
	tidy "$@" >"$found"
	bad=()
else
	# Each processor's kernels are for its own compiler.
	mapfile -t files < <(git ls-files 'libnpu/*.c' 'tools/npu-run/*.c' 'examples/*.c' |
		grep -vE '/(neon|avx|amx)[^/]*$')
	tidy "${files[@]}" >"$found"
	unpack_kernel
	kernel_style >>"$found"
	mapfile -t reports < <(list_rules)
	printf '%s\n' "${reports[@]}" | each scripts/analyse.sh --rule {} >>"$found"
	mapfile -t bad < <(outdated)
	echo "analyse: ${#files[@]} files, ${#reports[@]} rules"
fi

while read -r line; do
	is_known "$line" || bad+=("$line")
done <"$found"
if [ ${#bad[@]} -gt 0 ]; then
	printf '%s\n' "${bad[@]}" >&2
	exit 1
fi
echo "analyse: clean, $(wc -l <"$found") findings are known"
