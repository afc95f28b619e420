/* SPDX-License-Identifier: MIT */
/* The factor that "npu-run matmul" chooses if none is given. */
#ifndef NPU_RUN_AUTO_SCALE_H
#define NPU_RUN_AUTO_SCALE_H

#include "operands.h"

/*
 * The largest with which no result of any A as large as this one can saturate; 0 where none can
 * whatever the factor. For results of 8 and 16 bits. On failure *@what is the option at fault, and
 * the error -EDOM.
 */
int auto_scale(const struct operand_options *options, const struct operands *operands, float *scale,
	       const char **what, struct npu_error *err);

#endif
