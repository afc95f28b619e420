/* SPDX-License-Identifier: MIT */
/*
 * What the tests of weights share: a device, which is the CPU or a fake NPU that cuts every K above
 * 16, a folder for files, and multiplications that show what weights are.
 */
#ifndef TESTS_WEIGHTS_RIG_H
#define TESTS_WEIGHTS_RIG_H

#include "../matmul_case.h"

extern struct npu_device *dev;
extern struct npu_queue *queue;
extern char folder[32], path[64], other_path[64];

/* Set up and tear down; the state is the name of the device. */
int rig_open(void **state);
int rig_close(void **state);

/* A test on a device: "cpu" or "fake". */
#define on(device, test) cmocka_unit_test_prestate_setup_teardown(test, rig_open, rig_close, device)

/* Fails the test where @weights are not those of the case. */
void check_with(struct npu_device *device, struct npu_queue *q, const struct matmul_case *c,
		struct npu_weights *weights);

/* Saves the weights of a case at @path. */
void save_case(const struct matmul_case *c);

#endif /* TESTS_WEIGHTS_RIG_H */
