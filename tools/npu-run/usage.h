/* SPDX-License-Identifier: MIT */
/* Who used the NPUs between two moments, by process. */
#ifndef NPU_RUN_USAGE_H
#define NPU_RUN_USAGE_H

#include <stddef.h>

#include "fdinfo.h"

enum usage_order {
	USAGE_BY_ENGINE,
	USAGE_BY_MEMORY,
	USAGE_BY_PID
};

/*
 * struct user - a process and a node
 * @client: Sums over the files that it has open there.
 * @files: How many these are.
 * @worked_ns: Engine time of the interval.
 */
struct user {
	struct client client;
	unsigned int files;
	uint64_t worked_ns;
};

/*
 * struct usage - of an interval; starts as { 0 }
 * @seconds: Its length.
 */
struct usage {
	struct user *user;
	size_t count;
	double seconds;
};

/* Errors: -ENOMEM. */
int usage_between(const struct clients *before, const struct clients *after, enum usage_order order,
		  struct usage *usage);

void usage_free(struct usage *usage);

/* Share of the interval that the engine behind a node worked for everybody, 0 to 1. */
double usage_busy(const struct usage *usage, const char *node);

#endif
