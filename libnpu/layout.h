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
 * struct npu_layout - where the elements of an int8 matrix lie
 * @atom: Columns that are stored together.
 * @row_stride: Bytes from a row to the next.
 * @plane_stride: Bytes from @atom columns to the next @atom columns.
 * @bytes: Size of the whole matrix.
 *
 * Element (r, c) is at (c / atom) * plane_stride + r * row_stride + c % atom. With an atom of all
 * columns this is plain row-major.
 */
struct npu_layout {
	size_t atom;
	size_t row_stride;
	size_t plane_stride;
	size_t bytes;
};

/*
 * Packed planes of @atom columns; false where sizes or strides do not fit their types. Strides of
 * device jobs are 32 bits wide, so @max_stride limits the plane stride.
 */
bool npu_layout_planes(struct npu_layout *layout, uint32_t rows, uint32_t cols, size_t atom,
		       uint64_t max_stride);

/* Copies @rows rows of @cols columns between row-major memory and rows @first_row... of a matrix.
 */
void npu_layout_store(const struct npu_layout *layout, uint8_t *base, uint32_t first_row,
		      uint32_t rows, uint32_t cols, const int8_t *src, size_t src_stride);
void npu_layout_load(const struct npu_layout *layout, const uint8_t *base, uint32_t first_row,
		     uint32_t rows, uint32_t cols, int8_t *dst, size_t dst_stride);

/*
 * Packs @n x @k weights for the MAC array: groups of @kernels rows; in a group, blocks of
 * @channels columns; in a block, row by row. Tails are not padded: @n * @k bytes are written.
 */
void npu_layout_pack_weights(int8_t *dst, const int8_t *src, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels);

#endif /* LIBNPU_LAYOUT_H */
