// SPDX-License-Identifier: MIT
/* Shows measurements: as a table, as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "bench_report.h"

/* ---- Text ------------------------------------------------------------------------------ */

static void print_device(const struct npu_device_info *info)
{
	printf("device     ");
	device_print(info);
	if (!info->node[0])
		printf("           %u thread%s\n", info->threads, info->threads == 1 ? "" : "s");
	else if (info->clock_hz)
		printf("           %.1f MHz, at most %.2f GOPS and %.2f GB/s\n",
		       (double)info->clock_hz * 1e-6,
		       2e-9 * info->macs_per_cycle * (double)info->clock_hz,
		       1e-9 * info->bus_bytes_per_cycle * (double)info->clock_hz);
}

void bench_print_head(const struct bench_report *report)
{
	conditions_print(report->conditions);
	for (size_t i = 0; i < report->device_count; i++)
		print_device(&report->devices[i].info);
	putchar('\n');
}

/* "nvdla", or "cpu:2". */
static const char *short_name(const struct npu_device_info *info, char name[16])
{
	if (info->node[0])
		snprintf(name, 16, "%.15s", info->backend);
	else
		snprintf(name, 16, "cpu:%u", info->threads % 1000);
	return name;
}

/* Three digits and more, over eight powers of ten. */
static void print_us(uint64_t ns)
{
	printf(" %7.*f", ns < 100000 ? 1 : 0, (double)ns * 1e-3);
}

static void print_engine(const struct npu_device_info *info, const struct measurement *m)
{
	double cycles = bench_cycles(m, info->clock_hz);

	if (!m->engine_ns)
		return;
	if (cycles > 0 && m->plan.limit_cycles)
		printf(" %9.0f %6.1f", cycles, 100 * (double)m->plan.limit_cycles / cycles);
	else
		printf(" %9s %6s", "-", "-");
	printf(" %5.1f", 100 * bench_busy(m));
}

static void print_row(const struct bench_report *report, size_t i)
{
	const struct npu_device_info *info = &report->devices[i % report->device_count].info;
	const struct shape *shape = &report->shapes[i / report->device_count];
	const struct measurement *m = &report->results[i];
	char text[40], name[16];

	snprintf(text, sizeof(text), "%u x %u x %u", shape->m, shape->k, shape->n);
	printf("%-18s %-6s", i % report->device_count ? "" : text, short_name(info, name));
	print_us(m->latency.min);
	print_us(m->latency.p50);
	print_us(m->latency.p90);
	print_us(m->latency.p99);
	print_us(m->latency.max);
	printf(" %9.1f %7.2f %6.2f", m->streamed / m->seconds, bench_gops(m), bench_gbytes(m));
	print_engine(info, m);
	putchar('\n');
}

void bench_print_table(const struct bench_report *report)
{
	printf("%-25s %-40s%-25s%s\n", "", " one call, microseconds", "stream", "engine");
	printf("%-18s %-6s %7s %7s %7s %7s %7s %9s %7s %6s %9s %6s %5s\n", "M x K x N", "device",
	       "min", "p50", "p90", "p99", "max", "matmul/s", "GOPS", "GB/s", "cycles", "limit%",
	       "busy%");
	for (size_t i = 0; i < report->count; i++)
		print_row(report, i);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static void json_latency(struct json *json, const struct measurement *m)
{
	json_open(json, "latency_ns", '{');
	json_uint(json, "calls", m->calls);
	json_uint(json, "min", m->latency.min);
	json_uint(json, "p50", m->latency.p50);
	json_uint(json, "p90", m->latency.p90);
	json_uint(json, "p99", m->latency.p99);
	json_uint(json, "max", m->latency.max);
	json_float(json, "mean", m->latency.mean);
	json_close(json, '}');
}

static void json_stream(struct json *json, const struct measurement *m)
{
	json_open(json, "stream", '{');
	json_uint(json, "matmuls", m->streamed);
	json_float(json, "seconds", m->seconds);
	json_float(json, "matmuls_per_second", m->streamed / m->seconds);
	json_float(json, "gops", bench_gops(m));
	json_float(json, "gbytes_per_second", bench_gbytes(m));
	json_close(json, '}');
}

static void json_engine(struct json *json, const struct npu_device_info *info,
			const struct measurement *m)
{
	double cycles = bench_cycles(m, info->clock_hz);

	json_open(json, "engine", '{');
	json_uint(json, "jobs", m->plan.jobs);
	json_uint(json, "ns", m->engine_ns);
	json_float(json, "busy", bench_busy(m));
	json_uint(json, "mac_cycles", m->plan.mac_cycles);
	json_uint(json, "bus_cycles", m->plan.bus_cycles);
	json_uint(json, "limit_cycles", m->plan.limit_cycles);
	json_uint(json, "planned_cycles", m->plan.stream_cycles);
	if (cycles > 0) {
		json_float(json, "cycles", cycles);
		json_float(json, "utilisation", (double)m->plan.limit_cycles / cycles);
	}
	json_close(json, '}');
}

static void json_result(struct json *json, const struct bench_report *report, size_t i)
{
	const struct npu_device_info *info = &report->devices[i % report->device_count].info;
	const struct measurement *m = &report->results[i];
	char checksum[20];

	json_open(json, NULL, '{');
	json_uint(json, "m", m->plan.m);
	json_uint(json, "k", m->plan.k);
	json_uint(json, "n", m->plan.n);
	json_uint(json, "device", i % report->device_count);
	json_string(json, "backend", info->backend);
	json_float(json, "operations_per_byte", bench_intensity(m));
	json_latency(json, m);
	json_stream(json, m);
	if (m->engine_ns)
		json_engine(json, info, m);
	snprintf(checksum, sizeof(checksum), "%016" PRIx64, m->checksum);
	json_string(json, "fnv1a", checksum);
	json_close(json, '}');
}

void bench_json(const struct bench_report *report)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_open(&json, "conditions", '{');
	conditions_json(&json, report->conditions);
	json_close(&json, '}');
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < report->device_count; i++) {
		json_open(&json, NULL, '{');
		device_json(&json, &report->devices[i].info);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "results", '[');
	for (size_t i = 0; i < report->count; i++)
		json_result(&json, report, i);
	json_close(&json, ']');
	json_end(&json, '}');
}
