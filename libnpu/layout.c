// SPDX-License-Identifier: MIT
/*
 * Layouts: between row-major memory and what the engines read and write.
 */
#include <string.h>

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
 * Copies one plane of a block of rows. The atoms of all known engines are 8 or 32 bytes: with the
 * size known to the compiler a copy is one or two instructions instead of a call.
 */
static void copy_atoms(int8_t *dst, size_t dst_stride, const int8_t *src, size_t src_stride,
		       uint32_t rows, size_t width)
{
	for (uint32_t r = 0; r < rows; r++, dst += dst_stride, src += src_stride) {
		if (width == 8)
			memcpy(dst, src, 8);
		else if (width == 32)
			memcpy(dst, src, 32);
		else
			memcpy(dst, src, width);
	}
}

void npu_layout_store(const struct npu_layout *layout, uint8_t *base, uint32_t first_row,
		      uint32_t rows, uint32_t cols, const int8_t *src, size_t src_stride)
{
	for (uint32_t r = 0; r < rows; r += BLOCK_ROWS) {
		uint32_t count = min_u32(BLOCK_ROWS, rows - r);
		int8_t *plane = (int8_t *)base + ((size_t)first_row + r) * layout->row_stride;

		for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
			size_t width = cols - c < layout->atom ? cols - c : layout->atom;

			copy_atoms(plane, layout->row_stride, src + r * src_stride + c, src_stride,
				   count, width);
		}
	}
}

void npu_layout_load(const struct npu_layout *layout, const uint8_t *base, uint32_t first_row,
		     uint32_t rows, uint32_t cols, int8_t *dst, size_t dst_stride)
{
	for (uint32_t r = 0; r < rows; r += BLOCK_ROWS) {
		uint32_t count = min_u32(BLOCK_ROWS, rows - r);
		const int8_t *plane =
			(const int8_t *)base + ((size_t)first_row + r) * layout->row_stride;

		for (size_t c = 0; c < cols; c += layout->atom, plane += layout->plane_stride) {
			size_t width = cols - c < layout->atom ? cols - c : layout->atom;

			copy_atoms(dst + r * dst_stride + c, dst_stride, plane, layout->row_stride,
				   count, width);
		}
	}
}

void npu_layout_pack_weights(int8_t *dst, const int8_t *src, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels)
{
	for (uint32_t group = 0; group < n; group += kernels) {
		uint32_t rows = min_u32(kernels, n - group);
		const int8_t *block = src + group * src_stride;

		for (uint32_t c = 0; c < k; c += channels) {
			uint32_t width = min_u32(channels, k - c);

			copy_atoms(dst, width, block + c, src_stride, rows, width);
			dst += (size_t)rows * width;
		}
	}
}
