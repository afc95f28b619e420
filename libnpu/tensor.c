// SPDX-License-Identifier: MIT
/*
 * Tensors: matrices in a device's layout, at some place of a buffer, and windows of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "buffer.h"

size_t npu_type_size(enum npu_type type)
{
	switch (type) {
	case NPU_TYPE_INT8:
	case NPU_TYPE_UINT8:
		return 1;
	case NPU_TYPE_INT16:
	case NPU_TYPE_FLOAT16:
		return 2;
	case NPU_TYPE_INT32:
	case NPU_TYPE_FLOAT32:
		return 4;
	}
	return 0;
}

/* Layout of a shape, its size rounded up so that tensors can be laid end to end. */
static bool shape_layout(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			 uint32_t cols, struct npu_layout *layout)
{
	return npu_type_size(type) && rows && cols &&
	       dev->ops->tensor_layout(dev, type, rows, cols, layout) &&
	       layout->bytes <= PTRDIFF_MAX - NPU_TENSOR_ALIGN;
}

size_t npu_tensor_bytes(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			uint32_t cols)
{
	struct npu_tensor shape = { 0 };

	if (!dev || !shape_layout(dev, type, rows, cols, &shape.layout))
		return 0;
	return npu_tensor_span(&shape);
}

static int bad_shape(enum npu_type type, uint32_t rows, uint32_t cols, struct npu_error *err)
{
	if (!npu_type_size(type))
		return npu_fail(err, -EINVAL, "a tensor of type %d: not one of enum npu_type",
				(int)type);
	return npu_fail(err, -EINVAL, "a tensor of %u x %u is not possible: %s", rows, cols,
			rows && cols ? "it is too large" : "rows and columns must be at least 1");
}

static struct npu_tensor *new_tensor(struct npu_buffer *buf, size_t offset, enum npu_type type,
				     uint32_t rows, uint32_t cols, const struct npu_layout *layout)
{
	struct npu_tensor *tensor = calloc(1, sizeof(*tensor));

	if (!tensor)
		return NULL;
	tensor->refs = 1;
	tensor->buf = buf;
	tensor->offset = offset;
	tensor->type = type;
	tensor->rows = rows;
	tensor->cols = cols;
	tensor->matrix_cols = cols;
	tensor->layout = *layout;
	npu_ref(&buf->refs);
	return tensor;
}

int npu_tensor_create_in(struct npu_buffer *buf, size_t offset, enum npu_type type, uint32_t rows,
			 uint32_t cols, struct npu_tensor **out, struct npu_error *err)
{
	struct npu_tensor *tensor;
	struct npu_layout layout;
	size_t bytes;

	if (!buf || !out)
		return npu_fail(err, -EINVAL,
				"npu_tensor_create_in: no buffer or no place for the tensor given");
	if (!shape_layout(buf->dev, type, rows, cols, &layout))
		return bad_shape(type, rows, cols, err);
	if (offset % NPU_TENSOR_ALIGN)
		return npu_fail(err, -EINVAL, "tensor at offset %zu: must be a multiple of %d",
				offset, NPU_TENSOR_ALIGN);
	bytes = npu_tensor_bytes(buf->dev, type, rows, cols);
	if (offset > buf->bytes || bytes > buf->bytes - offset)
		return npu_fail(err, -EINVAL,
				"a tensor of %u x %u takes %zu bytes: it does not fit at offset "
				"%zu of a buffer of %zu bytes",
				rows, cols, bytes, offset, buf->bytes);

	tensor = new_tensor(buf, offset, type, rows, cols, &layout);
	if (!tensor)
		return npu_fail(err, -ENOMEM, "no memory for a tensor object");
	*out = tensor;
	return 0;
}

/* A new buffer is all zero bytes, which is not what all forms have for zero. */
static int clear(struct npu_tensor *tensor, struct npu_error *err)
{
	uint8_t *base;
	int ret;

	if (tensor->layout.form == NPU_FORM_PLAIN)
		return 0;
	ret = npu_tensor_begin(tensor, NPU_ACCESS_WRITE, &base, err);
	if (ret)
		return ret;
	npu_layout_clear(&tensor->layout, base);
	return npu_tensor_end(tensor, NPU_ACCESS_WRITE, err);
}

int npu_tensor_create(struct npu_device *dev, enum npu_type type, uint32_t rows, uint32_t cols,
		      struct npu_tensor **out, struct npu_error *err)
{
	struct npu_tensor *tensor = NULL;
	struct npu_buffer *buf;
	size_t bytes;
	int ret;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_tensor_create: no device or no place for the tensor given");
	bytes = npu_tensor_bytes(dev, type, rows, cols);
	if (!bytes)
		return bad_shape(type, rows, cols, err);
	ret = npu_buffer_create(dev, bytes, &buf, err);
	if (ret)
		return ret;
	ret = npu_tensor_create_in(buf, 0, type, rows, cols, &tensor, err);
	npu_buffer_destroy(buf);
	if (!ret)
		ret = clear(tensor, err);
	if (ret)
		npu_tensor_destroy(tensor);
	else
		*out = tensor;
	return ret;
}

int npu_tensor_create_view(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
			   uint32_t first_col, uint32_t cols, struct npu_tensor **out,
			   struct npu_error *err)
{
	uint32_t align;
	struct npu_tensor *view;

	if (!tensor || !out)
		return npu_fail(err, -EINVAL,
				"npu_tensor_create_view: no tensor or no place for the view given");
	align = tensor->buf->dev->info.column_align;
	if (!rows || first_row > tensor->rows || rows > tensor->rows - first_row || !cols ||
	    first_col > tensor->cols || cols > tensor->cols - first_col)
		return npu_fail(err, -EINVAL,
				"a view of %u x %u from row %u, column %u on: the tensor of %u x "
				"%u does not have it",
				rows, cols, first_row, first_col, tensor->rows, tensor->cols);
	if (first_col % align)
		return npu_fail(err, -EINVAL,
				"a view from column %u on: on this device it must be a multiple "
				"of %u",
				first_col, align);

	view = new_tensor(tensor->buf, tensor->offset, tensor->type, rows, cols, &tensor->layout);
	if (!view)
		return npu_fail(err, -ENOMEM, "no memory for a tensor object");
	view->first_row = tensor->first_row + first_row;
	view->first_col = tensor->first_col + first_col;
	view->matrix_cols = tensor->matrix_cols;
	*out = view;
	return 0;
}

void npu_tensor_destroy(struct npu_tensor *tensor)
{
	if (!tensor || !npu_unref(&tensor->refs))
		return;
	npu_buffer_destroy(tensor->buf);
	free(tensor);
}

enum npu_type npu_tensor_type(const struct npu_tensor *tensor)
{
	return tensor ? tensor->type : 0;
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
	size_t width;

	if (!tensor || !memory)
		return npu_fail(err, -EINVAL,
				"copying rows of a tensor: no tensor or no memory given");
	if (!rows || first_row > tensor->rows || rows > tensor->rows - first_row)
		return npu_fail(err, -EINVAL,
				"%u rows from row %u on: the tensor of %u x %u does not have them",
				rows, first_row, tensor->rows, tensor->cols);
	width = tensor->cols * npu_type_size(tensor->type);
	if (!*stride)
		*stride = width;
	if (*stride < width)
		return npu_fail(err, -EINVAL, "row stride %zu is less than the %zu bytes of a row",
				*stride, width);
	return 0;
}

int npu_tensor_begin(struct npu_tensor *tensor, unsigned int access, uint8_t **base,
		     struct npu_error *err)
{
	void *data;
	int ret;

	ret = npu_buffer_begin_access(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				      -1, &data, err);
	if (!ret)
		*base = data;
	return ret;
}

int npu_tensor_begin_step(struct npu_tensor *tensor, unsigned int access, uint8_t **base,
			  struct npu_error *err)
{
	void *data;
	int ret;

	ret = npu_buffer_begin_step(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				    &data, err);
	if (!ret)
		*base = data;
	return ret;
}

int npu_tensor_end(struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	return npu_buffer_end_access(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				     err);
}

int npu_tensor_end_step(struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	return npu_buffer_end_step(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				   err);
}

int npu_tensor_write(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, const void *src,
		     size_t row_stride, struct npu_error *err)
{
	struct npu_window window;
	uint8_t *base;
	int ret = check_rows(tensor, first_row, rows, src, &row_stride, err);

	if (!ret)
		ret = npu_tensor_begin(tensor, NPU_ACCESS_WRITE, &base, err);
	if (ret)
		return ret;
	window = npu_tensor_window(tensor, first_row, rows, 0, tensor->cols);
	npu_layout_store(&tensor->layout, base, &window, src, row_stride);
	return npu_tensor_end(tensor, NPU_ACCESS_WRITE, err);
}

int npu_tensor_read(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, void *dst,
		    size_t row_stride, struct npu_error *err)
{
	struct npu_window window;
	uint8_t *base;
	int ret = check_rows(tensor, first_row, rows, dst, &row_stride, err);

	if (!ret)
		ret = npu_tensor_begin(tensor, NPU_ACCESS_READ, &base, err);
	if (ret)
		return ret;
	window = npu_tensor_window(tensor, first_row, rows, 0, tensor->cols);
	npu_layout_load(&tensor->layout, base, &window, dst, row_stride);
	return npu_tensor_end(tensor, NPU_ACCESS_READ, err);
}
