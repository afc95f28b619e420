# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: MIT
#
# Part of run.sh: npu-run quantize and npu-run eval, on a network of two layers that is made here.

# f32 VALUE...: float32, of the few values that occur here
f32() {
	for value; do
		case $value in
		0) printf '\0\0\0\0' ;;
		0.5) printf '\0\0\0\77' ;;
		-0.5) printf '\0\0\0\277' ;;
		1) printf '\0\0\200\77' ;;
		-1) printf '\0\0\200\277' ;;
		2) printf '\0\0\0\100' ;;
		300) printf '\0\0\226\103' ;;
		tiny) printf '\312\2\0\0' ;; # 1e-42
		nan) printf '\0\0\300\177' ;;
		inf) printf '\0\0\200\177' ;;
		esac
	done
}

# safetensors FILE HEADER: a file of the header and of the data on standard input
safetensors() {
	length=$(printf '%s' "$2" | wc -c)
	{
		# shellcheck disable=SC2059
		printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256)))"
		printf '\0\0\0\0\0\0%s' "$2"
		cat
	} >"$1"
}

# floats FILE SHAPE VALUE...: an .npy array of float32
floats() {
	file=$1 shape=$2
	shift 2
	npy "$file" '<f4' "$shape" ''
	f32 "$@" >>"$file"
}

first='1 -0.5 0.5 -1 1 0.5 0.5 0.5 0.5 2 -1 -0.5'
net='{"0.weight":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]},"0.bias":{"dtype":"F32","shape":[4],"data_offsets":[48,64]},"2.weight":{"dtype":"F32","shape":[2,4],"data_offsets":[64,96]}}'
# shellcheck disable=SC2086
f32 $first 0 0.5 -0.5 1 1 -1 0.5 0.5 -1 1 0.5 1 | safetensors net.safetensors "$net"
# shellcheck disable=SC2086
f32 $first 0 0.5 nan 1 1 -1 0.5 0.5 -1 1 0.5 1 | safetensors nan.safetensors "$net"
# A channel without weights.
f32 0 0 0 -1 1 0.5 0.5 0.5 0.5 2 -1 -0.5 0 0.5 -0.5 1 1 -1 0.5 0.5 -1 1 0.5 1 |
	safetensors dead.safetensors "$net"
# shellcheck disable=SC2086
f32 $first 0 0.5 1 1 -1 0.5 0.5 -1 1 0.5 1 | safetensors bias.safetensors \
	"$(echo "$net" | sed 's/\[4\],"data_offsets":\[48,64\]/[3],"data_offsets":[48,60]/; s/64,96/60,92/')"
# shellcheck disable=SC2086
f32 $first 0 0.5 -0.5 1 1 -1 0.5 0.5 -1 1 | safetensors chain.safetensors \
	"$(echo "$net" | sed 's/\[2,4\],"data_offsets":\[64,96\]/[2,3],"data_offsets":[64,88]/')"
f32 1 1 | safetensors names.safetensors \
	'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
f32 0.5 1 | safetensors scales.safetensors \
	'{"0.input_scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"2.input_scale":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}'
f32 0.5 1 | safetensors learnt.safetensors \
	'{"0.weight_scale":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
f32 0.5 300 | safetensors zero.safetensors \
	'{"0.input_scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"0.input_zero_point":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
f32 0.5 0 | safetensors none.safetensors \
	'{"0.input_scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"0.input_zero_point":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
# A channel of weights that are next to nothing.
f32 tiny tiny 0 -1 1 0.5 0.5 0.5 0.5 2 -1 -0.5 0 0.5 -0.5 1 1 -1 0.5 0.5 -1 1 0.5 1 |
	safetensors faint.safetensors "$net"
floats X.npy '6, 3' 1 2 -1 0.5 0.5 1 -0.5 1 2 2 2 2 -1 -1 0 0 1 0
floats samples-nan.npy '2, 3' 1 2 -1 0.5 nan 1
floats samples-inf.npy '1, 3' 1 2 inf
floats samples-wide.npy '1, 4' 1 2 -1 1
floats samples-none.npy '0, 3'
floats samples-vector.npy '3,' 1 2 1
floats samples-zero.npy '2, 3' 0 0 0 0 0 0
floats samples-equal.npy '2, 3' 1 1 1 1 1 1
floats layer.npy '2, 3' 1 -1 0.5 2 1 1
npy pixels.npy '|u1' '2, 3' '\0\177\377\100\200\300'
npy labels.npy '|u1' '6,' '\0\1\1\0\1\0'
npy labels8.npy '<i8' '6,' '%0b'
for label in 0 1 1 0 1 0; do
	# shellcheck disable=SC2059
	printf "\\$label\0\0\0\0\0\0\0"
done >labels8
head -c 128 labels8.npy | cat - labels8 >labels64.npy
npy labels-few.npy '|u1' '2,' '\0\1'
npy labels-high.npy '|u1' '6,' '\0\1\2\0\1\0'

quantize() {
	"$npu_run" quantize "$@"
}

evaluate() {
	"$npu_run" eval --device cpu "$@"
}

# is_file FILE, is_no_file FILE...
is_file() {
	[ -s "$1" ] || fail "there is no $1"
}
is_no_file() {
	for file; do
		[ ! -e "$file" ] || fail "there is a $file"
	done
}

# ---- quantize: results ----

check 'quantize' 0 quantize net.safetensors -o q.safetensors -s X.npy
says out 'net.safetensors, 2 layers: channel; static int8 min-max, fixed16'
says out '4 x 3          int8      channel     static int8'; says out 'float   96 bytes'; done_
check 'what quantize has made' 0 "$npu_run" tensors q.safetensors
says out 'I8    4 x 3            12  0.weight'; says out 'F32   4                16  0.weight_scale'
says out 'I32   1                 4  2.input_zero_point'; says out '2.output_scale'; done_
check 'quantize again' 0 quantize net.safetensors -o q2.safetensors -s X.npy
cmp -s q.safetensors q2.safetensors || fail 'the same input gives other bytes'; done_
check 'quantize as JSON' 0 quantize net.safetensors -o q2.safetensors -s X.npy -w int4 --json
says out '{"model": "net.safetensors", "technique": "channel; static int8 min-max, fixed16", "layers": [{"name": "0", "n": 4, "k": 3, "weights": "int4", "bits": 4, '
says out '"float_bytes": 96, '; says out '"result": "q2.safetensors"}'; done_

# Whatever the technique: it works, and nothing is far from float.
while read -r least options; do
	# shellcheck disable=SC2086
	check "quantize $options" 0 quantize net.safetensors -o q.safetensors -s X.npy $options; done_
	check "eval of $options" 0 evaluate net.safetensors q.safetensors -s X.npy --json
	# 10^(SQNR/10) of the last layer.
	sed 's/.*"name": "2"[^}]*"sqnr_db": \([-0-9.enul]*\),.*/\1/' out >sqnr
	awk -v least="$least" '{ exit !($1 == "null" || $1 + 0 >= least) }' sqnr ||
		fail "$(cat sqnr) dB, less than $least"
	done_
done <<'END'
25 --weights int8 --granularity tensor
25 --asymmetric --granularity channel
25 --granularity 32
25 --granularity 64 --asymmetric --symmetric-activations
8 --weights int4 --granularity 128
8 --weights int4 --round compensate
8 --weights int3 --round compensate --asymmetric
0 --weights int2
20 --weights int5
20 --weights int6
25 --weights int7
8 --weights kmeans2 --granularity channel
8 --weights kmeans4 --granularity tensor
20 --weights kmeans6
5 --weights log3
5 --weights log4 --granularity tensor
40 --mode dynamic --granularity channel
25 --mode dynamic-row --symmetric-activations
25 --mode adaptive --momentum 0.5
35 --activations int16
8 --activations int4
25 --scaling tflite
25 --scaling tflite-double
25 --scaling float
25 --observer moving-average
10 --observer percentile --percentile 99.9
15 --observer mse
0 --observer entropy
25 --smooth
25 --smooth=0.0
25 --smooth=0.8 --rotate
25 --rotate=77 --float-output
15 --layer 0:int5 --layer 2:kmeans3
20 --budget-error 0.001
8 --budget-bytes 90
0 --scales scales.safetensors
END

check 'quantize without samples' 0 quantize net.safetensors -o q.safetensors --mode dynamic; done_
check 'quantize with scales and no samples' 0 quantize net.safetensors -o q.safetensors --scales scales.safetensors; done_
check 'quantize for a budget' 0 quantize net.safetensors -o q.safetensors -s X.npy --budget-bytes 90
says out 'relative error of outputs with weights of so many bits'; says out 'chosen: '; done_
check 'quantize pixels' 0 quantize net.safetensors -o q.safetensors -s pixels.npy --input-scale 1/255; done_
check 'quantize one matrix' 0 quantize layer.npy -o q.safetensors -s X.npy
says out 'layer.npy, 1 layer: '; done_
check 'quantize one of several matrices' 0 quantize net.safetensors --tensor 0.weight -o q.safetensors -s X.npy
says out '1 layer: '; says out '4 x 3          int8'; done_
check 'its eval' 0 evaluate net.safetensors --tensor 0.weight q.safetensors -s X.npy; done_
check 'quantize a matrix of GGUF' 0 quantize one.gguf -o q.safetensors --mode dynamic
says out '3 x 32         int8'; done_
check 'quantize with constant samples' 0 quantize net.safetensors -o q.safetensors -s samples-equal.npy; done_
check 'quantize with samples of 0' 0 quantize net.safetensors -o q.safetensors -s samples-zero.npy; done_
check 'quantize a channel without weights' 0 quantize dead.safetensors -o q.safetensors -s X.npy; done_
check 'its results' 0 evaluate dead.safetensors q.safetensors -s X.npy
says out 'agreement        100.00 %'; done_
for type in int8 kmeans4; do
	check "quantize a channel of denormals to $type" 0 quantize faint.safetensors -o q.safetensors -s X.npy -w $type; done_
	check 'its results' 0 evaluate faint.safetensors q.safetensors -s X.npy; done_
done
check 'quantize with a zero point of 0 that was learnt, to 16 bits' 0 quantize net.safetensors -o q.safetensors -s X.npy -a int16 --scales none.safetensors; done_
check 'its results' 0 evaluate net.safetensors q.safetensors -s X.npy; done_

# ---- quantize: mistakes; none leaves a file ----

# unquantized WHAT STATUS TEXT ARGUMENT...
unquantized() {
	what=$1 want=$2 text=$3
	shift 3
	rm -f no.safetensors
	check "$what" "$want" quantize -o no.safetensors "$@"
	says err "npu-run: quantize: $text"; is_no_file no.safetensors*; done_
}

unquantized 'quantize nothing' 2 'one model is needed'
unquantized 'quantize two' 2 'one model is needed' net.safetensors net.safetensors
check 'quantize to nowhere' 2 quantize net.safetensors
says err '--output says where'; done_
unquantized 'static without samples' 2 'static inputs of layer 0 need --samples' net.safetensors
unquantized 'compensation without samples' 2 '--round compensate needs --samples' net.safetensors -m dynamic --round compensate
unquantized 'a budget without samples' 2 'a budget needs --samples' net.safetensors -m dynamic --budget-bytes 90
unquantized 'migration without samples' 2 '--smooth needs --samples' net.safetensors -m dynamic --smooth
unquantized 'int9' 2 "--weights is int2 to int8, kmeans1 to kmeans8 or log2 to log4, not 'int9'" net.safetensors -w int9
unquantized 'log5' 2 "--weights is int2 to int8, kmeans1 to kmeans8 or log2 to log4, not 'log5'" net.safetensors -w log5
unquantized 'int32 activations' 2 "--activations is int2 to int8 or int16, not 'int32'" net.safetensors -a int32
unquantized 'groups of 33' 2 "--granularity is tensor, channel, or a multiple of 32 columns, not '33'" net.safetensors -g 33
unquantized 'an unknown mode' 2 "--mode is static, dynamic, dynamic-row or adaptive, not 'x'" net.safetensors -m x
unquantized 'an unknown observer' 2 "--observer is min-max, moving-average, percentile, mse or entropy, not 'x'" net.safetensors --observer x
unquantized 'no scaling' 2 "--scaling is fixed16, tflite, tflite-double or float, not 'none'" net.safetensors -r none
unquantized 'an unknown rounding' 2 "--round is nearest or compensate, not 'x'" net.safetensors --round x
unquantized 'percentile 0' 2 "--percentile is above 0 and at most 100, not '0'" net.safetensors --percentile 0
unquantized 'alpha 2' 2 "--smooth is 0 to 1, not '2'" net.safetensors --smooth=2
unquantized 'alpha below 0' 2 "--smooth is 0 to 1, not '-0.1'" net.safetensors --smooth=-0.1
unquantized 'a percentile for another observer' 2 '--percentile goes with --observer percentile' net.safetensors -s X.npy --percentile 99
unquantized 'a momentum of what stands still' 2 '--momentum goes with --mode adaptive' net.safetensors -s X.npy --momentum 0.5
unquantized 'a scale of no input' 2 '--input-scale goes with --samples' net.safetensors -m dynamic --input-scale 1
unquantized 'an input scale of 0' 2 '--input-scale is a number or a fraction, not 0' net.safetensors --input-scale 1/0
unquantized 'two budgets' 2 'there is one budget' net.safetensors --budget-bytes 9 --budget-error 1
unquantized 'a budget that is too small' 2 'the budget cannot be kept' net.safetensors -s X.npy --budget-bytes 10
unquantized 'a budget and a layer' 2 'with a budget the bits of all layers are chosen' net.safetensors --budget-bytes 90 --layer 0:int4
unquantized 'groups in fixed point' 2 'groups have scales of their own' net.safetensors -g 32 -r fixed16
unquantized 'groups of a codebook' 2 'a codebook is for the tensor or for each channel' net.safetensors -g 32 -w kmeans4
unquantized 'zero points of a codebook' 2 'a codebook has no zero points' net.safetensors -w log4 --asymmetric
unquantized 'compensation of a codebook' 2 '--round compensate rounds to even steps' net.safetensors -w log4 --round compensate
unquantized 'a layer that is not there' 2 "--layer: net.safetensors has no layer '7'" net.safetensors --layer 7:int4
unquantized 'a layer of nothing' 2 "--layer: 'x' is no type" net.safetensors --layer 0:x
unquantized 'a layer without a colon' 2 '--layer is a layer and its weights' net.safetensors --layer 0
unquantized 'a device for nothing' 2 '--device goes with --pack' net.safetensors -d cpu
layers=
for i in $(seq 65); do
	layers="$layers --layer $i:int4"
done
# shellcheck disable=SC2086
unquantized 'too many layers' 2 '--layer may be given 64 times' net.safetensors $layers
unquantized 'no such model' 4 'nope: cannot be opened: No such file' nope
unquantized 'half a model' 4 'short.npy: ends after' short.npy
unquantized 'weights that are not finite' 4 'nan.safetensors: 0.bias: row 0, column 2 is nan' nan.safetensors
unquantized 'a bias of another length' 4 'bias.safetensors: 0.bias is no vector of 4 values' bias.safetensors
unquantized 'layers that do not fit' 4 'chain.safetensors: layer 2 has 3 inputs, but the one before it 4 outputs' chain.safetensors
unquantized 'no such tensor' 4 "net.safetensors: has no tensor '7.weight'" net.safetensors --tensor 7.weight
cp q.safetensors made.safetensors
unquantized 'what is quantized already' 4 'made.safetensors: is quantized already: the network of floats is needed' made.safetensors -s X.npy
unquantized 'a part of it' 4 'made.safetensors: is quantized already' made.safetensors --tensor 0.weight -s X.npy
unquantized 'no layers' 4 'names.safetensors: has no layers' names.safetensors
unquantized 'a vector for a matrix' 4 'vector.npy: the array has 1 dimensions where a matrix is needed' vector.npy
unquantized 'samples that are not finite' 4 'samples-nan.npy: value 1 of sample 1 is nan' net.safetensors -s samples-nan.npy
unquantized 'infinite samples' 4 'samples-inf.npy: value 2 of sample 0 is inf' net.safetensors -s samples-inf.npy
unquantized 'samples of another width' 4 'samples-wide.npy: has 4 values a sample, but net.safetensors has 3 inputs' net.safetensors -s samples-wide.npy
unquantized 'no samples' 4 'samples-none.npy: is of 0 x 3 values' net.safetensors -s samples-none.npy
unquantized 'one sample as a vector' 4 'samples-vector.npy: has 1 dimensions where a matrix of samples x inputs is needed' net.safetensors -s samples-vector.npy
unquantized 'samples among others' 4 'net.safetensors: has 3 tensors where one is needed' net.safetensors -s net.safetensors
unquantized 'scales of nothing' 4 'net.safetensors: has no scale of a layer of this network' net.safetensors --scales net.safetensors -s X.npy
unquantized 'scales of another granularity' 4 'learnt.safetensors: 0.weight_scale has 2 values where' net.safetensors --scales learnt.safetensors -s X.npy
unquantized 'a zero point that cannot be' 4 'layer 0: the input_zero_point that was learnt is 300, which does not go with inputs of 8 bits' net.safetensors --scales zero.safetensors -s X.npy
check 'quantize into no folder' 4 quantize net.safetensors -s X.npy -o no/q.safetensors
says err 'no/q.safetensors: cannot be created in no: No such file'; done_
npy large.npy '<f4' '1000, 100' ''
head -c 400000 /dev/zero >>large.npy
full() {
	(ulimit -f 100 && quantize "$@")
}
check 'quantize on a full disk' 4 full large.npy -m dynamic -o no.safetensors
says err 'no.safetensors'; is_no_file no.safetensors*; done_

# ---- packed weights ----

check 'quantize and pack' 0 quantize net.safetensors -o q.safetensors -s X.npy --pack w --device cpu
is_file w.0.npuw; is_file w.2.npuw; done_
check 'eval' 0 evaluate net.safetensors q.safetensors -s X.npy
cp out before; done_
check 'eval of packed weights' 0 evaluate net.safetensors q.safetensors -s X.npy --packed w
cmp -s out before || fail 'packed weights give something else'; done_
check 'quantize to fewer bits' 0 quantize net.safetensors -o q5.safetensors -s X.npy -w int5
check 'eval of weights of before' 4 evaluate net.safetensors q5.safetensors -s X.npy --packed w
says err 'w.0.npuw: holds other weights than layer 0 has'; done_
cp w.0.npuw w.2.npuw
check 'eval of another layer'\''s weights' 4 evaluate net.safetensors q.safetensors -s X.npy --packed w
says err 'w.2.npuw: holds weights of 4 x 3, but layer 2 is 2 x 4'; done_
check 'eval of no packed weights' 4 evaluate net.safetensors q.safetensors -s X.npy --packed v
says err 'v.0.npuw'; done_
f32 1 1 | safetensors alike.safetensors \
	'{"a/b.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"a_b.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]}}'
check 'pack layers of one name' 4 quantize alike.safetensors -o no.safetensors -m dynamic --pack v --device cpu
says err 'v.a_b.npuw: would hold layers a/b and a_b'; is_no_file no.safetensors v.a_b.npuw; done_
check 'pack into no folder' 4 quantize net.safetensors -o no.safetensors -s X.npy --pack no/v --device cpu
says err 'no/v.0.npuw: cannot be created in no: No such file'; is_no_file no.safetensors; done_
check 'pack on a full disk' 4 full large.npy -m dynamic -o no.safetensors --pack v --device cpu
says err 'v.weights.npuw'; is_no_file no.safetensors* v.*; done_
check 'pack for no device' 3 quantize net.safetensors -o no.safetensors -s X.npy --pack v --device /dev/nowhere
says err '/dev/nowhere'; is_no_file no.safetensors v.0.npuw; done_

# ---- eval: results ----

check 'eval with labels' 0 evaluate net.safetensors q.safetensors -s X.npy -l labels.npy
says out 'device           cpu'; says out 'quantized top-1  '; says out 'agreement        '
says out 'shape         weights   SQNR dB     cosine  max error'; says out 'logits           fnv1a-64 '; done_
cp out before
check 'eval with labels of NumPy'\''s own type' 0 evaluate net.safetensors q.safetensors -s X.npy -l labels64.npy
cmp -s out before || fail 'other labels'; done_
check 'eval in other batches' 0 evaluate net.safetensors q.safetensors -s X.npy -l labels.npy --batch 4
[ "$(grep fnv1a out)" = "$(grep fnv1a before)" ] || fail 'other results'; done_
check 'eval of the first ones' 0 evaluate net.safetensors q.safetensors -s X.npy -l labels.npy --count 4
says out 'samples          4'; done_
check 'eval as JSON' 0 evaluate net.safetensors q.safetensors -s X.npy -l labels.npy --json
says out '"model": "net.safetensors", "samples": 6, "float_bytes": 96, "networks": [{"file": "q.safetensors", '
says out '"input_range": {"values": 18, "below": 0, "above": 0, "bins": ['; says out '"host_stages": []}'; done_
quantize net.safetensors -o q4.safetensors -s X.npy -w int4 >/dev/null
check 'eval of several' 0 evaluate net.safetensors q.safetensors q4.safetensors -s X.npy -l labels.npy --plot --svg chart.svg
says out 'bits       bytes  SQNR dB'; says out '4.00 '; says out 'Accuracy against bits of weights'
is_file chart.svg; grep -q '^</svg>' chart.svg || fail 'no end of an SVG file'; done_
check 'eval of one, drawn' 0 evaluate net.safetensors q.safetensors -s X.npy --plot
says out 'Where the float network'; done_

# ---- eval: mistakes ----

# unevaluated WHAT STATUS TEXT ARGUMENT...
unevaluated() {
	what=$1 want=$2 text=$3
	shift 3
	check "$what" "$want" evaluate "$@"
	says err "npu-run: eval: $text"; done_
}

unevaluated 'eval of nothing' 2 'a float network and a quantized one are needed' net.safetensors -s X.npy
unevaluated 'eval without samples' 2 '--samples says what' net.safetensors q.safetensors
unevaluated 'eval in batches of 0' 2 '--batch is a whole number from 1' net.safetensors q.safetensors -s X.npy -b 0
unevaluated 'eval of float' 4 'net.safetensors: is not a quantized network: npu-run quantize makes one' net.safetensors net.safetensors -s X.npy
unevaluated 'eval against what was quantized' 4 'q.safetensors: is quantized already: the network of floats is needed' q.safetensors q.safetensors -s X.npy
quantize net.safetensors -o dynamic.safetensors -m dynamic >/dev/null
# Before anything is run, for which there is no device here.
for option in --plot --svg=dynamic.svg; do
	check "nothing to draw, $option" 4 "$npu_run" eval -d /dev/nowhere net.safetensors dynamic.safetensors -s X.npy $option
	says err 'npu-run: eval: dynamic.safetensors: has no range that is known ahead'; is_no_file dynamic.svg*; done_
done
unevaluated 'eval against another network' 4 'q.safetensors: has 2 layers, but layer.npy has 1' layer.npy q.safetensors -s X.npy
unevaluated 'eval of other samples' 4 'samples-wide.npy: has 4 values a sample' net.safetensors q.safetensors -s samples-wide.npy
unevaluated 'eval of samples that are not finite' 4 'samples-nan.npy: value 1 of sample 1 is nan' net.safetensors q.safetensors -s samples-nan.npy
unevaluated 'too few labels' 4 'labels-few.npy: has 2 labels for 6 samples' net.safetensors q.safetensors -s X.npy -l labels-few.npy
unevaluated 'a label of no class' 4 'labels-high.npy: label 2 is 2, which is none of the classes 0 to 1' net.safetensors q.safetensors -s X.npy -l labels-high.npy
unevaluated 'labels as a matrix' 4 'X.npy: has 2 dimensions where a vector of labels is needed' net.safetensors q.safetensors -s X.npy -l X.npy
unevaluated 'a chart into no folder' 4 'no/a.svg: cannot be created in no' net.safetensors q.safetensors -s X.npy --svg no/a.svg
unevaluated 'packed weights of two' 2 '--packed goes with one' net.safetensors q.safetensors q4.safetensors -s X.npy --packed w
sed 's/"npu_quantized":"1"/"npu_quantized":"9"/' q.safetensors >later.safetensors
unevaluated 'a later version' 4 "later.safetensors: is a quantized network of version '9'" net.safetensors later.safetensors -s X.npy
head -c 900 q.safetensors >half.safetensors
unevaluated 'half a quantized network' 4 'half.safetensors: ' net.safetensors half.safetensors -s X.npy
check 'eval on no device' 3 "$npu_run" eval -d /dev/nowhere net.safetensors q.safetensors -s X.npy
says err '/dev/nowhere: there is no such file'; done_
