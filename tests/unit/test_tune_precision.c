// SPDX-License-Identifier: MIT
/*
 * The choice of bits for each layer, against a dynamic programme that finds the best one.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <npu_tune.h>

#include "../expect.h"
#include "tune_rig.h"

#define LAYERS 12
#define COUNT 3 /* W4A8, W8A8, W8A16 */
#define MOST_BYTES 4000

/* Layers whose errors fall by about 16 or 4 with each step of bytes. */
static void random_layers(struct npu_candidate c[][COUNT], struct rng *rng)
{
	for (int i = 0; i < LAYERS; i++) {
		const uint64_t unit = rng_range(rng, 20, 100);
		const double error = exp(rng_normal(rng));

		c[i][0] = (struct npu_candidate){ error, unit };
		c[i][1] = (struct npu_candidate){ error / rng_range(rng, 8, 30), 2 * unit };
		c[i][2] = (struct npu_candidate){ c[i][1].error / rng_range(rng, 2, 5), 3 * unit };
	}
}

/* best[b] is the least error of all layers with at most b bytes. */
static void best_errors(struct npu_candidate c[][COUNT], double *best)
{
	static double before[MOST_BYTES + 1];

	for (int b = 0; b <= MOST_BYTES; b++)
		best[b] = 0;
	for (int i = 0; i < LAYERS; i++) {
		for (int b = 0; b <= MOST_BYTES; b++) {
			before[b] = best[b];
			best[b] = INFINITY;
		}
		for (int b = 0; b <= MOST_BYTES; b++)
			for (int j = 0; j < COUNT; j++)
				if (c[i][j].bytes <= (uint64_t)b)
					best[b] = fmin(best[b],
						       before[b - c[i][j].bytes] + c[i][j].error);
	}
}

static void check_total(struct npu_candidate c[][COUNT], const uint32_t *chosen,
			const struct npu_candidate *total)
{
	struct npu_candidate sum = { 0 };

	for (int i = 0; i < LAYERS; i++) {
		assert_in_range(chosen[i], 0, COUNT - 1);
		sum.error += c[i][chosen[i]].error;
		sum.bytes += c[i][chosen[i]].bytes;
	}
	assert_true(sum.error == total->error && sum.bytes == total->bytes);
}

/* The most that one step of a layer, to the next candidate, adds to the error. */
static double largest_step(struct npu_candidate c[][COUNT])
{
	double step = 0;

	for (int i = 0; i < LAYERS; i++)
		step = fmax(step, c[i][0].error - c[i][1].error);
	return step;
}

static void is_near_the_best_under_a_budget_of_bytes(void **state)
{
	struct npu_candidate c[LAYERS][COUNT], total;
	static double best[MOST_BYTES + 1];
	uint32_t chosen[LAYERS];
	double ratio = 0;
	struct rng rng = { 80 };
	int exact = 0, runs = 0;

	(void)state;
	for (int trial = 0; trial < 50; trial++) {
		uint64_t least = 0;

		random_layers(c, &rng);
		best_errors(c, best);
		for (int i = 0; i < LAYERS; i++)
			least += c[i][0].bytes;
		for (uint64_t limit = least; limit <= 3 * least; limit += least / 8) {
			expect_ok(npu_choose_precision(c[0], LAYERS, COUNT, NPU_BUDGET_BYTES,
						       (double)limit, chosen, &total, &err));
			check_total(c, chosen, &total);
			assert_true(total.bytes <= limit);
			assert_true(total.error >= best[limit] * (1 - 1e-12));
			assert_true(total.error <= best[limit] + largest_step(c));
			exact += total.error <= best[limit] * (1 + 1e-12);
			ratio += total.error / best[limit];
			runs++;
		}
		expect_error(npu_choose_precision(c[0], LAYERS, COUNT, NPU_BUDGET_BYTES,
						  (double)least - 1, chosen, &total, &err),
			     -ERANGE, "least size");
	}
	assert_true(exact * 10 > 7 * runs && ratio < 1.02 * runs);
}

static void is_near_the_best_under_a_budget_of_error(void **state)
{
	struct npu_candidate c[LAYERS][COUNT], total;
	static double best[MOST_BYTES + 1];
	uint32_t chosen[LAYERS];
	double ratio = 0;
	struct rng rng = { 81 };
	int runs = 0;

	(void)state;
	for (int trial = 0; trial < 100; trial++) {
		double least = 0;

		random_layers(c, &rng);
		best_errors(c, best);
		for (int i = 0; i < LAYERS; i++)
			least += c[i][2].error;
		for (double limit = least * 1.000001; limit < 50 * least; limit *= 2) {
			int fewest = 0;

			while (best[fewest] > limit)
				fewest++;
			expect_ok(npu_choose_precision(c[0], LAYERS, COUNT, NPU_BUDGET_ERROR, limit,
						       chosen, &total, &err));
			check_total(c, chosen, &total);
			assert_true(total.error <= limit);
			assert_true(total.bytes >= (uint64_t)fewest);
			ratio += (double)total.bytes / fewest;
			runs++;
		}
		expect_error(npu_choose_precision(c[0], LAYERS, COUNT, NPU_BUDGET_ERROR,
						  least * 0.999, chosen, &total, &err),
			     -ERANGE, "least error");
	}
	assert_true(ratio < 1.01 * runs);
}

/* Candidates that are worse in everything are never chosen, in whatever order they come. */
static void dominated_candidates_are_left(void **state)
{
	const struct npu_candidate c[] = { { 5, 90 }, { 1, 80 }, { 4, 40 }, { 4, 50 },
					   { 0, 10 }, { 0, 20 }, { 1, 10 }, { -1, 30 } };
	struct npu_candidate total;
	uint32_t chosen[2];

	(void)state;
	expect_ok(npu_choose_precision(c, 2, 4, NPU_BUDGET_BYTES, 1000, chosen, &total, &err));
	assert_true(chosen[0] == 1 && chosen[1] == 3);
	expect_ok(npu_choose_precision(c, 2, 4, NPU_BUDGET_BYTES, 50, chosen, &total, &err));
	assert_true(chosen[0] == 2 && chosen[1] == 0);
	expect_ok(npu_choose_precision(c, 2, 4, NPU_BUDGET_ERROR, 1, chosen, &total, &err));
	assert_true(chosen[0] == 1 && chosen[1] == 0 && total.bytes == 90);
}

/* Two layers of 2^63 bytes are not none. */
static void bytes_do_not_wrap(void **state)
{
	const struct npu_candidate c[] = { { 1, UINT64_C(1) << 63 }, { 1, UINT64_C(1) << 63 } };
	struct npu_candidate total;
	uint32_t chosen[2];

	(void)state;
	expect_error(npu_choose_precision(c, 2, 1, NPU_BUDGET_BYTES, 100, chosen, &total, &err),
		     -ERANGE, "above the budget");
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const struct npu_candidate c[] = { { 1, 1 }, { NAN, 2 } };
	struct npu_candidate total;
	uint32_t chosen[2];

	(void)state;
	refused(npu_choose_precision(c, 0, 1, NPU_BUDGET_BYTES, 9, chosen, &total, &err),
		"0 layers");
	refused(npu_choose_precision(c, 2, 1, NPU_BUDGET_BYTES, 9, chosen, &total, &err),
		"layer 1, candidate 0 has an error of nan");
	refused(npu_choose_precision(c, 1, 1, 2, 9, chosen, &total, &err), "kind 2");
	refused(npu_choose_precision(c, 1, 1, NPU_BUDGET_BYTES, NAN, chosen, &total, &err),
		"a number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_near_the_best_under_a_budget_of_bytes),
		cmocka_unit_test(is_near_the_best_under_a_budget_of_error),
		cmocka_unit_test(dominated_candidates_are_left),
		cmocka_unit_test(bytes_do_not_wrap),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("precision of layers", tests, NULL, NULL);
}
