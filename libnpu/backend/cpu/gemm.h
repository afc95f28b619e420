/* SPDX-License-Identifier: MIT */
/*
 * Exact products of int8 matrices on the CPU: sums of A[M,K] x W[N,K]^T for whoever makes results
 * of them. What the results are is not known here; sums go to a function, a strip at a time, while
 * they are in the cache.
 */
#ifndef LIBNPU_CPU_GEMM_H
#define LIBNPU_CPU_GEMM_H

#include "kernel.h"
#include "pack.h"
#include "pool.h"

/** The longest group whose sums with 8-bit elements are handed over as int32. */
#define NPU_GEMM_K_INT32 16384

/** Most columns of a strip. */
#define NPU_GEMM_STRIP 128

/**
 * enum npu_gemm_type - elements of A
 *
 * What is multiplied is int8, so sums are those of a or of a - 128. Whoever has a zero point
 * subtracts 128 from it, others add 128 times the sum of w.
 */
enum npu_gemm_type {
	NPU_GEMM_INT8,	/* a */
	NPU_GEMM_UINT8, /* a - 128 */
	NPU_GEMM_INT16, /* a - 128, in two passes */
};

/**
 * struct npu_gemm_strip - exact sums of a part of some rows
 * @row, @rows: Of C: first row, and how many.
 * @first, @count: First column, columns.
 * @group: Which group of K.
 * @sum32: The sums, when each fits for sure, otherwise NULL and
 * @sum64: the sums; those of a row are @stride after those of the row before.
 * @a_sum: Of each row, the sum of what was multiplied with, over the row and group of A; 0 unless
 *	asked for.
 * @partial: For the sink to keep as many numbers in, @stride apart too, from one group to the next.
 *
 * All pointers are good until the sink returns; what is at @partial until the last group's does.
 */
struct npu_gemm_strip {
	uint32_t row, rows;
	uint32_t first, count;
	uint32_t group;
	const int32_t *sum32;
	const int64_t *sum64;
	size_t stride;
	const int64_t *a_sum;
	float *partial;
};

/**
 * struct npu_gemm - one multiplication
 * @kernel: What W was packed for.
 * @m, @n, @k: Shape, each at least 1.
 * @group_size: Columns that are summed by themselves, 1 to @k; @k for all. The last group may be
 *	shorter.
 * @a_type: Elements of A.
 * @a_sums: The sink asks for npu_gemm_strip.a_sum.
 * @a: Element (row, k) is at a + row * a_stride + k * size of an element.
 * @a_stride: Bytes.
 * @w: N x K, from npu_gemm_pack().
 * @sink: Takes every sum, once. A strip has at most NPU_GEMM_STRIP columns, and at least 64 unless
 *	it ends its rows; it comes once for each group, in order. Called from several threads at the
 *	same time when the work is shared, for different strips.
 * @ctx: Its first argument.
 * @c: Where sums go as they are, NULL for them to go to @sink: element (row, col) is at
 *	c[row * c_stride + col]. Only for elements of 8 bits and a @group_size of @k, which is at
 *	most NPU_GEMM_K_INT32.
 * @c_stride: Elements.
 */
struct npu_gemm {
	const struct npu_gemm_kernel *kernel;
	uint32_t m, n, k;
	uint32_t group_size;
	enum npu_gemm_type a_type;
	bool a_sums;
	const void *a;
	size_t a_stride;
	const void *w;
	void (*sink)(void *ctx, const struct npu_gemm_strip *strip);
	void *ctx;
	int32_t *c;
	size_t c_stride;
};

/** Working memory of one thread. */
struct npu_gemm_scratch;

/** NULL when there is no memory. */
struct npu_gemm_scratch *npu_gemm_scratch_create(void);
void npu_gemm_scratch_destroy(struct npu_gemm_scratch *scratch);

/**
 * Multiplies. Allocates nothing.
 * @scratch: Of the calling thread.
 * @pool: Threads to share the work with, NULL for none. When they are busy with somebody else's
 *	work the calling thread does it all.
 */
void npu_gemm_run(const struct npu_gemm *gemm, struct npu_gemm_scratch *scratch,
		  struct npu_pool *pool);

#endif /* LIBNPU_CPU_GEMM_H */
