/* SPDX-License-Identifier: MIT */
/*
 * What the ways of requantizing have in common: each goes by way of binary32, and asks for binary64
 * where that cannot decide.
 *
 * A sum with its bias, times the multiplier and 2^-shift, and 1/2 with the product's sign added, is
 * a number x that only has to be cut off. It is off by what was rounded on the way: of an x that
 * may be a result, at most 257, 2^-23 by the conversion and the product, and 2^-16 by the addition.
 * With a shift up to 15 nothing is rounded: x has 9 bits before the point and 15 behind it.
 */
#ifndef LIBNPU_CPU_FIXED16_WAYS_H
#define LIBNPU_CPU_FIXED16_WAYS_H

#include "fixed16.h"

/** Largest shift for which binary32 is exact where it counts. */
#define NPU_FIXED16_EXACT_SHIFT 15

/** Beyond every result, before its zero point, and as far from an integer as can be. */
#define NPU_FIXED16_BEYOND 300.5f

/** More than an x that may be a result is off by. */
#define NPU_FIXED16_DOUBT (1.0f / (1 << 14))

typedef void (*npu_fixed16_fn)(const struct npu_fixed16 *f, const struct npu_fixed16_sums *sums,
			       void *dst, size_t dst_stride);

/**
 * struct npu_fixed16_way - npu_fixed16_rows() for some processors
 * @usable: Has this processor the instructions?
 * @rows: Does it.
 */
struct npu_fixed16_way {
	bool (*usable)(void);
	npu_fixed16_fn rows;
};

/** Whatever the processor: some of one row, @sum and @dst being those of channel @first. */
void npu_fixed16_exactly(const struct npu_fixed16 *f, uint32_t first, uint32_t count,
			 const int32_t *sum, uint8_t *dst);

/** Those that this processor can run, the fastest first, NULL after the last. */
npu_fixed16_fn npu_fixed16_get(size_t index);

extern const struct npu_fixed16_way npu_fixed16_avx512;

#endif /* LIBNPU_CPU_FIXED16_WAYS_H */
