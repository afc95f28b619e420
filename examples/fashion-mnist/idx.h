/* SPDX-License-Identifier: MIT */
/*
 * Reads IDX files, the format of the MNIST family of data sets: a big-endian header (two zero
 * bytes, the element type, the rank, a 32-bit size for each dimension), then the elements.
 */
#ifndef FASHION_MNIST_IDX_H
#define FASHION_MNIST_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"

#define IDX_MAX_RANK 3

/* An array of bytes of up to three dimensions, row-major. Unused dimensions are 1. */
struct idx {
	unsigned int rank;
	uint32_t dim[IDX_MAX_RANK];
	size_t bytes;
	uint8_t *data;
};

/*
 * Reads a file of unsigned bytes, compressed with gzip or not, and wants exactly @rank dimensions.
 * On success the data is the caller's, until idx_free().
 */
int idx_read(const char *path, unsigned int rank, struct idx *idx, struct npu_error *err);

void idx_free(struct idx *idx);

#endif
