/* SPDX-License-Identifier: MIT */
/* An event of the kernel driver, as tracefs writes it; kmod/npu_trace.h is where they come from. */
#ifndef NPU_RUN_TRACE_EVENT_H
#define NPU_RUN_TRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum trace_kind {
	TRACE_SUBMIT,	 /* a submission is armed */
	TRACE_JOB_START, /* the engine may begin a job */
	TRACE_JOB_DONE,	 /* it is done with it */
	TRACE_TIMEOUT,	 /* it hangs on it */
	TRACE_RESET,	 /* it was reset */
	TRACE_LOST,	 /* the kernel had no room for @lost events */
};

/*
 * struct trace_event - one of them; what an event does not have is 0
 * @time_ns: Of CLOCK_MONOTONIC.
 * @pid, @command: Who was running; the submitter of TRACE_SUBMIT, anybody else of the others.
 * @dev: Name of the device on its bus.
 * @client, @ctx, @seqno: Name the submission.
 * @index: Of a job in its submission.
 */
struct trace_event {
	enum trace_kind kind;
	uint64_t time_ns;
	int pid;
	char command[32];
	char dev[64];
	uint64_t client, seqno, engine_ns, lost;
	uint32_t ctx, jobs, bos, index, group, m, n, k;
	int error;
};

/* Reads a line of "trace" or "trace_pipe"; false if it is no event of the driver. */
bool trace_event_parse(const char *line, struct trace_event *event);

#endif
