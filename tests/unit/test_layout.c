// SPDX-License-Identifier: MIT
/*
 * Layouts: every element is where the kernel interface says, and nothing else is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../libnpu/layout.h"
#include "../matmul_case.h"

#define GUARD 0x5a

static const size_t atoms[] = { 8, 32 };

/* The formula of the kernel interface, with one line of all rows. */
static size_t place(size_t atom, uint32_t rows, uint32_t row, uint32_t col)
{
	return col / atom * (rows * atom) + row * atom + col % atom;
}

static void check_planes(struct rng *rng, uint32_t rows, uint32_t cols, size_t atom)
{
	uint32_t first = rng_range(rng, 0, rows - 1);
	uint32_t count = rng_range(rng, 1, rows - first);
	size_t stride = cols + rng_range(rng, 0, 9), written = 0;
	int8_t *src = rng_int8(rng, count * stride);
	int8_t *back = calloc(count, stride);
	struct npu_layout layout;
	uint8_t *base;

	assert_true(npu_layout_planes(&layout, rows, cols, atom, UINT32_MAX));
	assert_int_equal(layout.bytes, (cols + atom - 1) / atom * atom * rows);
	base = malloc(layout.bytes);
	memset(base, GUARD, layout.bytes);

	npu_layout_store(&layout, base, first, count, cols, src, stride);
	for (uint32_t r = 0; r < count; r++)
		for (uint32_t c = 0; c < cols; c++)
			assert_int_equal((int8_t)base[place(atom, rows, first + r, c)],
					 src[r * stride + c]);

	npu_layout_load(&layout, base, first, count, cols, back, stride);
	for (uint32_t r = 0; r < count; r++)
		assert_memory_equal(back + r * stride, src + r * stride, cols);

	/* Put the guard back: what is left then was written outside of the rows. */
	for (uint32_t r = 0; r < count; r++)
		for (uint32_t c = 0; c < cols; c++)
			base[place(atom, rows, first + r, c)] = GUARD;
	for (size_t i = 0; i < layout.bytes; i++)
		written += base[i] != GUARD;
	assert_int_equal(written, 0);

	free(base);
	free(back);
	free(src);
}

static void planes_follow_the_formula(void **state)
{
	struct rng rng = { 1 };

	(void)state;
	for (int i = 0; i < 300; i++)
		check_planes(&rng, rng_range(&rng, 1, 200), rng_range(&rng, 1, 150), atoms[i % 2]);
}

static void one_plane_is_row_major(void **state)
{
	const int8_t rows[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct npu_layout layout;
	uint8_t base[6];

	(void)state;
	assert_true(npu_layout_planes(&layout, 2, 3, 3, SIZE_MAX));
	assert_int_equal(layout.bytes, 6);
	npu_layout_store(&layout, base, 0, 2, 3, rows[0], 3);
	assert_memory_equal(base, rows, 6);
}

static void impossible_shapes_are_refused(void **state)
{
	struct npu_layout layout;

	(void)state;
	assert_false(npu_layout_planes(&layout, 0, 1, 8, UINT32_MAX));
	assert_false(npu_layout_planes(&layout, 1, 0, 8, UINT32_MAX));
	assert_true(npu_layout_planes(&layout, UINT32_MAX / 8, 1, 8, UINT32_MAX));
	assert_false(npu_layout_planes(&layout, UINT32_MAX / 8 + 1, 1, 8, UINT32_MAX));
	/* A stride that fits, a size that does not. */
	assert_false(npu_layout_planes(&layout, UINT32_MAX, UINT32_MAX, 3u << 30, SIZE_MAX));
}

/* The order of the kernel interface, counted out one weight after the other. */
static void check_weights(struct rng *rng, uint32_t n, uint32_t k, uint32_t kernels,
			  uint32_t channels)
{
	size_t stride = k + rng_range(rng, 0, 5), at = 0;
	int8_t *src = rng_int8(rng, n * stride);
	int8_t *packed = malloc((size_t)n * k + 1);

	packed[(size_t)n * k] = GUARD;
	npu_layout_pack_weights(packed, src, stride, n, k, kernels, channels);
	for (uint32_t group = 0; group < n; group += kernels)
		for (uint32_t block = 0; block < k; block += channels)
			for (uint32_t row = group; row < n && row < group + kernels; row++)
				for (uint32_t c = block; c < k && c < block + channels; c++)
					assert_int_equal(packed[at++], src[row * stride + c]);
	assert_int_equal(at, (size_t)n * k);
	assert_int_equal(packed[at], GUARD);
	free(packed);
	free(src);
}

static void weights_are_packed_in_order(void **state)
{
	struct rng rng = { 2 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint32_t n = rng_range(&rng, 1, 70), k = rng_range(&rng, 1, 150);

		check_weights(&rng, n, k, 8, 8);
		check_weights(&rng, n, k, 32, 64);
	}
}

/* So large that packing goes past the cache, with groups that begin anywhere. */
static void large_weights_are_packed_in_order(void **state)
{
	struct rng rng = { 4 };

	(void)state;
	check_weights(&rng, 2057, 4099, 8, 8);
	check_weights(&rng, 2050, 4100, 8, 8);
}

/*
 * What makes tiles of N and chunks of K work in place: whole groups packed alone are a run of the
 * whole.
 */
static void groups_are_contiguous(void **state)
{
	struct rng rng = { 3 };
	uint32_t n = 37, k = 21, first = 16;
	int8_t *src = rng_int8(&rng, n * k);
	int8_t *whole = malloc(n * k), *tile = malloc(n * k);

	(void)state;
	npu_layout_pack_weights(whole, src, k, n, k, 8, 8);
	npu_layout_pack_weights(tile, src + first * k, k, n - first, k, 8, 8);
	assert_memory_equal(tile, whole + first * k, (n - first) * k);
	free(tile);
	free(whole);
	free(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planes_follow_the_formula),
		cmocka_unit_test(one_plane_is_row_major),
		cmocka_unit_test(impossible_shapes_are_refused),
		cmocka_unit_test(weights_are_packed_in_order),
		cmocka_unit_test(large_weights_are_packed_in_order),
		cmocka_unit_test(groups_are_contiguous),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
