/* SPDX-License-Identifier: MIT */
/* Register accesses, which tests/fuzz/driver.c hands to the model. */
#ifndef TESTS_FUZZ_KERNEL_IO_H
#define TESTS_FUZZ_KERNEL_IO_H

#include <linux/types.h>

#define lower_32_bits(n) ((u32)(n))
#define upper_32_bits(n) ((u32)((n) >> 32))

void writel_relaxed(u32 value, const char *reg);

/* Model and driver are one thread. */
static inline void wmb(void)
{
}

#endif /* TESTS_FUZZ_KERNEL_IO_H */
