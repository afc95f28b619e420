#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Style of everything that is tracked: layout of C, licence lines, white space, shell and man
# pages. What needs kernel headers is in kmod/build.mk (lint-kmod).
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
bad() {
	echo "lint: $*" >&2
	status=1
}

# Names with spaces do not occur in the tree; the first check keeps it so.
files=$(git ls-files --cached --others --exclude-standard)
git ls-files | grep -q ' ' && bad "a file name has a space"

c=$(echo "$files" | grep -E '\.[ch]$')
# shellcheck disable=SC2086
clang-format --dry-run -Werror $c || bad "C layout: run 'make format'"

for f in $files; do
	case $f in
	LICENSES/* | *.npy | *.mlp | *.md | .gitignore) continue ;;
	esac
	# In these there is no place for a comment.
	case $f in
	packaging/debian/changelog | packaging/debian/copyright | */source/format) continue ;;
	esac
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ' || bad "$f: no SPDX line"
done

text=$(echo "$files" | grep -vE '\.(npy|mlp)$|^LICENSES/')
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

[ $status -eq 0 ] && echo "lint: clean"
exit $status
