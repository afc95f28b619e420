/* SPDX-License-Identifier: MIT */
/*
 * The kernel's trace of the driver's events, in a buffer of our own, so that nobody else's tracing
 * is disturbed.
 */
#ifndef NPU_RUN_TRACEFS_H
#define NPU_RUN_TRACEFS_H

#include <stddef.h>

#include "npu.h"
#include "sysfs.h"

/*
 * struct tracefs - a buffer, and what was read of it
 * @instance: Its folder.
 * @pipe: File descriptor of its events.
 * @kib: Its size, for each processor.
 * @text: What was read and is not taken yet: from @start to @end.
 */
struct tracefs {
	char instance[SYSFS_PATH];
	int pipe;
	unsigned int kib;
	char text[8192];
	size_t start, end;
};

/*
 * Makes the buffer, with @kib KiB for each processor, and switches the events on. @root: where the
 * machine's root folder is, "" for its own.
 *
 * Errors: -ENOENT there is no tracing, or no driver; -EACCES no permission; what mkdir(2) says.
 */
int tracefs_open(const char *root, unsigned int kib, struct tracefs *tracefs,
		 struct npu_error *err);

/*
 * Whether the buffer of some processor is half full. To read it takes the time of those who are
 * traced, so it is not read before.
 */
bool tracefs_is_filling(const struct tracefs *tracefs);

/* Switches the events off. What is in the buffer can still be read. */
void tracefs_stop(struct tracefs *tracefs);

/* The next line, without its newline, valid until the next call; NULL if there is none now. */
const char *tracefs_next(struct tracefs *tracefs);

/* Removes the buffer. */
void tracefs_close(struct tracefs *tracefs);

#endif
