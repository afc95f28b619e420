/* SPDX-License-Identifier: MIT */
/*
 * Packing: W in the order in which a kernel reads it, panel after panel, in each group after group.
 */
#ifndef LIBNPU_CPU_PACK_H
#define LIBNPU_CPU_PACK_H

#include "kernel.h"

/** Packed W begins at a multiple of this. */
#define NPU_GEMM_ALIGN 64

/**
 * struct npu_gemm_pack - W on its way into a kernel's order
 * @kernel: Whose.
 * @n, @k: Shape.
 * @group_size: That of struct npu_gemm.
 * @w: Rows that are to be packed: element (row, k) of these is at w[row * stride + k].
 * @stride: Bytes.
 */
struct npu_gemm_pack {
	const struct npu_gemm_kernel *kernel;
	uint32_t n, k;
	uint32_t group_size;
	const int8_t *w;
	size_t stride;
};

/** Bytes of packed W, 0 where a size_t cannot count them; w and stride are not looked at. */
size_t npu_gemm_pack_bytes(const struct npu_gemm_pack *pack);

/**
 * Packs some rows of W.
 * @first, @count: Which; whole panels of the kernel, but for the last one.
 * @packed: Of all W: npu_gemm_pack_bytes() bytes at a multiple of NPU_GEMM_ALIGN.
 */
void npu_gemm_pack(const struct npu_gemm_pack *pack, uint32_t first, uint32_t count, void *packed);

/** Length of @k columns of W when each group is filled up to the kernel's depth. */
uint64_t npu_gemm_padded(const struct npu_gemm_kernel *kernel, uint32_t k, uint32_t group_size);

/** Length of @k columns of A. */
uint64_t npu_gemm_a_padded(const struct npu_gemm_kernel *kernel, uint32_t k);

#endif /* LIBNPU_CPU_PACK_H */
