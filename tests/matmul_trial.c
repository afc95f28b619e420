// SPDX-License-Identifier: MIT
/*
 * Trials of npu-run selftest as tests.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tools/npu-run/reference.h"
#include "matmul_trial.h"

static void compare(uint64_t seed, const struct trial *trial, const uint8_t *got,
		    const uint8_t *expected)
{
	const struct problem *p = &trial->problem;
	const size_t size = npu_type_size(p->c_type);
	char text[TRIAL_TEXT];

	trial_describe(trial, text);
	for (size_t i = 0; i < problem_results(p); i++) {
		int32_t one = 0, other = 0;

		memcpy(&one, got + i * size, size);
		memcpy(&other, expected + i * size, size);
		if (one != other)
			fail_msg("seed %" PRIu64 ", %s: element (%zu, %zu) is 0x%x, not 0x%x", seed,
				 text, i / p->n, i % p->n, one, other);
	}
}

void trial_check(struct npu_device *dev, uint64_t seed)
{
	struct npu_error err = { 0 };
	struct trial trial;
	struct work work;
	uint8_t *got, *expected;
	size_t bytes;

	assert_int_equal(trial_create(seed, &trial, &err), 0);
	bytes = problem_results(&trial.problem) * npu_type_size(trial.problem.c_type);
	got = malloc(bytes);
	expected = malloc(bytes);
	assert_true(got && expected);
	if (multiply(dev, &trial.problem, got, &work, &err))
		fail_msg("seed %" PRIu64 ": %s", seed, err.text);
	reference_results(&trial.problem, expected);
	compare(seed, &trial, got, expected);
	free(got);
	free(expected);
	trial_free(&trial);
}
