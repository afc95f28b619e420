// SPDX-License-Identifier: MIT
/* Events of the driver as a trace that Perfetto and Chrome read. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chrome_trace.h"

/*
 * The format orders everything by process and thread. NPUs are processes with numbers that no
 * process has: above the kernel's largest.
 */
#define DEVICE_PID (1 << 23)

/*
 * struct chrome_submission - one that has not ended
 * @pid: Who submitted it.
 * @jobs: That it has.
 */
struct chrome_submission {
	char dev[64];
	uint64_t client, seqno;
	uint32_t ctx, jobs;
	int pid;
};

/* ---- The format ------------------------------------------------------------------------ */

/* Opens an event; its members follow, and json_close(). */
static void open_event(struct chrome_trace *trace, const char *phase, const char *name, int pid,
		       uint64_t tid)
{
	struct json *json = &trace->json;

	/* A line each, for those who look with other tools. */
	fputs(json->comma ? ",\n" : "\n", json->file);
	json->comma = false;
	json_open(json, NULL, '{');
	json_string(json, "ph", phase);
	json_string(json, "name", name);
	json_int(json, "pid", pid);
	json_uint(json, "tid", tid);
}

/* Times are in microseconds. Not every reader knows exponents. */
static void put_time(struct json *json, const char *key, uint64_t ns)
{
	json_fixed(json, key, (double)ns / 1000, 3);
}

static void name_it(struct chrome_trace *trace, const char *what, const char *name, int pid,
		    uint64_t tid)
{
	open_event(trace, "M", what, pid, tid);
	json_open(&trace->json, "args", '{');
	json_string(&trace->json, "name", name);
	json_close(&trace->json, '}');
	json_close(&trace->json, '}');
}

static void put_submission(struct json *json, uint64_t client, uint32_t ctx, uint64_t seqno)
{
	json_uint(json, "client", client);
	json_uint(json, "ctx", ctx);
	json_uint(json, "seqno", seqno);
}

/* ---- Devices and processes ------------------------------------------------------------- */

/* The index of a device; those beyond the last share its place. */
static size_t device_of(struct chrome_trace *trace, const char *dev)
{
	char name[80];
	size_t i;

	for (i = 0; i < trace->device_count; i++)
		if (!strcmp(trace->device[i].dev, dev))
			return i;
	if (i == CHROME_TRACE_DEVICES)
		return i - 1;
	strcpy(trace->device[i].dev, dev);
	trace->device_count++;
	snprintf(name, sizeof(name), "NPU %s", dev);
	name_it(trace, "process_name", name, DEVICE_PID + (int)i, 0);
	name_it(trace, "thread_name", "engine", DEVICE_PID + (int)i, 0);
	return i;
}

static int name_process(struct chrome_trace *trace, const struct trace_event *event)
{
	for (size_t i = 0; i < trace->pid_count; i++)
		if (trace->pids[i] == event->pid)
			return 0;
	if (trace->pid_count == trace->pid_room) {
		size_t room = 2 * trace->pid_room + 16;
		int *more = realloc(trace->pids, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		trace->pids = more;
		trace->pid_room = room;
	}
	trace->pids[trace->pid_count++] = event->pid;
	name_it(trace, "process_name", event->command, event->pid, 0);
	return 0;
}

/* ---- Submissions ----------------------------------------------------------------------- */

/* The beginning or the end of one; the format puts those of a process that overlap side by side. */
static void put_async(struct chrome_trace *trace, const char *phase,
		      const struct chrome_submission *s, uint64_t ns, const char *outcome)
{
	struct json *json = &trace->json;
	char id[128];

	snprintf(id, sizeof(id), "%s/%" PRIu64 "/%u/%" PRIu64, s->dev, s->client, s->ctx, s->seqno);
	open_event(trace, phase, "submission", s->pid, s->client);
	json_string(json, "cat", "submission");
	json_string(json, "id", id);
	put_time(json, "ts", ns);
	json_open(json, "args", '{');
	if (outcome) {
		json_string(json, "outcome", outcome);
	} else {
		json_string(json, "device", s->dev);
		put_submission(json, s->client, s->ctx, s->seqno);
		json_uint(json, "jobs", s->jobs);
	}
	json_close(json, '}');
	json_close(json, '}');
}

static int submit(struct chrome_trace *trace, const struct trace_event *event)
{
	struct chrome_submission *s;

	if (trace->open_count == trace->open_room) {
		size_t room = 2 * trace->open_room + 64;

		s = realloc(trace->open, room * sizeof(*s));
		if (!s)
			return -ENOMEM;
		trace->open = s;
		trace->open_room = room;
	}
	if (name_process(trace, event))
		return -ENOMEM;
	s = trace->open + trace->open_count++;
	*s = (struct chrome_submission){
		.client = event->client,
		.seqno = event->seqno,
		.ctx = event->ctx,
		.jobs = event->jobs,
		.pid = event->pid,
	};
	strcpy(s->dev, event->dev);
	trace->submissions++;
	put_async(trace, "b", s, event->time_ns, NULL);
	return 0;
}

static void end_submission(struct chrome_trace *trace, struct chrome_submission *s, uint64_t ns,
			   const char *outcome)
{
	put_async(trace, "e", s, ns, outcome);
	*s = trace->open[--trace->open_count];
}

/* The submission that an event of a job is about, if it began in the trace. */
static struct chrome_submission *find(struct chrome_trace *trace, const struct trace_event *event)
{
	for (size_t i = 0; i < trace->open_count; i++) {
		struct chrome_submission *s = trace->open + i;

		if (s->seqno == event->seqno && s->ctx == event->ctx &&
		    s->client == event->client && !strcmp(s->dev, event->dev))
			return s;
	}
	return NULL;
}

/* ---- Jobs ------------------------------------------------------------------------------ */

static void start(struct chrome_trace *trace, const struct trace_event *event)
{
	const size_t device = device_of(trace, event->dev);
	size_t *next = &trace->device[device].next;

	trace->device[device].started[*next] = *event;
	*next = (*next + 1) % CHROME_TRACE_STARTED;
}

/* The event that began a job, NULL if it is not known. */
static const struct trace_event *find_start(const struct chrome_trace *trace, size_t device,
					    const struct trace_event *event)
{
	for (size_t i = 0; i < CHROME_TRACE_STARTED; i++) {
		const struct trace_event *started = trace->device[device].started + i;

		if (started->time_ns && started->seqno == event->seqno &&
		    started->index == event->index && started->ctx == event->ctx &&
		    started->client == event->client)
			return started;
	}
	return NULL;
}

/* What is known from the beginning of a job: its name is its shape. */
static void put_start(struct json *json, const struct trace_event *started)
{
	json_uint(json, "m", started->m);
	json_uint(json, "k", started->k);
	json_uint(json, "n", started->n);
	json_uint(json, "group", started->group);
	put_time(json, "enabled", started->time_ns);
}

/*
 * The engine's time for a job ends with its interrupt. Times are rounded to microseconds, so that a
 * job may seem to begin before its predecessor's end: then it begins there.
 */
static void done(struct chrome_trace *trace, const struct trace_event *event)
{
	const size_t device = device_of(trace, event->dev);
	const struct trace_event *started = find_start(trace, device, event);
	struct chrome_submission *s = find(trace, event);
	struct json *json = &trace->json;
	uint64_t begin = event->time_ns - event->engine_ns;
	char name[48] = "job";

	if (started)
		snprintf(name, sizeof(name), "%u x %u x %u", started->m, started->k, started->n);
	if (begin < trace->device[device].free_ns)
		begin = trace->device[device].free_ns;
	if (begin > event->time_ns)
		begin = event->time_ns;
	trace->device[device].free_ns = event->time_ns;
	trace->jobs++;
	open_event(trace, "X", name, DEVICE_PID + (int)device, 0);
	put_time(json, "ts", begin);
	put_time(json, "dur", event->time_ns - begin);
	json_open(json, "args", '{');
	put_submission(json, event->client, event->ctx, event->seqno);
	json_uint(json, "index", event->index);
	json_uint(json, "engine_ns", event->engine_ns);
	if (started)
		put_start(json, started);
	if (s)
		json_int(json, "process", s->pid);
	json_close(json, '}');
	json_close(json, '}');
	if (s && event->index + 1 == s->jobs)
		end_submission(trace, s, event->time_ns, "done");
}

/* A moment on the engine's line. */
static void put_instant(struct chrome_trace *trace, const char *name,
			const struct trace_event *event)
{
	struct json *json = &trace->json;

	open_event(trace, "i", name, DEVICE_PID + (int)device_of(trace, event->dev), 0);
	json_string(json, "s", "t");
	put_time(json, "ts", event->time_ns);
	json_open(json, "args", '{');
	if (event->kind == TRACE_RESET) {
		json_int(json, "error", event->error);
	} else {
		put_submission(json, event->client, event->ctx, event->seqno);
		json_uint(json, "index", event->index);
		json_uint(json, "m", event->m);
		json_uint(json, "k", event->k);
		json_uint(json, "n", event->n);
		json_uint(json, "group", event->group);
	}
	json_close(json, '}');
	json_close(json, '}');
}

static void time_out(struct chrome_trace *trace, const struct trace_event *event)
{
	struct chrome_submission *s = find(trace, event);

	trace->timeouts++;
	put_instant(trace, "hang", event);
	if (s)
		end_submission(trace, s, event->time_ns, "timed out");
}

/* ---- All of it ------------------------------------------------------------------------- */

void chrome_trace_begin(struct chrome_trace *trace, FILE *file)
{
	memset(trace, 0, sizeof(*trace));
	trace->json.file = file;
	json_open(&trace->json, NULL, '{');
	json_string(&trace->json, "displayTimeUnit", "ns");
	json_open(&trace->json, "traceEvents", '[');
}

int chrome_trace_add(struct chrome_trace *trace, const struct trace_event *event)
{
	if (event->kind == TRACE_LOST) {
		trace->lost += event->lost;
		return 0;
	}
	if (event->time_ns > trace->last_ns)
		trace->last_ns = event->time_ns;
	switch (event->kind) {
	case TRACE_SUBMIT:
		device_of(trace, event->dev);
		return submit(trace, event);
	case TRACE_JOB_START:
		start(trace, event);
		break;
	case TRACE_JOB_DONE:
		done(trace, event);
		break;
	case TRACE_TIMEOUT:
		time_out(trace, event);
		break;
	default:
		put_instant(trace, "reset", event);
		break;
	}
	return 0;
}

void chrome_trace_end(struct chrome_trace *trace)
{
	struct json *json = &trace->json;

	while (trace->open_count)
		end_submission(trace, trace->open, trace->last_ns, "not seen to end");
	json_close(json, ']');
	json_open(json, "otherData", '{');
	json_string(json, "clock", "CLOCK_MONOTONIC");
	json_uint(json, "lost_events", trace->lost);
	json_close(json, '}');
	json_end(json, '}');
	free(trace->open);
	free(trace->pids);
}
