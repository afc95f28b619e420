/* SPDX-License-Identifier: MIT */
/*
 * Quantized networks as safetensors files. A layer NAME has
 *
 *	NAME.weight		I8 [N, K]; with fewer bits U8 [N, ceil(K * bits / 8)], packed as
 *				npu_quant_pack() does it
 *	NAME.weight_scale	F32 [1], [N] or [N, groups]
 *	NAME.weight_zero_point	I32, the same shape, if there are any
 *	NAME.codebook		I8 [1 or N, entries], if weights are indices
 *	NAME.bias		F32 [N], if there is one: real values, of which an epilogue makes
 *				integers
 *	NAME.input_scale	F32 [1], and
 *	NAME.input_zero_point	I32 [1], of static inputs
 *	NAME.input_factor	F32 [K], what inputs are divided by first, if anything
 *	NAME.output_factor	F32 [N], what results have been divided by for the next layer
 *	NAME.output_scale	F32 [1], and
 *	NAME.output_zero_point	I32 [1], of the last layer, if its results are integers
 *
 * and all the rest is text in __metadata__:
 *
 *	npu_quantized		version of all this: QUANT_FILE_VERSION
 *	layers			their names, each on a line
 *	technique		for people
 *	NAME.weights		"int4", "kmeans3", "log4"
 *	NAME.columns		K
 *	NAME.granularity	"tensor", "channel", or the columns of a group
 *	NAME.inputs		"static int8 asymmetric"
 *	NAME.scaling		of static inputs: "fixed16"
 *	NAME.momentum, NAME.input_range
 *				of adaptive ones, and where they begin: "0 1.5"
 *	NAME.rotation		seed of npu_rotate(), if inputs are rotated
 */
#ifndef NPU_RUN_QUANT_FILE_H
#define NPU_RUN_QUANT_FILE_H

#include "quant_network.h"

#define QUANT_FILE_VERSION "1"

int quant_file_save(const char *path, const struct quant_network *network, struct npu_error *err);

/*
 * Errors begin with the path: -EINVAL not a quantized network; -ENOTSUP of another version;
 * -EBADMSG something is missing or does not fit; and what npu_file_open() says.
 */
int quant_file_load(const char *path, struct quant_network *network, struct npu_error *err);

#endif
