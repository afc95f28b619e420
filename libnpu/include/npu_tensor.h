/* SPDX-License-Identifier: MIT */
/*
 * Tensors: matrices of activations, in the layout that a device has for them.
 */
#ifndef NPU_TENSOR_H
#define NPU_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_buffer;
struct npu_device;
struct npu_tensor;

/**
 * enum npu_type - elements of a tensor, as npu_tensor_write() takes and npu_tensor_read() gives
 * them
 *
 * A (inputs) may be INT8, UINT8 or INT16; C (results) and residuals may be any. How a device keeps
 * them is its own affair; multi-byte elements in application memory are in the machine's order.
 */
enum npu_type {
	NPU_TYPE_INT8 = 1,
	NPU_TYPE_UINT8 = 2,
	NPU_TYPE_INT16 = 3,
	NPU_TYPE_INT32 = 4,
	NPU_TYPE_FLOAT16 = 5, /* IEEE 754 binary16, its bits in a uint16_t */
	NPU_TYPE_FLOAT32 = 6, /* IEEE 754 binary32 */
};

/** Bytes of an element in application memory; 0 if there is no such type. */
size_t npu_type_size(enum npu_type type);

/**
 * Makes a matrix of @rows x @cols in the device's layout, in memory of its own, all zero. The
 * result of one matmul can be the input of the next with no CPU touch in between.
 *
 * Errors: -EINVAL @type is none, or @rows or @cols is 0 or too large; -ENOMEM; -EDQUOT as from
 * npu_buffer_create().
 */
int npu_tensor_create(struct npu_device *dev, enum npu_type type, uint32_t rows, uint32_t cols,
		      struct npu_tensor **tensor, struct npu_error *err);

/**
 * Bytes npu_tensor_create_in() needs for a matrix, 0 if the type or shape is not possible. A
 * multiple of the alignment it asks of offsets, so that tensors can be laid end to end.
 */
size_t npu_tensor_bytes(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			uint32_t cols);

/**
 * Makes a matrix at @offset of a buffer, whose bytes are left as they are. Those of a new buffer
 * are zero, which is not what every layout has for the number: on NVDLA a matrix of UINT8 or INT16
 * in one is not all zero until it has been written. npu_tensor_create() sees to that.
 *
 * Errors: -EINVAL the type or shape is not possible, or @offset is not a multiple of 64, or the
 * matrix does not fit into the buffer; -ENOMEM.
 */
int npu_tensor_create_in(struct npu_buffer *buf, size_t offset, enum npu_type type, uint32_t rows,
			 uint32_t cols, struct npu_tensor **tensor, struct npu_error *err);

/**
 * Makes a window of another tensor, which shares its memory and can be used like any tensor:
 * the heads of an attention layer, a batch out of many, the columns of a concatenation.
 * @first_row, @rows: Which rows.
 * @first_col, @cols: Which columns; @first_col is a multiple of column_align of struct
 *	npu_device_info. Results are stored faster where the window also ends at such a multiple, or
 *	with the last column.
 *
 * Errors: -EINVAL the window is not inside @tensor or does not begin at such a column; -ENOMEM.
 */
int npu_tensor_create_view(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
			   uint32_t first_col, uint32_t cols, struct npu_tensor **view,
			   struct npu_error *err);

/** Gives up the caller's hold on a tensor. */
void npu_tensor_destroy(struct npu_tensor *tensor);

/** Type of a tensor's elements. */
enum npu_type npu_tensor_type(const struct npu_tensor *tensor);

/** Rows of a tensor. */
uint32_t npu_tensor_rows(const struct npu_tensor *tensor);

/** Columns of a tensor. */
uint32_t npu_tensor_cols(const struct npu_tensor *tensor);

/**
 * Copies rows in from row-major memory, waiting for the device first.
 * @first_row, @rows: Which rows.
 * @src: Row r of the copied rows is at @src + r * @row_stride bytes, elements as the type has them.
 * @row_stride: Bytes, at least a row's; 0 means exactly that.
 *
 * Errors: -EINVAL; -EIO, -ENODEV the device is lost.
 */
int npu_tensor_write(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, const void *src,
		     size_t row_stride, struct npu_error *err);

/** Copies rows out to row-major memory; the mirror of npu_tensor_write(). */
int npu_tensor_read(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, void *dst,
		    size_t row_stride, struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_TENSOR_H */
