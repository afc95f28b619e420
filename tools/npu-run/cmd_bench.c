// SPDX-License-Identifier: MIT
/* npu-run bench: how long multiplications take, and how far that is from what the engine can do. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_chart.h"
#include "bench_report.h"
#include "conditions.h"
#include "interrupt.h"
#include "options.h"
#include "save.h"

static const char help[] =
	"Usage: npu-run bench [OPTION]... [M K N]...\n"
	"Measures int8 multiplications C[M,N] = A[M,K] x W[N,K]^T: how long a call takes, how many\n"
	"get done, and how close the engine comes to its limit. Without shapes it takes six that\n"
	"networks have.\n"
	"\n"
	"  -d, --device=DEVICE,...\n"
	"                         devices side by side, each a node, cpu, cpu:N or cpu:all;\n"
	"                         otherwise the first NPU, and cpu:all beside it\n"
	"  -n, --count=COUNT      calls of each measurement; otherwise as many as take a second\n"
	"  -w, --warm-up=COUNT    calls before the first that counts (3)\n"
	"  -s, --seconds=SECONDS  length of a measurement without --count (1)\n"
	"  -c, --chart            draw a roofline chart behind the table\n"
	"  -g, --svg=FILE         write that chart as an SVG file\n"
	"  -j, --json             print the result as one JSON object\n"
	"  -h, --help             print this text\n"
	"  -V, --version          print the version\n"
	"\n"
	"Example: npu-run bench 64 256 64 1 1024 1024 --device /dev/accel/accel0,cpu:all\n"
	"\n"
	"The exit status is 0, 1 (devices disagree about a result), 2 (command line), 3 (device),\n"
	"4 (file) or 130 (interrupted; what was measured is shown, but not in a file).\n";

#define DEFAULT_WARM_UP 3
#define DEFAULT_SECONDS 1

#define MAX_DEVICES 8
#define MAX_SHAPES 64

/* No matrix of such sides is measured in reasonable time; more is a slip of the finger. */
#define MAX_SIDE (1 << 20)

/* A vector, few rows, tiles that fit the engine's buffer, and large ones. */
static const struct shape usual_shapes[] = {
	{ 1, 1024, 1024 }, { 16, 1024, 256 }, { 64, 256, 64 },
	{ 128, 512, 128 }, { 784, 72, 16 },   { 128, 1024, 1024 },
};

struct bench_options {
	struct common_options common;
	struct effort effort;
	const char *devices[MAX_DEVICES];
	size_t device_count;
	struct shape shapes[MAX_SHAPES];
	size_t shape_count;
	bool chart;
	const char *svg;
};

/* Takes a list of devices apart, where it is. */
static bool take_devices(const char *who, char *list, struct bench_options *options)
{
	char *name;

	while ((name = strsep(&list, ","))) {
		if (!*name) {
			complain(who, "--device has an empty name: give names with one comma "
				      "between them");
			return false;
		}
		if (options->device_count == MAX_DEVICES) {
			complain(who, "--device is up to %d devices with commas between them",
				 MAX_DEVICES);
			return false;
		}
		options->devices[options->device_count++] = name;
	}
	return true;
}

static bool take_count(const char *who, const char *option, int64_t min, uint32_t *count)
{
	int64_t value = 0;
	bool ok = option_integer(who, option, optarg, min, 10000000, &value);

	*count = (uint32_t)value;
	return ok;
}

static bool take_seconds(const char *who, double *seconds)
{
	float value;

	if (!option_float(who, "--seconds", optarg, &value))
		return false;
	if (value <= 0 || value > 3600) {
		complain(who, "--seconds is above 0 and at most 3600, not '%s'", optarg);
		return false;
	}
	*seconds = (double)value;
	return true;
}

/* And fills in the time. */
static bool check_options(const char *who, struct bench_options *options)
{
	if (options->chart && options->common.json) {
		complain(who, "--chart and --json exclude each other; --svg goes with both");
		return false;
	}
	if (options->effort.count && options->effort.seconds > 0) {
		complain(who, "--count and --seconds exclude each other");
		return false;
	}
	if (options->effort.seconds <= 0)
		options->effort.seconds = DEFAULT_SECONDS;
	return true;
}

static bool take_shapes(int argc, char **argv, struct bench_options *options)
{
	static const char *const names[] = { "M", "K", "N" };
	int count = argc - optind;

	if (count % 3 || count > 3 * MAX_SHAPES) {
		complain(argv[0], "a shape is three sizes, M K N, and there are at most %d shapes",
			 MAX_SHAPES);
		return false;
	}
	for (int i = 0; i < count; i++) {
		struct shape *shape = &options->shapes[i / 3];
		uint32_t *const sides[] = { &shape->m, &shape->k, &shape->n };
		int64_t value;

		if (!option_integer(argv[0], names[i % 3], argv[optind + i], 1, MAX_SIDE, &value))
			return false;
		*sides[i % 3] = (uint32_t)value;
	}
	options->shape_count = (size_t)count / 3;
	if (!count) {
		memcpy(options->shapes, usual_shapes, sizeof(usual_shapes));
		options->shape_count = sizeof(usual_shapes) / sizeof(usual_shapes[0]);
	}
	return true;
}

static bool parse_options(int argc, char **argv, struct bench_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "warm-up", required_argument, NULL, 'w' },
		{ "seconds", required_argument, NULL, 's' },
		{ "chart", no_argument, NULL, 'c' },
		{ "svg", required_argument, NULL, 'g' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "n:w:s:cg:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'd')
			ok = take_devices(argv[0], optarg, options);
		else if (c == 'n')
			ok = take_count(argv[0], "--count", 1, &options->effort.count);
		else if (c == 'w')
			ok = take_count(argv[0], "--warm-up", 0, &options->effort.warm_up);
		else if (c == 's')
			ok = take_seconds(argv[0], &options->effort.seconds);
		else if (c == 'c')
			options->chart = true;
		else if (c == 'g')
			options->svg = optarg;
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	return check_options(argv[0], options) && take_shapes(argc, argv, options);
}

/* ---- Run ------------------------------------------------------------------------------- */

/* Returns how many are open: all, or those before the one that was complained about. */
static size_t open_devices(const char *who, const struct bench_options *options,
			   struct device devices[MAX_DEVICES])
{
	size_t count = 0;

	while (count < options->device_count) {
		if (device_open(who, options->devices[count], &devices[count]))
			break;
		count++;
	}
	return count;
}

/* Complains if a device has other results than the first one. */
static enum status agree(const char *who, const struct bench_report *report, size_t i)
{
	const struct measurement *m = &report->results[i];
	const struct measurement *first = m - i % report->device_count;

	if (m->checksum == first->checksum)
		return STATUS_OK;
	complain(who, "%u x %u x %u: %s has another result than %s; try npu-run selftest",
		 m->plan.m, m->plan.k, m->plan.n,
		 report->devices[i % report->device_count].info.backend,
		 report->devices[0].info.backend);
	return STATUS_MISMATCH;
}

static void show_progress(const struct bench_report *report, size_t i, size_t total)
{
	const struct shape *shape = &report->shapes[i / report->device_count];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%zu of %zu: %u x %u x %u on %s", i + 1, total, shape->m,
			shape->k, shape->n, report->devices[i % report->device_count].info.backend);
}

/* Measures until something is wrong; report->count tells how far that was. */
static enum status measure_all(const char *who, const struct bench_options *options,
			       struct bench_report *report, struct measurement *results)
{
	const size_t total = options->shape_count * options->device_count;
	enum status status = STATUS_OK;
	struct npu_error err;
	int ret = 0;

	for (size_t i = 0; i < total && status == STATUS_OK; i++) {
		const struct shape *shape = &options->shapes[i / options->device_count];

		show_progress(report, i, total);
		ret = bench_measure(report->devices[i % options->device_count].dev, shape,
				    &options->effort, &results[i], &err);
		if (ret)
			status = ret == -EINTR ? STATUS_INTERRUPTED : STATUS_DEVICE;
		else
			status = agree(who, report, report->count++);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (ret)
		complain(who, "%s", err.text);
	return status;
}

/* Everything that is to be seen of what was measured. */
static enum status show(const char *who, const struct bench_options *options,
			const struct bench_report *report, enum status status)
{
	struct npu_error err;

	if (options->common.json)
		bench_json(report);
	else
		bench_print_table(report);
	if (options->chart && report->count) {
		putchar('\n');
		if (bench_chart_print(report, &err)) {
			complain(who, "%s", err.text);
			return STATUS_DEVICE;
		}
	}
	if (!options->svg || status != STATUS_OK)
		return status;
	if (!bench_chart_save(report, options->svg, &err))
		return STATUS_OK;
	complain(who, "%s: %s", options->svg, err.text);
	return STATUS_FILE;
}

static enum status bench(const char *who, const struct bench_options *options,
			 const struct device *devices)
{
	struct measurement *results;
	struct conditions conditions;
	enum status status;
	struct bench_report report = {
		.conditions = &conditions,
		.devices = devices,
		.device_count = options->device_count,
		.shapes = options->shapes,
	};

	results = calloc(options->shape_count * options->device_count, sizeof(*results));
	if (!results) {
		complain(who, "out of memory");
		return STATUS_DEVICE;
	}
	report.results = results;
	/* Before the measurements are a load themselves. */
	conditions_take("", &conditions);
	if (!options->common.json) {
		bench_print_head(&report);
		fflush(stdout);
	}
	status = measure_all(who, options, &report, results);
	status = show(who, options, &report, status);
	free(results);
	return status;
}

enum status cmd_bench(int argc, char **argv)
{
	struct bench_options options = { .effort = { .warm_up = DEFAULT_WARM_UP } };
	struct device devices[MAX_DEVICES];
	struct npu_error err;
	enum status status;
	size_t count;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (options.svg && save_check(options.svg, &err)) {
		complain(argv[0], "%s: %s", options.svg, err.text);
		return STATUS_FILE;
	}
	if (!options.device_count) {
		/* The first is the NPU there is: device_open() says what to do if there is none. */
		options.device_count = 2;
		options.devices[1] = "cpu:all";
	}
	interrupt_catch();
	status = STATUS_DEVICE;
	count = open_devices(argv[0], &options, devices);
	if (count == options.device_count)
		status = bench(argv[0], &options, devices);
	while (count--)
		device_close(&devices[count]);
	return status;
}
