// SPDX-License-Identifier: MIT
/*
 * What the system has given away: memory, slab, files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../device/driver.h"
#include "load.h"

enum {
	/* What caches and statistics take in any case. */
	SLACK_KB = 8192,
	/* Each processor counts up to 32 of them for itself. */
	SLACK_FILES = 128
};

static long field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

struct census census_take(void)
{
	static char text[8192];
	struct census c = { 0 };

	/* What is kept only as long as nobody needs the room does not count. */
	sync();
	driver_write("/proc/sys/vm/drop_caches", "3");
	sleep(1);
	driver_write("/proc/sys/vm/drop_caches", "3");
	if (driver_read("/proc/meminfo", text, sizeof(text)) > 0) {
		c.available_kb = field(text, "MemAvailable:");
		c.slab_kb = field(text, "SUnreclaim:");
	}
	if (driver_read("/proc/sys/fs/file-nr", text, sizeof(text)) > 0)
		c.files = strtol(text, NULL, 10);
	return c;
}

int census_compare(const struct census *start, const struct census *end)
{
	printf("memory available %ld kB, was %ld; slab %ld kB, was %ld; files %ld, was %ld\n",
	       end->available_kb, start->available_kb, end->slab_kb, start->slab_kb, end->files,
	       start->files);
	return end->available_kb + SLACK_KB >= start->available_kb &&
	       end->slab_kb <= start->slab_kb + SLACK_KB &&
	       end->files <= start->files + SLACK_FILES;
}
