/* SPDX-License-Identifier: MIT */
/*
 * CDMA, CSC, CMAC and CACC as functions: features and weights go from memory through the
 * convolution buffer into accumulators, one kernel group at a time.
 */
#ifndef NPU_MODEL_CONV_H
#define NPU_MODEL_CONV_H

#include <stdint.h>

#include "cbuf.h"
#include "config.h"
#include "mac.h"
#include "npu_model.h"
#include "op.h"

struct conv {
	const struct npu_config *cfg;
	const struct npu_model_bus *bus;
	struct cbuf cbuf;
	int16_t *features; /* [positions][depth] */
	int16_t *weights;  /* [mac_kernels][depth] */
	uint8_t *bytes;	   /* weights of one group as they lie in the CBUF */
	int32_t *acc;	   /* [positions][mac_kernels]: what CACC hands over for one group */
	struct cbuf_plan plan;
	uint32_t fetched; /* weight entries of the op in progress */
};

int conv_init(struct conv *c, const struct npu_config *cfg, const struct npu_model_bus *bus);
void conv_fini(struct conv *c);
void conv_reset(struct conv *c);

/*
 * One op is conv_begin(), conv_group() for every group in turn, conv_end(). The caller has made
 * sure that the op fits its banks. They return NULL, or why the op cannot go on.
 */
const char *conv_begin(struct conv *c, const struct op *op);
const char *conv_group(struct conv *c, const struct op *op, uint32_t group);
void conv_end(struct conv *c, const struct op *op);

#endif /* NPU_MODEL_CONV_H */
