/* SPDX-License-Identifier: MIT */
/*
 * Under which conditions something is measured: what two people have to know of each other before
 * they compare figures.
 */
#ifndef NPU_RUN_CONDITIONS_H
#define NPU_RUN_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

/*
 * struct conditions - of a machine
 * @kernel, @machine: As uname(1) says them.
 * @board: What the device tree or the firmware calls it, "" if they do not.
 * @processor: Its model, "" if the kernel does not tell.
 * @processors: That are online.
 * @governor: How their clocks are chosen; "mixed" if not the same for all, "" if they are fixed.
 * @cpu_hz, @cpu_max_hz: Clock of the first processor now, and at most; 0 if unknown.
 * @load: Average number of runnable tasks over the last minute.
 * @module: Checksum of the source of npu.ko, "" if it has none or is not loaded.
 */
struct conditions {
	char kernel[72];
	char machine[72];
	char board[80];
	char processor[80];
	long processors;
	char governor[32];
	uint64_t cpu_hz;
	uint64_t cpu_max_hz;
	double load;
	char module[40];
};

/* @root: where the machine's root folder is, "" for its own. */
void conditions_take(const char *root, struct conditions *conditions);

void conditions_print(const struct conditions *conditions);

/* Members of an object. */
void conditions_json(struct json *json, const struct conditions *conditions);

#endif
