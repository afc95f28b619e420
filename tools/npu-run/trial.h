/* SPDX-License-Identifier: MIT */
/*
 * A random multiplication and its right result, computed in plain C from the arithmetic in npu.h
 * and nothing else, so that it checks the library's CPU backend as well as any device.
 */
#ifndef NPU_RUN_TRIAL_H
#define NPU_RUN_TRIAL_H

#include <stdint.h>

#include "multiply.h"

/*
 * struct trial - one multiplication
 * @problem: Points into the rest.
 * @expected: m x n, what it must give.
 */
struct trial {
	struct problem problem;
	int8_t *a;
	int8_t *w;
	int32_t *bias;
	int16_t *multiplier;
	int8_t *expected;
};

/* Everything comes from the seed. Errors: -ENOMEM. */
int trial_create(uint64_t seed, struct trial *trial, struct npu_error *err);

void trial_free(struct trial *trial);

#endif
