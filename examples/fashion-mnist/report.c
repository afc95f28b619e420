// SPDX-License-Identifier: MIT
/* The table, or the JSON object, that the example ends with. */
#include <inttypes.h>
#include <stdio.h>

#include "report.h"

uint64_t report_checksum(const void *data, size_t bytes)
{
	const uint8_t *byte = data;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3u;
	return hash;
}

static double percent(const struct report *report, size_t count)
{
	return 100.0 * (double)count / (double)report->images;
}

/* Engine time in cycles of its clock; 0 where there is no engine or its clock is unknown. */
static uint64_t cycles(const struct report *report)
{
	return (uint64_t)((double)report->work.engine_ns * 1e-9 * (double)report->device.clock_hz);
}

/* Share of the multiply-accumulates that the engine could have done in its time, in percent. */
static double utilisation(const struct report *report)
{
	return 100.0 * (double)report->work.macs /
	       ((double)cycles(report) * report->device.macs_per_cycle);
}

static double images_per_second(const struct report *report)
{
	return (double)report->images / report->work.seconds;
}

static double engine_images_per_second(const struct report *report)
{
	return (double)report->images / ((double)report->work.engine_ns * 1e-9);
}

static void print_engine(const struct report *report)
{
	const struct network_work *work = &report->work;

	if (!work->engine_ns)
		return;
	printf("  engine only      %.0f images/s\n", engine_images_per_second(report));
	printf("  jobs             %" PRIu64 ", and %" PRIu64 " steps on the CPU\n", work->jobs,
	       work->host_steps);
	if (!cycles(report))
		return;
	printf("  device cycles    %" PRIu64 " at %.1f MHz\n", cycles(report),
	       (double)report->device.clock_hz * 1e-6);
	printf("  physical limit   %" PRIu64 " cycles, so %.1f %% of the possible speed\n",
	       work->limit_cycles, 100.0 * (double)work->limit_cycles / (double)cycles(report));
	printf("  MAC utilisation  %.1f %% of %u a cycle\n", utilisation(report),
	       report->device.macs_per_cycle);
}

void report_print_text(const struct report *report)
{
	const struct npu_device_info *device = &report->device;

	printf("  device           %s %s%s%s\n", device->backend, device->name,
	       device->node[0] ? ", " : "", device->node);
	printf("  images           %zu in batches of %u\n", report->images, report->batch);
	printf("  float top-1      %.2f %%, computed on the CPU\n",
	       percent(report, report->float_right));
	printf("  int8 top-1       %.2f %%\n", percent(report, report->int8_right));
	printf("  agreement        %.2f %%\n", percent(report, report->agree));
	printf("  speed            %.0f images/s\n", images_per_second(report));
	print_engine(report);
	printf("  logits           fnv1a-64 %016" PRIx64 "\n", report->checksum);
}

/* @device's strings come from the library and hold no character that JSON would escape. */
void report_print_json(const struct report *report)
{
	const struct network_work *work = &report->work;

	printf("{\"backend\": \"%s\", \"device\": \"%s\", \"images\": %zu, \"batch\": %u, ",
	       report->device.backend, report->device.name, report->images, report->batch);
	printf("\"float_top1\": %.4f, \"int8_top1\": %.4f, \"agreement\": %.4f, ",
	       percent(report, report->float_right) / 100.0,
	       percent(report, report->int8_right) / 100.0, percent(report, report->agree) / 100.0);
	printf("\"images_per_second\": %.1f, \"macs\": %" PRIu64 ", ", images_per_second(report),
	       work->macs);
	if (work->engine_ns)
		printf("\"jobs\": %" PRIu64 ", \"host_steps\": %" PRIu64 ", \"engine_ns\": %" PRIu64
		       ", \"engine_images_per_second\": %.1f, ",
		       work->jobs, work->host_steps, work->engine_ns,
		       engine_images_per_second(report));
	if (cycles(report))
		printf("\"cycles\": %" PRIu64 ", \"limit_cycles\": %" PRIu64
		       ", \"mac_utilisation\": %.4f, ",
		       cycles(report), work->limit_cycles, utilisation(report) / 100.0);
	printf("\"logits_fnv1a_64\": \"%016" PRIx64 "\"}\n", report->checksum);
}
