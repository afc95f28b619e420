/* SPDX-License-Identifier: MIT */
/*
 * The CPU's sums: plain row-major matrices in, exact sums out.
 */
#ifndef LIBNPU_CPU_KERNELS_H
#define LIBNPU_CPU_KERNELS_H

#include "../requant.h"

/**
 * struct npu_cpu_matmul - one multiplication
 * @m, @n, @k: Shape.
 * @group_size: Columns that are summed by themselves; @k for all of them.
 * @a: m x k of @a_type, rows @a_stride bytes apart.
 * @w: n x k, row-major and packed.
 * @sum: Room for [groups][NPU_STRIP] sums.
 * @store: Takes the sums of a strip: channels @first to @first + @count - 1 of row @row, at most
 *	NPU_STRIP of them, laid out like @sum.
 * @context: Its first argument.
 */
struct npu_cpu_matmul {
	uint32_t m, n, k;
	uint32_t group_size;
	enum npu_type a_type;
	const void *a;
	size_t a_stride;
	const int8_t *w;
	int64_t *sum;
	void (*store)(void *context, uint32_t row, uint32_t first, uint32_t count,
		      const int64_t *sum);
	void *context;
};

void npu_cpu_matmul_run(const struct npu_cpu_matmul *op);

/* Sum of @count elements of a row of A. */
int64_t npu_cpu_row_sum(enum npu_type a_type, const void *a, uint32_t count);

#endif /* LIBNPU_CPU_KERNELS_H */
