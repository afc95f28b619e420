// SPDX-License-Identifier: MIT
/*
 * Plans: tiles cover C exactly once, every job is within the engine's limits, and the predictions
 * are near what is physically possible. test_cost.c holds them to the engine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../libnpu/plan.h"
#include "../../kmod/nvdla/nvdla_limits.h"
#include "../matmul_case.h"

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return (a + b - 1) / b;
}

static uint64_t banks_of(const struct drm_npu_matmul_limits *limits, uint64_t bytes)
{
	return div_up(div_up(bytes, limits->cbuf_entry_bytes), limits->cbuf_bank_entries);
}

/* The limits as the kernel interface words them. */
static void check_job(const struct drm_npu_matmul_limits *limits, const struct npu_tiles *tiles,
		      uint32_t whole_m, struct npu_part rows, uint32_t k, struct npu_part cols)
{
	uint64_t row = div_up(k, limits->atom_bytes) * limits->atom_bytes;
	uint64_t kernels = cols.count < limits->mac_kernels ? cols.count : limits->mac_kernels;

	assert_in_range(rows.count, 1, limits->max_width);
	assert_in_range(cols.count, 1, limits->max_n);
	assert_true(k <= limits->max_k);
	assert_true((uint64_t)rows.count * cols.count * k <= limits->max_job_macs);
	assert_true(banks_of(limits, rows.count * row) <= tiles->data_banks);
	assert_true(banks_of(limits, kernels * k) <= tiles->weight_banks);
	/* A single row cannot be a window of more: the engine ignores plane strides then. */
	assert_true(rows.count > 1 || whole_m == 1);
	/* Windows begin at whole planes of C and whole groups of W. */
	assert_int_equal(cols.first % limits->atom_bytes, 0);
	assert_int_equal(cols.first % limits->mac_kernels, 0);
}

static void check_shape(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k,
			uint32_t n)
{
	uint32_t unit = npu_plan_n_unit(limits), next_row = 0;
	struct npu_tiles tiles = { 0 };

	npu_plan_tiles(limits, m, k, n, 1, &tiles);
	assert_true(tiles.data_banks && tiles.weight_banks);
	assert_int_equal(tiles.data_banks + tiles.weight_banks, limits->cbuf_banks);
	for (uint32_t i = 0; i < tiles.m_tiles; i++) {
		struct npu_part rows = npu_plan_rows(&tiles, m, i);
		uint32_t next_col = 0;

		assert_int_equal(rows.first, next_row);
		next_row += rows.count;
		for (uint32_t j = 0; j < tiles.n_tiles; j++) {
			struct npu_part cols = npu_plan_part(n, unit, tiles.n_tiles, j);

			assert_int_equal(cols.first, next_col);
			next_col += cols.count;
			check_job(limits, &tiles, m, rows, k, cols);
		}
		assert_int_equal(next_col, n);
	}
	assert_int_equal(next_row, m);
}

/* Small and large sizes alike: the number of digits is random too. */
static uint32_t random_size(struct rng *rng, uint32_t max)
{
	uint32_t bits = rng_range(rng, 1, 14);
	uint32_t size = rng_range(rng, 1, 1u << bits);

	return size < max ? size : max;
}

static void every_job_is_within_the_limits(void **state)
{
	const struct drm_npu_matmul_limits *limits = *state;
	uint32_t max_k = npu_plan_max_k(limits);
	struct rng rng = { 4 };

	assert_true(max_k > 0);
	for (int i = 0; i < 1000; i++)
		check_shape(limits, random_size(&rng, UINT32_MAX), random_size(&rng, max_k),
			    random_size(&rng, UINT32_MAX));
	for (uint32_t m = 1; m < 40; m++)
		check_shape(limits, m, max_k, 70);
}

static void narrow_limits_are_respected(void **state)
{
	struct drm_npu_matmul_limits limits = *(const struct drm_npu_matmul_limits *)*state;
	struct rng rng = { 5 };

	limits.max_width = 7;
	limits.max_n = 3 * npu_plan_n_unit(&limits);
	limits.max_k = 1000;
	limits.max_job_macs = 5 * 3 * npu_plan_n_unit(&limits) * 1000;
	for (int i = 0; i < 500; i++)
		check_shape(&limits, rng_range(&rng, 1, 100), rng_range(&rng, 1, 1000),
			    rng_range(&rng, 1, 300));
}

static void longest_k_is_found(void **state)
{
	struct drm_npu_matmul_limits limits = nvdla_small_limits;

	(void)state;
	assert_int_equal(npu_plan_max_k(&limits), 8192);
	/* 8 kernels of K and 3 rows of K share 16 banks of 4096 bytes. */
	limits.cbuf_banks = 16;
	assert_in_range(npu_plan_max_k(&limits), 5400, 65536 / 11);
	assert_int_equal(npu_plan_max_k(&limits) % 8, 0);
	limits.bus_bytes = 0;
	assert_int_equal(npu_plan_max_k(&limits), 0);
}

/*
 * Predicted cycles may exceed the physical limit by @steady percent in a stream, alone by @alone.
 * They may fall short of it by what the results take: those have a bus channel of their own.
 */
static void check_cost(uint32_t m, uint32_t k, uint32_t n, unsigned int steady, unsigned int alone)
{
	uint64_t macs = (uint64_t)m * k * n / 64;
	uint64_t reads = ((uint64_t)m * k + (uint64_t)n * k) / 8;
	uint64_t limit = macs > reads ? macs : reads;
	struct npu_tiles tiles;

	npu_plan_tiles(&nvdla_small_limits, m, k, n, 1, &tiles);
	assert_in_range(tiles.cycles, limit, limit + limit * steady / 100);
	assert_in_range(tiles.start + tiles.cycles, limit, limit + limit * alone / 100);
}

static void large_shapes_come_near_the_limit(void **state)
{
	(void)state;
	check_cost(64, 256, 64, 1, 9);
	check_cost(128, 1024, 1024, 1, 1);
	check_cost(16, 1024, 256, 1, 7);
	check_cost(1, 1024, 1024, 1, 1);
	check_cost(1, 4096, 4096, 1, 1);
	check_cost(1024, 784, 128, 1, 1);
}

/* A lead lets a call start early, as long as a stream does not notice one more job. */
static void leads_cost_a_stream_nothing(void **state)
{
	struct npu_tiles tiles;

	(void)state;
	npu_plan_tiles(&nvdla_small_limits, 64, 256, 64, 1, &tiles);
	assert_int_equal(tiles.m_tiles, 2);
	assert_in_range(tiles.lead, 8, 32);
	/* Too short for another job: 65 cycles of 4096. */
	npu_plan_tiles(&nvdla_small_limits, 32, 256, 32, 1, &tiles);
	assert_int_equal(tiles.m_tiles, 1);
}

/* What is in the CBUF already is not fetched again, which shows where fetching sets the pace. */
static void passes_share_operands(void **state)
{
	struct npu_tiles one, three;

	(void)state;
	npu_plan_tiles(&nvdla_small_limits, 128, 1024, 1024, 1, &one);
	npu_plan_tiles(&nvdla_small_limits, 128, 1024, 1024, 3, &three);
	assert_in_range(three.cycles, 2.99 * one.cycles, 3.01 * one.cycles);
	npu_plan_tiles(&nvdla_small_limits, 8, 8192, 8, 1, &one);
	npu_plan_tiles(&nvdla_small_limits, 8, 8192, 8, 3, &three);
	assert_true(three.cycles < 2 * one.cycles);
}

/* A driver that does not say what the output stage takes must not break the plan. */
static void unknown_epilogues_take_no_time(void **state)
{
	struct drm_npu_matmul_limits unknown = nvdla_small_limits;
	struct npu_tiles tiles, faster;

	(void)state;
	unknown.epilogue_cycles = 0;
	npu_plan_tiles(&nvdla_small_limits, 8192, 9, 12, 1, &tiles);
	npu_plan_tiles(&unknown, 8192, 9, 12, 1, &faster);
	assert_true(faster.cycles && faster.cycles < tiles.cycles / 4);
}

/* The engine drains between jobs that divide the CBUF differently, so most should agree. */
static void halves_are_the_rule(void **state)
{
	struct npu_tiles tiles;

	(void)state;
	npu_plan_tiles(&nvdla_small_limits, 64, 256, 64, 1, &tiles);
	assert_int_equal(tiles.data_banks, 16);
	npu_plan_tiles(&nvdla_small_limits, 500, 784, 128, 1, &tiles);
	assert_int_equal(tiles.data_banks, 16);
	/* Room for more than two groups would gain less than one percent. */
	npu_plan_tiles(&nvdla_small_limits, 1, 4096, 4096, 1, &tiles);
	assert_int_equal(tiles.data_banks, 16);
	/* One group of 8192 x 8 takes 16 banks: two of them would leave no room for data. */
	npu_plan_tiles(&nvdla_small_limits, 16, 8192, 64, 1, &tiles);
	assert_true(tiles.weight_banks >= 16);
}

static void parts_are_even(void **state)
{
	(void)state;
	for (uint32_t total = 1; total < 200; total++) {
		for (uint32_t parts = 1; parts <= (total + 7) / 8; parts++) {
			uint32_t least = npu_plan_part(total, 8, parts, 0).count, most = least;

			for (uint32_t i = 0; i + 1 < parts; i++) {
				uint32_t count = npu_plan_part(total, 8, parts, i).count;

				least = count < least ? count : least;
				most = count > most ? count : most;
			}
			assert_true(most - least <= 8);
		}
	}
}

static void *small(void)
{
	return (void *)&nvdla_small_limits;
}

static void *large(void)
{
	return (void *)&nvdla_large_limits;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(every_job_is_within_the_limits, small()),
		cmocka_unit_test_prestate(every_job_is_within_the_limits, large()),
		cmocka_unit_test_prestate(narrow_limits_are_respected, small()),
		cmocka_unit_test_prestate(narrow_limits_are_respected, large()),
		cmocka_unit_test(longest_k_is_found),
		cmocka_unit_test(large_shapes_come_near_the_limit),
		cmocka_unit_test(leads_cost_a_stream_nothing),
		cmocka_unit_test(passes_share_operands),
		cmocka_unit_test(unknown_epilogues_take_no_time),
		cmocka_unit_test(halves_are_the_rule),
		cmocka_unit_test(parts_are_even),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
