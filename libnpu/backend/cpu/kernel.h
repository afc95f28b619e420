/* SPDX-License-Identifier: MIT */
/*
 * Kernels: how one kind of processor multiplies a tile. A kernel knows instructions and nothing
 * of blocking, threads or quantization, which are gemm.c's and its callers' business.
 *
 * Operands come interleaved (interleave.h): some consecutive k of one row of A or W lie side by
 * side, then the same k of the next row. W comes in panels of @cols rows, A in blocks of as many
 * rows as the tile has.
 */
#ifndef LIBNPU_CPU_KERNEL_H
#define LIBNPU_CPU_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct npu_interleave;

/** Most rows of A that any kernel takes in a tile. */
#define NPU_TILE_ROWS 32

/** Most consecutive k of a row that lie side by side. */
#define NPU_TILE_DEPTH 64

/** Bytes that a kernel may read, and not use, behind A or W: less than a tile of operands. */
#define NPU_TILE_SLACK 2048

/**
 * struct npu_tile - sums of products of some rows of A with some panels of W
 * @rows: Rows of A, 1 to the kernel's most.
 * @is_whole: These are as many as begin() was told.
 * @panels: Panels of W, 1 to what npu_tile_panels() gives.
 * @groups: Groups of depth k of W; what K lacks to fill the last one is 0 in A.
 * @a: Block of A, as many groups of a_depth as those are x @rows x a_depth, filled up with 0.
 * @a_stride, @a_step: From a row of A to the next and from a group to the next, in bytes. Only of
 *	interest to a kernel that takes A in place.
 * @w: First panel of W, @groups x cols x depth, at a multiple of 64 bytes.
 * @w_stride: From a panel to the next, in bytes.
 * @start: What the sums of each row begin with; all 0 for a kernel that flips nothing.
 * @sum: Receives @panels x cols sums a row, modulo 2^32.
 * @stride: From a row of @sum to the next, in elements.
 */
struct npu_tile {
	uint32_t rows;
	bool is_whole;
	uint32_t panels;
	uint32_t groups;
	const int8_t *a;
	size_t a_stride, a_step;
	const int8_t *w;
	size_t w_stride;
	const int32_t *start;
	int32_t *sum;
	size_t stride;
};

/**
 * struct npu_gemm_kernel - one kind of processor
 * @name: For people: the instructions it stands on.
 * @usable: Has this processor the instructions?
 * @rows: Most rows of A in a tile, at most NPU_TILE_ROWS.
 * @row_unit: Rows that take as long as one does; divides @rows.
 * @panels: Most panels of W in a tile, for as many rows as @row_unit. With more rows they are as
 *	many fewer.
 * @cols: Rows of W in a panel.
 * @depth: Consecutive k of W that lie side by side.
 * @a_depth: Those of A, a multiple of @depth, at most NPU_TILE_DEPTH.
 * @w_flip: XORed into each element of packed W. 0x80 makes w unsigned, w + 128, for instructions
 *	that multiply signed by unsigned. The sums of a row then begin with -128 times the row's.
 * @a_wide: Elements of A take 16 bits each, as @take leaves them.
 * @in_place: A need not be interleaved where nothing has to be filled up.
 * @take: Interleaves A in the kernel's own way, without the struct's flip and stream; NULL for
 *	npu_interleave().
 * @begin: Called by a thread before it computes tiles of at most @rows rows, and again for other
 *	tiles; NULL where there is nothing to prepare.
 * @end: Called after all of them; NULL where @begin is.
 * @tile: Computes a tile.
 */
struct npu_gemm_kernel {
	const char *name;
	bool (*usable)(void);
	uint32_t rows;
	uint32_t row_unit;
	uint32_t panels;
	uint32_t cols;
	uint32_t depth;
	uint32_t a_depth;
	uint8_t w_flip;
	bool a_wide;
	bool in_place;
	void (*take)(const struct npu_interleave *il, int8_t *dst);
	void (*begin)(uint32_t rows);
	void (*end)(void);
	void (*tile)(const struct npu_tile *tile);
};

/* Most panels in a tile of @rows rows. */
static inline uint32_t npu_tile_panels(const struct npu_gemm_kernel *kernel, uint32_t rows)
{
	const uint32_t units = (rows + kernel->row_unit - 1) / kernel->row_unit;

	return units < kernel->panels ? kernel->panels / units : 1;
}

/* Those that this processor can run, the fastest first, NULL after the last. */
const struct npu_gemm_kernel *npu_gemm_kernel_get(size_t index);

#endif /* LIBNPU_CPU_KERNEL_H */
