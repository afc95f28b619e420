// SPDX-License-Identifier: MIT
/* Under which conditions something is measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "conditions.h"
#include "npu.h"
#include "sysfs.h"

#define CPUFREQ "/sys/devices/system/cpu/cpu%ld/cpufreq"

/* What /proc/cpuinfo calls the model, where it does: x86 and others, but not arm64. */
static void take_processor(const char *root, struct conditions *c)
{
	static const char *const keys[] = { "model name", "uarch", "cpu model", "Hardware" };
	char text[4096];

	if (sysfs_read(text, sizeof(text), "%s/proc/cpuinfo", root) <= 0)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = strstr(text, keys[i]);

		if (!at)
			continue;
		at += strcspn(at, ":\n");
		at += strspn(at, ": \t");
		snprintf(c->processor, sizeof(c->processor), "%.*s", (int)strcspn(at, "\n"), at);
		return;
	}
}

static void take_board(const char *root, struct conditions *c)
{
	if (sysfs_read(c->board, sizeof(c->board), "%s/sys/firmware/devicetree/base/model", root) >
	    0)
		return;
	if (sysfs_read(c->board, sizeof(c->board), "%s/sys/firmware/devicetree/base/compatible",
		       root) > 0)
		return;
	sysfs_read(c->board, sizeof(c->board), "%s/sys/class/dmi/id/product_name", root);
}

static void take_clocks(const char *root, struct conditions *c)
{
	char governor[sizeof(c->governor)];

	for (long cpu = 0; cpu < c->processors; cpu++) {
		if (sysfs_read(governor, sizeof(governor), "%s" CPUFREQ "/scaling_governor", root,
			       cpu) <= 0)
			continue;
		if (!c->governor[0])
			strcpy(c->governor, governor);
		else if (strcmp(c->governor, governor))
			strcpy(c->governor, "mixed");
	}
	c->cpu_hz = sysfs_number("%s" CPUFREQ "/scaling_cur_freq", root, 0L) * 1000;
	c->cpu_max_hz = sysfs_number("%s" CPUFREQ "/cpuinfo_max_freq", root, 0L) * 1000;
}

void conditions_take(const char *root, struct conditions *c)
{
	struct utsname name = { 0 };
	char load[64];

	memset(c, 0, sizeof(*c));
	uname(&name);
	snprintf(c->kernel, sizeof(c->kernel), "%s", name.release);
	snprintf(c->machine, sizeof(c->machine), "%s", name.machine);
	c->processors = sysconf(_SC_NPROCESSORS_ONLN);
	take_processor(root, c);
	take_board(root, c);
	take_clocks(root, c);
	if (sysfs_read(load, sizeof(load), "%s/proc/loadavg", root) > 0)
		c->load = strtod(load, NULL);
	sysfs_read(c->module, sizeof(c->module), "%s/sys/module/npu/srcversion", root);
}

void conditions_print(const struct conditions *c)
{
	printf("library    %s\n", npu_version());
	printf("kernel     Linux %s, %s%s%s\n", c->kernel, c->machine,
	       c->module[0] ? ", npu.ko source " : "", c->module);
	if (c->board[0])
		printf("machine    %s\n", c->board);
	printf("processor  %s%s%ld online", c->processor, c->processor[0] ? ", " : "",
	       c->processors);
	if (c->cpu_hz)
		printf(", %.0f of %.0f MHz", (double)c->cpu_hz * 1e-6,
		       (double)c->cpu_max_hz * 1e-6);
	printf(", %s%s\n", c->governor[0] ? "governor " : "no frequency scaling", c->governor);
	printf("load       %.2f over the last minute\n", c->load);
}

void conditions_json(struct json *json, const struct conditions *c)
{
	json_string(json, "library", npu_version());
	json_string(json, "kernel", c->kernel);
	json_string(json, "machine", c->machine);
	json_string(json, "board", c->board);
	json_string(json, "processor", c->processor);
	json_int(json, "processors", c->processors);
	json_string(json, "governor", c->governor);
	json_uint(json, "cpu_hz", c->cpu_hz);
	json_uint(json, "cpu_max_hz", c->cpu_max_hz);
	json_float(json, "load", c->load);
	json_string(json, "module_source", c->module);
}
