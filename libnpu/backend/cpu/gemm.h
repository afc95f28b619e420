/* SPDX-License-Identifier: MIT */
/*
 * Exact products of int8 matrices on the CPU: sums of A[M,K] x W[N,K]^T for whoever makes results
 * of them. What the results are is not known here; sums go to a function, a strip at a time, while
 * they are in the cache.
 */
#ifndef LIBNPU_CPU_GEMM_H
#define LIBNPU_CPU_GEMM_H

#include "kernel.h"
#include "pool.h"

/** Packed W begins at a multiple of this. */
#define NPU_GEMM_ALIGN 64

/** The longest K whose sums are handed over as int32. */
#define NPU_GEMM_K_INT32 16384

/**
 * struct npu_gemm_sink - where sums go
 * @ctx: Handed to the functions.
 * @store32: Takes sums of row @row, columns @first to @first + @count - 1. The sums are exact, and
 *	gone when it returns. Called for K up to NPU_GEMM_K_INT32.
 * @store64: The same for longer K.
 *
 * Every sum is handed over once, in strips of at most NPU_GEMM_STRIP; all but the last of a row
 * have at least 64. The functions are called from several threads at the same time when the work
 * is shared.
 */
struct npu_gemm_sink {
	void *ctx;
	void (*store32)(void *ctx, uint32_t row, uint32_t first, uint32_t count,
			const int32_t *sum);
	void (*store64)(void *ctx, uint32_t row, uint32_t first, uint32_t count,
			const int64_t *sum);
};

/** Most sums in a strip. */
#define NPU_GEMM_STRIP 128

/**
 * struct npu_gemm - one multiplication
 * @kernel: What W was packed for.
 * @m, @n, @k: Shape, each at least 1.
 * @a: Element (row, k) is at a[row * a_stride + k].
 * @a_stride: Bytes, at least @k.
 * @w: N x K, from npu_gemm_pack().
 * @sink: Where the sums go.
 */
struct npu_gemm {
	const struct npu_gemm_kernel *kernel;
	uint32_t m, n, k;
	const int8_t *a;
	size_t a_stride;
	const void *w;
	struct npu_gemm_sink sink;
};

/** Bytes of packed W, 0 where a size_t cannot count them. */
size_t npu_gemm_pack_bytes(const struct npu_gemm_kernel *kernel, uint32_t n, uint32_t k);

/**
 * Packs W, whose element (row, k) is at w[row * row_stride + k].
 * @packed: npu_gemm_pack_bytes() bytes at a multiple of NPU_GEMM_ALIGN.
 */
void npu_gemm_pack(const struct npu_gemm_kernel *kernel, uint32_t n, uint32_t k, const int8_t *w,
		   size_t row_stride, void *packed);

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
