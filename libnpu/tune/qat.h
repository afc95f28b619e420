/* SPDX-License-Identifier: MIT */
/*
 * A layer in training: what its forward and backward pass share.
 */
#ifndef LIBNPU_TUNE_QAT_H
#define LIBNPU_TUNE_QAT_H

#include "../requant.h"
#include "tune.h"

/**
 * struct npu_qat - a layer
 * @groups: Groups of K.
 * @rows: Samples of the last forward pass, 0 before the first.
 * @a, @x: [m][k], inputs as integers and what these stand for.
 * @w, @v: [n][k], the same of weights.
 * @c: [m][n], results as they are stored; floats take four bytes.
 * @real: [m][n], results in real arithmetic from the same integers.
 * @w_sum: [n][groups], sums of weights.
 * @sum: [groups][NPU_STRIP], scratch.
 * @bias, @float_bias, @multiplier, @scale: Arrays of the epilogue.
 * @factor: [n] what @multiplier is made of.
 * @g: [m][n], gradient of the loss by real results.
 * @dv: [n][k], @dx: [m][k], gradients by what integers stand for.
 */
struct npu_qat {
	struct npu_qat_desc desc;
	uint32_t groups;
	uint32_t rows;
	int8_t *a;
	float *x;
	int8_t *w;
	float *v;
	void *c;
	float *real;
	int64_t *w_sum;
	int64_t *sum;
	int32_t *bias;
	float *float_bias;
	double *factor;
	int16_t *multiplier;
	float *scale;
	struct npu_epilogue_desc epilogue;
	struct npu_requant requant;
	float *g;
	float *dv;
	float *dx;
};

/* The grids that inputs and weights are rounded to. */
struct npu_fake_quant npu_qat_a_grid(const struct npu_qat *qat, const struct npu_qat_params *params,
				     uint32_t rows);
struct npu_fake_quant npu_qat_w_grid(const struct npu_qat *qat,
				     const struct npu_qat_params *params);

/* Result @i of the last forward pass, in the units it is stored in. */
static inline double npu_qat_stored(const struct npu_qat *qat, size_t i)
{
	return qat->desc.c_type == NPU_TYPE_FLOAT32 ? (double)((const float *)qat->c)[i]
						    : ((const int8_t *)qat->c)[i];
}

#endif /* LIBNPU_TUNE_QAT_H */
