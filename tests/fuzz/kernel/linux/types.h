/* SPDX-License-Identifier: MIT */
/* The kernel's names for integers. */
#ifndef TESTS_FUZZ_KERNEL_TYPES_H
#define TESTS_FUZZ_KERNEL_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t u16;
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint64_t dma_addr_t;

#endif /* TESTS_FUZZ_KERNEL_TYPES_H */
