// SPDX-License-Identifier: MIT
/* Reports, for people and for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/utsname.h>

#include "bench.h"

void report_add(struct report *report, const char *key, const char *name, double value,
		double target)
{
	report_predicted(report, key, name, value, target, 0);
}

void report_predicted(struct report *report, const char *key, const char *name, double value,
		      double target, double predicted)
{
	report->figure[report->count++] = (struct figure){ name, key, value, target, predicted };
}

static void print_text(const struct report *report, const struct utsname *os)
{
	printf("%s: %s, Linux %s %s, %ld processor(s)", report->title, report->unit, os->machine,
	       os->release, sysconf(_SC_NPROCESSORS_ONLN));
	if (report->clock_hz)
		printf(", NPU at %.1f MHz", (double)report->clock_hz / 1e6);
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		const struct figure *figure = &report->figure[i];

		printf("  %-40s %10.0f", figure->name, figure->value);
		if (figure->target)
			printf("   target %8.0f   ratio %.3f", figure->target,
			       figure->value / figure->target);
		if (figure->predicted)
			printf("   predicted %8.0f   %+.1f %%", figure->predicted,
			       100 * (figure->predicted / figure->value - 1));
		putchar('\n');
	}
}

static void print_json(const struct report *report, const struct utsname *os)
{
	printf("{\"bench\":\"%s\",\"unit\":\"%s\",\"machine\":\"%s\",\"kernel\":\"%s\","
	       "\"processors\":%ld,\"clock_hz\":%" PRIu64 ",\"figures\":{",
	       report->title, report->unit, os->machine, os->release, sysconf(_SC_NPROCESSORS_ONLN),
	       report->clock_hz);
	for (size_t i = 0; i < report->count; i++) {
		const struct figure *figure = &report->figure[i];

		printf("%s\"%s\":{\"value\":%.1f", i ? "," : "", figure->key, figure->value);
		if (figure->target)
			printf(",\"target\":%.1f,\"ratio\":%.4f", figure->target,
			       figure->value / figure->target);
		if (figure->predicted)
			printf(",\"predicted\":%.1f", figure->predicted);
		putchar('}');
	}
	puts("}}");
}

void report_print(const struct report *report, bool json)
{
	struct utsname os;

	uname(&os);
	if (json)
		print_json(report, &os);
	else
		print_text(report, &os);
}
