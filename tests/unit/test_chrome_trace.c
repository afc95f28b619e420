// SPDX-License-Identifier: MIT
/*
 * From what tracefs writes to what Perfetto reads: lines of the trace are told apart and taken
 * apart, and events become jobs and submissions with a beginning and an end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/chrome_trace.h"

static void lines(void **state)
{
	struct trace_event e;

	(void)state;
	assert_true(
		trace_event_parse("         npu-run-123     [001] .....    12.000678: npu_submit: "
				  "dev=c100000.npu client=4 ctx=2 seqno=77 jobs=3 bos=5",
				  &e));
	assert_int_equal(e.kind, TRACE_SUBMIT);
	assert_int_equal(e.time_ns, 12000678000);
	assert_int_equal(e.pid, 123);
	assert_string_equal(e.command, "npu-run");
	assert_string_equal(e.dev, "c100000.npu");
	assert_int_equal(e.client, 4);
	assert_int_equal(e.ctx, 2);
	assert_int_equal(e.seqno, 77);
	assert_int_equal(e.jobs, 3);
	assert_int_equal(e.bos, 5);

	/* Names of tasks can look like something else. */
	assert_true(
		trace_event_parse(" a-1 [0] b: c-98 [000] d.h1. 1.5: npu_job_done: "
				  "dev=0000:00:04.0 client=1 ctx=0 seqno=2 index=9 engine_ns=12345",
				  &e));
	assert_int_equal(e.kind, TRACE_JOB_DONE);
	assert_int_equal(e.time_ns, 1500000000);
	assert_int_equal(e.pid, 98);
	assert_string_equal(e.command, "a-1 [0] b: c");
	assert_string_equal(e.dev, "0000:00:04.0");
	assert_int_equal(e.index, 9);
	assert_int_equal(e.engine_ns, 12345);

	assert_true(trace_event_parse("x-1 [000] 1.000001: npu_job_start: dev=n client=1 ctx=2 "
				      "seqno=3 index=4 group=1 m=5 n=6 k=7",
				      &e));
	assert_int_equal(e.kind, TRACE_JOB_START);
	assert_true(e.group == 1 && e.m == 5 && e.n == 6 && e.k == 7);
	assert_true(trace_event_parse("x-1 [000] 1.000001: npu_reset: dev=n err=-110", &e));
	assert_int_equal(e.kind, TRACE_RESET);
	assert_int_equal(e.error, -110);
	assert_true(trace_event_parse("CPU:3 [LOST 1234 EVENTS]", &e));
	assert_int_equal(e.kind, TRACE_LOST);
	assert_int_equal(e.lost, 1234);
}

static void lines_of_others(void **state)
{
	static const char *const bad[] = {
		"",
		"# tracer: nop",
		"x-1 [000] 1.000001: npu_other: dev=n",
		"x-1 [000] 1.000001: npu_submitted: dev=n",
		"x-1 [000] 1.000001: npu_sub: dev=n",
		"x-1 [000] 1.000001: npu_submit",
		"x-1 [000] npu_submit: dev=n",
		"x-1 [000] : npu_submit: dev=n",
		"x-1 1.000001: npu_submit: dev=n",
		": npu_submit: dev=n",
		"1.5: npu_submit: dev=n",
		"CPU:3 [LOST EVENTS]",
	};
	struct trace_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (trace_event_parse(bad[i], &e))
			fail_msg("'%s' is taken for an event", bad[i]);
}

/* Converts lines; the caller frees the text. It is JSON. */
static char *convert(const char *const *list, struct chrome_trace *trace)
{
	char path[] = "/tmp/test-trace.XXXXXX", command[80];
	FILE *file = fdopen(mkstemp(path), "w+");
	struct trace_event e;
	char *text;
	size_t n;

	assert_non_null(file);
	chrome_trace_begin(trace, file);
	for (; *list; list++) {
		assert_true(trace_event_parse(*list, &e));
		assert_int_equal(chrome_trace_add(trace, &e), 0);
	}
	chrome_trace_end(trace);
	assert_int_equal(fflush(file), 0);
	snprintf(command, sizeof(command), "python3 -m json.tool <%s >/dev/null", path);
	assert_int_equal(system(command), 0);
	text = malloc(65536);
	assert_non_null(text);
	rewind(file);
	n = fread(text, 1, 65535, file);
	text[n] = '\0';
	fclose(file);
	unlink(path);
	return text;
}

static void has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no '%s' in %s", words, text);
}

static unsigned int count(const char *text, const char *words)
{
	unsigned int n = 0;

	for (; (text = strstr(text, words)); text++)
		n++;
	return n;
}

#define JOB "client=4 ctx=2 seqno=77 "

static void a_submission(void **state)
{
	static const char *const list[] = {
		"my app-123 [000] 1.000100: npu_submit: dev=npu0 " JOB "jobs=2 bos=3",
		"x-0 [000] 1.000200: npu_job_start: dev=npu0 " JOB "index=0 group=0 m=16 n=8 k=32",
		"x-0 [000] 1.000300: npu_job_start: dev=npu0 " JOB "index=1 group=1 m=17 n=9 k=33",
		"x-0 [000] 1.000400: npu_job_done: dev=npu0 " JOB "index=0 engine_ns=150500",
		/* Longer than since the one before: that is the clocks' rounding. */
		"x-0 [000] 1.000500: npu_job_done: dev=npu0 " JOB "index=1 engine_ns=100500",
		NULL,
	};
	struct chrome_trace trace;
	char *text;

	(void)state;
	text = convert(list, &trace);
	assert_int_equal(trace.submissions, 1);
	assert_int_equal(trace.jobs, 2);
	has(text, "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 8388608, \"tid\": 0, "
		  "\"args\": {\"name\": \"NPU npu0\"}}");
	has(text, "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 123, \"tid\": 0, "
		  "\"args\": {\"name\": \"my app\"}}");
	has(text, "{\"ph\": \"b\", \"name\": \"submission\", \"pid\": 123, \"tid\": 4, "
		  "\"cat\": \"submission\", \"id\": \"npu0/4/2/77\", \"ts\": 1000100.000, ");
	has(text, "{\"ph\": \"X\", \"name\": \"16 x 32 x 8\", \"pid\": 8388608, \"tid\": 0, "
		  "\"ts\": 1000249.500, \"dur\": 150.500, ");
	has(text, "{\"ph\": \"X\", \"name\": \"17 x 33 x 9\", \"pid\": 8388608, \"tid\": 0, "
		  "\"ts\": 1000400.000, \"dur\": 100.000, ");
	has(text, "\"enabled\": 1000300.000, \"process\": 123");
	has(text, "\"id\": \"npu0/4/2/77\", \"ts\": 1000500.000, "
		  "\"args\": {\"outcome\": \"done\"}}");
	assert_int_equal(count(text, "\"ph\": \"e\""), 1);
	has(text, "\"lost_events\": 0");
	free(text);
}

static void a_hang(void **state)
{
	static const char *const list[] = {
		"a-1 [000] 1.0: npu_submit: dev=npu0 " JOB "jobs=1 bos=3",
		"x-0 [000] 1.1: npu_timeout: dev=npu0 " JOB "index=0 group=0 m=16 n=8 k=32",
		"x-0 [000] 1.2: npu_reset: dev=npu0 err=0",
		NULL,
	};
	struct chrome_trace trace;
	char *text;

	(void)state;
	text = convert(list, &trace);
	assert_int_equal(trace.timeouts, 1);
	has(text, "{\"ph\": \"i\", \"name\": \"hang\", \"pid\": 8388608, ");
	has(text, "\"ts\": 1100000.000, \"args\": {\"outcome\": \"timed out\"}}");
	has(text, "\"name\": \"reset\"");
	assert_int_equal(count(text, "\"ph\": \"e\""), 1);
	free(text);
}

/* A trace that begins late, ends early, and has holes. */
static void half_a_story(void **state)
{
	static const char *const list[] = {
		"x-0 [000] 1.0: npu_job_done: dev=npu0 " JOB "index=3 engine_ns=100",
		"CPU:0 [LOST 5 EVENTS]",
		"a-1 [000] 1.1: npu_submit: dev=npu1 client=1 ctx=1 seqno=1 jobs=2 bos=3",
		"a-1 [000] 1.2: npu_submit: dev=npu1 client=1 ctx=1 seqno=2 jobs=1 bos=3",
		"CPU:1 [LOST 6 EVENTS]",
		"x-0 [000] 1.3: npu_job_done: dev=npu1 client=1 ctx=1 seqno=1 index=0 engine_ns=9",
		NULL,
	};
	struct chrome_trace trace;
	char *text;

	(void)state;
	text = convert(list, &trace);
	assert_int_equal(trace.jobs, 2);
	assert_int_equal(trace.lost, 11);
	has(text, "{\"ph\": \"X\", \"name\": \"job\", \"pid\": 8388608, ");
	has(text, "{\"ph\": \"X\", \"name\": \"job\", \"pid\": 8388609, ");
	has(text, "\"lost_events\": 11");
	/* A process has one name. */
	assert_int_equal(count(text, "\"pid\": 1, \"tid\": 0, \"args\": {\"name\": \"a\"}"), 1);
	assert_int_equal(
		count(text, "\"ts\": 1300000.000, \"args\": {\"outcome\": \"not seen to end\"}"),
		2);
	free(text);
}

static void nothing(void **state)
{
	static const char *const list[] = { NULL };
	struct chrome_trace trace;
	char *text;

	(void)state;
	text = convert(list, &trace);
	has(text, "\"traceEvents\": []");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),	cmocka_unit_test(lines_of_others),
		cmocka_unit_test(a_submission), cmocka_unit_test(a_hang),
		cmocka_unit_test(half_a_story), cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests_name("chrome_trace", tests, NULL, NULL);
}
