// SPDX-License-Identifier: MIT
/*
 * The CPU's arithmetic in portable C, shaped so that compilers vectorise it (this file is built
 * with -O3). The sums are exact: int32 for as long as it cannot overflow, int64 beyond.
 */
#include <stddef.h>

#include "cpu_kernels.h"

/* Products of two int8 that an int32 can always add up: 2^31 / 2^14, less one. */
#define K_INT32 131071

/* Rows of A that share one walk over the weights; a few hundred columns of them fit into L2. */
#define ROWS 32

/* Rows of W multiplied at once, so that each load of A serves four products. */
#define COLS 4

/* Results that wait for requantization together. */
#define RESULTS 64

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Adds the products of @a with COLS rows of @w, @k at most K_INT32. */
static void dot_cols(const int8_t *restrict a, const int8_t *restrict w, size_t w_stride,
		     uint32_t k, int64_t *sum)
{
	const int8_t *restrict w1 = w + w_stride;
	const int8_t *restrict w2 = w1 + w_stride;
	const int8_t *restrict w3 = w2 + w_stride;
	int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

	for (uint32_t i = 0; i < k; i++) {
		int16_t x = a[i];

		s0 += x * (int16_t)w[i];
		s1 += x * (int16_t)w1[i];
		s2 += x * (int16_t)w2[i];
		s3 += x * (int16_t)w3[i];
	}
	sum[0] += s0;
	sum[1] += s1;
	sum[2] += s2;
	sum[3] += s3;
}

/* The same with one row of @w. */
static void dot_one(const int8_t *restrict a, const int8_t *restrict w, uint32_t k, int64_t *sum)
{
	int32_t s = 0;

	for (uint32_t i = 0; i < k; i++)
		s += (int16_t)a[i] * (int16_t)w[i];
	*sum += s;
}

/* Sums of one row of A with @count rows of W from row @n on. */
static void sum_row(const struct npu_cpu_matmul *op, const int8_t *a, uint32_t n, uint32_t count,
		    int64_t *sum)
{
	for (uint32_t i = 0; i < count; i++)
		sum[i] = 0;

	for (uint32_t k = 0; k < op->k; k += min_u32(K_INT32, op->k - k)) {
		uint32_t length = min_u32(K_INT32, op->k - k);
		const int8_t *w = op->w + (size_t)n * op->k + k;
		uint32_t i = 0;

		for (; i + COLS <= count; i += COLS)
			dot_cols(a + k, w + (size_t)i * op->k, op->k, length, sum + i);
		for (; i < count; i++)
			dot_one(a + k, w + (size_t)i * op->k, length, sum + i);
	}
}

void npu_cpu_matmul_run(const struct npu_cpu_matmul *op)
{
	int64_t sum[RESULTS];

	for (uint32_t row = 0; row < op->m; row += min_u32(ROWS, op->m - row)) {
		uint32_t rows = min_u32(ROWS, op->m - row);

		for (uint32_t n = 0; n < op->n; n += min_u32(RESULTS, op->n - n)) {
			uint32_t cols = min_u32(RESULTS, op->n - n);

			for (uint32_t m = row; m < row + rows; m++) {
				sum_row(op, op->a + (size_t)m * op->k, n, cols, sum);
				npu_requant_row(op->requant, n, cols, sum,
						op->c + (size_t)m * op->n + n);
			}
		}
	}
}
