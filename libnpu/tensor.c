// SPDX-License-Identifier: MIT
/*
 * Tensors: int8 matrices in a device's layout, at some place of a buffer.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"

/* Layout of a shape, its size rounded up so that tensors can be laid end to end. */
static bool shape_layout(const struct npu_device *dev, uint32_t rows, uint32_t cols,
			 struct npu_layout *layout)
{
	return rows && cols && dev->ops->tensor_layout(dev, rows, cols, layout) &&
	       layout->bytes <= PTRDIFF_MAX - NPU_TENSOR_ALIGN;
}

size_t npu_tensor_bytes(const struct npu_device *dev, uint32_t rows, uint32_t cols)
{
	struct npu_tensor shape = { 0 };

	if (!dev || !shape_layout(dev, rows, cols, &shape.layout))
		return 0;
	return npu_tensor_span(&shape);
}

static int bad_shape(uint32_t rows, uint32_t cols, struct npu_error *err)
{
	return npu_fail(err, -EINVAL, "a tensor of %u x %u is not possible: %s", rows, cols,
			rows && cols ? "it is too large" : "rows and columns must be at least 1");
}

int npu_tensor_create_in(struct npu_buffer *buf, size_t offset, uint32_t rows, uint32_t cols,
			 struct npu_tensor **out, struct npu_error *err)
{
	struct npu_tensor *tensor;
	struct npu_layout layout;

	if (!buf || !out)
		return npu_fail(err, -EINVAL,
				"npu_tensor_create_in: no buffer or no place for the tensor given");
	if (!shape_layout(buf->dev, rows, cols, &layout))
		return bad_shape(rows, cols, err);
	if (offset % NPU_TENSOR_ALIGN)
		return npu_fail(err, -EINVAL, "tensor at offset %zu: must be a multiple of %d",
				offset, NPU_TENSOR_ALIGN);
	if (offset > buf->bytes || npu_tensor_bytes(buf->dev, rows, cols) > buf->bytes - offset)
		return npu_fail(err, -EINVAL,
				"a tensor of %u x %u takes %zu bytes: it does not fit at offset "
				"%zu of a buffer of %zu bytes",
				rows, cols, npu_tensor_bytes(buf->dev, rows, cols), offset,
				buf->bytes);

	tensor = calloc(1, sizeof(*tensor));
	if (!tensor)
		return npu_fail(err, -ENOMEM, "no memory for a tensor object");

	tensor->refs = 1;
	tensor->buf = buf;
	tensor->offset = offset;
	tensor->rows = rows;
	tensor->cols = cols;
	tensor->layout = layout;
	npu_ref(&buf->refs);
	*out = tensor;
	return 0;
}

int npu_tensor_create(struct npu_device *dev, uint32_t rows, uint32_t cols, struct npu_tensor **out,
		      struct npu_error *err)
{
	struct npu_buffer *buf;
	size_t bytes;
	int ret;

	if (!dev)
		return npu_fail(err, -EINVAL, "npu_tensor_create: no device given");
	bytes = npu_tensor_bytes(dev, rows, cols);
	if (!bytes)
		return bad_shape(rows, cols, err);
	ret = npu_buffer_create(dev, bytes, &buf, err);
	if (ret)
		return ret;
	ret = npu_tensor_create_in(buf, 0, rows, cols, out, err);
	npu_buffer_destroy(buf);
	return ret;
}

void npu_tensor_destroy(struct npu_tensor *tensor)
{
	if (!tensor || !npu_unref(&tensor->refs))
		return;
	npu_buffer_destroy(tensor->buf);
	free(tensor);
}

uint32_t npu_tensor_rows(const struct npu_tensor *tensor)
{
	return tensor ? tensor->rows : 0;
}

uint32_t npu_tensor_cols(const struct npu_tensor *tensor)
{
	return tensor ? tensor->cols : 0;
}

static int check_rows(const struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
		      const void *memory, size_t *stride, struct npu_error *err)
{
	if (!tensor || !memory)
		return npu_fail(err, -EINVAL,
				"copying rows of a tensor: no tensor or no memory given");
	if (!rows || first_row > tensor->rows || rows > tensor->rows - first_row)
		return npu_fail(err, -EINVAL,
				"%u rows from row %u on: the tensor of %u x %u does not have them",
				rows, first_row, tensor->rows, tensor->cols);
	if (!*stride)
		*stride = tensor->cols;
	if (*stride < tensor->cols)
		return npu_fail(err, -EINVAL, "row stride %zu is less than the %u columns", *stride,
				tensor->cols);
	return 0;
}

/* Opens and closes all of a tensor: rows lie scattered over it. */
static int begin(struct npu_tensor *tensor, unsigned int access, void **base, struct npu_error *err)
{
	return npu_buffer_begin_access(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				       -1, base, err);
}

static int end(struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	return npu_buffer_end_access(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				     err);
}

int npu_tensor_write(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
		     const int8_t *src, size_t row_stride, struct npu_error *err)
{
	void *base;
	int ret = check_rows(tensor, first_row, rows, src, &row_stride, err);

	if (!ret)
		ret = begin(tensor, NPU_ACCESS_WRITE, &base, err);
	if (ret)
		return ret;
	npu_layout_store(&tensor->layout, base, first_row, rows, tensor->cols, src, row_stride);
	return end(tensor, NPU_ACCESS_WRITE, err);
}

int npu_tensor_read(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, int8_t *dst,
		    size_t row_stride, struct npu_error *err)
{
	void *base;
	int ret = check_rows(tensor, first_row, rows, dst, &row_stride, err);

	if (!ret)
		ret = begin(tensor, NPU_ACCESS_READ, &base, err);
	if (ret)
		return ret;
	npu_layout_load(&tensor->layout, base, first_row, rows, tensor->cols, dst, row_stride);
	return end(tensor, NPU_ACCESS_READ, err);
}
