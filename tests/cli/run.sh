#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The command line as a user meets it, on the CPU device: results, exit statuses, one-line errors
# that name what is wrong, and no half-written files.
#
#   tests/cli/run.sh NPU-RUN FASHION-MNIST MODEL PIPELINE
set -u

npu_run=$(readlink -f "$1")
fashion=$(readlink -f "$2")
model=$(readlink -f "$3")
pipeline=$(readlink -f "$4")
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=/dev/null
. "$here/lib.sh"

# gives [-FORMAT] NUMBER...: C.npy holds these int8, or what od(1) calls FORMAT
gives() {
	format=-td1
	case $1 in -t*) format=$1; shift ;; esac
	set -- "$*" "$(od -An -v "$format" -j128 C.npy | xargs)"
	[ "$1" = "$2" ] || fail "C.npy holds '$2', not '$1'"
}

# files NAME...: there are these .npy files and nothing that looks like a temporary
files() {
	set -- "$*" "$(echo C*)"
	[ "$1" = "$2" ] || fail "files are '$2', not '$1'"
}

# npy FILE DESCR SHAPE DATA: writes an array; the data is what printf(1) makes of its argument
npy() {
	# shellcheck disable=SC2059
	{
		printf '\223NUMPY\1\0\166\0'
		printf '%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': ($3), }"
		printf "$4"
	} >"$1"
}

matmul() {
	"$npu_run" matmul --device cpu "$@"
}

#	A = |  1  2  3 |	W = | 1  0 -1 |		A x W^T = |  -2  14 |
#	    | -4  5  6 |	    | 2  3  2 |			  | -10  19 |
npy A.npy '|i1' '2, 3' '\1\2\3\374\5\6'
npy W.npy '|i1' '2, 3' '\1\0\377\2\3\2'
npy bias.npy '<i4' '2,' '\2\0\0\0\377\377\377\377'			# 2, -1
npy scales.npy '<f4' '2,' '\0\0\200\77\0\0\0\77'			# 1, 0.5
npy scales8.npy '<f8' '2,' '\0\0\0\0\0\0\360\77\0\0\0\0\0\0\340\77'	# the same
npy wide.npy '<i8' '2, 3' '%048d'
npy other.npy '|i1' '2, 4' '\1\2\3\4\5\6\7\10'
npy unsigned.npy '|u1' '2, 3' '\201\202\203\174\205\206'		# A + 128
npy A16.npy '<i2' '2, 3' '\1\1\2\0\3\0\374\377\5\0\6\0'		# A, but for 257
npy residual.npy '|i1' '2, 2' '\1\2\3\4'
npy vector.npy '|i1' '6,' '\1\2\3\4\5\6'
npy empty.npy '|i1' '0, 3' ''
npy zero.npy '|i1' '2, 3' '\0\0\0\0\0\0'
npy full.npy '|i1' '2, 2' '\177\0\0\0'
npy heavy.npy '<i4' '2,' '\0\0\0\0\1\0\0\100'			# 0, 2^30 + 1
npy halves.npy '<f4' '2, 2' '\0\0\0\77\0\0\0\77\0\0\0\77\0\0\0\77'	# 0.5
npy infinite.npy '<f2' '2, 2' '\0\0\0\70\0\174\0\0'		# 0, 0.5, inf, 0
npy nan.npy '<f4' '2,' '\0\0\300\177\0\0\200\77'			# nan, 1
head -c 131 A.npy >short.npy

# ---- what every command has ----

check 'no command' 2 "$npu_run"
says err 'npu-run: a command is needed'; done_
check 'unknown command' 2 "$npu_run" matmull
says err "no command 'matmull'"; done_
for command in '' bench cdi eval info matmul plan quantize selftest tensors top trace; do
	# shellcheck disable=SC2086
	check "help of '$command'" 0 "$npu_run" $command --help
	says out 'Usage: npu-run'; says out 'Example: npu-run'; done_
	# shellcheck disable=SC2086
	check "version of '$command'" 0 "$npu_run" $command --version
	says out 'npu-run 0.'; done_
done
for command in bench info matmul plan selftest; do
	check "unknown option of $command" 2 "$npu_run" $command --bogus
	says err "npu-run: $command: unrecognized option '--bogus'"; done_
	args=
	[ $command != matmul ] || args='A.npy W.npy -o C.npy'
	[ $command != plan ] || args='1 2 3'
	# shellcheck disable=SC2086
	check "$command on no device" 3 "$npu_run" $command --device /dev/nowhere $args
	says err "npu-run: $command: /dev/nowhere: there is no such file"; files 'C*'; done_
	# shellcheck disable=SC2086
	check "$command on another device" 3 "$npu_run" $command --device /dev/null $args
	says err '/dev/null: not a DRM node'; files 'C*'; done_
done

# Without an NPU nothing falls back to the CPU by itself.
if ! "$npu_run" info >/dev/null 2>&1; then
	check 'matmul without an NPU' 3 "$npu_run" matmul A.npy W.npy -o C.npy
	says err '--device cpu'; files 'C*'; done_
	check 'selftest without an NPU' 3 "$npu_run" selftest
	says err '--device cpu'; done_
	check 'plan without an NPU' 3 "$npu_run" plan 1 2 3
	says err '--config nv_small'; done_
	check 'bench without an NPU' 3 "$npu_run" bench
	says err '--device cpu'; done_
	check 'info without an NPU' 3 "$npu_run" info
	says out 'cpu '; says out 'problem      '; says err 'no NPU can be used: '; done_
	check 'info without an NPU as JSON' 3 "$npu_run" info --json
	is_json out; says out '"problems": [{"kind": "'; done_
fi

# ---- info ----

check 'info' 0 "$npu_run" info --device cpu:2
says out 'cpu '; says out "kernel       Linux $(uname -r)"; says out '  threads    2 of '; done_
check 'info as JSON' 0 "$npu_run" info --device cpu --json
is_json out; says out '"devices": [{"backend": "cpu", '; says out "\"kernel\": \"$(uname -r)\""
says out '"threads": 1}'; done_
check 'info of too much' 2 "$npu_run" info cpu
says err "'cpu'"; done_

# ---- plan ----

plan() {
	"$npu_run" plan "$@"
}

check 'plan' 0 plan 64 256 64 --config nv_small
says out 'config    nv_small'; says out 'M 64 x K 256 x N 64, int8 results'
says out 'limit     16384 cycles: MACs take 16384, bytes 4608'; says out 'fetches   A 1 x, weights 1 x'; done_
check 'plan of decimals' 0 plan 010 08 3 --config nv_small
says out 'M 10 x K 8 x N 3'; done_
check 'plan at a clock' 0 plan 64 256 64 --config nv_small --clock 100
says out ' s at 100.0 MHz'; done_
check 'plan bound by the bus' 0 plan 1 1024 1024 --config nv_small
says out 'limit     131328 cycles: MACs take 16384, bytes 131328'; done_
check 'plan for another configuration' 0 plan 64 256 64 --config nv_large
says out 'limit     1152 cycles: MACs take 512, bytes 1152'; done_
check 'plan for exact sums' 0 plan 16 1000 64 --exact --config nv_small
says out 'int32 sums'; says out 'K in 2 parts, each in 3 passes'; says out 'CPU       adds up'; done_
check 'plan with an output stage' 0 plan 64 256 64 --config nv_small --a-type uint8 -t uint8 -b -a relu
says out 'operands  A uint8, weights int8'; says out 'uint8 results'
says out 'on engine zero points, bias, scaling, activation, output'; done_
check 'plan with too much of an output stage' 0 plan 64 256 64 -c nv_small --bias --residual \
	--clamp=-10,10
says out 'on CPU    sums, bias, scaling, residual, clamp, output'; says out 'CPU       adds up'; done_
check 'plan of small weights' 0 plan 16 8000 64 --config nv_small --w-type int4 -r float
says out 'operands  A int8, weights int4'; says out 'K in 4 parts, each in 3 passes'
done_
check 'plan of larger weights' 0 plan 16 8000 64 --config nv_small --w-type codebook -r float
says out 'K in 16 parts'; done_
check 'plan of groups and a batch' 0 plan 32 768 96 -c nv_small --group-size 128 --batch 2 \
	--a-type int16 -t float32 -b -j
says out '"host_stages": ["sums", "zero points", "bias", "scaling", "output"]'
says out '"a_type": "int16", "w_type": "int8", "c_type": "float32", "batch": 2, "groups": 6'; done_
check 'plan as JSON' 0 plan 16 1000 64 -e -c nv_small -f 50 -j
says out '{"config": "nv_small", "exact": true, "m": 16, "k": 1000, "n": 64, '
says out '"clock_hz": 50000000, "call": {"cycles": '
# The times follow from the cycles.
sed 's/.*"stream": {"cycles": \([0-9]*\),.*"seconds": \([0-9.e-]*\)}}/\1 \2/' out >cycles
awk '{ exit !($1 > 0 && $1 / 50e6 / $2 > 0.999999 && $1 / 50e6 / $2 < 1.000001) }' cycles ||
	fail 'seconds are not cycles at the clock'; done_

# unplanned WHAT TEXT ARGUMENT...
unplanned() {
	what=$1 text=$2
	shift 2
	check "$what" 2 plan "$@"
	says err "npu-run: plan: $text"; done_
}

unplanned 'plan of two sizes' 'three sizes are needed' 64 256 -c nv_small
unplanned 'plan of four sizes' 'three sizes are needed' 1 2 3 4 -c nv_small
unplanned 'plan of nothing' "K is a whole number from 1 to 4294967295, not '0'" 64 0 64 -c nv_small
unplanned 'plan of words' "N is a whole number from 1 to 4294967295, not '6x'" 64 256 6x -c nv_small
unplanned 'plan of too much' 'a matmul of 4000000000 x 4000000000 x 1 has a matrix of more than' \
	4000000000 4000000000 1 -c nv_small
unplanned 'plan beyond the device' '4000000000 rows are more than the device' 4000000000 1 1 -c nv_small
unplanned 'plan for nobody' "there is no configuration 'nv_tiny'" 1 2 3 -c nv_tiny
unplanned 'plan for the CPU' 'the CPU has no plan' 1 2 3 -d cpu
unplanned 'plan for some of the CPU' 'the CPU has no plan' 1 2 3 -d cpu:2
unplanned 'plan for two' '--config and --device exclude each other' 1 2 3 -d cpu -c nv_small
unplanned 'plan of odd groups' "--group-size is a multiple of 32, not '33'" 1 64 3 -c nv_small --group-size 33
unplanned 'plan of an unknown type' "--a-type is int8, uint8 or int16, not 'int32'" 1 2 3 --a-type int32
unplanned 'plan of unknown weights' "--w-type is int8, int4 or codebook, not 'int5'" 1 2 3 --w-type int5
unplanned 'plan of sums and results' '--exact is --type int32 --scaling none' 1 2 3 -c nv_small -e -b
unplanned 'plan of floats from integers' 'matmul: c is float32, which needs' 1 2 3 -c nv_small -t float32 -r fixed16
unplanned 'plan of an uneven batch' 'a matmul of 64 rows, which 3 matrices' 64 2 3 -c nv_small --batch 3
unplanned 'plan of relu6 without a scale' 'matmul: output_scale is 0' 1 2 3 -c nv_small -a relu6
unplanned 'plan of a zero point of 5 bits' '--w-zero-point of int4 is a whole number from -8 to 7' 1 2 3 -c nv_small \
	--w-type int4 --w-zero-point 8
for clock in 0 1e-7 1e300; do
	unplanned "plan at a clock of $clock" "--clock is 0.000001 to 1000000 MHz, not '$clock'" 1 2 3 -c nv_small --clock $clock
done
unplanned 'plan at a clock of no number' "--clock is a number, not 'inf'" 1 2 3 -c nv_small --clock inf
unplanned 'plan of an endless scale' "--output-scale is at most 3.40282e+38, not '1e300'" 1 2 3 -c nv_small --output-scale 1e300
unplanned 'plan of hexadecimals' "K is a whole number from 1 to 4294967295, not '0x10'" 1 0x10 3 -c nv_small

# ---- matmul: results ----

check 'exact' 0 matmul A.npy W.npy -o C.npy --multiplier 1 --shift 0
says out 'device    cpu'; says out 'M 2 x K 3 x N 2'; gives -2 14 -10 19; files C.npy; done_
check 'multiplier and shift, halves away from 0' 0 matmul A.npy W.npy -o C.npy --multiplier 3 --shift 2
gives -2 11 -8 14; done_
check 'scale' 0 matmul A.npy W.npy -o C.npy --scale 0.5
gives -1 7 -5 10; done_
check 'scale that saturates' 0 matmul A.npy W.npy -o C.npy --scale 20
gives -40 127 -128 127; done_
check 'scale for each channel' 0 matmul A.npy W.npy -o C.npy --scales scales.npy
gives -2 7 -10 10; done_
check 'scales in float64' 0 matmul A.npy W.npy -o C.npy --scales scales8.npy
gives -2 7 -10 10; done_
check 'bias' 0 matmul A.npy W.npy -o C.npy --scale 1 --bias bias.npy
gives 0 13 -8 18; done_
check 'ReLU and zero point' 0 matmul A.npy W.npy -o C.npy --scale 1 --activation relu --zero-point -20
gives -20 -6 -20 -1; done_
# Largest |a| is 6, largest row of |w| adds up to 7: 42, so the factor is 127 / 42.
check 'a scale of its own choice' 0 matmul A.npy W.npy -o C.npy
says out 'scale     3.0238'; gives -6 42 -30 57; done_
check 'its choice leaves room for the zero point' 0 matmul A.npy W.npy -o C.npy --zero-point 85
says out 'scale     1,'; gives 83 99 75 104; done_
# 123 / 42, and 126 / 42.
check 'its choice leaves room for the residual' 0 matmul A.npy W.npy -o C.npy --residual residual.npy
says out 'scale     2.92857,'; gives -5 43 -26 60; done_
check 'its choice leaves room for a residual of floats' 0 matmul A.npy W.npy -o C.npy --residual halves.npy --scaling float
says out 'scale     3,'; gives -6 42 -30 58; done_
# unchosen WHAT OPTION...: there is no choice, and none is told
unchosen() {
	what=$1
	shift
	check "$what" 0 matmul -o C.npy --json "$@"
	! grep -q chosen_scale out || fail 'a scale was chosen'
}
unchosen 'nothing to choose for floats' A.npy W.npy --type float32
gives -tf4 -2 14 -10 19; done_
unchosen 'nothing to choose for scaled int32' A.npy W.npy --type int32 --scaling fixed16
gives -td4 -2 14 -10 19; done_
unchosen 'nothing to choose for zeros' zero.npy W.npy
gives 0 0 0 0; done_
check 'exact int32' 0 matmul A.npy W.npy -o C.npy --type int32
gives -td4 -2 14 -10 19; done_
check 'int32 with a scaling and a factor' 0 matmul A.npy W.npy -o C.npy --type int32 --scaling fixed16 --multiplier 3 --shift 1
gives -td4 -3 21 -15 29; done_
check 'int32 of int16' 0 matmul A16.npy W.npy -o C.npy --type int32 --bias bias.npy
gives -td4 256 525 -8 18; done_
check 'uint8 with a zero point, into uint8' 0 matmul unsigned.npy W.npy -o C.npy --a-zero-point 128 --type uint8 --scaling none --zero-point 100
gives -tu1 98 114 90 119; done_
check 'weights with a zero point' 0 matmul A.npy W.npy -o C.npy --w-zero-point 1 --scaling none
gives -8 8 -17 12; done_
check 'halves to even' 0 matmul A.npy W.npy -o C.npy --scale 0.25 --scaling float
gives 0 4 -2 5; done_
check 'halves up' 0 matmul A.npy W.npy -o C.npy --scale 0.25 --scaling tflite
gives 0 4 -2 5; done_
check 'halves away from 0' 0 matmul A.npy W.npy -o C.npy --scale 0.25
gives -1 4 -3 5; done_
check 'rounded twice' 0 matmul A.npy W.npy -o C.npy --scale 0.25 --scaling tflite-double
gives -1 4 -3 5; done_
check 'float32' 0 matmul A.npy W.npy -o C.npy --type float32 --scale 0.25
gives -tf4 -0.5 3.5 -2.5 4.75; done_
check 'float16' 0 matmul A.npy W.npy -o C.npy --type float16 --scale 0.25
gives -tx2 b800 4300 c100 44c0; done_
check 'residual, clamp' 0 matmul A.npy W.npy -o C.npy --scale 1 --residual residual.npy --clamp -5,20
gives -1 16 -5 20; done_
check 'ReLU6' 0 matmul A.npy W.npy -o C.npy --scale 1 --activation relu6 --output-scale 0.5
gives 0 12 0 12; done_
check 'JSON' 0 matmul A.npy W.npy -o 'C"\.npy' --scale 1 --json
says out '"device": {"backend": "cpu", '; says out '"m": 2, "k": 3, "n": 2, '
says out '"result": "C\"\\.npy"}'; files 'C"\.npy C.npy'; done_
rm -f 'C"\.npy'
check 'names with dashes' 0 matmul -o C.npy --scale 1 -- A.npy W.npy
gives -2 14 -10 19; done_

# ---- matmul: mistakes; none may touch the result of before ----

# refused WHAT STATUS TEXT OPTION...
refused() {
	what=$1 text=$3
	want=$2
	shift 3
	check "$what" "$want" matmul "$@"
	says err "npu-run: matmul: $text"; gives -2 14 -10 19; files C.npy; done_
}

refused 'one matrix' 2 'two matrices are needed' A.npy -o C.npy
refused 'no output' 2 '--output' A.npy W.npy
refused 'two scales' 2 '--scale, --scales and --multiplier' A.npy W.npy -o C.npy --scale 1 --scales scales.npy
refused 'half of a factor' 2 '--multiplier and --shift go together' A.npy W.npy -o C.npy --multiplier 1
refused 'a factor of exact sums' 2 '--scale: results of type int32 are exact sums and take no factor' A.npy W.npy -o C.npy -t int32 --scale 0.5
refused 'factors of exact sums' 2 '--scales: results of type int32 are exact sums' A.npy W.npy -o C.npy -t int32 --scales nope.npy
refused 'a multiplier of exact sums' 2 '--multiplier: results of type int32 are exact sums' A.npy W.npy -o C.npy -t int32 --multiplier 1 --shift 0
refused 'a factor without a scaling' 2 '--scale: results of --scaling none are exact sums' A.npy W.npy -o C.npy --scaling none --scale 5
refused 'a multiplier of floats' 2 '--multiplier goes with --scaling fixed16, but here it is float' A.npy W.npy -o C.npy -t float32 --multiplier 3 --shift 1
refused 'a multiplier of 31 bits' 2 '--multiplier goes with --scaling fixed16, but here it is tflite' A.npy W.npy -o C.npy -r tflite --multiplier 3 --shift 1
refused 'shift out of range' 2 "--shift is a whole number from 0 to 62, not '63'" A.npy W.npy -o C.npy --multiplier 1 --shift 63
refused 'scale that is none' 2 "--scale is a number, not '1x'" A.npy W.npy -o C.npy --scale 1x
refused 'endless scale' 2 "--scale is above 0 and below 32768, not '1e300'" A.npy W.npy -o C.npy --scale 1e300
refused 'negative scale' 2 '--scale is above 0' A.npy W.npy -o C.npy --scale -1
refused 'unknown activation' 2 "--activation is none, relu or relu6, not 'tanh'" A.npy W.npy -o C.npy --activation tanh
refused 'unknown type' 2 "--type is int8, uint8, int16, int32, float16 or float32, not 'int4'" A.npy W.npy -o C.npy --type int4
refused 'clamp the wrong way' 2 '--clamp is two numbers' A.npy W.npy -o C.npy --clamp 5,1
refused 'floats of an integer scaling' 2 'matmul: c is float32, which needs NPU_SCALING_FLOAT' A.npy W.npy -o C.npy --type float32 --scaling none
refused 'zero point out of range' 2 'matmul: zero_point is 200, not in -128 to 127 as int8 has it' A.npy W.npy -o C.npy --scale 1 --zero-point 200
refused 'residual of another shape' 4 'A.npy: is 2 x 3, but C is 2 x 2' A.npy W.npy -o C.npy --residual A.npy
refused 'no room' 2 '--zero-point: leaves results no room' A.npy W.npy -o C.npy --zero-point -128
refused 'no room beside the residual' 2 '--residual: leaves results no room: full.npy goes 127 steps from 0, of the 127' A.npy W.npy -o C.npy --residual full.npy
refused 'a residual of floats' 2 '--residual: halves.npy holds float32, which goes with --scaling float' A.npy W.npy -o C.npy --residual halves.npy
refused 'a residual that is not finite' 4 'infinite.npy: element 2 is inf where integer results need a finite one' A.npy W.npy -o C.npy --scaling float --residual infinite.npy
refused 'scales that are not finite' 4 'nan.npy: element 0 is nan where a finite factor is needed' A.npy W.npy -o C.npy --scaling float --scales nan.npy
refused 'a bias that is too large' 4 'heavy.npy: element 1 is 1073741825, where a magnitude of at most 1073741824' A.npy W.npy -o C.npy --bias heavy.npy
refused 'missing file' 4 'nope.npy: cannot be opened: No such file' nope.npy W.npy -o C.npy
refused 'not an .npy file' 4 'err: is not an .npy file' A.npy err -o C.npy
refused 'folder' 4 '.: cannot be read: Is a directory' A.npy . -o C.npy
refused 'truncated file' 4 'short.npy: ends after 3 of 6 bytes' short.npy W.npy -o C.npy
refused 'int64' 4 "wide.npy: holds elements of type '<i8'" wide.npy W.npy -o C.npy
refused 'float' 4 'scales.npy: holds float32 where int8, uint8 or int16' scales.npy W.npy -o C.npy
refused 'vector' 4 'vector.npy: has 1 dimensions' vector.npy W.npy -o C.npy
refused 'empty matrix' 4 'empty.npy: is a matrix of 0 x 3' empty.npy W.npy -o C.npy
refused 'shapes that do not fit' 4 'other.npy: is 2 x 4, but A.npy is 2 x 3' A.npy other.npy -o C.npy
refused 'scales of the wrong length' 4 'vector.npy: has 6 elements where 2' A.npy W.npy -o C.npy --scales vector.npy
refused 'scales that are integers' 4 'bias.npy: holds int32 where float32' A.npy W.npy -o C.npy --scales bias.npy
refused 'bias in float' 4 'scales.npy: holds float32 where int32' A.npy W.npy -o C.npy --bias scales.npy
refused 'no such folder' 4 'no/C.npy: cannot be created in no: No such file' A.npy W.npy -o no/C.npy
refused 'output to a device' 4 '/dev/null: is not a regular file' A.npy W.npy -o /dev/null

# A result that does not fit: 1000 x 1000 bytes and a limit far below.
head -c 3000 /dev/zero >zeros
npy long.npy '|i1' '1000, 3' ''
cat zeros >>long.npy
limited() {
	(ulimit -f 100 && matmul "$@")
}
matmul A.npy W.npy -o C.npy --scale 1 >/dev/null
check 'disk full' 4 limited long.npy long.npy -o C.npy --scale 1
says err 'C.npy: cannot be written: File too large'; gives -2 14 -10 19; files C.npy; done_
for command in 'info -d cpu' 'plan 1 2 3 -c nv_small' 'selftest -d cpu -n 1' 'tensors A.npy'; do
	check "standard output full, $command" 4 sh -c "'$npu_run' $command >/dev/full"
	says err 'standard output'; done_
done
check 'standard output full' 4 sh -c "'$npu_run' matmul --device cpu A.npy W.npy -o C.npy --scale 1 >/dev/full"
says err 'standard output'; done_

# ---- selftest ----

check 'selftest' 0 "$npu_run" selftest --device cpu --seed 7 --count 50
says out 'device    cpu'; says out 'seed      7'; says out 'passed    50 of 50'; done_
cp out before
check 'selftest again' 0 "$npu_run" selftest --device cpu --seed 7 --count 50
cmp -s out before || fail 'a seed does not give the same again'; done_
check 'selftest as JSON' 0 "$npu_run" selftest --device cpu --seed 7 --count 5 --json
says out '"seed": 7, "count": 5, "passed": 5, '; done_
check 'selftest of all and of one' 2 "$npu_run" selftest -e -n 1
says err '--exhaustive and --count exclude each other'; done_
check 'selftest of nothing' 2 "$npu_run" selftest --count 0
says err "--count is a whole number from 1 to 2147483647, not '0'"; done_

# ---- tensors ----

# Two tensors, of which one is not read as float.
header='{"a/w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}'
{ printf '\157\0\0\0\0\0\0\0%s' "$header" && head -c 16 /dev/zero; } >two.safetensors
{ printf 'GGUF\3\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0w' &&
	printf '\2\0\0\0\40\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0' &&
	head -c 133 /dev/zero; } >one.gguf

check 'tensors of safetensors' 0 "$npu_run" tensors two.safetensors
says out 'safetensors, 2 tensors'; says out 'F32   1 x 2             8  a/w'
says out 'I64*  -                 8  b'; done_
check 'tensors of .npy' 0 "$npu_run" tensors scales.npy
says out 'npy, 1 tensor'; says out '<f4   2                 8  -'; done_
check 'tensors of GGUF' 0 "$npu_run" tensors one.gguf
says out 'Q8_0  3 x 32           102  w'; done_
check 'tensors as JSON' 0 "$npu_run" tensors two.safetensors --json
says out '{"file": "two.safetensors", "format": "safetensors", "tensors": [{"name": "a/w", "type": "F32", "shape": [1, 2], "elements": 2, "bytes": 8, "readable": true}, '
says out '"shape": [], "elements": 1, "bytes": 8, "readable": false}]}'; done_
# shellcheck disable=SC2016
check 'tensors of a pipe' 0 sh -c 'cat one.gguf | "$1" tensors /dev/stdin' sh "$npu_run"
says out 'gguf, 1 tensor'; done_
# Who writes does not come to an end.
# shellcheck disable=SC2016
check 'tensors of a pipe of nothing' 4 sh -c '{ head -c 1000000 /dev/zero && : >ended; } | "$1" tensors /dev/stdin' sh "$npu_run"
says err 'is neither an .npy, nor a safetensors, nor a GGUF file'; is_no_file ended; done_
check 'tensors of half a file' 4 "$npu_run" tensors short.npy
says err 'npu-run: tensors: short.npy: ends after 3 of 6 bytes of data'; done_
check 'tensors of no file' 4 "$npu_run" tensors nope
says err 'npu-run: tensors: nope: cannot be opened: No such file'; done_
check 'tensors of text' 4 "$npu_run" tensors cycles
says err 'cycles: is neither an .npy, nor a safetensors, nor a GGUF file'; done_
check 'tensors of nothing' 2 "$npu_run" tensors
says err 'one file is needed'; done_
check 'unknown option of tensors' 2 "$npu_run" tensors --bogus
says err "npu-run: tensors: unrecognized option '--bogus'"; done_

# ---- quantize and eval ----

# shellcheck source=/dev/null
. "$here/quantize.sh"

# ---- the examples ----

check 'fashion-mnist' 0 "$fashion" --device cpu "$model"
says out 'device           cpu'; says out 'int8 top-1'; done_
check 'fashion-mnist as JSON' 0 "$fashion" --device cpu --json "$model"
says out '"images": 10000, '
# Quantization costs at most half a point, and the model is a good one to begin with.
sed 's/.*"float_top1": \([0-9.]*\), "int8_top1": \([0-9.]*\),.*/\1 \2/' out >top1
awk '{ exit !($1 >= 0.88 && $2 >= $1 - 0.005) }' top1 || fail 'not as accurate as it should be'; done_
cp out before
# The last of 31 batches is not full.
check 'fashion-mnist in other batches' 0 "$fashion" --device cpu --json --batch 333 "$model"
[ "$(sed 's/.*fnv1a//' out)" = "$(sed 's/.*fnv1a//' before)" ] || fail 'other logits'; done_
check 'fashion-mnist without a model' 1 "$fashion" --device cpu nope
says err 'fashion-mnist: nope: cannot be opened'; done_
head -c 1000 "$model" >short.safetensors
check 'fashion-mnist with half a model' 1 "$fashion" --device cpu short.safetensors
says err "fashion-mnist: short.safetensors: tensor '0.weight' has 802816 bytes"; done_
check 'fashion-mnist with a file that is no model' 1 "$fashion" --device cpu A.npy
says err "fashion-mnist: A.npy: has no tensor 'input_max'"; done_
check 'fashion-mnist with other images' 1 "$fashion" --device cpu --images A.npy "$model"
says err 'A.npy: is not an IDX file'; done_
check 'fashion-mnist without a device' 1 "$fashion" --device /dev/nowhere "$model"
says err '/dev/nowhere'; done_
check 'fashion-mnist without arguments' 2 "$fashion"
says err 'one MODEL is needed'; done_

check 'help of training' 0 "$fashion-train" --help
says out 'Usage: fashion-mnist-train MODEL'; [ ! -e --help ] || fail 'it was taken for a file'; done_

check 'pipeline' 0 "$pipeline" --device cpu --frames 100
says out 'frames   100,'; says out 'tracked  100'; done_
check 'pipeline without a device' 1 "$pipeline" --device /dev/nowhere
says err 'pipeline: '; says err '/dev/nowhere'; done_
check 'pipeline without frames' 2 "$pipeline" --frames 0
says err "--frames is 1 to 1000000, not '0'"; done_

finish cli
