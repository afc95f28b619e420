/* SPDX-License-Identifier: MIT */
/* What "npu-run plan" is asked: the command line as a query of the library. */
#ifndef NPU_RUN_PLAN_REQUEST_H
#define NPU_RUN_PLAN_REQUEST_H

#include "options.h"

/*
 * struct plan_request - the command line
 * @config: Hardware configuration, NULL to ask a device.
 * @clock_mhz: Clock to tell times by, 0 for the device's.
 * @exact: Sums instead of results.
 * @desc: The query.
 * @epilogue: What @desc points to.
 * @bias: Its array, or NULL.
 */
struct plan_request {
	struct common_options common;
	const char *config;
	float clock_mhz;
	bool exact;
	struct npu_plan_desc desc;
	struct npu_epilogue_desc epilogue;
	void *bias;
};

/* Returns false when the command is to end with *@status; there is then nothing to free. */
bool plan_request_parse(int argc, char **argv, struct plan_request *request, enum status *status);

void plan_request_free(struct plan_request *request);

#endif
