// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>

#include "table.h"

/* What follows @key in the first line of @path that begins with it; "unknown" without. */
static void read_line(const char *path, const char *key, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[256];

	snprintf(text, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		const char *value = line + strlen(key);

		if (strncmp(line, key, strlen(key)))
			continue;
		snprintf(text, size, "%s", value + strspn(value, " \t:"));
		text[strcspn(text, "\n")] = '\0';
		break;
	}
	if (file)
		fclose(file);
}

void table_conditions(const struct contender *const *contenders, size_t count, bool json)
{
	const char *thp = "/sys/kernel/mm/transparent_hugepage/enabled";
	char cpu[128], governor[64], huge[64], text[128];
	double load = -1;
	struct utsname os;

	read_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", governor,
		  sizeof(governor));
	read_line(thp, "", huge, sizeof(huge));
	getloadavg(&load, 1);
	uname(&os);
	printf(json ? "{\"bench\":\"cpu\",\"cpu\":\"%s\",\"processors\":%ld,\"governor\":\"%s\","
		      "\"huge_pages\":\"%s\",\"load\":%.2f,\"kernel\":\"%s\",\"compiler\":\"%s\""
		    : "CPU %s, %ld processors, governor %s, huge pages %s\n"
		      "load average %.2f, Linux %s, compiled with %s\n",
	       cpu, sysconf(_SC_NPROCESSORS_ONLN), governor, huge, load, os.release, __VERSION__);
	for (size_t i = 0; i < count; i++) {
		contenders[i]->describe(text, sizeof(text));
		printf(json ? ",\"%s\":\"%s\"" : "%s: %s\n", contenders[i]->name, text);
	}
	if (json)
		puts("}");
	else
		printf("In turns, %d of each (%d of what takes long), the best and the median in "
		       "microseconds of one run:\nprocessor time of one thread, real time of two. "
		       "x: time over the first's, of the best and of the\nmedians; above 1 the first is "
		       "faster. !: computes another result.\n",
		       MATCH_ROUNDS, MATCH_ROUNDS_LONG);
}

void table_begin(const struct table *table)
{
	if (table->json)
		return;
	printf("\n%s\nthreads %17s", table->title, "M x K x N");
	for (size_t i = 0; i < table->count; i++)
		printf("  %10s    median%s", table->contenders[i]->name, i ? "     x     x" : "");
	putchar('\n');
}

static void line_text(const struct table *table, const struct problem *p,
		      const struct timing *timing)
{
	char shape[40];

	snprintf(shape, sizeof(shape), "%u x %u x %u", p->m, p->k, p->n);
	printf("%7u %17s", p->threads, shape);
	for (size_t i = 0; i < table->count; i++) {
		if (!timing[i].solved) {
			printf("  %10s  %8s", "-", "-");
			continue;
		}
		printf("  %10.1f%c %8.1f", timing[i].best, timing[i].exact ? ' ' : '!',
		       timing[i].median);
		if (i)
			printf("  %4.2f  %4.2f", timing[i].best / timing[0].best,
			       timing[i].median / timing[0].median);
	}
	putchar('\n');
}

static void line_json(const struct table *table, const struct problem *p,
		      const struct timing *timing)
{
	printf("{\"bench\":\"cpu_%s\",\"threads\":%u,\"m\":%u,\"k\":%u,\"n\":%u", table->key,
	       p->threads, p->m, p->k, p->n);
	for (size_t i = 0; i < table->count; i++)
		if (timing[i].solved)
			printf(",\"%s\":{\"best_us\":%.2f,\"median_us\":%.2f,\"exact\":%s}",
			       table->contenders[i]->name, timing[i].best, timing[i].median,
			       timing[i].exact ? "true" : "false");
	puts("}");
}

void table_line(const struct table *table, const struct problem *problem,
		const struct timing *timing)
{
	if (table->json)
		line_json(table, problem, timing);
	else
		line_text(table, problem, timing);
	fflush(stdout);
}
