/* SPDX-License-Identifier: MIT */
/* Faults that wait for their op. */
#ifndef NPU_MODEL_FAULT_H
#define NPU_MODEL_FAULT_H

#include <stdint.h>

#define MAX_FAULTS 16

enum fault_kind {
	FAULT_NONE,
	FAULT_HANG,
	FAULT_BUS_ERROR,
	FAULT_LOST_IRQ,
	FAULT_LATE_IRQ,
	FAULT_SPURIOUS_IRQ,
	FAULT_NO_FLUSH
};

struct fault {
	enum fault_kind kind;
	uint64_t op; /* ops to go, 1 for the next */
	uint64_t cycles;
};

struct faults {
	struct fault waiting[MAX_FAULTS];
};

/* Returns 0 and fills in @fault, or -1. */
int fault_parse(const char *text, struct fault *fault);

/* Returns 0, or -1 when there is no place left. */
int fault_add(struct faults *f, const struct fault *fault);

/* Counts an op that starts now and returns what shall happen to it. */
struct fault fault_next_op(struct faults *f);

#endif /* NPU_MODEL_FAULT_H */
