/* SPDX-License-Identifier: MIT */
/*
 * Layouts: where the elements of tensors and weights lie in device memory.
 */
#ifndef LIBNPU_LAYOUT_H
#define LIBNPU_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum npu_form - how an element is stored
 * @NPU_FORM_PLAIN: As it is.
 * @NPU_FORM_FLIPPED: A uint8 as the int8 x - 128, which is its top bit flipped.
 * @NPU_FORM_DIGITS: An int16 as two int8 matrices, high digits first: x = 256 * high + low + 128.
 *	Every int16 has such digits, and only one pair of them: high is floor(x / 256), from -128 to
 *	127, and low is what is left, 0 to 255, less 128. (A signed low digit without the 128 would
 *	need a high digit of 128 from x = 32640 on.) So high is the upper byte of x, and low the
 *	lower byte with its top bit flipped.
 */
enum npu_form {
	NPU_FORM_PLAIN,
	NPU_FORM_FLIPPED,
	NPU_FORM_DIGITS,
};

/**
 * struct npu_layout - where the elements of a matrix lie
 * @form: How an element is stored.
 * @element: Bytes of a stored element; a digit has one.
 * @atom: Columns that are stored together.
 * @row_stride: Bytes from a row to the next.
 * @plane_stride: Bytes from @atom columns to the next @atom columns.
 * @digit_stride: DIGITS: bytes from the matrix of high digits to that of low ones.
 * @bytes: Size of it all.
 *
 * Element (r, c) is at (c / atom) * plane_stride + r * row_stride + c % atom * element. With an
 * atom of all columns this is plain row-major.
 */
struct npu_layout {
	enum npu_form form;
	size_t element;
	size_t atom;
	size_t row_stride;
	size_t plane_stride;
	size_t digit_stride;
	size_t bytes;
};

/* A window of a matrix. */
struct npu_window {
	uint32_t row, rows;
	uint32_t col, cols; /* in planes, @col is a multiple of the atom */
};

/*
 * Packed planes of @atom columns of one byte; false where sizes or strides do not fit their types.
 * Strides of device jobs are 32 bits wide, so @max_stride limits the plane stride.
 */
bool npu_layout_planes(struct npu_layout *layout, enum npu_form form, uint32_t rows, uint32_t cols,
		       size_t atom, uint64_t max_stride);

/* Row-major elements of @element bytes, as they are; false where sizes do not fit. */
bool npu_layout_rows(struct npu_layout *layout, uint32_t rows, uint32_t cols, size_t element);

/* Offset of an element, of its high digit where it has two. */
size_t npu_layout_offset(const struct npu_layout *layout, uint32_t row, uint32_t col);

/* Bytes of an element outside. */
size_t npu_layout_width(const struct npu_layout *layout);

/* Makes all elements zero. */
void npu_layout_clear(const struct npu_layout *layout, uint8_t *base);

/* Copies between row-major memory and a window of a matrix. */
void npu_layout_store(const struct npu_layout *layout, uint8_t *base,
		      const struct npu_window *window, const void *src, size_t src_stride);
void npu_layout_load(const struct npu_layout *layout, const uint8_t *base,
		     const struct npu_window *window, void *dst, size_t dst_stride);

/*
 * Packed weights that are larger than a cache, all in all, had better go past it: the engine reads
 * them, and fetching lines only to overwrite them would be a third of the traffic.
 */
#define NPU_LAYOUT_STREAM ((size_t)8 << 20)

/*
 * Packs @n x @k weights for the MAC array: groups of @kernels rows; in a group, blocks of
 * @channels columns; in a block, row by row. Tails are not padded: @n * @k bytes are written, past
 * the cache if @stream.
 */
void npu_layout_pack_weights(int8_t *packed, const int8_t *w, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels, bool stream);

/*
 * Copies columns @k0 to @k0 + @width - 1 out of packed weights, and packs them anew. @k0 is a
 * multiple of @channels, and so is @width unless the rows end there.
 */
void npu_layout_cut_weights(int8_t *dst, const int8_t *packed, uint32_t n, uint32_t k,
			    uint32_t kernels, uint32_t k0, uint32_t width);

#endif /* LIBNPU_LAYOUT_H */
