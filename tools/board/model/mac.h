/* SPDX-License-Identifier: MIT */
/* The MAC array: dot products of int8 values that were widened to int16 beforehand. */
#ifndef NPU_MODEL_MAC_H
#define NPU_MODEL_MAC_H

#include <stddef.h>
#include <stdint.h>

/*
 * acc[p][n] = sum over k of a[p][k] * w[n][k], with rows of @depth values and @kernels rows of w, a
 * multiple of 8. 8192 products of two int8 stay far inside int32, so the 34 bits of the hardware
 * never saturate.
 */
void mac_group(const int16_t *a, size_t rows, const int16_t *w, size_t kernels, size_t depth,
	       int32_t *acc);

#endif /* NPU_MODEL_MAC_H */
