// SPDX-License-Identifier: MIT
/*
 * Multiplications on the NPU, bit for bit against the CPU backend and against the plain reference.
 * NPU_TEST_DEVICE chooses the device, as npu_device_open() names it; without it the first NPU is
 * taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"
#include "../matmul_trial.h"

static struct npu_device *npu, *cpu;
static struct npu_queue *npu_queue, *cpu_queue;

static int open_devices(void **state)
{
	struct npu_error err = { 0 };

	(void)state;
	if (npu_device_open(getenv("NPU_TEST_DEVICE"), &npu, &err) ||
	    npu_queue_create(npu, NULL, &npu_queue, &err) || npu_device_open("cpu", &cpu, &err) ||
	    npu_queue_create(cpu, NULL, &cpu_queue, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int close_devices(void **state)
{
	(void)state;
	npu_queue_destroy(npu_queue);
	npu_queue_destroy(cpu_queue);
	npu_device_close(npu);
	npu_device_close(cpu);
	return 0;
}

/* On the NPU and on the CPU; the plain reference is for what it can do in reasonable time. */
static void check_case(const struct matmul_case *c)
{
	int8_t *on_npu = case_run(npu, npu_queue, c);
	int8_t *on_cpu = case_run(cpu, cpu_queue, c);

	case_compare(c, on_npu, on_cpu);
	if ((uint64_t)c->m * c->k * c->n < 20000000) {
		int8_t *expected = case_reference(c);

		case_compare(c, on_npu, expected);
		free(expected);
	}
	free(on_npu);
	free(on_cpu);
}

static void check(struct rng *rng, uint32_t m, uint32_t k, uint32_t n, unsigned int form)
{
	struct matmul_case c;

	case_init(&c, rng, m, k, n, form);
	check_case(&c);
	case_free(&c);
}

static void small_shapes_and_all_epilogues(void **state)
{
	struct rng rng = { 40 };

	(void)state;
	for (unsigned int i = 0; i < 8 * CASE_FORMS; i++)
		check(&rng, rng_range(&rng, 1, 70), rng_range(&rng, 1, 70), rng_range(&rng, 1, 70),
		      i % CASE_FORMS);
}

static void tails_around_the_atom(void **state)
{
	struct rng rng = { 41 };

	(void)state;
	for (uint32_t m = 1; m <= 3; m++)
		for (uint32_t k = 7; k <= 9; k++)
			for (uint32_t n = 7; n <= 9; n++)
				check(&rng, m, k, n, CASE_BIAS | CASE_PER_CHANNEL);
}

static void all_shifts(void **state)
{
	struct rng rng = { 42 };

	(void)state;
	for (uint32_t shift = 0; shift <= NPU_SHIFT_MAX; shift++) {
		struct matmul_case c;

		case_init(&c, &rng, 3, 64, 16, CASE_BIAS | CASE_PER_CHANNEL);
		c.epilogue.shift = shift;
		check_case(&c);
		case_free(&c);
	}
}

static void long_and_wide_shapes(void **state)
{
	struct rng rng = { 43 };

	(void)state;
	check(&rng, 1, 8192, 24, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 50, 8192, 17, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 8192, 9, 12, CASE_RELU);
	check(&rng, 20001, 8, 3, CASE_ZERO_POINT);
	check(&rng, 2, 17, 8192, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 5, 33, 9001, CASE_BIAS | CASE_PER_CHANNEL | CASE_RELU);
	check(&rng, 1, 1024, 512, CASE_BIAS | CASE_PER_CHANNEL | CASE_ZERO_POINT);
}

static void a_large_square(void **state)
{
	struct rng rng = { 44 };

	(void)state;
	check(&rng, 1024, 256, 1024, CASE_BIAS | CASE_PER_CHANNEL | CASE_RELU | CASE_ZERO_POINT);
}

/* K beyond what the engine can take: exact partial sums, added up on the CPU. */
static void long_k_is_split_exactly(void **state)
{
	struct npu_queue_stats before = { .size = sizeof(before) }, after = before;
	struct rng rng = { 45 };

	(void)state;
	expect_ok(npu_queue_get_stats(npu_queue, &before, &err));
	check(&rng, 1, 20000, 9, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 33, 20000, 11, CASE_BIAS | CASE_PER_CHANNEL | CASE_RELU | CASE_ZERO_POINT);
	check(&rng, 4, 9001, 5, 0);
	check(&rng, 2, 10000, 3, CASE_EXTREME);
	expect_ok(npu_queue_get_stats(npu_queue, &after, &err));
	if (after.jobs > before.jobs)
		assert_true(after.host_steps >= before.host_steps + 4);
}

/* Sums of one sign, as far from zero as they get, and sums that are zero. */
static void split_sums_at_their_limits(void **state)
{
	const int8_t extremes[] = { -128, 127, 0, 1, -1 };
	struct rng rng = { 46 };
	struct matmul_case c;

	(void)state;
	case_init(&c, &rng, 5, 9000, 25, 0);
	for (uint32_t row = 0; row < c.m; row++)
		memset(c.a + row * c.k, extremes[row], c.k);
	for (uint32_t row = 0; row < c.n; row++)
		memset(c.w + row * c.k, extremes[row % 5], c.k);
	c.multiplier[0] = 16384;
	c.epilogue.shift = 35;
	check_case(&c);
	c.epilogue.shift = 14;
	check_case(&c);
	case_free(&c);
}

/* More rows than the scratch memory holds at once. */
static void split_in_blocks_of_rows(void **state)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul;
	struct rng rng = { 47 };
	struct matmul_case c;

	(void)state;
	/* The largest weights make the most chunks. */
	case_init(&c, &rng, 130, 8200, 50, CASE_BIAS | CASE_PER_CHANNEL);
	for (size_t i = 0; i < (size_t)c.n * c.k; i++)
		c.w[i] = c.w[i] < 0 ? -128 : 127;
	check_case(&c);

	expect_ok(npu_tensor_create(npu, NPU_TYPE_INT8, c.m, c.k, &desc.a, &err));
	expect_ok(npu_tensor_create(npu, NPU_TYPE_INT8, c.m, c.n, &desc.c, &err));
	expect_ok(case_weights(npu, c.n, c.k, c.w, &desc.weights, &err));
	expect_ok(npu_epilogue_create(npu, &c.epilogue, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(npu, &desc, &matmul, &err));
	expect_ok(npu_matmul_get_plan(matmul, &plan, &err));
	if (plan.jobs)
		assert_true(plan.host_steps >= 2);
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	case_free(&c);
}

/* A tensor in memory full of @poison, so that its padding is poison too. */
static struct npu_tensor *poisoned_tensor(uint32_t rows, uint32_t cols, int poison)
{
	size_t bytes = npu_tensor_bytes(npu, NPU_TYPE_INT8, rows, cols);
	struct npu_tensor *tensor;
	struct npu_buffer *buf;
	void *data;

	expect_ok(npu_buffer_create(npu, bytes, &buf, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, bytes, -1, &data, &err));
	memset(data, poison, bytes);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, bytes, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, rows, cols, &tensor, &err));
	npu_buffer_destroy(buf);
	return tensor;
}

static void padding_does_not_matter(void **state)
{
	struct rng rng = { 48 };

	(void)state;
	for (uint32_t k = 1; k <= 24; k++) {
		struct npu_matmul_desc desc = { .size = sizeof(desc) };
		struct npu_matmul *matmul;
		struct matmul_case c;
		int8_t *expected, got[11 * 13];

		case_init(&c, &rng, 11, k, 13, CASE_BIAS | CASE_PER_CHANNEL);
		desc.a = poisoned_tensor(c.m, c.k, 0x7f);
		desc.c = poisoned_tensor(c.m, c.n, 0x80);
		expect_ok(case_weights(npu, c.n, c.k, c.w, &desc.weights, &err));
		expect_ok(npu_epilogue_create(npu, &c.epilogue, &desc.epilogue, &err));
		expect_ok(npu_matmul_create(npu, &desc, &matmul, &err));
		expect_ok(npu_tensor_write(desc.a, 0, c.m, c.a, 0, &err));
		expect_ok(npu_queue_run(npu_queue, &matmul, 1, &err));
		expect_ok(npu_tensor_read(desc.c, 0, c.m, got, 0, &err));
		expected = case_reference(&c);
		case_compare(&c, got, expected);
		free(expected);
		npu_matmul_destroy(matmul);
		npu_epilogue_destroy(desc.epilogue);
		npu_weights_destroy(desc.weights);
		npu_tensor_destroy(desc.a);
		npu_tensor_destroy(desc.c);
		case_free(&c);
	}
}

#define LAYERS 6

/*
 * Layers of awkward widths in one submission, all tensors in one buffer, none touched by the CPU in
 * between. @activations: result of each layer, to be freed.
 */
static void run_layers(struct npu_device *dev, struct npu_queue *queue,
		       const struct matmul_case *layer, int8_t *result)
{
	struct npu_matmul *matmul[LAYERS];
	struct npu_tensor *tensor[LAYERS + 1];
	struct npu_buffer *arena;
	size_t offset = 0, bytes = 0;

	for (int i = 0; i <= LAYERS; i++)
		bytes += npu_tensor_bytes(dev, NPU_TYPE_INT8, layer[0].m,
					  i < LAYERS ? layer[i].k : layer[i - 1].n);
	expect_ok(npu_buffer_create(dev, bytes, &arena, &err));
	for (int i = 0; i <= LAYERS; i++) {
		uint32_t cols = i < LAYERS ? layer[i].k : layer[i - 1].n;

		expect_ok(npu_tensor_create_in(arena, offset, NPU_TYPE_INT8, layer[0].m, cols,
					       &tensor[i], &err));
		offset += npu_tensor_bytes(dev, NPU_TYPE_INT8, layer[0].m, cols);
	}
	for (int i = 0; i < LAYERS; i++) {
		struct npu_matmul_desc desc = { .size = sizeof(desc), .a = tensor[i] };

		desc.c = tensor[i + 1];
		expect_ok(
			case_weights(dev, layer[i].n, layer[i].k, layer[i].w, &desc.weights, &err));
		expect_ok(npu_epilogue_create(dev, &layer[i].epilogue, &desc.epilogue, &err));
		expect_ok(npu_matmul_create(dev, &desc, &matmul[i], &err));
		npu_weights_destroy(desc.weights);
		npu_epilogue_destroy(desc.epilogue);
	}
	expect_ok(npu_tensor_write(tensor[0], 0, layer[0].m, layer[0].a, 0, &err));
	expect_ok(npu_queue_run(queue, matmul, LAYERS, &err));
	expect_ok(npu_tensor_read(tensor[LAYERS], 0, layer[0].m, result, 0, &err));
	for (int i = 0; i < LAYERS; i++)
		npu_matmul_destroy(matmul[i]);
	for (int i = 0; i <= LAYERS; i++)
		npu_tensor_destroy(tensor[i]);
	npu_buffer_destroy(arena);
}

static void layers_follow_each_other(void **state)
{
	static const uint32_t width[LAYERS + 1] = { 100, 61, 8, 130, 9, 70, 33 };
	struct rng rng = { 49 };

	(void)state;
	for (uint32_t m = 1; m < 300; m = m * 5 / 2 + 1) {
		struct matmul_case layer[LAYERS];
		int8_t *on_npu = malloc((size_t)m * width[LAYERS]);
		int8_t *on_cpu = malloc((size_t)m * width[LAYERS]);

		for (int i = 0; i < LAYERS; i++)
			case_init(&layer[i], &rng, m, width[i], width[i + 1],
				  CASE_BIAS | CASE_PER_CHANNEL | (i % 2 ? CASE_RELU : 0));
		run_layers(npu, npu_queue, layer, on_npu);
		run_layers(cpu, cpu_queue, layer, on_cpu);
		case_compare(&layer[LAYERS - 1], on_npu, on_cpu);
		for (int i = 0; i < LAYERS; i++)
			case_free(&layer[i]);
		free(on_npu);
		free(on_cpu);
	}
}

/* Every combination of types, scalings, activations and residuals. */
static void all_forms(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < TRIAL_FORMS; seed++)
		trial_check(npu, seed);
}

static void windows_are_operands(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++)
		windows_check(npu, seed);
}

static void submitting_allocates_nothing(void **state)
{
	(void)state;
	trials_submit_check(npu, 20000, 300, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_shapes_and_all_epilogues),
		cmocka_unit_test(tails_around_the_atom),
		cmocka_unit_test(all_shifts),
		cmocka_unit_test(long_and_wide_shapes),
		cmocka_unit_test(a_large_square),
		cmocka_unit_test(long_k_is_split_exactly),
		cmocka_unit_test(split_sums_at_their_limits),
		cmocka_unit_test(split_in_blocks_of_rows),
		cmocka_unit_test(padding_does_not_matter),
		cmocka_unit_test(layers_follow_each_other),
		cmocka_unit_test(all_forms),
		cmocka_unit_test(windows_are_operands),
		cmocka_unit_test(submitting_allocates_nothing),
	};

	return cmocka_run_group_tests_name("matmul on the NPU", tests, open_devices, close_devices);
}
