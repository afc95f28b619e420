/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes .npy files, NumPy's format for one array: formats 1.0, 2.0 and 3.0,
 * little-endian, row-major. A file is believed only as far as it has been read.
 */
#ifndef NPU_RUN_NPY_H
#define NPU_RUN_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"

#define NPY_MAX_RANK 4

enum npy_type {
	NPY_INT8,
	NPY_UINT8,
	NPY_INT16,
	NPY_INT32,
	NPY_FLOAT16, /* its bits in a uint16_t */
	NPY_FLOAT32,
	NPY_FLOAT64,
};

/*
 * struct npy - an array
 * @type: Of the elements.
 * @rank: Number of dimensions, 0 for a single value.
 * @dim: Size of each, 1 where there is none.
 * @count: Number of elements.
 * @data: The elements, aligned for any type.
 */
struct npy {
	enum npy_type type;
	unsigned int rank;
	size_t dim[NPY_MAX_RANK];
	size_t count;
	void *data;
};

/* As NumPy calls it: "int8". */
const char *npy_type_name(enum npy_type type);

/*
 * Reads an array. On success the data is the caller's, until npy_free(). The text of an error
 * goes after the path: "ends after 12 of 64 bytes of data".
 */
int npy_read(const char *path, struct npy *npy, struct npu_error *err);

void npy_free(struct npy *npy);

/*
 * Fails early if npy_write() to this path could not work, so that nothing is computed in vain.
 */
int npy_check_writable(const char *path, struct npu_error *err);

/* Size of an element. */
size_t npy_type_size(enum npy_type type);

/* As a file calls it: "|i1". */
const char *npy_type_descr(enum npy_type type);

/*
 * Writes a matrix. The file appears under its name complete or not at all.
 */
int npy_write(const char *path, enum npy_type type, const void *data, size_t rows, size_t cols,
	      struct npu_error *err);

#endif
