// SPDX-License-Identifier: MIT
/*
 * Fails single allocations through /proc/thread-self/fail-nth, which is there whatever the
 * probabilities in debugfs are; these only say which kinds of allocation count.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "driver.h"
#include "injection.h"

#define DEBUGFS "/sys/kernel/debug/"

static int fail_nth = -1;

/* Allocations that may sleep count, too, and single pages; nothing is logged for each. */
static int choose_kinds(void)
{
	static const char *const settings[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (driver_write(settings[i][0], settings[i][1]))
			return -1;
	return 0;
}

int injection_open(void)
{
	if (choose_kinds())
		return -1;
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_nth < 0 ? -1 : 0;
}

void injection_close(void)
{
	close(fail_nth);
	fail_nth = -1;
}

/* ---- By call stack --------------------------------------------------------------------- */

struct range {
	unsigned long begin, end;
};

/* A function ends where the next one begins; what is between them is never executed. */
static struct range find_function(const char *name)
{
	struct range found = { 0, ~0UL };
	char line[512], symbol[256];
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long at;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %*c %255s", &at, symbol) == 2 && !strcmp(symbol, name))
			found.begin = at;
	if (f)
		rewind(f);
	while (f && found.begin && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx", &at) == 1 && at > found.begin && at < found.end)
			found.end = at;
	if (f)
		fclose(f);
	return found;
}

static int set_number(const char *name, unsigned long value)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	char path[64], text[24];
	size_t i;

	snprintf(text, sizeof(text), "%#lx", value);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s/%s", kinds[i], name);
		if (driver_write(path, text))
			return -1;
	}
	return 0;
}

static int set_ranges(const struct range *require, const struct range *reject, unsigned int depth)
{
	if (set_number("stacktrace-depth", depth) || set_number("require-start", require->begin) ||
	    set_number("require-end", require->end) || set_number("reject-start", reject->begin) ||
	    set_number("reject-end", reject->end))
		return -1;
	return 0;
}

int injection_within(const char *function, const char *except, unsigned int depth)
{
	const struct range require = find_function(function), reject = find_function(except);

	if (!require.begin || !reject.begin)
		return -1;
	return set_ranges(&require, &reject, depth);
}

void injection_anywhere(void)
{
	const struct range all = { 0, ~0UL }, none = { 0, 0 };

	assert_int_equal(set_ranges(&all, &none, 32), 0);
}

/* ---------------------------------------------------------------------------------------- */

static void set(const char *text)
{
	assert_int_equal(pwrite(fail_nth, text, strlen(text), 0), strlen(text));
}

void injection_arm(unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	set(text);
}

int injection_disarm(void)
{
	char text[16] = { 0 };
	ssize_t got = pread(fail_nth, text, sizeof(text) - 1, 0);

	set("0");
	assert_true(got > 0);
	return strtoul(text, NULL, 10) == 0;
}
