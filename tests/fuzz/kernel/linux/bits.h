/* SPDX-License-Identifier: MIT */
/* Bits of registers. */
#ifndef TESTS_FUZZ_KERNEL_BITS_H
#define TESTS_FUZZ_KERNEL_BITS_H

#define BIT(n) (1U << (n))
#define GENMASK(high, low) (~0U >> (31 - (high)) & ~0U << (low))

#endif /* TESTS_FUZZ_KERNEL_BITS_H */
