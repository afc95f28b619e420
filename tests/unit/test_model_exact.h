/* SPDX-License-Identifier: MIT */
/*
 * Ops whose output shows the low bits of their sums, so that any wrong operand is seen, with a
 * plain reference to compare them with.
 */
#ifndef TESTS_UNIT_TEST_MODEL_EXACT_H
#define TESTS_UNIT_TEST_MODEL_EXACT_H

#include "test_model_rig.h"

#define EXACT_LIMIT 2000000 /* cycles */

/* A started rig with noise for features and weights; the second is the setup of cmocka's tests. */
struct rig *exact_new(const char *config);
int exact_setup(void **state);
int exact_teardown(void **state);

/* As rig_op_init(), &rig_small, with an epilogue that leaves the low byte of sum / 16. */
void exact_op_init(struct rig_op *op, uint32_t m, uint32_t k, uint32_t n);

/*
 * The same for an op that rig_op_init() has made. Only nv_small has that low byte for all kernels;
 * elsewhere the sum is shifted until it rarely saturates.
 */
void exact_epilogue(struct rig_op *op);

/* Does memory hold what the op must have left there? */
bool exact_is_product(struct rig *r, const struct rig_op *op);

/* The op completes and is right. */
void exact_runs(struct rig *r, const struct rig_op *op);

/*
 * The op never completes, the model's reason contains @why, nothing was written, and the engine is
 * stuck until a reset, which this does.
 */
void exact_hangs(struct rig *r, const struct rig_op *op, const char *why);

#endif /* TESTS_UNIT_TEST_MODEL_EXACT_H */
