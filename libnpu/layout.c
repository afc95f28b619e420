// SPDX-License-Identifier: MIT
/*
 * Layouts: between row-major memory and what the engines read and write.
 */
#include <string.h>

#include "arith.h"
#include "layout.h"
#include "square.h"

/* Rows copied together, so that the cache lines of row-major memory serve several planes. */
#define BLOCK_ROWS 64

bool npu_layout_planes(struct npu_layout *layout, enum npu_form form, uint32_t rows, uint32_t cols,
		       size_t atom, uint64_t max_stride)
{
	size_t planes = cols / atom + !!(cols % atom);
	size_t digits = form == NPU_FORM_DIGITS ? 2 : 1;
	size_t plane, matrix, bytes;

	if (!rows || !cols || __builtin_mul_overflow((size_t)rows, atom, &plane) ||
	    plane > max_stride || __builtin_mul_overflow(plane, planes, &matrix) ||
	    __builtin_mul_overflow(matrix, digits, &bytes))
		return false;

	*layout = (struct npu_layout){
		.form = form,
		.element = 1,
		.atom = atom,
		.row_stride = atom,
		.plane_stride = plane,
		.digit_stride = matrix,
		.bytes = bytes,
	};
	return true;
}

bool npu_layout_rows(struct npu_layout *layout, uint32_t rows, uint32_t cols, size_t element)
{
	size_t row = (size_t)cols * element, bytes;

	if (!rows || !cols || row / element != cols ||
	    __builtin_mul_overflow(row, (size_t)rows, &bytes))
		return false;

	*layout = (struct npu_layout){
		.form = NPU_FORM_PLAIN,
		.element = element,
		.atom = cols,
		.row_stride = row,
		.plane_stride = bytes,
		.bytes = bytes,
	};
	return true;
}

size_t npu_layout_offset(const struct npu_layout *layout, uint32_t row, uint32_t col)
{
	return col / layout->atom * layout->plane_stride + row * layout->row_stride +
	       col % layout->atom * layout->element;
}

size_t npu_layout_width(const struct npu_layout *layout)
{
	return layout->form == NPU_FORM_DIGITS ? 2 : layout->element;
}

void npu_layout_clear(const struct npu_layout *layout, uint8_t *base)
{
	size_t plain = layout->form == NPU_FORM_DIGITS	? layout->digit_stride
		       : layout->form == NPU_FORM_PLAIN ? layout->bytes
							: 0;

	memset(base, 0, plain);
	memset(base + plain, 0x80, layout->bytes - plain);
}

/*
 * Copies one plane of a block of rows. The atoms of all known engines are 8 or 32 bytes, their
 * blocks of weights 8 or 64: with the size known to the compiler a copy is a few instructions
 * instead of a call.
 */
static void copy_atoms(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride,
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

/* ---- Bytes as they are ------------------------------------------------------------------ */

/* How much of a block of rows is squares, from its first row and column on. */
static void count_squares(const struct npu_layout *layout, uint32_t rows, size_t cols,
			  uint32_t *square_rows, size_t *square_cols)
{
	bool any = layout->atom == NPU_SQUARE_ATOM && layout->row_stride == NPU_SQUARE_ATOM &&
		   rows >= NPU_SQUARE_SIDE && cols >= NPU_SQUARE_BYTES;

	*square_rows = any ? rows / NPU_SQUARE_SIDE * NPU_SQUARE_SIDE : 0;
	*square_cols = any ? cols / NPU_SQUARE_BYTES * NPU_SQUARE_BYTES : 0;
}

static void store_atoms(const struct npu_layout *layout, uint8_t *plane, uint32_t rows, size_t cols,
			const uint8_t *src, size_t src_stride)
{
	for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
		size_t width = npu_min(cols - c, layout->atom) * layout->element;

		copy_atoms(plane, layout->row_stride, src + c * layout->element, src_stride, rows,
			   width);
	}
}

static void store_block(const struct npu_layout *layout, uint8_t *base, uint32_t rows, size_t cols,
			const uint8_t *src, size_t src_stride)
{
	const size_t plane = layout->plane_stride;
	const struct npu_squares in_planes = { plane, NPU_SQUARE_BYTES };
	const struct npu_squares in_rows = { src_stride, NPU_SQUARE_SIDE * src_stride };
	uint32_t square_rows;
	size_t square_cols;

	count_squares(layout, rows, cols, &square_rows, &square_cols);
	for (size_t c = 0; c < square_cols; c += NPU_SQUARE_BYTES)
		npu_squares_turn(base + c / NPU_SQUARE_ATOM * plane, &in_planes, src + c, &in_rows,
				 square_rows / NPU_SQUARE_SIDE, false);
	store_atoms(layout, base + square_cols / layout->atom * plane, square_rows,
		    cols - square_cols, src + square_cols, src_stride);
	store_atoms(layout, base + square_rows * layout->row_stride, rows - square_rows, cols,
		    src + square_rows * src_stride, src_stride);
}

static void load_atoms(const struct npu_layout *layout, const uint8_t *plane, uint32_t rows,
		       size_t cols, uint8_t *dst, size_t dst_stride)
{
	for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
		size_t width = npu_min(cols - c, layout->atom) * layout->element;

		copy_atoms(dst + c * layout->element, dst_stride, plane, layout->row_stride, rows,
			   width);
	}
}

static void load_block(const struct npu_layout *layout, const uint8_t *base, uint32_t rows,
		       size_t cols, uint8_t *dst, size_t dst_stride)
{
	const size_t plane = layout->plane_stride;
	const struct npu_squares in_planes = { plane, NPU_SQUARE_BYTES };
	const struct npu_squares in_rows = { dst_stride, NPU_SQUARE_SIDE * dst_stride };
	uint32_t square_rows;
	size_t square_cols;

	count_squares(layout, rows, cols, &square_rows, &square_cols);
	for (size_t c = 0; c < square_cols; c += NPU_SQUARE_BYTES)
		npu_squares_turn(dst + c, &in_rows, base + c / NPU_SQUARE_ATOM * plane, &in_planes,
				 square_rows / NPU_SQUARE_SIDE, false);
	load_atoms(layout, base + square_cols / layout->atom * plane, square_rows,
		   cols - square_cols, dst + square_cols, dst_stride);
	load_atoms(layout, base + square_rows * layout->row_stride, rows - square_rows, cols,
		   dst + square_rows * dst_stride, dst_stride);
}

/* ---- Converted bytes --------------------------------------------------------------------- */

/*
 * Forms that are not plain are converted a patch at a time, row by row, so that a compiler has
 * vectors to work with, and laid out as plain ones are. A patch begins and ends with whole atoms.
 */
#define PATCH_COLS 64

/**
 * struct patch - plain bytes on the way
 * @byte: What is laid out, of an int16 the high one.
 * @low: Low bytes of int16.
 */
struct patch {
	uint8_t byte[BLOCK_ROWS][PATCH_COLS];
	uint8_t low[BLOCK_ROWS][PATCH_COLS];
};

static void take_flipped(struct patch *patch, const uint8_t *src, size_t src_stride, uint32_t rows,
			 size_t cols)
{
	for (uint32_t r = 0; r < rows; r++, src += src_stride)
		for (size_t i = 0; i < cols; i++)
			patch->byte[r][i] = src[i] ^ 0x80;
}

static void give_flipped(const struct patch *patch, uint8_t *dst, size_t dst_stride, uint32_t rows,
			 size_t cols)
{
	for (uint32_t r = 0; r < rows; r++, dst += dst_stride)
		for (size_t i = 0; i < cols; i++)
			dst[i] = patch->byte[r][i] ^ 0x80;
}

static void take_digits(struct patch *patch, const uint8_t *src, size_t src_stride, uint32_t rows,
			size_t cols)
{
	for (uint32_t r = 0; r < rows; r++, src += src_stride) {
		uint16_t words[PATCH_COLS];

		memcpy(words, src, cols * sizeof(*words));
		for (size_t i = 0; i < cols; i++) {
			patch->byte[r][i] = words[i] >> 8;
			patch->low[r][i] = (words[i] & 0xff) ^ 0x80;
		}
	}
}

static void give_digits(const struct patch *patch, uint8_t *dst, size_t dst_stride, uint32_t rows,
			size_t cols)
{
	for (uint32_t r = 0; r < rows; r++, dst += dst_stride) {
		uint16_t words[PATCH_COLS];

		for (size_t i = 0; i < cols; i++)
			words[i] = (uint16_t)(patch->byte[r][i] << 8 | (patch->low[r][i] ^ 0x80));
		memcpy(dst, words, cols * sizeof(*words));
	}
}

static void store_patches(const struct npu_layout *layout, uint8_t *base, uint32_t rows,
			  size_t cols, const uint8_t *src, size_t src_stride)
{
	const bool digits = layout->form == NPU_FORM_DIGITS;
	struct patch patch;

	for (size_t c = 0; c < cols; c += PATCH_COLS) {
		const size_t width = npu_min(PATCH_COLS, cols - c);
		uint8_t *plane = base + c / layout->atom * layout->plane_stride;

		if (digits)
			take_digits(&patch, src + c * 2, src_stride, rows, width);
		else
			take_flipped(&patch, src + c, src_stride, rows, width);
		store_block(layout, plane, rows, width, patch.byte[0], PATCH_COLS);
		if (digits)
			store_block(layout, plane + layout->digit_stride, rows, width, patch.low[0],
				    PATCH_COLS);
	}
}

static void load_patches(const struct npu_layout *layout, const uint8_t *base, uint32_t rows,
			 size_t cols, uint8_t *dst, size_t dst_stride)
{
	const bool digits = layout->form == NPU_FORM_DIGITS;
	struct patch patch;

	for (size_t c = 0; c < cols; c += PATCH_COLS) {
		const size_t width = npu_min(PATCH_COLS, cols - c);
		const uint8_t *plane = base + c / layout->atom * layout->plane_stride;

		load_block(layout, plane, rows, width, patch.byte[0], PATCH_COLS);
		if (digits) {
			load_block(layout, plane + layout->digit_stride, rows, width, patch.low[0],
				   PATCH_COLS);
			give_digits(&patch, dst + c * 2, dst_stride, rows, width);
		} else {
			give_flipped(&patch, dst + c, dst_stride, rows, width);
		}
	}
}

/* ---- Windows ---------------------------------------------------------------------------- */

void npu_layout_store(const struct npu_layout *layout, uint8_t *base,
		      const struct npu_window *window, const void *src, size_t src_stride)
{
	uint8_t *first = base + npu_layout_offset(layout, window->row, window->col);
	const uint8_t *from = src;

	for (uint32_t r = 0; r < window->rows; r += BLOCK_ROWS) {
		const uint32_t count = npu_min(BLOCK_ROWS, window->rows - r);

		if (layout->form == NPU_FORM_PLAIN)
			store_block(layout, first, count, window->cols, from, src_stride);
		else
			store_patches(layout, first, count, window->cols, from, src_stride);
		first += BLOCK_ROWS * layout->row_stride;
		from += BLOCK_ROWS * src_stride;
	}
}

void npu_layout_load(const struct npu_layout *layout, const uint8_t *base,
		     const struct npu_window *window, void *dst, size_t dst_stride)
{
	const uint8_t *first = base + npu_layout_offset(layout, window->row, window->col);
	uint8_t *to = dst;

	for (uint32_t r = 0; r < window->rows; r += BLOCK_ROWS) {
		const uint32_t count = npu_min(BLOCK_ROWS, window->rows - r);

		if (layout->form == NPU_FORM_PLAIN)
			load_block(layout, first, count, window->cols, to, dst_stride);
		else
			load_patches(layout, first, count, window->cols, to, dst_stride);
		first += BLOCK_ROWS * layout->row_stride;
		to += BLOCK_ROWS * dst_stride;
	}
}

/* ---- Weights ---------------------------------------------------------------------------- */

void npu_layout_pack_weights(int8_t *packed, const int8_t *w, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels, bool stream)
{
	const bool in_squares = kernels == NPU_SQUARE_SIDE && channels == NPU_SQUARE_ATOM;
	const struct npu_squares in_rows = { src_stride, NPU_SQUARE_BYTES };
	const struct npu_squares in_groups = { NPU_SQUARE_BYTES,
					       NPU_SQUARE_SIDE * NPU_SQUARE_BYTES };
	const uint8_t *src = (const uint8_t *)w;
	uint8_t *dst = (uint8_t *)packed;

	for (uint32_t group = 0; group < n; group += kernels) {
		uint32_t rows = npu_min(kernels, n - group), c = 0;
		const uint8_t *block = src + group * src_stride;

		if (in_squares && rows == NPU_SQUARE_SIDE) {
			npu_squares_turn(dst, &in_groups, block, &in_rows, k / NPU_SQUARE_BYTES,
					 stream && (uintptr_t)dst % NPU_SQUARE_BYTES == 0);
			c = k / NPU_SQUARE_BYTES * NPU_SQUARE_BYTES;
			dst += (size_t)NPU_SQUARE_SIDE * c;
		}
		for (; c < k; c += npu_min(channels, k - c)) {
			uint32_t width = npu_min(channels, k - c);

			copy_atoms(dst, width, block + c, src_stride, rows, width);
			dst += (size_t)rows * width;
		}
	}
	if (stream)
		npu_squares_end_stream();
}

void npu_layout_cut_weights(int8_t *dst, const int8_t *packed, uint32_t n, uint32_t k,
			    uint32_t kernels, uint32_t k0, uint32_t width)
{
	for (uint32_t group = 0; group < n; group += kernels) {
		size_t rows = npu_min(kernels, n - group);

		/* Blocks of a group follow each other, so columns of it are one run. */
		memcpy(dst, packed + (size_t)group * k + rows * k0, rows * width);
		dst += rows * width;
	}
}
