// SPDX-License-Identifier: MIT
/*
 * Second-order statistics of a layer's inputs.
 */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "tune.h"

#define MAX_CHANNELS 16384

/* Samples that go into a row of the matrix while it is in the cache. */
#define SAMPLES 4

int npu_hessian_create(uint32_t k, struct npu_hessian **out, struct npu_error *err)
{
	struct npu_hessian *hessian;

	if (!out || !k || k > MAX_CHANNELS)
		return npu_fail(err, -EINVAL,
				"npu_hessian_create: %u channels, it must be 1 to %d, or no place "
				"for the result given",
				k, MAX_CHANNELS);
	hessian = calloc(1, sizeof(*hessian));
	if (hessian)
		hessian->h = calloc((size_t)k * k, sizeof(*hessian->h));
	if (!hessian || !hessian->h) {
		free(hessian);
		return npu_fail(err, -ENOMEM, "no memory for statistics of %u channels", k);
	}
	hessian->k = k;
	*out = hessian;
	return 0;
}

void npu_hessian_destroy(struct npu_hessian *hessian)
{
	if (!hessian)
		return;
	free(hessian->h);
	free(hessian);
}

uint64_t npu_hessian_samples(const struct npu_hessian *hessian)
{
	return hessian ? hessian->samples : 0;
}

/* Row @i of the sums, for SAMPLES samples; unused ones are a sample of zeros. */
static void add_to_row(double *restrict sum, const float *const *x, uint32_t i, uint32_t k)
{
	const double a = 2.0 * (double)x[0][i], b = 2.0 * (double)x[1][i];
	const double c = 2.0 * (double)x[2][i], d = 2.0 * (double)x[3][i];

	if (a == 0 && b == 0 && c == 0 && d == 0)
		return;
	for (uint32_t j = i; j < k; j++)
		sum[j] += a * (double)x[0][j] + b * (double)x[1][j] + c * (double)x[2][j] +
			  d * (double)x[3][j];
}

int npu_hessian_add(struct npu_hessian *hessian, const float *x, uint32_t rows,
		    struct npu_error *err)
{
	const uint32_t k = hessian ? hessian->k : 0;
	float *zeros;
	int ret;

	ret = npu_check_matrix("npu_hessian_add", x, rows, k, err);
	if (ret)
		return ret;
	zeros = calloc(k, sizeof(*zeros));
	if (!zeros)
		return npu_fail(err, -ENOMEM, "no memory for a sample of %u channels", k);

	for (uint32_t first = 0; first < rows; first += SAMPLES) {
		const float *sample[SAMPLES];

		for (uint32_t s = 0; s < SAMPLES; s++)
			sample[s] = s < rows - first ? x + (size_t)(first + s) * k : zeros;
		for (uint32_t i = 0; i < k; i++)
			add_to_row(hessian->h + (size_t)i * k, sample, i, k);
	}
	hessian->samples += rows;
	free(zeros);
	return 0;
}

int npu_hessian_merge(struct npu_hessian *hessian, const struct npu_hessian *other,
		      struct npu_error *err)
{
	if (!hessian || !other || hessian->k != other->k)
		return npu_fail(err, -EINVAL, "npu_hessian_merge: %u channels, but %u in the other",
				hessian ? hessian->k : 0, other ? other->k : 0);
	for (size_t i = 0; i < (size_t)hessian->k * hessian->k; i++)
		hessian->h[i] += other->h[i];
	hessian->samples += other->samples;
	return 0;
}

/* ---- Error of weights ------------------------------------------------------------------ */

/* e H e^T / 2; each sum over j has a fixed order. */
static double half_quadratic(const struct npu_hessian *hessian, const double *e)
{
	double total = 0;

	for (uint32_t i = 0; i < hessian->k; i++) {
		const double *row = hessian->h + (size_t)i * hessian->k;
		double sum = 0;

		if (e[i] == 0)
			continue;
		for (uint32_t j = i + 1; j < hessian->k; j++)
			sum += row[j] * e[j];
		total += e[i] * (row[i] * e[i] / 2 + sum);
	}
	return total;
}

/* What is lost of row @n of the weights. */
static void row_error(const float *w, const int8_t *q, const float *scale,
		      const int32_t *zero_point, uint32_t k, uint32_t group_size, double *e)
{
	for (uint32_t j = 0; j < k; j++) {
		const uint32_t group = group_size ? j / group_size : 0;
		const double zero = zero_point ? zero_point[group] : 0;
		const double level = q ? q[j] - zero : 0;

		e[j] = (double)w[j] - (q ? (double)scale[group] * level : 0);
	}
}

int npu_hessian_error(const struct npu_hessian *hessian, uint32_t n, const float *w,
		      const int8_t *q, const float *scale, const int32_t *zero_point,
		      uint32_t group_size, double *error, struct npu_error *err)
{
	const uint32_t k = hessian ? hessian->k : 0;
	const uint32_t groups = npu_group_count(k ? k : 1, group_size);
	double *e, sum = 0;
	int ret;

	if (!error)
		return npu_fail(err, -EINVAL, "npu_hessian_error: no place for the result given");
	ret = npu_check_matrix("npu_hessian_error", w, n, k, err);
	if (!ret && q)
		ret = npu_check_scales("npu_hessian_error", scale, (uint64_t)n * groups, err);
	if (ret)
		return ret;
	e = malloc(k * sizeof(*e));
	if (!e)
		return npu_fail(err, -ENOMEM, "no memory for a row of %u weights", k);

	for (uint32_t row = 0; row < n; row++) {
		const size_t at = (size_t)row * k, group = (size_t)row * groups;

		row_error(w + at, q ? q + at : NULL, q ? scale + group : NULL,
			  zero_point ? zero_point + group : NULL, k, group_size, e);
		sum += half_quadratic(hessian, e);
	}
	free(e);
	*error = sum;
	return 0;
}
