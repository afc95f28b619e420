#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prints where the digits of examples/digits are. They are a file of Debian's python3-sklearn, whose
# many dependencies nobody needs for it: if the package is not installed, the file alone is fetched,
# once, into the cache.
set -eu

inside=usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz
cache=${XDG_CACHE_HOME:-$HOME/.cache}/npu-data

for file in "/$inside" "$cache/digits.csv.gz"; do
	if [ -f "$file" ]; then
		echo "$file"
		exit 0
	fi
done

for program in apt-get dpkg-deb; do
	if ! command -v $program >/dev/null; then
		echo "digits.sh: not a Debian system; put digits.csv.gz of scikit-learn into $cache" >&2
		exit 1
	fi
done

mkdir -p "$cache"
# On the file system where the file will be, so that it appears there whole.
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

echo "digits.sh: fetching python3-sklearn" >&2
if ! (cd "$tmp" && apt-get -qq -o APT::Sandbox::User= download python3-sklearn >log 2>&1); then
	cat "$tmp/log" >&2
	echo "digits.sh: cannot download python3-sklearn: offline, or apt-get update is needed" >&2
	exit 1
fi
dpkg-deb --fsys-tarfile "$tmp"/python3-sklearn_*.deb | tar -x -C "$tmp" "./$inside"

# The same pixels in every release, whatever the compression is.
sum=$(gzip -dc "$tmp/$inside" | sha256sum)
if [ "${sum%% *}" != 6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8 ]; then
	echo "digits.sh: the digits in python3-sklearn are others than expected" >&2
	exit 1
fi
mv "$tmp/$inside" "$cache/digits.csv.gz"
echo "$cache/digits.csv.gz"
