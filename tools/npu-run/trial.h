/* SPDX-License-Identifier: MIT */
/*
 * A random multiplication. Trials come in forms: every combination of the type of A, of the
 * weights, of scaling and type of C, of activation, and of residual. Everything else is chosen at
 * random: shape, batch, groups, zero points, bias, scales, clamp. Every other trial is made such
 * that NVDLA can do all of it, which few of the combinations are.
 */
#ifndef NPU_RUN_TRIAL_H
#define NPU_RUN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "multiply.h"

/* Number of forms: consecutive seeds have all of them. */
#define TRIAL_FORMS (2 * 3 * 3 * 22 * 3 * 3)

/* Longest text of trial_describe(). */
#define TRIAL_TEXT 160

/*
 * struct trial - one multiplication
 * @problem: Points into the rest.
 * @plain: Nothing in it is beyond NVDLA.
 */
struct trial {
	struct problem problem;
	bool plain;
	void *a;
	uint8_t *w;
	int8_t *codebook;
	int32_t *w_zero_point;
	int32_t *bias;
	float *float_bias;
	int16_t *multiplier;
	int32_t *multiplier_q31;
	int32_t *exponent;
	float *scale;
	void *residual;
};

/* Everything comes from the seed. Errors: -ENOMEM. */
int trial_create(uint64_t seed, struct trial *trial, struct npu_error *err);

void trial_free(struct trial *trial);

/* What it is, for people: "M 3 x K 40 x N 5, uint8 x int4 -> int8, FIXED16, ...". */
void trial_describe(const struct trial *trial, char text[TRIAL_TEXT]);

/* The name of a type, as in "uint8". */
const char *trial_type_name(enum npu_type type);

#endif
