/* SPDX-License-Identifier: MIT */
/*
 * Kernels: how one kind of processor multiplies a tile. A kernel knows instructions and nothing
 * of blocking, threads or quantization, which are gemm.c's and its callers' business.
 *
 * Operands come interleaved (interleave.h): @depth consecutive k of one row of A or W lie side by
 * side, then the same k of the next row. W comes in panels of @cols rows, A in blocks of as many
 * rows as the tile has.
 */
#ifndef LIBNPU_CPU_KERNEL_H
#define LIBNPU_CPU_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most rows of A that any kernel takes in a tile. */
#define NPU_TILE_ROWS 16

/**
 * struct npu_tile - sums of products of some rows of A with one panel of W
 * @rows: Rows of A, 1 to the kernel's most.
 * @groups: Groups of @depth k; what K lacks to fill the last one is 0 in A.
 * @a: Block of A, @groups x @rows x depth.
 * @w: Panel of W, @groups x cols x depth, at a multiple of 64 bytes.
 * @start: What the sums of each row begin with; all 0 for a kernel that flips nothing.
 * @sum: Receives cols sums a row, modulo 2^32.
 * @stride: From a row of @sum to the next, in elements.
 */
struct npu_tile {
	uint32_t rows;
	uint32_t groups;
	const int8_t *a;
	const int8_t *w;
	const int32_t *start;
	int32_t *sum;
	size_t stride;
};

/**
 * struct npu_gemm_kernel - one kind of processor
 * @name: For people: the instructions it stands on.
 * @usable: Has this processor the instructions?
 * @rows: Most rows of A in a tile, at most NPU_TILE_ROWS.
 * @cols: Rows of W in a panel.
 * @depth: Consecutive k that lie side by side.
 * @w_flip: XORed into each element of packed W. 0x80 makes w unsigned, w + 128, for instructions
 *	that multiply signed by unsigned. The sums of a row then begin with -128 times the row's.
 * @tile: Computes a tile.
 */
struct npu_gemm_kernel {
	const char *name;
	bool (*usable)(void);
	uint32_t rows;
	uint32_t cols;
	uint32_t depth;
	uint8_t w_flip;
	void (*tile)(const struct npu_tile *tile);
};

/* Those that this processor can run, the fastest first, NULL after the last. */
const struct npu_gemm_kernel *npu_gemm_kernel_get(size_t index);

#endif /* LIBNPU_CPU_KERNEL_H */
