/* SPDX-License-Identifier: MIT */
/* The files and numbers that "npu-run matmul" is given, checked and brought into one problem. */
#ifndef NPU_RUN_OPERANDS_H
#define NPU_RUN_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "multiply.h"
#include "npy.h"

/*
 * struct operand_options - what the command line says
 * @a, @w, @bias, @scales, @residual: Paths; all but the first two may be NULL.
 * @scale: Factor from accumulators to results, if @has_scale.
 * @multiplier, @shift: The same in fixed point, if @has_multiplier.
 * @result: Type of C.
 * @scaling: How factors are applied, if @has_scaling; see operands_scaling().
 * @a_zero_point, @w_zero_point: Zero points of the inputs.
 * @zero_point, @activation, @output_scale, @clamp, @clamp_min, @clamp_max: As in struct
 *	npu_epilogue_desc.
 */
struct operand_options {
	const char *a;
	const char *w;
	const char *bias;
	const char *scales;
	const char *residual;
	bool has_scale;
	float scale;
	bool has_multiplier;
	int16_t multiplier;
	uint32_t shift;
	enum npu_type result;
	bool has_scaling;
	enum npu_scaling scaling;
	int32_t a_zero_point;
	int32_t w_zero_point;
	int32_t zero_point;
	enum npu_activation activation;
	float output_scale;
	bool clamp;
	double clamp_min;
	double clamp_max;
};

/*
 * struct operands - the problem and what holds its memory
 * @auto_scale: The factor that was chosen, 0 if one was given or none had to be.
 */
struct operands {
	struct problem problem;
	float auto_scale;
	struct npy a;
	struct npy w;
	struct npy bias;
	struct npy residual;
	int16_t *multiplier;
	int32_t *multiplier_q31;
	int32_t *exponent;
	float *scale;
};

/* The type of arrays of an NPY_* type, 0 where the library has none. */
enum npu_type operands_type(enum npy_type type);

/* The other way round. */
enum npy_type operands_npy_type(enum npu_type type);

/* An element as a number. */
double operands_element(const struct npy *npy, size_t i);

/* How factors are applied: FIXED16 unless the command line or the type of C says something else. */
enum npu_scaling operands_scaling(const struct operand_options *options);

/*
 * On failure *@what is the file or option that @err speaks of. Errors: -EDOM if an option is at
 * fault; everything else is about a file.
 */
int operands_load(const struct operand_options *options, struct operands *operands,
		  const char **what, struct npu_error *err);

void operands_free(struct operands *operands);

#endif
