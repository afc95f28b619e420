#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the kernel's dt_binding_check does, for the one binding here: the schema is checked against
# the meta-schema, its example is compiled and checked against the schema.
#
#   tests/binding.sh INCLUDE    INCLUDE has dt-bindings, as kernel headers do
set -eu

include=$1
binding=docs/bindings/npu/nvidia,nvdla.yaml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

complain() {
	cat "$tmp/log" >&2
	echo "FAILED: binding: $1" >&2
	exit 1
}

dt-doc-validate -u docs/bindings "$binding" >"$tmp/log" 2>&1 || complain "$binding is no schema"
[ ! -s "$tmp/log" ] || complain "$binding is no good schema"
dt-mk-schema -j docs/bindings >"$tmp/schema.json"
dt-extract-example "$binding" >"$tmp/example.dts"
cpp -nostdinc -undef -x assembler-with-cpp -I "$include" "$tmp/example.dts" |
	dtc -q -O dtb -o "$tmp/example.dtb" -
dt-validate -m -s "$tmp/schema.json" -l nvidia,nvdla "$tmp/example.dtb" >"$tmp/log" 2>&1 || true
[ ! -s "$tmp/log" ] || complain "the example of $binding does not follow it"
echo "binding: 1 passed, 0 failed"
