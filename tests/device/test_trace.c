// SPDX-License-Identifier: MIT
/*
 * A job's life as trace events: each is there, in order, and names the same submission.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "board_control.h"
#include "drm_node.h"

#define MAX_EVENTS 64

/**
 * struct event - one line of the trace
 * @name: Event.
 * @args: Its fields, as text.
 */
struct event {
	char name[32];
	char args[160];
};

static const char *tracefs(void)
{
	static const char *const folders[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[80];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/events/npu/enable", folders[i]);
		if (!access(path, W_OK))
			return folders[i];
	}
	return NULL;
}

static void trace_write(const char *folder, const char *name, const char *text)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void trace_start(const char *folder)
{
	trace_write(folder, "trace", "");
	trace_write(folder, "events/npu/enable", "1");
}

static unsigned int trace_stop(const char *folder, struct event *events)
{
	char path[80], line[512];
	unsigned int n = 0;
	char *at;
	FILE *f;

	trace_write(folder, "events/npu/enable", "0");
	snprintf(path, sizeof(path), "%s/trace", folder);
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < MAX_EVENTS && fgets(line, sizeof(line), f)) {
		at = strstr(line, ": npu_");
		if (line[0] != '#' && at &&
		    sscanf(at, ": %31[^:]: %159[^\n]", events[n].name, events[n].args) == 2)
			n++;
	}
	fclose(f);
	return n;
}

static unsigned long long number(const struct event *event, const char *key)
{
	char pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", key);
	at = strstr(event->args, pattern);
	if (!at)
		fail_msg("%s has no %s: %s", event->name, key, event->args);
	return strtoull(at + strlen(pattern), NULL, 10);
}

/* The first event of that name and job index behind @from. */
static unsigned int find(const struct event *events, unsigned int n, unsigned int from,
			 const char *name, unsigned int index)
{
	for (; from < n; from++)
		if (!strcmp(events[from].name, name) && number(&events[from], "index") == index)
			return from;
	fail_msg("no event %s of job %u at its place", name, index);
	return n;
}

static void check_name(const struct event *event, const struct event *submit)
{
	assert_int_equal(number(event, "client"), number(submit, "client"));
	assert_int_equal(number(event, "ctx"), number(submit, "ctx"));
	assert_int_equal(number(event, "seqno"), number(submit, "seqno"));
	assert_memory_equal(event->args, submit->args, strcspn(submit->args, " "));
}

static void life_of_a_submission(void **state)
{
	enum {
		JOBS = 3
	};
	const char *folder = tracefs();
	struct drm_npu_ctx_create ctx = { 0 };
	struct drm_npu_job_matmul jobs[JOBS];
	struct event events[MAX_EVENTS];
	struct node node;
	struct node_bo bos[3];
	unsigned int i, n, start, done;
	uint32_t sync;

	(void)state;
	if (!folder)
		skip();
	node_open(&node);
	node_bos_create(&node, bos, 3, 65536);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);
	for (i = 0; i < JOBS; i++)
		jobs[i] = node_job(&node, 16 + i, 24, 40, &bos[0], &bos[1], &bos[2]);
	trace_start(folder);
	assert_int_equal(node_submit_sync(&node, ctx.id, jobs, JOBS, &sync), 0);
	assert_int_equal(node_finish(&node, sync), 0);
	n = trace_stop(folder, events);

	assert_int_equal(n, 1 + 2 * JOBS);
	assert_string_equal(events[0].name, "npu_submit");
	assert_int_equal(number(&events[0], "ctx"), ctx.id);
	assert_int_equal(number(&events[0], "jobs"), JOBS);
	assert_int_equal(number(&events[0], "bos"), 3);
	for (i = 0; i < JOBS; i++) {
		start = find(events, n, 1, "npu_job_start", i);
		check_name(&events[start], &events[0]);
		assert_int_equal(number(&events[start], "m"), 16 + i);
		assert_int_equal(number(&events[start], "n"), 24);
		assert_int_equal(number(&events[start], "k"), 40);
		assert_int_equal(number(&events[start], "group"),
				 (number(&events[1], "group") + i) % 2);
		done = find(events, n, start + 1, "npu_job_done", i);
		check_name(&events[done], &events[0]);
		assert_true(number(&events[done], "engine_ns") > 0);
	}
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

static void life_of_a_hang(void **state)
{
	struct board_control *board = board_control_open();
	const char *folder = tracefs();
	struct event events[MAX_EVENTS];
	struct drm_npu_job_matmul job;
	struct node node;
	struct node_bo bos[3];
	unsigned int n;

	(void)state;
	node_open(&node);
	if (!folder || !board || !(node.info.caps & DRM_NPU_CAP_RESET)) {
		node_close(&node);
		board_control_close(board);
		skip();
	}
	node_bos_create(&node, bos, 3, 4096);
	job = node_job(&node, 16, 16, 16, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(board_control_inject(board, "hang:1"), 0);
	trace_start(folder);
	assert_int_equal(node_run(&node, &job, 1), -ETIMEDOUT);
	n = trace_stop(folder, events);
	assert_int_equal(n, 4);
	assert_string_equal(events[0].name, "npu_submit");
	assert_string_equal(events[1].name, "npu_job_start");
	assert_string_equal(events[2].name, "npu_timeout");
	check_name(&events[2], &events[0]);
	assert_string_equal(events[3].name, "npu_reset");
	assert_non_null(strstr(events[3].args, " err=0"));
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
	board_control_close(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_submission),
		cmocka_unit_test(life_of_a_hang),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
