/* SPDX-License-Identifier: MIT */
/*
 * A multiplication to play with: all its objects on a device, and the result it must have.
 */
#ifndef TESTS_WORKBENCH_H
#define TESTS_WORKBENCH_H

#include "../matmul_case.h"

struct bench {
	struct npu_device *dev;
	struct matmul_case c;
	struct npu_tensor *a, *result;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_matmul *matmul;
	int8_t *expected;
};

/* The device of a test program: the first NPU, or NPU_TEST_DEVICE. */
extern struct npu_device *dev;
extern struct npu_device_info info;

/* Setup and teardown. */
int open_npu(void **state);
int close_npu(void **state);

/* Opens it once more. 0, or -1 and why on standard error. */
int bench_open(struct npu_device **own, struct npu_device_info *about);

/* A random case with a bias and multipliers for each channel, its input written. */
void bench_init(struct bench *b, struct npu_device *on, uint32_t seed, uint32_t m, uint32_t k,
		uint32_t n);
void bench_free(struct bench *b);

/* The same weights and epilogue with other tensors. */
struct npu_matmul *bench_bind(const struct bench *b, struct npu_tensor *a, struct npu_tensor *c);

/* Fails the test where @result is not what it must be. */
void bench_check(const struct bench *b, struct npu_tensor *result);

#endif /* TESTS_WORKBENCH_H */
