// SPDX-License-Identifier: MIT
/*
 * Random matrices, and plain arithmetic on them, for tests of tuning.
 */
#include <math.h>
#include <stdlib.h>

#include "tune_rig.h"

/* Sum of twelve uniform numbers, less their mean. */
double rng_normal(struct rng *rng)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += rng_next(rng) / 4294967296.0;
	return sum;
}

float *rng_matrix(struct rng *rng, uint32_t rows, uint32_t cols)
{
	float *x = malloc((size_t)rows * cols * sizeof(*x));

	for (size_t i = 0; x && i < (size_t)rows * cols; i++)
		x[i] = (float)rng_normal(rng);
	return x;
}

float *rng_correlated(struct rng *rng, uint32_t rows, uint32_t cols, uint32_t factors)
{
	float *mix = rng_matrix(rng, factors, cols);
	float *x = rng_matrix(rng, rows, cols);

	for (uint32_t r = 0; r < rows; r++) {
		float *hidden = rng_matrix(rng, 1, factors);

		for (uint32_t c = 0; c < cols; c++) {
			double sum = 0.3 * (double)x[(size_t)r * cols + c];

			for (uint32_t f = 0; f < factors; f++)
				sum += (double)hidden[f] * (double)mix[(size_t)f * cols + c];
			x[(size_t)r * cols + c] = (float)sum;
		}
		free(hidden);
	}
	free(mix);
	return x;
}

double *product(const float *x, const float *w, uint32_t m, uint32_t k, uint32_t n)
{
	double *y = calloc((size_t)m * n, sizeof(*y));

	for (size_t i = 0; i < (size_t)m * n; i++)
		for (uint32_t j = 0; j < k; j++)
			y[i] += (double)x[i / n * k + j] * (double)w[i % n * k + j];
	return y;
}

double squared_distance(const double *a, const double *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += pow(a[i] - (b ? b[i] : 0), 2);
	return sum;
}

float *dequantized(const int8_t *q, const float *scale, const int32_t *zero_point, uint32_t n,
		   uint32_t k, uint32_t group_size)
{
	const uint32_t length = group_size ? group_size : k, groups = (k + length - 1) / length;
	float *w = malloc((size_t)n * k * sizeof(*w));

	for (size_t i = 0; i < (size_t)n * k; i++) {
		const size_t group = i / k * groups + i % k / length;

		w[i] = scale[group] * (float)(q[i] - (zero_point ? zero_point[group] : 0));
	}
	return w;
}
