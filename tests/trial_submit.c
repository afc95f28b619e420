// SPDX-License-Identifier: MIT
/*
 * Submissions of npu-run selftest's trials: what is prepared once is all that they need.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../tools/npu-run/reference.h"
#include "allocations.h"
#include "expect.h"
#include "matmul_case.h"
#include "matmul_trial.h"
#include "submit.h"

/* A trial's objects. */
static struct npu_matmul *bind(struct npu_device *dev, const struct problem *p,
			       struct npu_matmul_desc *desc)
{
	const uint32_t rows = p->batch * p->m;
	struct npu_matmul *matmul;

	*desc = (struct npu_matmul_desc){ .size = sizeof(*desc), .a_zero_point = p->a_zero_point };
	expect_ok(npu_tensor_create(dev, p->a_type, rows, p->k, &desc->a, &err));
	expect_ok(npu_tensor_create(dev, p->c_type, rows, p->n, &desc->c, &err));
	expect_ok(npu_weights_create(dev, &p->weights, &desc->weights, &err));
	expect_ok(npu_epilogue_create(dev, &p->epilogue, &desc->epilogue, &err));
	expect_ok(npu_tensor_write(desc->a, 0, rows, p->a, 0, &err));
	if (p->residual) {
		expect_ok(npu_tensor_create(dev, p->residual_type, rows, p->n, &desc->residual,
					    &err));
		expect_ok(npu_tensor_write(desc->residual, 0, rows, p->residual, 0, &err));
	}
	expect_ok(npu_matmul_create(dev, desc, &matmul, &err));
	return matmul;
}

static void release(struct npu_matmul_desc *desc, struct npu_matmul *matmul)
{
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc->epilogue);
	npu_weights_destroy(desc->weights);
	npu_tensor_destroy(desc->residual);
	npu_tensor_destroy(desc->c);
	npu_tensor_destroy(desc->a);
}

static void check_result(uint64_t seed, const struct problem *p, struct npu_tensor *c)
{
	const size_t bytes = problem_results(p) * npu_type_size(p->c_type);
	uint8_t *got = malloc(bytes), *expected = malloc(bytes);

	assert_true(got && expected);
	reference_results(p, expected);
	expect_ok(npu_tensor_read(c, 0, p->batch * p->m, got, 0, &err));
	if (memcmp(got, expected, bytes))
		fail_msg("seed %" PRIu64 ": another result", seed);
	free(got);
	free(expected);
}

/* Both ways: with the queue's thread where there is something for it, and in the caller's. */
static void submit(struct npu_queue *queue, struct npu_matmul *matmul)
{
	uint64_t ticket;

	expect_ok(submit_list(queue, &matmul, 1, &ticket, &err));
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
}

/* Returns if a processor has a part in it. Until the queue is @warm it may allocate. */
static bool check_trial(struct npu_device *dev, struct npu_queue *queue, uint64_t seed, bool warm)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct npu_matmul_desc desc;
	struct npu_matmul *matmul;
	unsigned int before, after;
	struct trial trial;

	expect_ok(trial_create(seed, &trial, &err));
	matmul = bind(dev, &trial.problem, &desc);
	expect_ok(npu_matmul_get_plan(matmul, &plan, &err));
	before = allocations();
	submit(queue, matmul);
	after = allocations();
	if (warm && after != before)
		fail_msg("seed %" PRIu64 ": %u allocations in two submissions", seed,
			 after - before);
	check_result(seed, &trial.problem, desc.c);
	release(&desc, matmul);
	trial_free(&trial);
	return plan.host_steps;
}

void trials_submit_check(struct npu_device *dev, uint64_t first, uint64_t count, bool has_engine)
{
	struct npu_queue *queue;
	bool warm = false;
	uint64_t on_host = 0;

	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	/* The first one that a thread has a part in starts it. */
	for (uint64_t seed = first; seed < first + count; seed++) {
		const bool host = check_trial(dev, queue, seed, warm);

		warm = warm || host || !has_engine;
		on_host += host;
	}
	npu_queue_destroy(queue);
	assert_true(has_engine ? on_host && on_host < count : !on_host);
}
