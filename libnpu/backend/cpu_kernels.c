// SPDX-License-Identifier: MIT
/*
 * The CPU's arithmetic in portable C, shaped so that compilers vectorise it (this file is built
 * with -O3). The sums are exact: int32 for as long as it cannot overflow, int64 beyond.
 */
#include <stddef.h>

#include "cpu_kernels.h"

/* Products that an int32 can always add up: of 15, 16 and 23 bits with their signs. */
#define K_INT8 131071
#define K_UINT8 65535
#define K_INT16 511

/* Rows of A that share one walk over the weights; a few hundred columns of them fit into L2. */
#define ROWS 32

/* Rows of W multiplied at once, so that each load of A serves four products. */
#define COLS 4

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * For one type of A: the products of a row with COLS rows of W, and with one, added to sums; and
 * the sum of the row alone.
 */
#define DEFINE_SUMS(name, type)                                                                    \
	static void name##_cols(const type *restrict a, const int8_t *restrict w, size_t w_stride, \
				uint32_t k, int64_t *sum)                                          \
	{                                                                                          \
		const int8_t *restrict w1 = w + w_stride;                                          \
		const int8_t *restrict w2 = w1 + w_stride;                                         \
		const int8_t *restrict w3 = w2 + w_stride;                                         \
		int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                            \
                                                                                                   \
		for (uint32_t i = 0; i < k; i++) {                                                 \
			int16_t x = a[i];                                                          \
                                                                                                   \
			s0 += x * (int16_t)w[i];                                                   \
			s1 += x * (int16_t)w1[i];                                                  \
			s2 += x * (int16_t)w2[i];                                                  \
			s3 += x * (int16_t)w3[i];                                                  \
		}                                                                                  \
		sum[0] += s0;                                                                      \
		sum[1] += s1;                                                                      \
		sum[2] += s2;                                                                      \
		sum[3] += s3;                                                                      \
	}                                                                                          \
                                                                                                   \
	static void name##_one(const type *restrict a, const int8_t *restrict w, uint32_t k,       \
			       int64_t *sum)                                                       \
	{                                                                                          \
		int32_t s = 0;                                                                     \
                                                                                                   \
		for (uint32_t i = 0; i < k; i++)                                                   \
			s += (int16_t)a[i] * (int16_t)w[i];                                        \
		*sum += s;                                                                         \
	}                                                                                          \
                                                                                                   \
	static void name##_strip(const type *a, const int8_t *w, size_t w_stride, uint32_t k,      \
				 uint32_t longest, uint32_t count, int64_t *sum)                   \
	{                                                                                          \
		for (uint32_t at = 0, some; at < k; at += some) {                                  \
			uint32_t i = 0;                                                            \
                                                                                                   \
			some = min_u32(longest, k - at);                                           \
			for (; i + COLS <= count; i += COLS)                                       \
				name##_cols(a + at, w + i * w_stride + at, w_stride, some,         \
					    sum + i);                                              \
			for (; i < count; i++)                                                     \
				name##_one(a + at, w + i * w_stride + at, some, sum + i);          \
		}                                                                                  \
	}                                                                                          \
                                                                                                   \
	static int64_t name##_alone(const type *a, uint32_t count)                                 \
	{                                                                                          \
		int64_t sum = 0;                                                                   \
                                                                                                   \
		for (uint32_t i = 0; i < count; i++)                                               \
			sum += a[i];                                                               \
		return sum;                                                                        \
	}

DEFINE_SUMS(int8, int8_t)
DEFINE_SUMS(uint8, uint8_t)
DEFINE_SUMS(int16, int16_t)

/* Sums over @k columns of a row of A with @count rows of W. */
static void sum_strip(enum npu_type type, const void *a, const int8_t *w, size_t w_stride,
		      uint32_t k, uint32_t count, int64_t *sum)
{
	switch (type) {
	case NPU_TYPE_UINT8:
		uint8_strip(a, w, w_stride, k, K_UINT8, count, sum);
		break;
	case NPU_TYPE_INT16:
		int16_strip(a, w, w_stride, k, K_INT16, count, sum);
		break;
	default:
		int8_strip(a, w, w_stride, k, K_INT8, count, sum);
	}
}

static void run_strip(const struct npu_cpu_matmul *op, uint32_t row, uint32_t n, uint32_t count)
{
	const char *a = (const char *)op->a + row * op->a_stride;
	const int8_t *w = op->w + (size_t)n * op->k;
	int64_t *sum = op->sum;

	for (uint32_t k = 0, some; k < op->k; k += some, sum += NPU_STRIP) {
		some = min_u32(op->group_size, op->k - k);
		for (uint32_t i = 0; i < count; i++)
			sum[i] = 0;
		sum_strip(op->a_type, a + k * npu_type_size(op->a_type), w + k, op->k, some, count,
			  sum);
	}
	op->store(op->context, row, n, count, op->sum);
}

void npu_cpu_matmul_run(const struct npu_cpu_matmul *op)
{
	for (uint32_t row = 0, rows; row < op->m; row += rows) {
		rows = min_u32(ROWS, op->m - row);
		for (uint32_t n = 0, cols; n < op->n; n += cols) {
			cols = min_u32(NPU_STRIP, op->n - n);
			for (uint32_t m = row; m < row + rows; m++)
				run_strip(op, m, n, cols);
		}
	}
}

int64_t npu_cpu_row_sum(enum npu_type a_type, const void *a, uint32_t count)
{
	switch (a_type) {
	case NPU_TYPE_UINT8:
		return uint8_alone(a, count);
	case NPU_TYPE_INT16:
		return int16_alone(a, count);
	default:
		return int8_alone(a, count);
	}
}
