/* SPDX-License-Identifier: MIT */
/*
 * Weights: matrices that are packed once, and saved or shared as they are packed.
 */
#ifndef NPU_WEIGHTS_H
#define NPU_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;
struct npu_weights;

/**
 * enum npu_weight_type - how weights are given; all become int8 when they are packed
 */
enum npu_weight_type {
	/** @NPU_WEIGHTS_INT8: A byte each. */
	NPU_WEIGHTS_INT8 = 0,
	/** @NPU_WEIGHTS_INT4: Two's complement, -8 to 7, two in a byte, the first in the low half.
	 */
	NPU_WEIGHTS_INT4 = 1,
	/** @NPU_WEIGHTS_CODEBOOK: Indices of 1 to 8 bits into a table of int8 values. */
	NPU_WEIGHTS_CODEBOOK = 2,
};

/** Groups of K are a multiple of this long. */
#define NPU_GROUP_UNIT 32

/**
 * struct npu_weights_desc - matrices of weights
 * @size: sizeof(struct npu_weights_desc), set by the caller.
 * @type: One of enum npu_weight_type.
 * @n, @k: Rows (output channels) and columns (input channels) of a matrix, each at least 1.
 * @batch: Number of matrices, 0 means 1; see struct npu_matmul_desc.
 * @group_size: Columns that have zero points and scales in common, a multiple of NPU_GROUP_UNIT;
 *	0 means all @k. The last group may be shorter.
 * @data: The weights; copied.
 * @row_stride: Bytes from a row to the next, at least a row's; 0 means exactly that. A row takes
 *	@k bytes, or ceil(@k * bits / 8) with weights of 4 or @index_bits bits.
 * @matrix_stride: Bytes from a matrix to the next, at least @n rows'; 0 means exactly that.
 * @index_bits: CODEBOOK: bits of an index, 1 to 8. Index i of a row is its bits i * @index_bits
 *	and up; bit b of a row is bit b % 8 of byte b / 8.
 * @codebook: CODEBOOK: values that indices stand for.
 * @codebook_entries: CODEBOOK: 1 to 2^@index_bits; every index must be below it.
 * @codebook_per_channel: CODEBOOK: each of the @n channels has @codebook_entries values of its
 *	own, one channel after the other; else there is one table for all.
 * @zero_point: What stands for zero, -128 to 127; a weight means its value less this. One, or one
 *	for each channel, or one for each group of each channel ([n][groups]); the same in all
 *	matrices.
 * @zero_point_count: 0 (none), 1, @n or @n * ceil(@k / @group_size).
 *
 * Unsigned weights are signed ones whose zero point has moved: take 128 (or 8, with 4 bits) off
 * both, which is the top bit flipped in the data.
 *
 * Zero points cost nothing where every difference fits int8, as it always does with 4 bits and zero
 * points of 4 bits; otherwise NVDLA computes exact sums (see NPU_STAGE_ZERO_POINTS).
 */
struct npu_weights_desc {
	size_t size;
	enum npu_weight_type type;
	uint32_t n;
	uint32_t k;
	uint32_t batch;
	uint32_t group_size;
	const void *data;
	size_t row_stride;
	size_t matrix_stride;
	uint32_t index_bits;
	const int8_t *codebook;
	uint32_t codebook_entries;
	bool codebook_per_channel;
	const int32_t *zero_point;
	uint32_t zero_point_count;
};

/**
 * Packs weights into device memory. Done once; the object can then serve any number of matmuls in
 * any number of threads. Many small ones share few buffers of the device, so they may be as many as
 * memory allows. Where memory of destroyed weights is used again the call waits for jobs that may
 * still read it.
 *
 * Errors: -EINVAL (the text names the field), -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_weights_create(struct npu_device *dev, const struct npu_weights_desc *desc,
		       struct npu_weights **weights, struct npu_error *err);

/** Rows of weights, the N of a matmul. */
uint32_t npu_weights_n(const struct npu_weights *weights);

/** Columns of weights, the K of a matmul. */
uint32_t npu_weights_k(const struct npu_weights *weights);

/** Matrices of weights, 1 unless there is a batch of them. */
uint32_t npu_weights_batch(const struct npu_weights *weights);

/**
 * Tells whether two weights are the same, packed the same way: whether a file that was opened still
 * belongs to weights that were made from what it was saved of, for example. All of both is read,
 * and compared by type, sizes, zero points and an XXH64 of what is packed.
 *
 * Errors: -EINVAL an argument is NULL; -EIO, -ENODEV, ... the device cannot give its memory to
 * read.
 */
int npu_weights_equal(const struct npu_weights *x, const struct npu_weights *y, bool *equal,
		      struct npu_error *err);

/**
 * Saves weights as the device has them packed, for npu_weights_open(). The file replaces another of
 * that name when it is complete and on the disk; when the call fails there is nothing new.
 * @path: Folder and name. Beside it there is a temporary file meanwhile.
 *
 * What is in the file is for devices that pack alike: those of the same engine, or processors whose
 * instructions the CPU backend uses alike. It is a cache of the weights and no exchange format:
 * keep the original. Its numbers are little-endian and its checksums XXH64; see npu_weights(3).
 *
 * Errors: -EINVAL @path is there and is not a file; -ENOMEM; what open(2), write(2) and rename(2)
 * say, -ENOSPC for example.
 */
int npu_weights_save(const struct npu_weights *weights, const char *path, struct npu_error *err);

/**
 * Opens weights that were saved. The CPU uses them where the file is mapped, an NPU copies them
 * once into its memory. All of the file is read, to check it.
 *
 * While weights of the CPU are open their file must not be written to; npu_weights_save(), which
 * replaces it, is no danger.
 *
 * Errors: -EBADMSG not a file of packed weights, cut short or damaged; -ENOTSUP of another version
 * or packed for another device (the text says which); -EINVAL not a file; -ENOMEM; what open(2)
 * says.
 */
int npu_weights_open(struct npu_device *dev, const char *path, struct npu_weights **weights,
		     struct npu_error *err);

/**
 * Makes a file descriptor for the memory of weights, with a description of them in it, for
 * npu_weights_import() by another device or process. Weights smaller than 1 MiB share memory with
 * others; they are copied into memory of their own for that, in every call.
 * @fd: The caller's to close, as that of npu_buffer_export().
 *
 * Errors: as npu_buffer_export().
 */
int npu_weights_export(const struct npu_weights *weights, int *fd, struct npu_error *err);

/**
 * Uses weights of another device or process where they are, without a copy.
 * @fd: Stays the caller's, who may close it after the call.
 *
 * The description is checked, and nothing in it or in the weights can lead the device to memory
 * that is not in @fd. But who has exported the weights can change them at any time, so import them
 * only from whom you trust with the results.
 *
 * Errors: as npu_buffer_import(), and -EBADMSG there are no weights in it; -ENOTSUP they are packed
 * for another device.
 */
int npu_weights_import(struct npu_device *dev, int fd, struct npu_weights **weights,
		       struct npu_error *err);

/** Gives up the caller's hold on weights. */
void npu_weights_destroy(struct npu_weights *weights);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_WEIGHTS_H */
