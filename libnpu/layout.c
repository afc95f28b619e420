// SPDX-License-Identifier: MIT
/*
 * Layouts: between row-major memory and what the engines read and write.
 */
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "layout.h"

/* Rows copied together, so that the cache lines of row-major memory serve several planes. */
#define BLOCK_ROWS 64

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

bool npu_layout_planes(struct npu_layout *layout, uint32_t rows, uint32_t cols, size_t atom,
		       uint64_t max_stride)
{
	size_t planes = cols / atom + !!(cols % atom);
	size_t plane, bytes;

	if (!rows || !cols || __builtin_mul_overflow((size_t)rows, atom, &plane) ||
	    plane > max_stride || __builtin_mul_overflow(plane, planes, &bytes))
		return false;

	*layout = (struct npu_layout){
		.atom = atom,
		.row_stride = atom,
		.plane_stride = plane,
		.bytes = bytes,
	};
	return true;
}

/*
 * Copies one plane of a block of rows. The atoms of all known engines are 8 or 32 bytes, their
 * blocks of weights 8 or 64: with the size known to the compiler a copy is a few instructions
 * instead of a call.
 */
static void copy_atoms(int8_t *dst, size_t dst_stride, const int8_t *src, size_t src_stride,
		       uint32_t rows, size_t width)
{
	for (uint32_t r = 0; r < rows; r++, dst += dst_stride, src += src_stride) {
		if (width == 8)
			memcpy(dst, src, 8);
		else if (width == 32)
			memcpy(dst, src, 32);
		else if (width == 64)
			memcpy(dst, src, 64);
		else
			memcpy(dst, src, width);
	}
}

/* ---- Squares ---------------------------------------------------------------------------- */

/*
 * Atoms of 8 bytes are too short to be copied one by one. A square of 8 x 8 of them is 8 whole
 * cache lines on either side, and is transposed in pairs, which a compiler turns into full vector
 * loads, interleaves and stores.
 */
#define ATOM 8
#define SIDE 8
#define SQUARE (SIDE * ATOM)

typedef uint64_t pair_t __attribute__((vector_size(2 * ATOM)));

static inline pair_t load_pair(const int8_t *from)
{
	pair_t pair;

	memcpy(&pair, from, sizeof(pair));
	return pair;
}

static inline void store_pair(int8_t *to, pair_t pair)
{
	memcpy(to, &pair, sizeof(pair));
}

/* Atom i of line j becomes atom j of line i. */
static inline __attribute__((always_inline)) void
turn_square(int8_t *restrict dst, size_t dst_stride, const int8_t *restrict src, size_t src_stride,
	    void (*put)(int8_t *to, pair_t pair))
{
	for (int i = 0; i < SIDE; i += 2, src += 2 * ATOM, dst += 2 * dst_stride) {
		for (int j = 0; j < SIDE; j += 2) {
			pair_t x = load_pair(src + j * src_stride);
			pair_t y = load_pair(src + (j + 1) * src_stride);

			put(dst + j * ATOM, (pair_t){ x[0], y[0] });
			put(dst + dst_stride + j * ATOM, (pair_t){ x[1], y[1] });
		}
	}
}

/* How much of a block of rows is squares, from its first row and column on. */
static void count_squares(const struct npu_layout *layout, uint32_t rows, size_t cols,
			  uint32_t *square_rows, size_t *square_cols)
{
	bool any = layout->atom == ATOM && layout->row_stride == ATOM && rows >= SIDE &&
		   cols >= SQUARE;

	*square_rows = any ? rows / SIDE * SIDE : 0;
	*square_cols = any ? cols / SQUARE * SQUARE : 0;
}

/* ---- Tensors ---------------------------------------------------------------------------- */

static void store_atoms(const struct npu_layout *layout, int8_t *plane, uint32_t rows, size_t cols,
			const int8_t *src, size_t src_stride)
{
	for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
		size_t width = cols - c < layout->atom ? cols - c : layout->atom;

		copy_atoms(plane, layout->row_stride, src + c, src_stride, rows, width);
	}
}

static void store_block(const struct npu_layout *layout, int8_t *base, uint32_t rows, size_t cols,
			const int8_t *src, size_t src_stride)
{
	size_t plane = layout->plane_stride, square_cols;
	uint32_t square_rows;

	count_squares(layout, rows, cols, &square_rows, &square_cols);
	for (size_t c = 0; c < square_cols; c += SQUARE)
		for (size_t r = 0; r < square_rows; r += SIDE)
			turn_square(base + c / ATOM * plane + r * ATOM, plane,
				    src + r * src_stride + c, src_stride, store_pair);
	store_atoms(layout, base + square_cols / layout->atom * plane, square_rows,
		    cols - square_cols, src + square_cols, src_stride);
	store_atoms(layout, base + square_rows * layout->row_stride, rows - square_rows, cols,
		    src + square_rows * src_stride, src_stride);
}

void npu_layout_store(const struct npu_layout *layout, uint8_t *base, uint32_t first_row,
		      uint32_t rows, uint32_t cols, const int8_t *src, size_t src_stride)
{
	for (uint32_t r = 0; r < rows; r += BLOCK_ROWS)
		store_block(layout, (int8_t *)base + ((size_t)first_row + r) * layout->row_stride,
			    min_u32(BLOCK_ROWS, rows - r), cols, src + r * src_stride, src_stride);
}

static void load_atoms(const struct npu_layout *layout, const int8_t *plane, uint32_t rows,
		       size_t cols, int8_t *dst, size_t dst_stride)
{
	for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
		size_t width = cols - c < layout->atom ? cols - c : layout->atom;

		copy_atoms(dst + c, dst_stride, plane, layout->row_stride, rows, width);
	}
}

static void load_block(const struct npu_layout *layout, const int8_t *base, uint32_t rows,
		       size_t cols, int8_t *dst, size_t dst_stride)
{
	size_t plane = layout->plane_stride, square_cols;
	uint32_t square_rows;

	count_squares(layout, rows, cols, &square_rows, &square_cols);
	for (size_t c = 0; c < square_cols; c += SQUARE)
		for (size_t r = 0; r < square_rows; r += SIDE)
			turn_square(dst + r * dst_stride + c, dst_stride,
				    base + c / ATOM * plane + r * ATOM, plane, store_pair);
	load_atoms(layout, base + square_cols / layout->atom * plane, square_rows,
		   cols - square_cols, dst + square_cols, dst_stride);
	load_atoms(layout, base + square_rows * layout->row_stride, rows - square_rows, cols,
		   dst + square_rows * dst_stride, dst_stride);
}

void npu_layout_load(const struct npu_layout *layout, const uint8_t *base, uint32_t first_row,
		     uint32_t rows, uint32_t cols, int8_t *dst, size_t dst_stride)
{
	for (uint32_t r = 0; r < rows; r += BLOCK_ROWS)
		load_block(layout,
			   (const int8_t *)base + ((size_t)first_row + r) * layout->row_stride,
			   min_u32(BLOCK_ROWS, rows - r), cols, dst + r * dst_stride, dst_stride);
}

/* ---- Weights ---------------------------------------------------------------------------- */

/*
 * What is larger than a cache goes past it: the engine reads it, and fetching lines only to
 * overwrite them would be a third of the traffic. Other processors than x86 see by themselves that
 * whole lines are written one after the other.
 */
#define STREAM_BYTES ((size_t)8 << 20)

static inline void stream_pair(int8_t *to, pair_t pair)
{
#if defined(__SSE2__)
	_mm_stream_si128((__m128i *)to, (__m128i)pair);
#else
	store_pair(to, pair);
#endif
}

/* What this thread has streamed is seen by all after this. */
static void end_streams(void)
{
#if defined(__SSE2__)
	_mm_sfence();
#endif
}

/* Squares of one group, as many as there are. */
static inline __attribute__((always_inline)) void pack_squares(int8_t *dst, const int8_t *src,
							       size_t src_stride, size_t cols,
							       void (*put)(int8_t *to, pair_t pair))
{
	for (size_t c = 0; c < cols; c += SQUARE, dst += SIDE * SQUARE)
		turn_square(dst, SQUARE, src + c, src_stride, put);
}

void npu_layout_pack_weights(int8_t *dst, const int8_t *src, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels)
{
	bool large = (size_t)n * k >= STREAM_BYTES;

	for (uint32_t group = 0; group < n; group += kernels) {
		uint32_t rows = min_u32(kernels, n - group), c = 0;
		const int8_t *block = src + group * src_stride;

		if (kernels == SIDE && channels == ATOM && rows == SIDE) {
			c = k / SQUARE * SQUARE;
			if (large && (uintptr_t)dst % sizeof(pair_t) == 0)
				pack_squares(dst, block, src_stride, c, stream_pair);
			else
				pack_squares(dst, block, src_stride, c, store_pair);
			dst += (size_t)SIDE * c;
		}
		for (; c < k; c += min_u32(channels, k - c)) {
			uint32_t width = min_u32(channels, k - c);

			copy_atoms(dst, width, block + c, src_stride, rows, width);
			dst += (size_t)rows * width;
		}
	}
	end_streams();
}
