/* SPDX-License-Identifier: MIT */
/* GLB's interrupt registers and the one level interrupt line behind them. */
#ifndef NPU_MODEL_INTR_H
#define NPU_MODEL_INTR_H

#include <stdbool.h>
#include <stdint.h>

#include "npu_model.h"

#define INTR_BITS 22
#define INTR_LOST UINT64_MAX

struct intr {
	const struct npu_model_bus *bus;
	uint32_t bits; /* those of the units that this hardware has */
	uint32_t mask;
	uint32_t status;
	uint64_t quiet_until[INTR_BITS]; /* the bit does not count for the line yet (a fault) */
	uint64_t pulse_until;		 /* the line is high for no reason (a fault) */
	bool level;
};

void intr_reset(struct intr *i);
uint32_t intr_read(const struct intr *i, uint32_t offset);
void intr_write(struct intr *i, uint32_t offset, uint32_t value, uint64_t now);

/* Sets a status bit; the line follows at @quiet_until, INTR_LOST for never. */
void intr_raise(struct intr *i, unsigned int bit, uint64_t quiet_until);

/* Drives the line as the registers and the clock want it; true when it has just gone up. */
bool intr_update(struct intr *i, uint64_t now);

/* When the line may change by itself; UINT64_MAX for never. */
uint64_t intr_next(const struct intr *i, uint64_t now);

#endif /* NPU_MODEL_INTR_H */
