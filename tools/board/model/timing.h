/* SPDX-License-Identifier: MIT */
/*
 * The clock of an op: when each unit is done with it. The cost model is described in timing.c.
 */
#ifndef NPU_MODEL_TIMING_H
#define NPU_MODEL_TIMING_H

#include <stdint.h>

#include "cbuf.h"
#include "config.h"
#include "op.h"

/* 8192 kernels in groups of 8 */
#define MAX_GROUPS 1024

/* CBUF weight entries that become free at a known time */
struct release {
	double at;
	uint32_t entries;
};

/* What one op leaves behind for the next */
struct timing {
	const struct npu_config *cfg;
	uint64_t base; /* of all times here, in cycles of the model's clock */
	struct cbuf_seen last;
	double cdma_free;	/* CDMA may start its next op */
	double cdma_done;	/* CDMA has no op from here to the start of the next one */
	double csc_free;	/* CSC may start the first stripe of its next op */
	double drained;		/* last result has left CACC */
	double data_release;	/* features of the last op are free */
	uint32_t data_entries;	/* that many */
	uint32_t held_entries;	/* weights kept by a skipped release */
	int64_t weight_entries; /* in the ring with no date of release; below zero: more was used */
	int64_t lost_entries;	/* of these, what a change of banks left there for good */
	int64_t leaked_entries; /* released while CDMA had no clock to count them */
	uint32_t release_count;
	struct release releases[2 * MAX_GROUPS + 1];
};

enum op_event {
	OP_FETCH,     /* CDMA starts to read */
	OP_DATA_DONE, /* interrupts of CDMA; either may come first */
	OP_WEIGHT_DONE,
	OP_CDMA_DONE,
	OP_CSC_DONE, /* CSC and both CMACs */
	OP_CACC_DONE,
	OP_DONE, /* SDP and SDP_RDMA: the op is over */
	OP_EVENTS
};

/* When they happen, in cycles of the model's clock */
struct timeline {
	uint64_t at[OP_EVENTS];
	/* Cycles in which requests of CDMA waited for the memory port */
	uint32_t data_stall, weight_stall;
};

void timing_reset(struct timing *t, const struct npu_config *cfg);

/*
 * Plans an op whose units are all enabled at @now. Ops are planned in the order in which they run.
 * Returns NULL, or why the op never completes; nothing may be planned behind such an op.
 */
const char *timing_plan(struct timing *t, const struct op *op, uint64_t now, struct timeline *line);

#endif /* NPU_MODEL_TIMING_H */
