/* SPDX-License-Identifier: MIT */
/*
 * The CPU's arithmetic: plain row-major matrices in, results out.
 */
#ifndef LIBNPU_CPU_KERNELS_H
#define LIBNPU_CPU_KERNELS_H

#include "../requant.h"

/**
 * struct npu_cpu_matmul - one multiplication, all matrices row-major and packed
 * @m, @n, @k: Shape.
 * @a: m x k.
 * @w: n x k.
 * @c: m x n.
 * @requant: Output stage.
 */
struct npu_cpu_matmul {
	uint32_t m, n, k;
	const int8_t *a;
	const int8_t *w;
	int8_t *c;
	const struct npu_requant *requant;
};

void npu_cpu_matmul_run(const struct npu_cpu_matmul *op);

#endif /* LIBNPU_CPU_KERNELS_H */
