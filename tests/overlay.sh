#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The device tree examples in packaging/dts: each compiles without a warning, can be applied to the
# tree of a machine that has what it names, and its NPU is as the binding wants it.
#
#   tests/overlay.sh INCLUDE    INCLUDE has dt-bindings, as kernel headers do
set -u
cd "$(dirname "$0")/.." || exit 1

include=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# As much of a ZCU102, a JH7100 and a PC as the examples name.
cat >"$tmp/base.dts" <<'END'
/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	gic: interrupt-controller@f9010000 {
		reg = <0x0 0xf9010000 0x0 0x10000>;
		interrupt-controller;
		#interrupt-cells = <3>;
	};
	zynqmp_clk: clock-controller {
		#clock-cells = <1>;
	};
	zynqmp_reset: reset-controller {
		#reset-cells = <1>;
	};
	soc {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		plic: interrupt-controller@c000000 {
			reg = <0x0 0xc000000 0x0 0x4000000>;
			interrupt-controller;
			#interrupt-cells = <1>;
		};
		clkgen: clock-controller@11800000 {
			reg = <0x0 0x11800000 0x0 0x10000>;
			#clock-cells = <1>;
		};
		rstgen: reset-controller@11840000 {
			reg = <0x0 0x11840000 0x0 0x10000>;
			#reset-cells = <1>;
		};
	};
};
END

# step COMMAND...: what it prints is a fault, too
step() {
	if ! "$@" >"$tmp/log" 2>&1 || [ -s "$tmp/log" ]; then
		cat "$tmp/log"
		return 1
	fi
}

# A fragment for the root of a tree does not show that the root has children with registers.
try() {
	step cpp -nostdinc -undef -x assembler-with-cpp -I "$include" -o "$tmp/overlay.dts" "$1" &&
		step dtc -W no-avoid_unnecessary_addr_size -@ -O dtb -o "$tmp/overlay.dtbo" "$tmp/overlay.dts" &&
		step fdtoverlay -i "$tmp/base.dtb" -o "$tmp/whole.dtb" "$tmp/overlay.dtbo" &&
		step dt-validate -m -s "$tmp/schema.json" -l nvidia,nvdla "$tmp/whole.dtb"
}

dtc -q -@ -O dtb -o "$tmp/base.dtb" "$tmp/base.dts" || exit
dt-mk-schema -j docs/bindings >"$tmp/schema.json" || exit
passed=0
failed=0
for overlay in packaging/dts/*.dtso; do
	if try "$overlay"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: overlay: $overlay"
	fi
done
echo "overlay: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
