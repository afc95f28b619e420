/* SPDX-License-Identifier: MIT */
/*
 * Trials of npu-run selftest as tests.
 */
#ifndef TESTS_MATMUL_TRIAL_H
#define TESTS_MATMUL_TRIAL_H

#include "../tools/npu-run/trial.h"

/* Runs the trial of a seed; fails the test, naming it, where a result is not the reference's. */
void trial_check(struct npu_device *dev, uint64_t seed);

/*
 * Submits trials @first and up to a queue; fails the test, naming the seed, where a submission
 * allocates something once the queue has done one of its kind, or a result is wrong. @has_engine:
 * The device is an NPU, so of some the CPU does a part, and not of others. In trial_submit.c.
 */
void trials_submit_check(struct npu_device *dev, uint64_t first, uint64_t count, bool has_engine);

/*
 * Multiplies windows of larger tensors, a row among them, into a window of one, with an output
 * stage that the engine can do and with one that it cannot; fails the test where the window is
 * wrong, or anything beside it has changed.
 */
void windows_check(struct npu_device *dev, uint64_t seed);

#endif /* TESTS_MATMUL_TRIAL_H */
