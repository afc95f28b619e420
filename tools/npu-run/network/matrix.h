/* SPDX-License-Identifier: MIT */
/*
 * Memory for matrices whose rows and columns files and options say. Their product need not be one
 * that a process can count, on machines of 32 bits above all.
 */
#ifndef NPU_RUN_MATRIX_H
#define NPU_RUN_MATRIX_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* @rows x @cols elements of @size bytes, for free(); NULL without memory for so many. */
static inline void *matrix_alloc(uint64_t rows, uint64_t cols, size_t size)
{
	uint64_t count;
	size_t bytes;

	if (__builtin_mul_overflow(rows, cols, &count) ||
	    __builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return malloc(bytes);
}

#endif
