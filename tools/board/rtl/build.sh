#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes a device model of RTL that has NVDLA's top, for the board's --model and npu-replay's:
#
#   build.sh OUT.so VERILATOR-ARGUMENT...
#
# The arguments name the source: files, -y folders, +incdir+, +define+, or -f with all of these in
# a file. CXXFLAGS are for the glue, such as -DRTL_CONFIG='"nv_large"' or -DMEMORY_LATENCY=100.
set -eu

if [ $# -lt 2 ]; then
	echo "build.sh: usage: build.sh OUT.so VERILATOR-ARGUMENT..." >&2
	exit 2
fi
if ! command -v verilator >/dev/null; then
	echo "build.sh: verilator is not installed: apt-get install verilator g++" >&2
	exit 2
fi
here=$(dirname "$(readlink -f "$0")")
out=$1
shift
objects=$out-objects
mkdir -p "$objects"

# Warnings about the design are the designer's affair; errors end this.
verilator --cc --prefix Vnpu --top-module NV_nvdla --Mdir "$objects" -O3 --x-assign fast \
	--x-initial fast --noassert --no-timing -Wno-fatal -Wno-lint -Wno-style \
	-CFLAGS "-fPIC" "$@"
make -s -C "$objects" -f Vnpu.mk OPT_FAST=-O2 OPT_GLOBAL=-O2 VM_PARALLEL_BUILDS=1 Vnpu__ALL.a \
	verilated.o verilated_threads.o >"$objects/log" || { tail -n 20 "$objects/log" >&2; exit 1; }

include=$(verilator --getenv VERILATOR_ROOT)/include
# shellcheck disable=SC2086
g++ -std=gnu++17 -O2 -fPIC -Wall -Wextra -shared -I"$objects" -isystem "$include" \
	-isystem "$include/vltstd" -I"$here/../model" ${CXXFLAGS-} -Wl,-z,defs \
	-Wl,--version-script="$here/../model/npu_model.map" -o "$out" \
	"$here/glue.cpp" "$objects/Vnpu__ALL.a" "$objects/verilated.o" \
	"$objects/verilated_threads.o" -pthread
