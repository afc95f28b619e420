/* SPDX-License-Identifier: MIT */
/* Runs a float network on the processor, and keeps what every layer gives. */
#ifndef NPU_RUN_FLOAT_RUNNER_H
#define NPU_RUN_FLOAT_RUNNER_H

#include "float_network.h"

struct float_runner;

/* @network: Copied. @batch: Most samples of a run. */
int float_runner_create(const struct float_network *network, uint32_t batch,
			struct float_runner **runner, struct npu_error *err);

void float_runner_destroy(struct float_runner *runner);

/* @x: @rows x inputs. */
void float_runner_run(struct float_runner *runner, const float *x, uint32_t rows);

/* What layer @i gave, after ReLU: rows x n. */
const float *float_runner_result(const struct float_runner *runner, uint32_t i);

#endif
