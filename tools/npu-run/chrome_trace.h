/* SPDX-License-Identifier: MIT */
/*
 * Events of the driver as a trace that Perfetto and Chrome's about:tracing read ("Trace Event
 * Format", JSON): for each NPU the jobs its engine did one after the other, for each process the
 * submissions it had under way.
 */
#ifndef NPU_RUN_CHROME_TRACE_H
#define NPU_RUN_CHROME_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "json.h"
#include "trace_event.h"

/* NPUs that are told apart. */
#define CHROME_TRACE_DEVICES 16

/* Jobs that an engine can have begun and not ended: one in each register group; and as many more.
 */
#define CHROME_TRACE_STARTED 4

struct chrome_submission;

/*
 * struct chrome_trace - what was written so far; starts as { 0 }
 * @submissions, @jobs, @timeouts: Counts.
 * @lost: Events that the kernel had no room for.
 * @last_ns: Time of the last event.
 */
struct chrome_trace {
	struct json json;
	uint64_t submissions, jobs, timeouts, lost;
	uint64_t last_ns;
	/* The rest is private. */
	struct {
		char dev[64];
		uint64_t free_ns;
		struct trace_event started[CHROME_TRACE_STARTED];
		size_t next;
	} device[CHROME_TRACE_DEVICES];
	size_t device_count;
	struct chrome_submission *open;
	size_t open_count, open_room;
	int *pids;
	size_t pid_count, pid_room;
};

void chrome_trace_begin(struct chrome_trace *trace, FILE *file);

/* Events come about in the order of time. Errors: -ENOMEM. */
int chrome_trace_add(struct chrome_trace *trace, const struct trace_event *event);

/* Ends what has not ended, and frees what is private. */
void chrome_trace_end(struct chrome_trace *trace);

#endif
