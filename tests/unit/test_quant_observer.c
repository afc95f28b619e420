// SPDX-License-Identifier: MIT
/*
 * Observers: known ranges, the same whatever way the data came, and images that lie.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <npu_quant.h>

#include "../../libnpu/checksum.h"
#include "../expect.h"
#include "../matmul_case.h"

#define COUNT 20000

static const struct npu_quant_scheme int8 = { .size = sizeof(int8), .bits = 8 };
static const struct npu_quant_scheme asym8 = { .size = sizeof(asym8),
					       .bits = 8,
					       .asymmetric = true };

static struct npu_observer *make(enum npu_observer_method method, uint32_t channels, bool columns)
{
	const struct npu_observer_desc desc = { .size = sizeof(desc),
						.method = method,
						.channels = channels,
						.columns = columns,
						.bins = 1024 };
	struct npu_observer *observer = NULL;

	expect_ok(npu_observer_create(&desc, &observer, &err));
	return observer;
}

/* Sums of 12 uniform numbers are close to normal. */
static float normal(struct rng *rng)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += rng_next(rng) * 0x1p-32;
	return (float)sum;
}

static void fill(float *x, size_t count, struct rng *rng)
{
	for (size_t i = 0; i < count; i++)
		x[i] = normal(rng);
}

static void check_range(const struct npu_observer *observer, const struct npu_quant_scheme *scheme,
			double low, double high, double tolerance)
{
	float is_low, is_high;

	expect_ok(npu_observer_range(observer, scheme, &is_low, &is_high, &err));
	if (fabs(is_low - low) > tolerance || fabs(is_high - high) > tolerance)
		fail_msg("range is %f to %f, not %f to %f", is_low, is_high, low, high);
}

/* ---- Methods --------------------------------------------------------------------------- */

static void min_max_is_exact_for_each_channel(void **state)
{
	const float x[] = { 1, -2, 3, 4, 5, -6 };
	struct npu_observer *columns = make(NPU_OBSERVER_MIN_MAX, 3, true);
	struct npu_observer *rows = make(NPU_OBSERVER_MIN_MAX, 2, false);
	float low[3], high[3], scale[2];
	int32_t zero[2];

	(void)state;
	expect_ok(npu_observer_add(columns, x, 2, 3, &err));
	expect_ok(npu_observer_range(columns, &int8, low, high, &err));
	assert_true(low[0] == 1 && high[0] == 4 && low[1] == -2 && high[1] == 5);
	assert_true(low[2] == -6 && high[2] == 3);
	expect_ok(npu_observer_add(rows, x, 2, 3, &err));
	expect_ok(npu_observer_params(rows, &int8, scale, zero, &err));
	assert_true(scale[0] == 3.0f / 127 && scale[1] == 6.0f / 127 && !zero[0] && !zero[1]);
	npu_observer_destroy(columns);
	npu_observer_destroy(rows);
}

static void moving_average_starts_with_the_first_batch(void **state)
{
	struct npu_observer_desc desc = { .size = sizeof(desc),
					  .method = NPU_OBSERVER_MOVING_AVERAGE,
					  .momentum = 0.25 };
	struct npu_observer *observer;

	(void)state;
	expect_ok(npu_observer_create(&desc, &observer, &err));
	expect_ok(npu_observer_add(observer, (float[]){ -1, 2 }, 1, 2, &err));
	check_range(observer, &int8, -1, 2, 0);
	expect_ok(npu_observer_add(observer, (float[]){ -2, 6 }, 1, 2, &err));
	/* Weights 0.1875 and 0.25. */
	check_range(observer, &int8, -(0.1875 + 0.5) / 0.4375, (0.375 + 1.5) / 0.4375, 1e-6);
	npu_observer_destroy(observer);
}

static void percentile_leaves_out_what_it_says(void **state)
{
	const struct npu_observer_desc desc = { .size = sizeof(desc),
						.method = NPU_OBSERVER_PERCENTILE,
						.percentile = 90 };
	struct npu_observer *observer;
	float x[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		x[i] = (float)(i - 300) / 1000;
	expect_ok(npu_observer_create(&desc, &observer, &err));
	expect_ok(npu_observer_add(observer, x, 10, 100, &err));
	/* |x| is up to 0.3 twice and then once up to 0.699; 100 of them are above 0.599. */
	check_range(observer, &int8, -0.3, 0.6, 0.003);
	/* 50 at each end. */
	check_range(observer, &asym8, -0.25, 0.65, 0.003);
	npu_observer_destroy(observer);
}

/* What the library looks for in a histogram is here tried on the data itself. */
static double error_with(const float *x, size_t count, const struct npu_quant_scheme *scheme,
			 float low, float high)
{
	int8_t q[COUNT];
	float back[COUNT], scale;
	int32_t zero;
	double sum = 0;

	expect_ok(npu_quant_params(scheme, low, high, &scale, &zero, &err));
	expect_ok(npu_quant_quantize(scheme, x, count, scale, zero, q, &err));
	expect_ok(npu_quant_dequantize(scheme, q, count, scale, zero, back, &err));
	for (size_t i = 0; i < count; i++)
		sum += (double)(x[i] - back[i]) * (x[i] - back[i]);
	return sum;
}

static void mse_is_close_to_the_least(void **state)
{
	static float x[COUNT];
	struct rng rng = { 41 };

	(void)state;
	for (uint32_t bits = 3; bits <= 6; bits++) {
		for (int form = 0; form < 2; form++) {
			const struct npu_quant_scheme scheme = {
				sizeof(scheme), bits, false, form, NPU_QUANT_PER_TENSOR, 0
			};
			struct npu_observer *observer = make(NPU_OBSERVER_MSE, 0, false);
			double least = INFINITY, whole, got;
			float low, high;

			fill(x, COUNT, &rng);
			x[7] = 20;
			expect_ok(npu_observer_add(observer, x, 1, COUNT, &err));
			expect_ok(npu_observer_range(observer, &scheme, &low, &high, &err));
			got = error_with(x, COUNT, &scheme, low, high);
			whole = error_with(x, COUNT, &scheme, -20, 20);
			for (int i = 1; i <= 400; i++)
				least = fmin(least,
					     error_with(x, COUNT, &scheme, -0.05f * i, 0.05f * i));
			if (got > 1.01 * least || got >= whole)
				fail_msg("%u bits, form %d: error %f, not %f", bits, form, got,
					 least);
			npu_observer_destroy(observer);
		}
	}
}

/* The published algorithm, one bin at a time, on what is known of the histogram's bins. */
static double plain_divergence(const double *count, int bins, int i, int levels)
{
	double p[1024], q[1024], p_sum = 0, q_sum = 0, sum = 0;

	for (int j = 0; j < i; j++)
		p[j] = count[j];
	for (int j = i; j < bins; j++)
		p[i - 1] += count[j];
	for (int level = 0; level < levels; level++) {
		int from = level * i / levels, to = (level + 1) * i / levels, used = 0;
		double mass = 0;

		for (int j = from; j < to; j++) {
			mass += count[j];
			used += p[j] != 0;
		}
		for (int j = from; j < to; j++)
			q[j] = p[j] != 0 ? mass / used : 0;
	}
	for (int j = 0; j < i; j++) {
		p_sum += p[j];
		q_sum += q[j];
	}
	for (int j = 0; j < i; j++)
		if (p[j] != 0)
			sum += p[j] / p_sum * log(p[j] / p_sum / (q[j] / q_sum));
	return sum;
}

static void entropy_is_the_published_algorithm(void **state)
{
	static float x[COUNT];
	struct rng rng = { 42 };

	(void)state;
	for (int trial = 0; trial < 4; trial++) {
		struct npu_observer *observer = make(NPU_OBSERVER_ENTROPY, 0, false);
		double count[512] = { 0 }, least = INFINITY;
		int best = 0, bins = 0;

		fill(x, COUNT, &rng);
		for (int i = 0; i < trial * 3; i++)
			x[i * 11] = 7.5f - (float)i / 8;
		/* The largest magnitude is below 8 and not below 4: 512 bins of 2^-6. */
		x[5] = -7.75f;
		for (int i = 0; i < COUNT; i++) {
			/* Of negative numbers, bins begin at their far end. */
			int bin = (int)(x[i] < 0 ? ceil(-x[i] * 64.0) - 1 : floor(x[i] * 64.0));

			count[bin]++;
			bins = bin + 1 > bins ? bin + 1 : bins;
		}
		for (int i = bins; i >= 128; i--) {
			double d = plain_divergence(count, bins, i, 128);

			if (d < least) {
				least = d;
				best = i;
			}
		}
		expect_ok(npu_observer_add(observer, x, 1, COUNT, &err));
		check_range(observer, &int8, fmax(-(best + 0.5) / 64, -7.75),
			    best == bins ? 7.5 : fmin((best + 0.5) / 64, 7.5),
			    best == bins ? 4 : 0);
		assert_true(best < bins);
		npu_observer_destroy(observer);
	}
}

/* ---- Merging --------------------------------------------------------------------------- */

static void *image_of(const struct npu_observer *observer)
{
	void *image = malloc(npu_observer_image_bytes(observer));

	npu_observer_save(observer, image);
	return image;
}

/* Batches of very different sizes of numbers, denormals first. */
static void batch(float *x, int i, struct rng *rng)
{
	fill(x, 300, rng);
	for (int j = 0; j < 300; j++)
		x[j] = ldexpf(x[j], 40 * i - 140);
}

static void order_and_division_do_not_matter(void **state)
{
	struct npu_observer *up = make(NPU_OBSERVER_ENTROPY, 3, true);
	struct npu_observer *down = make(NPU_OBSERVER_ENTROPY, 3, true);
	struct npu_observer *merged = make(NPU_OBSERVER_ENTROPY, 3, true);
	void *image, *other;
	size_t bytes;
	float x[5][300];
	struct rng rng = { 43 };

	(void)state;
	for (int i = 0; i < 5; i++)
		batch(x[i], i, &rng);
	for (int i = 0; i < 5; i++) {
		struct npu_observer *one = make(NPU_OBSERVER_ENTROPY, 3, true);

		expect_ok(npu_observer_add(up, x[i], 100, 3, &err));
		expect_ok(npu_observer_add(down, x[4 - i], 100, 3, &err));
		expect_ok(npu_observer_add(one, x[(i + 2) % 5], 50, 3, &err));
		expect_ok(npu_observer_add(one, x[(i + 2) % 5] + 150, 50, 3, &err));
		expect_ok(npu_observer_merge(merged, one, &err));
		npu_observer_destroy(one);
	}
	/* All but the sums for averages, which the checksum at the end goes with. */
	image = image_of(up);
	bytes = npu_observer_image_bytes(up) - 8;
	other = image_of(down);
	for (size_t i = 56; i < bytes; i += 24 + 1024 * 8)
		assert_memory_equal((char *)image + i + 24, (char *)other + i + 24, 1024 * 8);
	free(other);
	other = image_of(merged);
	for (size_t i = 56; i < bytes; i += 24 + 1024 * 8) {
		assert_memory_equal((char *)image + i, (char *)other + i, 8);
		assert_memory_equal((char *)image + i + 24, (char *)other + i + 24, 1024 * 8);
	}
	free(other);
	free(image);
	npu_observer_destroy(up);
	npu_observer_destroy(down);
	npu_observer_destroy(merged);
}

static void merged_averages_are_those_of_all_batches(void **state)
{
	struct npu_observer *all = make(NPU_OBSERVER_MOVING_AVERAGE, 0, false);
	struct npu_observer *first = make(NPU_OBSERVER_MOVING_AVERAGE, 0, false);
	struct npu_observer *second = make(NPU_OBSERVER_MOVING_AVERAGE, 0, false);
	struct rng rng = { 44 };
	float x[50], low, high;

	(void)state;
	for (int i = 0; i < 40; i++) {
		fill(x, 50, &rng);
		expect_ok(npu_observer_add(all, x, 5, 10, &err));
		expect_ok(npu_observer_add(i < 15 ? first : second, x, 5, 10, &err));
	}
	expect_ok(npu_observer_merge(first, second, &err));
	expect_ok(npu_observer_range(all, &int8, &low, &high, &err));
	check_range(first, &int8, low, high, 1e-6);
	npu_observer_destroy(all);
	npu_observer_destroy(first);
	npu_observer_destroy(second);
}

/* ---- Images ---------------------------------------------------------------------------- */

static void images_come_back(void **state)
{
	struct rng rng = { 45 };
	float x[120];

	(void)state;
	for (int method = 0; method <= NPU_OBSERVER_ENTROPY; method++) {
		struct npu_observer *observer = make((enum npu_observer_method)method, 4, true);
		struct npu_observer *back;

		for (int i = 0; i < 3; i++) {
			size_t bytes = npu_observer_image_bytes(observer);
			void *image = image_of(observer), *again;

			expect_ok(npu_observer_load(image, bytes, &back, &err));
			again = image_of(back);
			assert_memory_equal(image, again, bytes);
			free(image);
			free(again);
			npu_observer_destroy(observer);
			observer = back;
			fill(x, 120, &rng);
			expect_ok(npu_observer_add(observer, x, 30, 4, &err));
		}
		npu_observer_destroy(observer);
	}
}

static void seal(uint8_t *image, size_t bytes)
{
	uint64_t sum = npu_checksum(image, bytes - 8);

	for (int i = 0; i < 8; i++)
		image[bytes - 8 + i] = (uint8_t)(sum >> 8 * i);
}

/* An image that was changed and sealed again is refused, or its observer behaves. */
static void lies_do_no_harm(void **state)
{
	struct npu_observer *observer = make(NPU_OBSERVER_ENTROPY, 2, true), *back;
	size_t bytes = npu_observer_image_bytes(observer);
	uint8_t *image, *lie = malloc(bytes);
	struct rng rng = { 46 };
	int taken = 0;
	float x[200];

	(void)state;
	fill(x, 200, &rng);
	expect_ok(npu_observer_add(observer, x, 100, 2, &err));
	image = image_of(observer);
	for (int i = 0; i < 3000; i++) {
		uint32_t at = rng_range(&rng, 8, i % 2 ? 90 : (uint32_t)bytes - 9);
		float low[2], high[2];

		memcpy(lie, image, bytes);
		lie[at] = (uint8_t)(i % 3 ? rng_next(&rng) : 0xff);
		seal(lie, bytes);
		if (npu_observer_load(lie, bytes, &back, NULL))
			continue;
		taken++;
		expect_ok(npu_observer_range(back, &int8, low, high, &err));
		assert_true(low[0] <= high[0] && low[1] <= high[1]);
		expect_ok(npu_observer_add(back, x, 100, 2, &err));
		npu_observer_destroy(back);
	}
	assert_in_range(taken, 1, 2000);
	free(image);
	free(lie);
	npu_observer_destroy(observer);
}

#define bad_image(word) expect_error(npu_observer_load(image, bytes, &back, &err), -EBADMSG, word)

static void bad_images_are_refused(void **state)
{
	struct npu_observer *observer = make(NPU_OBSERVER_MSE, 0, false), *back = NULL;
	size_t bytes = npu_observer_image_bytes(observer);
	uint8_t *image;

	(void)state;
	expect_ok(npu_observer_add(observer, (float[]){ -1, 1, 0 }, 1, 3, &err));
	image = image_of(observer);
	for (size_t i = 0; i < bytes; i += i < 100 ? 1 : 97)
		assert_int_equal(npu_observer_load(image, i, &back, NULL), -EBADMSG);
	image[100] ^= 1;
	bad_image("checksum");
	seal(image, bytes);
	bad_image("values");
	image[100] ^= 1;
	/* Counts of -1 and 0, which 2^63 more each make add up to the same in 64 bits. */
	image[56 + 24 + 8 * 256 + 7] ^= 0x80;
	image[56 + 24 + 8 * 512 + 7] ^= 0x80;
	seal(image, bytes);
	bad_image("more values");
	image[56 + 24 + 8 * 256 + 7] ^= 0x80;
	image[56 + 24 + 8 * 512 + 7] ^= 0x80;
	image[13] = 0xff; /* channels, by which memory would be taken */
	seal(image, bytes);
	bad_image("size");
	image[13] = 0;
	image[7] = 2;
	bad_image("another version");
	image[0] = 'M';
	bad_image("not an image");
	free(image);
	npu_observer_destroy(observer);
	/* A range, and averages, of nothing. */
	observer = make(NPU_OBSERVER_MOVING_AVERAGE, 0, false);
	bytes = npu_observer_image_bytes(observer);
	image = image_of(observer);
	for (size_t at = 56 + 4; at < 56 + 24; at += at < 64 ? 4 : 8) {
		const size_t top = at + (at < 64 ? 3 : 7);

		image[top] = 0x3f;
		seal(image, bytes);
		bad_image("");
		image[top] = 0;
	}
	assert_null(back);
	free(image);
	npu_observer_destroy(observer);
}

/* ---- Bad input ------------------------------------------------------------------------- */

static void bad_input_is_named(void **state)
{
	struct npu_observer_desc desc = { .size = sizeof(desc), .bins = 100 };
	struct npu_observer *observer = make(NPU_OBSERVER_MIN_MAX, 2, true), *other;
	const float bad[] = { 1, 2, 3, NAN };
	float low[2] = { 77, 77 }, high[2];

	(void)state;
	expect_error(npu_observer_create(&desc, &other, &err), -EINVAL, "bins");
	desc.bins = 0;
	desc.percentile = 101;
	expect_error(npu_observer_create(&desc, &other, &err), -EINVAL, "percentile");
	desc.percentile = 0;
	desc.momentum = -1;
	expect_error(npu_observer_create(&desc, &other, &err), -EINVAL, "momentum");
	desc.method = 5;
	expect_error(npu_observer_create(&desc, &other, &err), -EINVAL, "method");
	expect_error(npu_observer_range(observer, &int8, low, high, &err), -ENODATA,
		     "nothing has been observed");
	expect_error(npu_observer_add(observer, bad, 2, 2, &err), -EINVAL,
		     "row 1, column 1 is nan");
	expect_error(npu_observer_add(observer, bad, 1, 3, &err), -EINVAL, "2 channels");
	expect_error(npu_observer_add(observer, bad, 0, 2, &err), -EINVAL, "0 x 2");
	expect_error(npu_observer_range(observer, &int8, low, high, &err), -ENODATA, "nothing");
	assert_true(low[0] == 77);
	other = make(NPU_OBSERVER_MSE, 2, true);
	expect_error(npu_observer_merge(observer, other, &err), -EINVAL, "same description");
	npu_observer_destroy(other);
	npu_observer_destroy(observer);
	npu_observer_destroy(NULL);
}

static void constant_data_has_a_range(void **state)
{
	const float zeros[4] = { 0 }, threes[] = { 3, 3, 3, 3 }, huge[] = { -FLT_MAX, FLT_MAX };

	(void)state;
	for (int method = 0; method <= NPU_OBSERVER_ENTROPY; method++) {
		struct npu_observer *observer = make((enum npu_observer_method)method, 0, false);
		float scale;
		int32_t zero;

		expect_ok(npu_observer_add(observer, zeros, 2, 2, &err));
		check_range(observer, &int8, 0, 0, 0);
		expect_ok(npu_observer_params(observer, &asym8, &scale, &zero, &err));
		assert_true(scale == 1 && zero == 0);
		npu_observer_destroy(observer);
		observer = make((enum npu_observer_method)method, 0, false);
		expect_ok(npu_observer_add(observer, threes, 2, 2, &err));
		check_range(observer, &int8, 3, 3, 0.2);
		expect_ok(npu_observer_add(observer, huge, 1, 2, &err));
		expect_ok(npu_observer_params(observer, &asym8, &scale, &zero, &err));
		assert_true(isfinite(scale) && scale > 0);
		npu_observer_destroy(observer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(min_max_is_exact_for_each_channel),
		cmocka_unit_test(moving_average_starts_with_the_first_batch),
		cmocka_unit_test(percentile_leaves_out_what_it_says),
		cmocka_unit_test(mse_is_close_to_the_least),
		cmocka_unit_test(entropy_is_the_published_algorithm),
		cmocka_unit_test(order_and_division_do_not_matter),
		cmocka_unit_test(merged_averages_are_those_of_all_batches),
		cmocka_unit_test(images_come_back),
		cmocka_unit_test(lies_do_no_harm),
		cmocka_unit_test(bad_images_are_refused),
		cmocka_unit_test(bad_input_is_named),
		cmocka_unit_test(constant_data_has_a_range),
	};

	return cmocka_run_group_tests_name("observers", tests, NULL, NULL);
}
