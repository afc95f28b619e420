#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Quantizes the networks of the examples in every way that npu-run quantize has, runs the results on
# the virtual board over the test sets, and rewrites the tables of docs/quantization.md.
#
#   scripts/quantization-table.sh BUILD NPU-RUN OUTLIER-LAYER [COUNT]
#
# With COUNT the board runs only so many images of each set. The accuracy in the table is then that
# of the CPU device over the whole sets, and for the images of the board both have to agree to the
# last bit. (They do so anyway: it is what the library promises.)
set -eu
cd "$(dirname "$0")/.."

build=$1
npu_run=$(readlink -f "$2")
outlier_layer=$(readlink -f "$3")
count=${4:+--count $4}
work=$build/quantization
page=docs/quantization.md

# A line each: name of the file, what the table calls it, and options.
techniques() {
	cat <<'END'
w8a8|W8A8, per channel|
w8a8-tensor|W8A8, per tensor|-g tensor
w8a8-asymmetric|W8A8, per channel, weights asymmetric|--asymmetric
w8a8-tflite|W8A8, scaling of TensorFlow Lite|-r tflite
w8a8-average|W8A8, moving average|--observer moving-average
w8a8-percentile|W8A8, 99.99 percentile|--observer percentile
w8a8-mse|W8A8, least squared error|--observer mse
w8a8-entropy|W8A8, entropy|--observer entropy
w8a8-smooth|W8A8, migration|--smooth
w8a8-rotated|W8A8, rotation|--rotate
w8a8-dynamic|W8A8, dynamic, a batch|-m dynamic
w8a8-dynamic-row|W8A8, dynamic, a row|-m dynamic-row
w8a8-adaptive|W8A8, adaptive|-m adaptive
w8a16|W8A16|-a int16
w4a8|W4A8, to nearest|-w int4
w4a8-32|W4A8, groups of 32|-w int4 -g 32
w4a8-128|W4A8, groups of 128, asymmetric|-w int4 -g 128 --asymmetric
w4a8-comp|W4A8, compensated|-w int4 --round compensate
w4a8-64-comp|W4A8, groups of 64, compensated|-w int4 -g 64 --round compensate
w3a8-comp|W3A8, compensated|-w int3 --round compensate
w2a8-comp|W2A8, compensated|-w int2 --round compensate
mixed|2 to 8 bits for each layer, compensated|--budget-bytes BUDGET --round compensate
kmeans6|k-means of 6 bits, per tensor|-w kmeans6 -g tensor
kmeans4|k-means of 4 bits, per channel|-w kmeans4
kmeans2|k-means of 2 bits, per channel|-w kmeans2
log4|powers of two, 4 bits, per channel|-w log4
log3|powers of two, 3 bits, per channel|-w log3
w8a4|W8A4|-a int4
END
}

# A line each: name, options of samples, and bytes for mixed bits.
data_sets() {
	echo 'fashion-mnist|1/255|96000'
	echo 'digits|1/16|3000'
}

quantize_set() {
	set=$1 scale=$2 budget=$3
	mkdir -p "$work/$set"
	cp "examples/$set/model.safetensors" "$build/data-sets/$set-test-images.npy" \
		"$build/data-sets/$set-test-labels.npy" "$work/$set"
	techniques | sed "s/BUDGET/$budget/" | while IFS='|' read -r name _ options; do
		# shellcheck disable=SC2086
		"$npu_run" quantize "$work/$set/model.safetensors" -o "$work/$set/$name.safetensors" \
			-s "$build/data-sets/$set-training-images.npy" --input-scale "$scale" $options \
			>"$work/$set/$name.txt"
	done
}

# The command that evaluates a set, for this machine or the board.
evaluation() {
	files=$(techniques | sed "s,|.*,.safetensors,; s,^,$1/," | xargs)
	echo "npu-run eval $1/model.safetensors $files -s $1/$1-test-images.npy" \
		"-l $1/$1-test-labels.npy --input-scale $2"
}

on_cpu() {
	# shellcheck disable=SC2086
	(cd "$work" && "$npu_run" ${1#npu-run } --device cpu)
}

# Columns of lines like "4.00  120528  20.24  96.72 %  89.07 %  0  20  HASH  fashion-mnist/w4a8..."
# as "file bits bytes top-1 steps edges hash".
columns() {
	awk '$11 ~ /\.safetensors:$/ {
		gsub(/.*\/|\.safetensors:$/, "", $11)
		print $11, $1, $2, $6, $8, $9, $10
	}' "$1"
}

evaluate_sets() {
	commands=
	for line in $(data_sets); do
		set=${line%%|*} rest=${line#*|}
		command=$(evaluation "$set" "${rest%%|*}")
		on_cpu "$command" >"$work/$set.cpu"
		on_cpu "$command $count" >"$work/$set.same"
		commands="$commands $command $count >$set.npu &&"
	done
	# shellcheck disable=SC2086
	tools/board/board --build "$build" run --share "$work" --timeout 7200 -- \
		sh -c "$commands true"
	for line in $(data_sets); do
		set=${line%%|*}
		for device in cpu same npu; do
			columns "$work/$set.$device" >"$work/$set.$device.columns"
		done
		cut -d' ' -f1,7 "$work/$set.same.columns" >"$work/same"
		cut -d' ' -f1,7 "$work/$set.npu.columns" >"$work/npu"
		cmp -s "$work/same" "$work/npu" || {
			echo "quantization-table: the NPU gives other results than the CPU: $set" >&2
			diff "$work/same" "$work/npu" >&2
			exit 1
		}
	done
}

# value FILE NAME COLUMN
value() {
	awk -v name="$2" -v column="$3" '$1 == name { print $column }' "$1"
}

accuracy_table() {
	f=$work/fashion-mnist d=$work/digits
	echo '| technique | bits | bytes | Fashion-MNIST | digits | processor |'
	echo '| --- | --- | --- | --- | --- | --- |'
	echo "| float32 | 32 | $(sed -n 's/^float .*, \([0-9]*\) bytes.*/\1/p' "$f.cpu") |" \
		"$(sed -n 's/^float *\([0-9.]*\) %.*/\1/p' "$f.cpu") % |" \
		"$(sed -n 's/^float *\([0-9.]*\) %.*/\1/p' "$d.cpu") % | |"
	techniques | while IFS='|' read -r name title _; do
		# A network that is integers from end to end has one edge a batch and no steps.
		who=$(awk -v name="$name" -v batches="$(batches fashion-mnist)" '$1 == name {
			edges = $6 / batches - 1
			s = ""
			if ($5) s = "sums"
			if (edges) s = s (s ? ", " : "") "activations"
			print s ? s : "-" }' "$f.npu.columns")
		echo "| $title | $(value "$f.cpu.columns" "$name" 2) |" \
			"$(value "$f.cpu.columns" "$name" 3) |" \
			"$(value "$f.cpu.columns" "$name" 4) % |" \
			"$(value "$d.cpu.columns" "$name" 4) % | $who |"
	done
}

# Batches of 500 that the board ran of a set.
batches() {
	sed -n 's/^samples *\([0-9]*\)$/\1/p' "$work/$1.npu" | awk '{ print int(($1 + 499) / 500) }'
}

outlier_table() {
	mkdir -p "$work/outliers"
	"$outlier_layer" "$work/outliers" >/dev/null
	echo '| layer with outliers, W8A8 | static | dynamic, a row |'
	echo '| --- | --- | --- |'
	for technique in 'as it is|' 'migration|--smooth' 'rotation|--rotate'; do
		line="| ${technique%%|*} |"
		for mode in static dynamic-row; do
			# shellcheck disable=SC2086
			"$npu_run" quantize "$work/outliers/layer.safetensors" -m $mode --float-output \
				-s "$work/outliers/calibration.safetensors" \
				-o "$work/outliers/q.safetensors" ${technique#*|} >/dev/null
			line="$line $("$npu_run" eval "$work/outliers/layer.safetensors" \
				"$work/outliers/q.safetensors" -s "$work/outliers/test.safetensors" \
				--device cpu | awk '$2 == "x" && $4 == "int8" {
					printf "%.2f %%", 100 * 10 ^ (-$5 / 20) }') |"
		done
		echo "$line"
	done
}

# replace MARK FILE: puts the file between the marks of the page
replace() {
	awk -v mark="$1" -v file="$2" '
		$0 == "<!-- end of " mark " -->" { inside = 0 }
		!inside { print }
		$0 == "<!-- " mark " -->" {
			inside = 1
			while ((getline line < file) > 0) print line
		}' "$page" >"$page.tmp"
	mv "$page.tmp" "$page"
}

mkdir -p "$work"
for line in $(data_sets); do
	set=${line%%|*} rest=${line#*|}
	quantize_set "$set" "${rest%%|*}" "${rest#*|}"
done
outlier_table >"$work/outliers.md"
evaluate_sets
accuracy_table >"$work/accuracy.md"
replace accuracy "$work/accuracy.md"
replace outliers "$work/outliers.md"
echo "quantization-table: $page is up to date"
