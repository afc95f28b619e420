/* SPDX-License-Identifier: MIT */
/*
 * The NPU as a device without a bus: registers, reset line, control page, clock. A front puts it on
 * a bus: it maps the three regions, says where memory is, and takes the interrupt line.
 */
#ifndef BOARD_CORE_H
#define BOARD_CORE_H

#include "clock.h"
#include "control.h"
#include "model.h"

#define BOARD_REGS_SIZE 0x10000
#define BOARD_RESET_SIZE 0x1000

struct board_core {
	/* Set by the front, most of them as properties. */
	char *model_path;
	char *config;
	char *faults; /* Separated by semicolons. */
	AddressSpace *memory;
	void (*irq)(void *front, int level);
	void *front;

	struct board_model model;
	struct board_clock clock;
	MemoryRegion regs;
	MemoryRegion reset;
	MemoryRegion control;
	bool in_reset;
	char fault[BOARD_CONTROL_TEXT_MAX + 1];
	unsigned int fault_len;
	int fault_result;
};

/* Properties every front has; @front is its structure, which has the member core. */
#define BOARD_CORE_PROPERTIES(front)                                             \
	DEFINE_PROP_STRING("model", front, core.model_path),                     \
		DEFINE_PROP_STRING("config", front, core.config),                \
		DEFINE_PROP_STRING("faults", front, core.faults),                \
		DEFINE_PROP_UINT32("clock", front, core.clock.hz, 100000000),    \
		DEFINE_PROP_UINT32("tick-ns", front, core.clock.tick_ns, 20000), \
		DEFINE_PROP_UINT32("host-us", front, core.clock.host_us, 1000)

/* What the reset line does when it is pulled, and what a bus does in its place. */
void board_core_reset(struct board_core *core);

/* Holds the NPU in reset, where nothing answers, or lets it go. */
void board_core_hold(struct board_core *core, bool line);

bool board_core_init(struct board_core *core, Object *owner, Error **errp);

#endif /* BOARD_CORE_H */
