#!/bin/sh
# SPDX-License-Identifier: MIT
#
# config-host.sh VERSION: prints what QEMU's headers want to know of ./configure's findings on a
# 64-bit Linux host.
set -eu

version=$1
for name in CONFIG_LINUX CONFIG_POSIX CONFIG_MADVISE CONFIG_POSIX_MADVISE CONFIG_ATOMIC64 \
	CONFIG_ACCEPT4 CONFIG_EVENTFD CONFIG_BYTESWAP_H CONFIG_IOVEC CONFIG_PREADV CONFIG_TCG \
	CONFIG_INT128 CONFIG_SENDFILE CONFIG_SYNC_FILE_RANGE CONFIG_OPEN_BY_HANDLE CONFIG_PPOLL \
	CONFIG_STRUCT_TIMESPEC CONFIG_TRACE_NOP HAVE_STRUCT_STAT_ST_ATIM HAVE_SYSTEM_FUNCTION; do
	echo "#define $name 1"
done
case $(uname -m) in
x86_64) echo "#define HOST_X86_64 1" ;;
aarch64) echo "#define HOST_AARCH64 1" ;;
*) echo "config-host.sh: unknown host $(uname -m)" >&2 && exit 1 ;;
esac

echo "#define QEMU_VERSION \"$version\""
echo "$version" | {
	IFS=. read -r major minor micro
	echo "#define QEMU_VERSION_MAJOR $major"
	echo "#define QEMU_VERSION_MINOR $minor"
	echo "#define QEMU_VERSION_MICRO $micro"
}
