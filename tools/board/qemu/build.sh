#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh HEADERS OUT.so: compiles the board's device against QEMU's headers. Every symbol is bound
# at load (-z now), so that a QEMU without one of them refuses at once.
set -eu

headers=$1 out=$2
here=$(dirname "$(readlink -f "$0")")

# shellcheck disable=SC2046
gcc -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -fPIC -shared -Wl,-z,now \
	-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DQEMU_STAMP="\"$(cat "$headers/stamp")\"" \
	-isystem "$headers/config" -isystem "$headers" -isystem "$headers/include" -isystem "$headers/qapi" \
	-isystem "$headers/linux-headers" -iquote "$here" -iquote "$here/../model" \
	$(pkg-config --cflags glib-2.0) -o "$out" "$here"/*.c
