# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Messages, and the cache: a folder appears in it whole or not at all, so that an interrupted
# download leaves nothing that a later run would take for complete.

# The number grows when what is stored changes, so that older checkouts keep theirs.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/npu-board/2

say() {
	echo "board: $*" >&2
}

# Ends with a status of the board's own, away from what commands in the guest return.
die() {
	say "$@"
	exit 125
}

need() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			die "$program is not installed: run scripts/setup.sh"
	done
}

# One writer at a time. The lock goes when the process that took it ends.
cache_lock() {
	mkdir -p "$cache"
	exec {cache_fd}>"$cache/lock"
	if ! flock -n "$cache_fd"; then
		say "waiting for another download to end"
		flock "$cache_fd"
	fi
	# Whoever left these did not hold the lock any more.
	rm -rf "$cache"/tmp.*
}

cache_unlock() {
	exec {cache_fd}>&-
}

# A new folder to fill, on the file system where it will stay.
cache_tmp() {
	mktemp -d "$cache/tmp.XXXXXX"
}

# cache_commit TMP FINAL: what was filled becomes visible.
cache_commit() {
	mkdir -p "$(dirname "$2")"
	chmod 755 "$1"
	rm -rf "$2"
	mv -T "$1" "$2"
}

# cache_point NAME TARGET: NAME means TARGET, a folder in store, from now on.
cache_point() {
	mkdir -p "$(dirname "$1")"
	ln -sfn "../store/$(basename "$2")" "$1.new"
	mv -T "$1.new" "$1"
}

# sum TEXT...: a short name for a list of words
sum() {
	local digest
	digest=$(printf '%s\n' "$@" | sha256sum)
	echo "${digest:0:8}"
}
