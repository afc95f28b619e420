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

/* Bytes that are stored for the bytes of an element outside, least significant first. */
static uint8_t stored(enum npu_form form, const uint8_t *element, int digit)
{
	switch (form) {
	case NPU_FORM_PLAIN:
		return element[0];
	case NPU_FORM_FLIPPED:
		return element[0] - 128;
	default:
		return digit ? element[0] - 128 : element[1];
	}
}

static void check_planes(struct rng *rng, uint32_t rows, uint32_t cols, size_t atom,
			 enum npu_form form)
{
	const size_t width = form == NPU_FORM_DIGITS ? 2 : 1;
	struct npu_window at = {
		.row = rng_range(rng, 0, rows - 1),
		.col = rng_range(rng, 0, (cols - 1) / atom) * atom,
	};
	size_t stride, outside = 0;
	struct npu_layout layout;
	uint8_t *base, *src, *back;

	at.rows = rng_range(rng, 1, rows - at.row);
	at.cols = rng_range(rng, 1, cols - at.col);
	stride = at.cols * width + rng_range(rng, 0, 9);
	src = (uint8_t *)rng_int8(rng, at.rows * stride);
	back = calloc(at.rows, stride);
	assert_true(npu_layout_planes(&layout, form, rows, cols, atom, UINT32_MAX));
	assert_int_equal(layout.bytes, (cols + atom - 1) / atom * atom * rows * width);
	assert_int_equal(npu_layout_width(&layout), width);
	base = malloc(layout.bytes);
	memset(base, GUARD, layout.bytes);

	npu_layout_store(&layout, base, &at, src, stride);
	npu_layout_load(&layout, base, &at, back, stride);
	for (uint32_t r = 0; r < at.rows; r++) {
		assert_memory_equal(back + r * stride, src + r * stride, at.cols * width);
		for (uint32_t c = 0; c < at.cols; c++) {
			for (size_t digit = 0; digit < width; digit++) {
				uint8_t *byte = base + digit * layout.bytes / 2 +
						place(atom, rows, at.row + r, at.col + c);

				assert_int_equal(*byte,
						 stored(form, src + r * stride + c * width, digit));
				/* What is not the guard in the end was written outside. */
				*byte = GUARD;
			}
		}
	}
	for (size_t i = 0; i < layout.bytes; i++)
		outside += base[i] != GUARD;
	assert_int_equal(outside, 0);

	free(base);
	free(back);
	free(src);
}

static void planes_follow_the_formula(void **state)
{
	struct rng rng = { 1 };

	(void)state;
	for (int i = 0; i < 600; i++)
		check_planes(&rng, rng_range(&rng, 1, 200), rng_range(&rng, 1, 150), atoms[i % 2],
			     i % 3);
}

/* Every int16 is 256 * high + low + 128, with both within int8. */
static void digits_are_exact(void **state)
{
	const struct npu_window all = { .rows = 256, .cols = 256 };
	struct npu_layout layout;
	int16_t *src = malloc(65536 * sizeof(*src));
	int8_t *base = malloc(65536 * 2);

	(void)state;
	for (int i = 0; i < 65536; i++)
		src[i] = i - 32768;
	assert_true(npu_layout_planes(&layout, NPU_FORM_DIGITS, 256, 256, 8, UINT32_MAX));
	npu_layout_store(&layout, (uint8_t *)base, &all, src, 512);
	for (int i = 0; i < 65536; i++) {
		size_t at = place(8, 256, i / 256, i % 256);

		assert_int_equal(256 * base[at] + base[65536 + at] + 128, src[i]);
	}
	free(base);
	free(src);
}

static void zero_is_zero_in_every_form(void **state)
{
	const struct npu_window all = { .rows = 3, .cols = 11 };

	(void)state;
	for (int form = NPU_FORM_PLAIN; form <= NPU_FORM_DIGITS; form++) {
		const uint8_t zeros[3 * 11 * 2] = { 0 };
		uint8_t base[3 * 16 * 2], back[3 * 11 * 2];
		struct npu_layout layout;

		assert_true(npu_layout_planes(&layout, form, 3, 11, 8, UINT32_MAX));
		memset(base, GUARD, sizeof(base));
		npu_layout_clear(&layout, base);
		memset(back, GUARD, sizeof(back));
		npu_layout_load(&layout, base, &all, back, 11 * npu_layout_width(&layout));
		assert_memory_equal(back, zeros, 33 * npu_layout_width(&layout));
	}
}

static void rows_are_row_major(void **state)
{
	const int32_t rows[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	const struct npu_window all = { .rows = 2, .cols = 3 };
	const struct npu_window corner = { .row = 1, .rows = 1, .col = 1, .cols = 2 };
	struct npu_layout layout;
	uint8_t base[24];
	int32_t back[2];

	(void)state;
	assert_true(npu_layout_rows(&layout, 2, 3, sizeof(int32_t)));
	assert_int_equal(layout.bytes, 24);
	npu_layout_store(&layout, base, &all, rows[0], 12);
	assert_memory_equal(base, rows, 24);
	npu_layout_load(&layout, base, &corner, back, 0);
	assert_int_equal(back[0], 5);
	assert_int_equal(back[1], 6);
}

static void impossible_shapes_are_refused(void **state)
{
	const enum npu_form plain = NPU_FORM_PLAIN;
	struct npu_layout layout;

	(void)state;
	assert_false(npu_layout_planes(&layout, plain, 0, 1, 8, UINT32_MAX));
	assert_false(npu_layout_planes(&layout, plain, 1, 0, 8, UINT32_MAX));
	assert_true(npu_layout_planes(&layout, plain, UINT32_MAX / 8, 1, 8, UINT32_MAX));
	assert_false(npu_layout_planes(&layout, plain, UINT32_MAX / 8 + 1, 1, 8, UINT32_MAX));
	/* A stride that fits, a size that does not. */
	assert_false(npu_layout_planes(&layout, plain, UINT32_MAX, UINT32_MAX, 3u << 30, SIZE_MAX));
	assert_false(npu_layout_rows(&layout, 0, 1, 1));
	assert_int_equal(npu_layout_rows(&layout, UINT32_MAX, 1u << 30, 4), SIZE_MAX > UINT32_MAX);
	assert_false(npu_layout_rows(&layout, UINT32_MAX, UINT32_MAX, 4));
}

/* The order of the kernel interface, counted out one weight after the other. */
static void check_weights(struct rng *rng, uint32_t n, uint32_t k, uint32_t kernels,
			  uint32_t channels)
{
	size_t stride = k + rng_range(rng, 0, 5), at = 0;
	int8_t *src = rng_int8(rng, n * stride);
	int8_t *packed = malloc((size_t)n * k + 1);

	packed[(size_t)n * k] = GUARD;
	npu_layout_pack_weights(packed, src, stride, n, k, kernels, channels,
				(size_t)n * k >= NPU_LAYOUT_STREAM);
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
	npu_layout_pack_weights(whole, src, k, n, k, 8, 8, false);
	npu_layout_pack_weights(tile, src + first * k, k, n - first, k, 8, 8, false);
	assert_memory_equal(tile, whole + first * k, (n - first) * k);
	free(tile);
	free(whole);
	free(src);
}

/* Columns cut out of packed weights are what these columns alone are packed to. */
static void packed_weights_can_be_cut(void **state)
{
	struct rng rng = { 4 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint32_t n = rng_range(&rng, 1, 70), k = rng_range(&rng, 1, 150);
		uint32_t kernels = i % 2 ? 8 : 32, channels = i % 2 ? 8 : 64;
		uint32_t first = rng_range(&rng, 0, (k - 1) / channels);
		uint32_t last = rng_range(&rng, first, (k - 1) / channels);
		uint32_t k0 = first * channels;
		uint32_t width = (last + 1) * channels < k ? (last + 1) * channels - k0 : k - k0;
		int8_t *src = rng_int8(&rng, n * k);
		int8_t *whole = malloc(n * k), *alone = malloc(n * k), *cut = malloc(n * k);

		npu_layout_pack_weights(whole, src, k, n, k, kernels, channels, false);
		npu_layout_pack_weights(alone, src + k0, k, n, width, kernels, channels, false);
		npu_layout_cut_weights(cut, whole, n, k, kernels, k0, width);
		assert_memory_equal(cut, alone, n * width);
		free(cut);
		free(alone);
		free(whole);
		free(src);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planes_follow_the_formula),
		cmocka_unit_test(digits_are_exact),
		cmocka_unit_test(zero_is_zero_in_every_form),
		cmocka_unit_test(rows_are_row_major),
		cmocka_unit_test(impossible_shapes_are_refused),
		cmocka_unit_test(weights_are_packed_in_order),
		cmocka_unit_test(large_weights_are_packed_in_order),
		cmocka_unit_test(groups_are_contiguous),
		cmocka_unit_test(packed_weights_can_be_cut),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
