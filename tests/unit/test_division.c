// SPDX-License-Identifier: MIT
/*
 * Divisions of K for exact sums: which there are, and that the one that is taken is the fastest,
 * as far as one can be for any number of rows. Prices are added up here block by block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../../libnpu/backend/nvdla_division.h"
#include "../../libnpu/backend/nvdla_split.h"
#include "../../libnpu/plan.h"

/* The exact method's: high, middle and low bits of a sum. */
#define EXACT_PASSES 3

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct drm_npu_matmul_limits *const engines[] = { &nvdla_small_limits,
							       &nvdla_large_limits };

static const uint32_t rows[] = { 1, 8, 16, 32, 64, 256 };

/*
 * Weights, and the fewest parts of their K: those of 4 bits with and without zero points, and int8
 * of which some are small.
 */
static const struct {
	uint32_t k, n, least;
} shapes[] = {
	{ 8000, 64, 1 },  { 8000, 8, 1 },     { 8000, 256, 1 },	  { 6000, 30, 1 },
	{ 4096, 256, 1 }, { 4096, 1024, 1 },  { 11008, 64, 2 },	  { 16384, 64, 3 },
	{ 8000, 256, 2 }, { 16384, 1024, 3 }, { 8192, 64, 4 },	  { 3000, 300, 2 },
	{ 1024, 64, 1 },  { 2000, 16, 1 },    { 16384, 256, 16 }, { 8000, 1024, 1 },
};

static struct nvdla_division choose(const struct drm_npu_matmul_limits *limits, size_t shape)
{
	return nvdla_divide(limits, shapes[shape].k, shapes[shape].n, 1, shapes[shape].least);
}

static uint64_t part_cycles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k,
			    uint32_t n)
{
	struct npu_tiles tiles;

	npu_plan_tiles(limits, m, k, n, EXACT_PASSES, &tiles);
	return tiles.cycles;
}

/* K in parts of @length, the last one of what is left. */
static double cycles_of(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k,
			uint32_t n, uint32_t length)
{
	uint32_t parts = (k + length - 1) / length, rest = k - (parts - 1) * length;
	uint32_t blocks = nvdla_split_blocks(m, n, parts);
	double cycles = 0;

	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t count = npu_plan_part(m, 1, blocks, i).count;

		if (parts > 1)
			cycles += (parts - 1.0) * part_cycles(limits, count, length, n);
		cycles += part_cycles(limits, count, rest, n);
	}
	return cycles;
}

static double fewest_cycles(const struct drm_npu_matmul_limits *limits, uint32_t m, size_t shape)
{
	struct nvdla_division d[NVDLA_DIVISIONS];
	uint32_t count = nvdla_divisions(limits, shapes[shape].k, shapes[shape].least, d);
	double fewest = 0;

	for (uint32_t i = 0; i < count; i++) {
		double cycles = cycles_of(limits, m, shapes[shape].k, shapes[shape].n, d[i].k);

		fewest = !i || cycles < fewest ? cycles : fewest;
	}
	return fewest;
}

/* How many times the cycles of the best division, where it is worst. */
static double loss_of(const struct drm_npu_matmul_limits *limits, size_t shape, uint32_t length)
{
	double worst = 0;

	for (size_t r = 0; r < COUNT(rows); r++) {
		double loss = cycles_of(limits, rows[r], shapes[shape].k, shapes[shape].n, length) /
			      fewest_cycles(limits, rows[r], shape);

		worst = loss > worst ? loss : worst;
	}
	return worst;
}

static void check_divisions(const struct drm_npu_matmul_limits *limits, size_t shape)
{
	const uint32_t unit = npu_plan_k_unit(limits), k = shapes[shape].k;
	struct nvdla_division d[NVDLA_DIVISIONS];
	uint32_t count = nvdla_divisions(limits, k, shapes[shape].least, d);

	assert_in_range(count, 1, NVDLA_DIVISIONS);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal((d[i].parts - 1) * d[i].k + d[i].last, k);
		assert_in_range(d[i].last, 1, d[i].k);
		assert_true(d[i].parts == 1 || d[i].k % unit == 0);
		assert_true(!i || (d[i].parts > d[i - 1].parts && d[i].k < d[i - 1].k));
	}
	/* Evenly, so that no part is longer than it has to be. */
	assert_true(d[0].parts <= shapes[shape].least);
	assert_true(d[0].k < k / shapes[shape].least + unit);
}

static void divisions_cover_k(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(engines); e++)
		for (size_t s = 0; s < COUNT(shapes); s++)
			check_divisions(engines[e], s);
}

/* Within the step in which losses are told apart. */
static void no_other_loses_less(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(engines); e++) {
		for (size_t s = 0; s < COUNT(shapes); s++) {
			struct nvdla_division d[NVDLA_DIVISIONS];
			uint32_t count =
				nvdla_divisions(engines[e], shapes[s].k, shapes[s].least, d);
			double loss = loss_of(engines[e], s, choose(engines[e], s).k);

			for (uint32_t i = 0; i < count; i++)
				assert_true(loss < loss_of(engines[e], s, d[i].k) + 0.05);
		}
	}
}

/* On nv_small M makes so little difference that the choice is good for nearly any. */
static void small_engines_lose_little(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(shapes); s++) {
		const uint32_t length = choose(&nvdla_small_limits, s).k;
		double sum = 0, count = 0;

		for (uint32_t m = 1; m <= 512; m += m < 8 ? 1 : m / 4, count++) {
			double loss = cycles_of(&nvdla_small_limits, m, shapes[s].k, shapes[s].n,
						length) /
				      fewest_cycles(&nvdla_small_limits, m, s);

			assert_true(loss < 1.25);
			sum += loss;
		}
		assert_true(sum < 1.03 * count);
	}
}

/* A part of all K leaves no room for a second group of kernels, so each waits for the one before.
 */
static void one_part_can_be_too_long(void **state)
{
	double one = cycles_of(&nvdla_small_limits, 16, 8000, 64, 8000);

	(void)state;
	assert_int_equal(shapes[0].k, 8000);
	assert_in_range(choose(&nvdla_small_limits, 0).parts, 2, 4);
	assert_true(cycles_of(&nvdla_small_limits, 16, 8000, 64, choose(&nvdla_small_limits, 0).k) <
		    0.53 * one);
}

/* The CPU adds up every part, so more of them have to gain something. */
static void few_parts_are_preferred(void **state)
{
	struct nvdla_division d;

	(void)state;
	d = nvdla_divide(&nvdla_small_limits, 4400, 512, 1, 1);
	assert_int_equal(d.parts, 1);
	d = nvdla_divide(&nvdla_small_limits, 16384, 512, 1, 33);
	assert_int_equal(d.parts, 33);
	/* Whole groups of K, each of which is short already. */
	d = nvdla_divide(&nvdla_large_limits, 128, 1024, 64, 1);
	assert_int_equal(d.parts, 1);
	assert_int_equal(d.last, 128);
}

/* 2^27 runs of 32 columns, as many as there can be groups: so many blocks are more than 2^32. */
static void many_runs_are_not_few(void **state)
{
	const struct nvdla_division whole = { .parts = 1, .k = 32, .last = 32 };
	uint64_t few = nvdla_division_cycles(&nvdla_small_limits, 30, 1, 1u << 27, &whole);
	uint64_t many = nvdla_division_cycles(&nvdla_small_limits, 30000, 1, 1u << 27, &whole);

	(void)state;
	assert_int_equal(many / few, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(divisions_cover_k),
		cmocka_unit_test(no_other_loses_less),
		cmocka_unit_test(small_engines_lose_little),
		cmocka_unit_test(one_part_can_be_too_long),
		cmocka_unit_test(few_parts_are_preferred),
		cmocka_unit_test(many_runs_are_not_few),
	};

	return cmocka_run_group_tests_name("division", tests, NULL, NULL);
}
