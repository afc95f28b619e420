/* SPDX-License-Identifier: MIT */
/* The MAC array: dot products of int8 values that were widened to int16 beforehand. */
#ifndef NPU_MODEL_MAC_H
#define NPU_MODEL_MAC_H

#include <stddef.h>
#include <stdint.h>

/* Kernels of one group: the array is eight wide in every member of the family the model knows. */
#define MAC_KERNELS 8

/*
 * acc[p][n] = sum over k of a[p][k] * w[n][k], with rows of @depth values. 8192 products of two
 * int8 stay far inside int32, so the 34 bits of the hardware never saturate.
 */
void mac_group(const int16_t *a, size_t rows, const int16_t *w, size_t depth,
	       int32_t (*acc)[MAC_KERNELS]);

#endif /* NPU_MODEL_MAC_H */
