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
 * @a, @w, @bias, @scales: Paths; the last two may be NULL.
 * @scale: Factor from accumulators to results, if @has_scale.
 * @multiplier, @shift: The same in fixed point, if @has_multiplier.
 * @zero_point, @activation: As in struct npu_epilogue_desc.
 */
struct operand_options {
	const char *a;
	const char *w;
	const char *bias;
	const char *scales;
	bool has_scale;
	float scale;
	bool has_multiplier;
	int16_t multiplier;
	uint32_t shift;
	int32_t zero_point;
	enum npu_activation activation;
};

/*
 * struct operands - the problem and what holds its memory
 * @auto_scale: The factor that was chosen, 0 if one was given.
 */
struct operands {
	struct problem problem;
	float auto_scale;
	struct npy a;
	struct npy w;
	struct npy bias;
	int16_t *multiplier;
};

/*
 * On failure *@what is the file or option that @err speaks of. Errors: -EDOM if an option is at
 * fault; everything else is about a file.
 */
int operands_load(const struct operand_options *options, struct operands *operands,
		  const char **what, struct npu_error *err);

void operands_free(struct operands *operands);

#endif
