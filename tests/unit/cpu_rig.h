/* SPDX-License-Identifier: MIT */
/*
 * The CPU as the device of a test program.
 */
#ifndef TESTS_CPU_RIG_H
#define TESTS_CPU_RIG_H

#include <npu.h>

extern struct npu_device *dev;

/* Setup and teardown. */
int open_cpu(void **state);
int close_cpu(void **state);

#endif /* TESTS_CPU_RIG_H */
