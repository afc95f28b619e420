// SPDX-License-Identifier: MIT
/*
 * Evaluation against formulas written a second time, in long double and without tricks; and what
 * becomes of nothing, of zeros and of what is no number.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <npu_eval.h>

#include "../expect.h"
#include "tune_rig.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static const struct npu_deviation no_deviation = { .size = sizeof(no_deviation) };

static void expect_near(double got, long double want)
{
	if (!(fabsl(got - want) <= 1e-12L * fabsl(want)))
		fail_msg("%.17g, not %.17Lg", got, want);
}

/* ---- Values ----------------------------------------------------------------------------- */

enum {
	VALUES = 1000
};

/* A float vector and one that is near it. */
static void make_pair(struct rng *rng, float *x, float *y)
{
	for (size_t i = 0; i < VALUES; i++) {
		x[i] = (float)(3 * rng_normal(rng) + 0.5);
		y[i] = (float)((double)x[i] * 0.98 + 0.1 * rng_normal(rng) + 0.02);
	}
}

static long double norm(const float *x)
{
	long double sum = 0;

	for (size_t i = 0; i < VALUES; i++)
		sum += (long double)x[i] * x[i];
	return sqrtl(sum);
}

static void expect_figures(const struct npu_deviation *got, const float *x, const float *y)
{
	long double bias = 0, noise = 0, cosine = 0, worst = -1;
	size_t where = 0;

	for (size_t i = 0; i < VALUES; i++) {
		long double error = (long double)y[i] - x[i];

		bias += error / VALUES;
		noise += error * error;
		cosine += x[i] / norm(x) * (y[i] / norm(y));
		if (fabsl(error) > worst) {
			worst = fabsl(error);
			where = i;
		}
	}
	assert_int_equal(got->count, VALUES);
	assert_int_equal(got->max_index, where);
	expect_near(got->max_error, worst);
	expect_near(npu_deviation_sqnr(got), 20 * log10l(norm(x) / sqrtl(noise)));
	expect_near(npu_deviation_cosine(got), cosine);
	expect_near(npu_deviation_mean(got), bias);
	expect_near(npu_deviation_rms(got), sqrtl(noise / VALUES));
}

static void figures_of_a_tensor(void **state)
{
	struct npu_deviation got = no_deviation;
	float x[VALUES], y[VALUES];
	struct rng rng = { 3 };

	(void)state;
	make_pair(&rng, x, y);
	expect_ok(npu_deviation_add(&got, x, y, VALUES, &err));
	expect_figures(&got, x, y);
}

/* The worst element in each of the parts once, and one part empty. */
static void parts_are_merged(void **state)
{
	static const size_t ends[] = { 0, 0, 1, 400, VALUES };
	static const size_t worst[] = { 0, 7, 999 };
	float x[VALUES], y[VALUES];
	struct rng rng = { 4 };

	(void)state;
	for (size_t w = 0; w < COUNT(worst); w++) {
		struct npu_deviation all = no_deviation;

		make_pair(&rng, x, y);
		y[worst[w]] = x[worst[w]] + 50;
		for (size_t i = 1; i < COUNT(ends); i++) {
			struct npu_deviation part = no_deviation;
			size_t first = ends[i - 1];

			expect_ok(npu_deviation_add(&part, x + first, y + first, ends[i] - first,
						    &err));
			expect_ok(npu_deviation_merge(&all, &part, &err));
		}
		assert_int_equal(all.max_index, worst[w]);
		expect_figures(&all, x, y);

		all = no_deviation;
		for (size_t i = 0; i < VALUES; i++)
			expect_ok(npu_deviation_add(&all, x + i, y + i, 1, &err));
		expect_figures(&all, x, y);
	}
}

/* A result by hand: errors 1, 0 and -1 of 3, 0 and 4. */
static void figures_by_hand(void **state)
{
	static const float x[] = { 3, 0, 4 }, y[] = { 4, 0, 3 };
	struct npu_deviation got = no_deviation;

	(void)state;
	expect_ok(npu_deviation_add(&got, x, y, 3, &err));
	expect_near(npu_deviation_sqnr(&got), 10 * log10l(12.5L));
	expect_near(npu_deviation_cosine(&got), 0.96L);
	assert_true(npu_deviation_mean(&got) == 0);
	assert_true(got.max_error == 1);
	assert_int_equal(got.max_index, 0);
}

/* Each bit is worth 6 dB: a uniform signal, quantized with one bit more each time. */
static void a_bit_is_six_decibels(void **state)
{
	static float x[1 << 15], y[1 << 15];
	double before = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(x); i++)
		x[i] = (float)i / (1 << 14) - 1;
	for (uint32_t bits = 4; bits <= 8; bits++) {
		struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = bits };
		float scale = 1.0f / (float)((1 << (bits - 1)) - 1);
		struct npu_deviation got = no_deviation;
		static int8_t q[COUNT(x)];

		expect_ok(npu_quant_quantize(&scheme, x, COUNT(x), scale, 0, q, &err));
		expect_ok(npu_quant_dequantize(&scheme, q, COUNT(x), scale, 0, y, &err));
		expect_ok(npu_deviation_add(&got, x, y, COUNT(x), &err));
		if (bits > 4)
			assert_true(fabs(npu_deviation_sqnr(&got) - before - 6.02) < 0.7);
		before = npu_deviation_sqnr(&got);
	}
}

static void figures_of_special_tensors(void **state)
{
	static const float zeros[4], ones[] = { 1, 1, 1, 1 }, minus[] = { -1, -1, -1, -1 };
	static const float huge[] = { FLT_MAX, -FLT_MAX, FLT_MAX, FLT_MAX };
	static const float tiny[] = { 0x1p-149f, 0x1p-149f, 0x1p-149f, 0x1p-149f };
	static const struct {
		const float *x, *y;
		size_t count;
		double sqnr, cosine, mean;
	} cases[] = {
		{ NULL, NULL, 0, NAN, NAN, NAN },
		{ zeros, zeros, 4, INFINITY, 1, 0 },
		{ ones, ones, 4, INFINITY, 1, 0 },
		{ huge, huge, 4, INFINITY, 1, 0 },
		{ zeros, ones, 4, -INFINITY, 0, 1 },
		{ ones, zeros, 4, 0, 0, -1 },
		{ ones, minus, 4, -20 * 0.30102999566398119521, -1, -2 },
		{ tiny, zeros, 4, 0, 0, -0x1p-149 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct npu_deviation got = no_deviation;
		double figures[3], wanted[] = { cases[i].sqnr, cases[i].cosine, cases[i].mean };

		expect_ok(npu_deviation_add(&got, cases[i].x, cases[i].y, cases[i].count, &err));
		figures[0] = npu_deviation_sqnr(&got);
		figures[1] = npu_deviation_cosine(&got);
		figures[2] = npu_deviation_mean(&got);
		for (int j = 0; j < 3; j++)
			if (!(isnan(wanted[j]) && isnan(figures[j])) &&
			    !(fabs(figures[j] - wanted[j]) < 1e-12) && figures[j] != wanted[j])
				fail_msg("case %zu: figure %d is %g, not %g", i, j, figures[j],
					 wanted[j]);
		assert_int_equal(got.max_index, 0);
	}
}

/* The ends of the range of floats. */
static void cosine_of_tiny_and_huge(void **state)
{
	static const float tiny[] = { 0x1p-149f, 0 }, huge[] = { FLT_MAX, 0 };
	static const float tinier[] = { 0, 0x1p-149f }, huger[] = { FLT_MAX, FLT_MAX };
	static const struct {
		const float *x, *y;
		long double cosine;
	} cases[] = {
		{ tiny, huge, 1 },
		{ tiny, tinier, 0 },
		{ huge, huger, 0.70710678118654752440L },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct npu_deviation got = no_deviation;

		expect_ok(npu_deviation_add(&got, cases[i].x, cases[i].y, 2, &err));
		expect_near(npu_deviation_cosine(&got), cases[i].cosine);
	}
}

static void deviations_refused(void **state)
{
	const float good[] = { 1, 2, 3 }, nan_at_1[] = { 1, NAN, 3 },
		    inf_at_2[] = { 1, 2, -INFINITY };
	struct npu_deviation got = no_deviation, other = { .size = 8 }, before;

	(void)state;
	expect_ok(npu_deviation_add(&got, good, good, 3, &err));
	before = got;
	expect_error(npu_deviation_add(&got, nan_at_1, good, 3, &err), -EINVAL,
		     "npu_deviation_add: reference: element 1 is nan");
	expect_error(npu_deviation_add(&got, good, inf_at_2, 3, &err), -EINVAL,
		     "npu_deviation_add: quantized: element 2 is -inf");
	expect_error(npu_deviation_add(&got, NULL, good, 3, &err), -EINVAL, "no reference given");
	expect_error(npu_deviation_add(&got, good, NULL, 3, &err), -EINVAL, "no quantized given");
	expect_error(npu_deviation_add(NULL, good, good, 3, &err), -EINVAL, "npu_deviation");
	expect_error(npu_deviation_merge(&got, &other, &err), -EINVAL, "size");
	expect_error(npu_deviation_merge(&other, &got, &err), -EINVAL, "size");
	assert_memory_equal(&got, &before, sizeof(got));
}

/* ---- Classifications -------------------------------------------------------------------- */

/* Sorted the slow way: the class that is best, taken out, k times. */
static bool within(const float *logits, uint32_t classes, uint32_t k, uint32_t label)
{
	bool out[16] = { false };

	for (uint32_t n = 0; n < k; n++) {
		uint32_t best = classes;

		for (uint32_t i = classes; i-- > 0;)
			if (!out[i] && (best == classes || logits[i] >= logits[best]))
				best = i;
		if (best == label)
			return true;
		out[best] = true;
	}
	return false;
}

static void scores_of_networks(void **state)
{
	enum {
		ROWS = 300,
		CLASSES = 10,
		K = 3
	};
	static float logits[ROWS][CLASSES], reference[ROWS][CLASSES];
	struct npu_scores want = { .size = sizeof(want), .classes = CLASSES, .k = K }, got = want,
			  rest = want;
	int32_t labels[ROWS];
	struct rng rng = { 12 };

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		labels[i] = (int32_t)rng_range(&rng, 0, CLASSES - 1);
		/* Few levels, so that many are equal. */
		for (size_t j = 0; j < CLASSES; j++) {
			reference[i][j] = (float)rng_range(&rng, 0, 5);
			logits[i][j] = reference[i][j] + (float)rng_range(&rng, 0, 1);
		}
		want.top1 += within(logits[i], CLASSES, 1, (uint32_t)labels[i]);
		want.topk += within(logits[i], CLASSES, K, (uint32_t)labels[i]);
		want.reference_top1 += within(reference[i], CLASSES, 1, (uint32_t)labels[i]);
		want.reference_topk += within(reference[i], CLASSES, K, (uint32_t)labels[i]);
		for (uint32_t j = 0; j < CLASSES; j++)
			want.agreed += within(reference[i], CLASSES, 1, j) &&
				       within(logits[i], CLASSES, 1, j);
	}
	want.rows = want.labelled = want.compared = want.reference_labelled = ROWS;
	assert_true(want.agreed > 0 && want.agreed < ROWS && want.topk < ROWS);

	expect_ok(npu_scores_add(&got, logits[0], reference[0], labels, 100, &err));
	expect_ok(npu_scores_add(&rest, logits[100], reference[100], labels + 100, 200, &err));
	expect_ok(npu_scores_merge(&got, &rest, &err));
	assert_memory_equal(&got, &want, sizeof(got));
}

static void scores_without_labels_or_reference(void **state)
{
	static const float logits[] = { 1, 2, 3, 3, 2, 1 }, reference[] = { 0, 9, 0, 7, 0, 0 };
	static const int32_t labels[] = { 2, 0 };
	struct npu_scores got = { .size = sizeof(got), .classes = 3, .k = 1 };

	(void)state;
	expect_ok(npu_scores_add(&got, logits, NULL, labels, 2, &err));
	assert_int_equal(got.top1, 2);
	assert_int_equal(got.labelled, 2);
	assert_int_equal(got.compared, 0);
	assert_int_equal(got.reference_labelled, 0);
	expect_ok(npu_scores_add(&got, logits, reference, NULL, 2, &err));
	assert_int_equal(got.rows, 4);
	assert_int_equal(got.labelled, 2);
	assert_int_equal(got.compared, 2);
	assert_int_equal(got.agreed, 1);
	assert_int_equal(got.reference_labelled, 0);
	expect_ok(npu_scores_add(&got, NULL, NULL, NULL, 0, &err));
	assert_int_equal(got.rows, 4);
}

static void scores_refused(void **state)
{
	static const float good[] = { 1, 2, 3, 4 }, bad[] = { 1, 2, 3, NAN };
	static const int32_t negative[] = { 0, -1 }, large[] = { 2, 0 };
	const struct npu_scores start = { .size = sizeof(start), .classes = 2, .k = 2 };
	struct npu_scores got = start, other = start;

	(void)state;
	expect_error(npu_scores_add(&got, bad, NULL, NULL, 2, &err), -EINVAL,
		     "npu_scores_add: logits: element 3 is nan");
	expect_error(npu_scores_add(&got, good, bad, NULL, 2, &err), -EINVAL,
		     "npu_scores_add: reference: element 3 is nan");
	expect_error(npu_scores_add(&got, good, NULL, negative, 2, &err), -EINVAL,
		     "the label of row 1 is -1, not in 0 to 1");
	expect_error(npu_scores_add(&got, good, NULL, large, 2, &err), -EINVAL,
		     "the label of row 0 is 2, not in 0 to 1");
	expect_error(npu_scores_add(&got, NULL, NULL, NULL, 2, &err), -EINVAL, "no logits");
	expect_error(npu_scores_add(&got, good, NULL, NULL, SIZE_MAX, &err), -EINVAL, "too many");
	assert_memory_equal(&got, &start, sizeof(got));
	other.k = 1;
	expect_error(npu_scores_merge(&got, &other, &err), -EINVAL, "k = 2, but 2 and 1");
	other.k = 3;
	expect_error(npu_scores_add(&other, good, NULL, NULL, 2, &err), -EINVAL, "k = 3");
	other.k = 0;
	expect_error(npu_scores_add(&other, good, NULL, NULL, 2, &err), -EINVAL, "k = 0");
	other = start;
	other.size = 4;
	expect_error(npu_scores_merge(&got, &other, &err), -EINVAL, "size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_a_tensor),
		cmocka_unit_test(parts_are_merged),
		cmocka_unit_test(figures_by_hand),
		cmocka_unit_test(a_bit_is_six_decibels),
		cmocka_unit_test(figures_of_special_tensors),
		cmocka_unit_test(cosine_of_tiny_and_huge),
		cmocka_unit_test(deviations_refused),
		cmocka_unit_test(scores_of_networks),
		cmocka_unit_test(scores_without_labels_or_reference),
		cmocka_unit_test(scores_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
