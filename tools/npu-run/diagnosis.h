/* SPDX-License-Identifier: MIT */
/*
 * Why an NPU cannot be used, and what to do about it. The facts are those of sysfs; nothing is
 * opened and nothing is changed.
 */
#ifndef NPU_RUN_DIAGNOSIS_H
#define NPU_RUN_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "hardware.h"

#define DIAGNOSIS_MAX (HARDWARE_MAX + 8)

/*
 * struct trouble - one reason
 * @kind: A word for programs; npu-run-info(1) lists them.
 * @device: Device or node that it is about, "" for the machine.
 * @text: What is wrong.
 * @remedy: What to do, "" if the text says it already.
 */
struct trouble {
	const char *kind;
	char device[HARDWARE_TEXT];
	char text[256];
	char remedy[384];
};

/* What was found; starts as { 0 }. */
struct diagnosis {
	struct trouble trouble[DIAGNOSIS_MAX];
	size_t count;
};

/* What sysfs says. @root: where the machine's root folder is, "" for its own. */
void diagnosis_make(const char *root, struct diagnosis *diagnosis);

/*
 * Adds that the node @node could not be opened: @code and @text are the library's. A node that
 * diagnosis_make() has reported is left out.
 */
void diagnosis_add_node(struct diagnosis *diagnosis, const char *node, int code, const char *text);

#endif
