// SPDX-License-Identifier: MIT
/*
 * Layouts: between row-major memory and what the engines read and write.
 */
#include <string.h>

#include "layout.h"

/* Rows copied together, so that the cache lines of row-major memory serve several planes. */
#define BLOCK_ROWS 64

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

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

/* What lies outside between the copied bytes of two elements, and what is done to each byte. */
struct bytes {
	size_t step;
	uint8_t flip;
};

/*
 * Copies one plane of a block of rows. The atoms of all known engines are 8 or 32 bytes: with the
 * size known to the compiler a copy is one or two instructions instead of a call.
 */
static void copy_atoms(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride,
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

/* The same byte by byte, @dst_step and @src_step apart. */
static void flip_atoms(uint8_t *dst, size_t dst_stride, size_t dst_step, const uint8_t *src,
		       size_t src_stride, size_t src_step, uint32_t rows, size_t width,
		       uint8_t flip)
{
	for (uint32_t r = 0; r < rows; r++, dst += dst_stride, src += src_stride)
		for (size_t i = 0; i < width; i++)
			dst[i * dst_step] = src[i * src_step] ^ flip;
}

static void store_bytes(const struct npu_layout *layout, uint8_t *base,
			const struct npu_window *window, const uint8_t *src, size_t src_stride,
			struct bytes bytes)
{
	size_t first = npu_layout_offset(layout, 0, window->col);

	for (uint32_t r = 0; r < window->rows; r += BLOCK_ROWS) {
		uint32_t count = min_size(BLOCK_ROWS, window->rows - r);
		uint8_t *plane = base + first + ((size_t)window->row + r) * layout->row_stride;

		for (size_t c = 0; c < window->cols;
		     c += layout->atom, plane += layout->plane_stride) {
			const uint8_t *from = src + r * src_stride;
			size_t width = min_size(window->cols - c, layout->atom) * layout->element;

			if (bytes.step == 1 && !bytes.flip)
				copy_atoms(plane, layout->row_stride, from + c * layout->element,
					   src_stride, count, width);
			else
				flip_atoms(plane, layout->row_stride, 1, from + c * bytes.step,
					   src_stride, bytes.step, count, width, bytes.flip);
		}
	}
}

static void load_bytes(const struct npu_layout *layout, const uint8_t *base,
		       const struct npu_window *window, uint8_t *dst, size_t dst_stride,
		       struct bytes bytes)
{
	size_t first = npu_layout_offset(layout, 0, window->col);

	for (uint32_t r = 0; r < window->rows; r += BLOCK_ROWS) {
		uint32_t count = min_size(BLOCK_ROWS, window->rows - r);
		const uint8_t *plane =
			base + first + ((size_t)window->row + r) * layout->row_stride;

		for (size_t c = 0; c < window->cols;
		     c += layout->atom, plane += layout->plane_stride) {
			uint8_t *to = dst + r * dst_stride;
			size_t width = min_size(window->cols - c, layout->atom) * layout->element;

			if (bytes.step == 1 && !bytes.flip)
				copy_atoms(to + c * layout->element, dst_stride, plane,
					   layout->row_stride, count, width);
			else
				flip_atoms(to + c * bytes.step, dst_stride, bytes.step, plane,
					   layout->row_stride, 1, count, width, bytes.flip);
		}
	}
}

/* Offset of the upper and of the lower byte of an int16 in memory. */
static size_t high_byte(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first;
}

void npu_layout_store(const struct npu_layout *layout, uint8_t *base,
		      const struct npu_window *window, const void *src, size_t src_stride)
{
	const uint8_t *from = src;
	size_t high = high_byte();

	switch (layout->form) {
	case NPU_FORM_PLAIN:
		store_bytes(layout, base, window, from, src_stride, (struct bytes){ 1, 0 });
		break;
	case NPU_FORM_FLIPPED:
		store_bytes(layout, base, window, from, src_stride, (struct bytes){ 1, 0x80 });
		break;
	case NPU_FORM_DIGITS:
		store_bytes(layout, base, window, from + high, src_stride, (struct bytes){ 2, 0 });
		store_bytes(layout, base + layout->digit_stride, window, from + !high, src_stride,
			    (struct bytes){ 2, 0x80 });
		break;
	}
}

void npu_layout_load(const struct npu_layout *layout, const uint8_t *base,
		     const struct npu_window *window, void *dst, size_t dst_stride)
{
	size_t high = high_byte();
	uint8_t *to = dst;

	switch (layout->form) {
	case NPU_FORM_PLAIN:
		load_bytes(layout, base, window, to, dst_stride, (struct bytes){ 1, 0 });
		break;
	case NPU_FORM_FLIPPED:
		load_bytes(layout, base, window, to, dst_stride, (struct bytes){ 1, 0x80 });
		break;
	case NPU_FORM_DIGITS:
		load_bytes(layout, base, window, to + high, dst_stride, (struct bytes){ 2, 0 });
		load_bytes(layout, base + layout->digit_stride, window, to + !high, dst_stride,
			   (struct bytes){ 2, 0x80 });
		break;
	}
}

void npu_layout_pack_weights(int8_t *dst, const int8_t *src, size_t src_stride, uint32_t n,
			     uint32_t k, uint32_t kernels, uint32_t channels)
{
	for (uint32_t group = 0; group < n; group += kernels) {
		uint32_t rows = min_size(kernels, n - group);
		const int8_t *block = src + group * src_stride;

		for (uint32_t c = 0; c < k; c += channels) {
			uint32_t width = min_size(channels, k - c);

			copy_atoms((uint8_t *)dst, width, (const uint8_t *)block + c, src_stride,
				   rows, width);
			dst += (size_t)rows * width;
		}
	}
}

void npu_layout_cut_weights(int8_t *dst, const int8_t *packed, uint32_t n, uint32_t k,
			    uint32_t kernels, uint32_t k0, uint32_t width)
{
	for (uint32_t group = 0; group < n; group += kernels) {
		size_t rows = min_size(kernels, n - group);

		/* Blocks of a group follow each other, so columns of it are one run. */
		memcpy(dst, packed + (size_t)group * k + rows * k0, rows * width);
		dst += rows * width;
	}
}
