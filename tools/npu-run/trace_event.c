// SPDX-License-Identifier: MIT
/* An event of the kernel driver, as tracefs writes it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_event.h"

static const struct {
	const char *name;
	enum trace_kind kind;
} kinds[] = {
	{ "npu_submit", TRACE_SUBMIT },	    { "npu_job_start", TRACE_JOB_START },
	{ "npu_job_done", TRACE_JOB_DONE }, { "npu_timeout", TRACE_TIMEOUT },
	{ "npu_reset", TRACE_RESET },
};

/* The text behind " KEY="; NULL if there is none. */
static const char *find(const char *fields, const char *key)
{
	char pattern[24];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", key);
	at = strstr(fields, pattern);
	return at ? at + strlen(pattern) : NULL;
}

static uint64_t number(const char *fields, const char *key)
{
	const char *at = find(fields, key);

	return at ? strtoull(at, NULL, 10) : 0;
}

static void take_fields(const char *fields, struct trace_event *event)
{
	const char *dev = find(fields, "dev");
	const char *error = find(fields, "err");

	if (dev)
		snprintf(event->dev, sizeof(event->dev), "%.*s", (int)strcspn(dev, " \n"), dev);
	event->client = number(fields, "client");
	event->seqno = number(fields, "seqno");
	event->engine_ns = number(fields, "engine_ns");
	event->ctx = (uint32_t)number(fields, "ctx");
	event->jobs = (uint32_t)number(fields, "jobs");
	event->bos = (uint32_t)number(fields, "bos");
	event->index = (uint32_t)number(fields, "index");
	event->group = (uint32_t)number(fields, "group");
	event->m = (uint32_t)number(fields, "m");
	event->n = (uint32_t)number(fields, "n");
	event->k = (uint32_t)number(fields, "k");
	event->error = error ? atoi(error) : 0;
}

/* "12.345678", which ends where the event's name begins. */
static bool take_time(const char *line, const char *end, struct trace_event *event)
{
	unsigned long long seconds, fraction;
	const char *at = end;
	int digits;

	while (at > line && (isdigit((unsigned char)at[-1]) || at[-1] == '.'))
		at--;
	if (sscanf(at, "%llu.%n%llu", &seconds, &digits, &fraction) != 2)
		return false;
	for (digits = (int)(end - at) - digits; digits < 9; digits++)
		fraction *= 10;
	event->time_ns = seconds * 1000000000u + fraction;
	return digits == 9;
}

/* "  some name-123   [000] ": a name may have anything in it, the number ends before the bracket.
 */
static bool take_task(const char *line, const char *end, struct trace_event *event)
{
	const char *bracket, *next = line, *dash;
	size_t length;

	for (bracket = NULL; (next = strstr(next, " [")) && next < end; next++)
		bracket = next;
	if (!bracket)
		return false;
	for (dash = bracket; dash > line && *dash != '-'; dash--)
		;
	line += strspn(line, " ");
	if (*dash != '-' || dash <= line)
		return false;
	event->pid = atoi(dash + 1);
	length = (size_t)(dash - line);
	snprintf(event->command, sizeof(event->command), "%.*s",
		 (int)(length < sizeof(event->command) ? length : sizeof(event->command) - 1),
		 line);
	return true;
}

bool trace_event_parse(const char *line, struct trace_event *event)
{
	const char *name = strstr(line, ": npu_"), *colon;
	unsigned long long lost;

	memset(event, 0, sizeof(*event));
	if (sscanf(line, "CPU:%*u [LOST %llu EVENTS]", &lost) == 1) {
		event->kind = TRACE_LOST;
		event->lost = lost;
		return true;
	}
	colon = name ? strchr(name + 2, ':') : NULL;
	if (!colon || !take_time(line, name, event) || !take_task(line, name, event))
		return false;
	name += 2;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != (size_t)(colon - name) ||
		    strncmp(name, kinds[i].name, (size_t)(colon - name)))
			continue;
		event->kind = kinds[i].kind;
		take_fields(colon + 1, event);
		return true;
	}
	return false;
}
