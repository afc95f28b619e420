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

/* The same of 32 bits, for where many are divided: that is faster, on 32-bit processors by far. */
static inline uint32_t npu_min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t npu_div_up32(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

/* @a as the next multiple of @b, which must not overflow. */
static inline uint64_t npu_round_up(uint64_t a, uint64_t b)
{
	return (a + b - 1) / b * b;
}

#endif /* LIBNPU_ARITH_H */
