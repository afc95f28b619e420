/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic of sizes.
 */
#ifndef LIBNPU_ARITH_H
#define LIBNPU_ARITH_H

#include <stdint.h>

static inline uint64_t npu_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t npu_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t npu_div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

/* @a as the next multiple of @b, which must not overflow. */
static inline uint64_t npu_round_up(uint64_t a, uint64_t b)
{
	return (a + b - 1) / b * b;
}

#endif /* LIBNPU_ARITH_H */
