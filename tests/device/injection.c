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
