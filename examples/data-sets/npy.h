/* SPDX-License-Identifier: MIT */
/* Writes bytes as .npy, NumPy's format for one array (NEP 1). */
#ifndef DATA_SETS_NPY_H
#define DATA_SETS_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"

/*
 * Writes an array of @rows x @cols uint8, or a vector of @rows if @cols is 0. The file is complete
 * or not there. Errors name the path.
 */
int npy_write_bytes(const char *path, const uint8_t *data, size_t rows, size_t cols,
		    struct npu_error *err);

#endif
