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
#include "expect.h"
#include "matmul_case.h"
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

/* ---- Windows --------------------------------------------------------------------------- */

#define SIDE 80

/* A window of a tensor of SIDE x SIDE bytes, which are here too. */
struct window {
	uint32_t row, rows, col, cols;
	uint8_t bytes[SIDE * SIDE];
	struct npu_tensor *whole;
	struct npu_tensor *view;
};

static void window_init(struct window *w, struct npu_device *dev, enum npu_type type,
			struct rng *rng, uint32_t rows, uint32_t cols)
{
	struct npu_device_info info = { .size = sizeof(info) };

	expect_ok(npu_device_get_info(dev, &info, &err));
	w->rows = rows;
	w->cols = cols;
	w->row = rng_range(rng, 0, SIDE - rows);
	w->col = rng_range(rng, 0, (SIDE - cols) / info.column_align) * info.column_align;
	for (int i = 0; i < SIDE * SIDE; i++)
		w->bytes[i] = rng_next(rng);
	expect_ok(npu_tensor_create(dev, type, SIDE, SIDE, &w->whole, &err));
	expect_ok(npu_tensor_write(w->whole, 0, SIDE, w->bytes, 0, &err));
	expect_ok(npu_tensor_create_view(w->whole, w->row, rows, w->col, cols, &w->view, &err));
	assert_int_equal(npu_tensor_rows(w->view), rows);
	assert_int_equal(npu_tensor_cols(w->view), cols);
}

static uint8_t *window_row(struct window *w, uint32_t row)
{
	return w->bytes + (size_t)(w->row + row) * SIDE + w->col;
}

static void window_copy(struct window *w, uint8_t *dst)
{
	for (uint32_t r = 0; r < w->rows; r++)
		memcpy(dst + (size_t)r * w->cols, window_row(w, r), w->cols);
}

static void window_free(struct window *w)
{
	npu_tensor_destroy(w->view);
	npu_tensor_destroy(w->whole);
}

static void run_windows(struct npu_device *dev, const struct problem *p, struct window *a,
			struct window *c, struct window *residual)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc), .a = a->view, .c = c->view };
	struct npu_matmul *matmul;
	struct npu_queue *queue;

	desc.residual = p->residual ? residual->view : NULL;
	desc.a_zero_point = p->a_zero_point;
	expect_ok(npu_weights_create(dev, &p->weights, &desc.weights, &err));
	expect_ok(npu_epilogue_create(dev, &p->epilogue, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_weights_destroy(desc.weights);
	npu_epilogue_destroy(desc.epilogue);
}

/* The whole tensor is what it was, but for the window. */
static void compare_windows(const struct problem *p, struct window *c)
{
	uint8_t expected[SIDE * SIDE], got[SIDE * SIDE];

	reference_results(p, expected);
	for (uint32_t r = 0; r < c->rows; r++)
		memcpy(window_row(c, r), expected + (size_t)r * c->cols, c->cols);
	expect_ok(npu_tensor_read(c->whole, 0, SIDE, got, 0, &err));
	for (int i = 0; i < SIDE * SIDE; i++)
		if (got[i] != c->bytes[i])
			fail_msg("%u x %u x %u into (%u, %u): (%d, %d) is 0x%x, not 0x%x", p->m,
				 p->k, p->n, c->row, c->col, i / SIDE, i % SIDE, got[i],
				 c->bytes[i]);
}

void windows_check(struct npu_device *dev, uint64_t seed)
{
	static struct window a, c, residual;
	struct rng rng = { seed };
	const uint32_t m = seed % 3 ? rng_range(&rng, 1, 60) : 1, k = rng_range(&rng, 1, 60);
	const uint32_t n = seed % 2 ? rng_range(&rng, 1, 60) : 8 * rng_range(&rng, 1, 7);
	int8_t *w = rng_int8(&rng, (size_t)n * k);
	uint8_t dense[2][SIDE * SIDE];
	const int16_t multiplier = 20000;
	struct problem p = {
		.m = m,
		.k = k,
		.n = n,
		.batch = 1,
		.a_type = seed % 4 ? NPU_TYPE_INT8 : NPU_TYPE_UINT8,
		.a = dense[0],
		.a_zero_point = seed % 7,
		.weights = { .size = sizeof(p.weights), .n = n, .k = k, .data = w },
		.residual_type = NPU_TYPE_INT8,
		.residual = seed % 5 ? NULL : dense[1],
		.c_type = seed % 4 ? NPU_TYPE_INT8 : NPU_TYPE_UINT8,
	};

	p.epilogue = (struct npu_epilogue_desc){
		.size = sizeof(p.epilogue),
		.n = n,
		.multiplier = &multiplier,
		.scale_count = 1,
		.shift = 26,
		.residual_multiplier = seed % 2 ? 1 : 2,
	};
	window_init(&a, dev, p.a_type, &rng, m, k);
	window_init(&c, dev, p.c_type, &rng, m, n);
	window_init(&residual, dev, NPU_TYPE_INT8, &rng, m, n);
	window_copy(&a, dense[0]);
	window_copy(&residual, dense[1]);
	run_windows(dev, &p, &a, &c, &residual);
	compare_windows(&p, &c);
	window_free(&a);
	window_free(&c);
	window_free(&residual);
	free(w);
}
