#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Style of everything that is tracked: layout of C, licence lines, white space, shell and man
# pages. What takes minutes is in analyse.sh, what needs kernel headers in kmod/build.mk (lint-kmod).
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
bad() {
	echo "lint: $*" >&2
	status=1
}

# Names with spaces do not occur in the tree; the first check keeps it so.
files=$(git ls-files --cached --others --exclude-standard | grep -v '^tests/fuzz/corpus/')
[ -n "$files" ] || { bad "git names no files: this works in a clone of the repository"; exit 1; }
git ls-files | grep -q ' ' && bad "a file name has a space"

c=$(echo "$files" | grep -E '\.[ch]$')
# shellcheck disable=SC2086
clang-format --dry-run -Werror $c || bad "C layout: run 'make format'"

for f in $files; do
	case $f in
	LICENSES/* | *.npy | *.safetensors | *.md | .gitignore) continue ;;
	esac
	# In these there is no place for a comment.
	case $f in
	packaging/debian/changelog | packaging/debian/copyright | */source/format) continue ;;
	esac
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ' || bad "$f: no SPDX line"
done

text=$(echo "$files" | grep -vE '\.(npy|safetensors)$|^LICENSES/')
# shellcheck disable=SC2086
grep -nE '[[:blank:]]+$' $text && bad "white space at the end of a line"
# shellcheck disable=SC2086
grep -nwE 'TO''DO|FIX''ME|XX''X' $text && bad "unfinished work"

for f in $(echo "$files" | xargs grep -lE '^#!/bin/(ba)?sh|^#!/usr/bin/env (ba)?sh' 2>/dev/null); do
	shellcheck "$f" || bad "$f: shellcheck"
done

for f in $(echo "$files" | grep -E '\.[1-9]$'); do
	# Pages that refer to each other are looked for in the current folder.
	(cd "$(dirname "$f")" && mandoc -T lint -W style "$(basename "$f")") || bad "$f: mandoc"
done

# Not what cppcheck 2.10 stumbles over: compound literals, memory that is cut up into arrays of
# several types, the logarithm of what is above 0, an index that is compared with others, and what a
# callee or a loop sets, for which gcc and valgrind look, too.
cppcheck --quiet --std=c11 --enable=warning,portability,performance --error-exitcode=1 \
	--suppress=internalAstError --suppress=invalidPointerCast:libnpu/quant/codebook.c \
	--suppress=invalidFunctionArg:examples/perceptron/backprop.c \
	--suppress=invalidFunctionArg:tools/npu-run/plot_axis.c --suppress=arrayIndexThenCheck \
	--suppress=uninitvar:libnpu/layout.c --suppress=ctuuninitvar:libnpu/backend/nvdla_stage.c \
	--suppress=legacyUninitvar:tools/npu-run/network/weights.c \
	-D__x86_64__ -D_GNU_SOURCE -D__BYTE_ORDER__=1234 -D__ORDER_LITTLE_ENDIAN__=1234 \
	-Iuapi -Ilibnpu/include libnpu tools/npu-run tools/board/model examples \
	kmod/npu_validate.c || bad "cppcheck"

[ $status -eq 0 ] && echo "lint: clean"
exit $status
