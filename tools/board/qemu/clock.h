/* SPDX-License-Identifier: MIT */
/*
 * The NPU's clock: lets the model have the cycles that guest time brings.
 */
#ifndef BOARD_CLOCK_H
#define BOARD_CLOCK_H

#include "model.h"

struct board_clock {
	struct board_model *model;
	QEMUTimer timer;
	uint32_t hz;
	uint32_t tick_ns; /* Between two looks at a busy model. */
	uint32_t host_us; /* Host time to spend at once; 0: no limit. */
	bool running;
	int64_t epoch_ns; /* Guest time from which cycles are counted ... */
	uint64_t cycles;  /* ... and how many of them the model has had. */
	uint64_t slice;	  /* Cycles the model is trusted to run within host_us. */
};

void board_clock_init(struct board_clock *clock, struct board_model *model);

/* Before an access to the model: its state becomes that of the present guest time. */
void board_clock_sync(struct board_clock *clock);

/* After an access to the model: it may have got work. */
void board_clock_kick(struct board_clock *clock);

void board_clock_stop(struct board_clock *clock);

#endif /* BOARD_CLOCK_H */
