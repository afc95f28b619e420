// SPDX-License-Identifier: MIT
/* npu-run matmul: multiplies two .npy matrices on a device. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "multiply.h"
#include "npy.h"
#include "operands.h"
#include "options.h"

static const char help[] =
	"Usage: npu-run matmul [OPTION]... A.npy W.npy -o C.npy\n"
	"Computes C = A x W^T on an NPU: A is M x K, W is N x K, C is M x N, all int8.\n"
	"\n"
	"  -o, --output=FILE      where C goes\n"
	"  -s, --scale=FACTOR     C is the int32 product times this, rounded\n"
	"      --scales=FILE      .npy vector of N such factors, one for each row of W\n"
	"      --multiplier=INT   the factor in fixed point: INT / 2^SHIFT\n"
	"      --shift=SHIFT      0 to 62\n"
	"  -b, --bias=FILE        .npy vector of N int32, added before the factor\n"
	"  -a, --activation=NAME  none or relu\n"
	"  -z, --zero-point=INT   added last, -128 to 127\n" COMMON_HELP "\n"
	"Example: npu-run matmul A.npy W.npy -o C.npy --scale 0.002 --activation relu\n"
	"\n"
	"Without a factor one is chosen and printed: the largest that cannot saturate.\n"
	"The exit status is 0, 2 (command line), 3 (device) or 4 (file).\n";

struct matmul_options {
	struct common_options common;
	struct operand_options operand;
	const char *output;
	bool has_shift;
};

/* What a 16-bit multiplier can express. */
#define SCALE_LIMIT 32768

/* Options without a letter of their own. */
enum {
	OPTION_SCALES = 256,
	OPTION_MULTIPLIER,
	OPTION_SHIFT
};

/* Returns false when the command is to end with *@status. */
static bool take_option(int c, const char *who, struct matmul_options *options, enum status *status)
{
	struct operand_options *operand = &options->operand;
	int64_t value;

	*status = STATUS_USAGE;
	switch (c) {
	case 'o':
		options->output = optarg;
		return true;
	case 's':
		operand->has_scale = true;
		if (!option_float(who, "--scale", optarg, &operand->scale))
			return false;
		if (operand->scale > 0 && operand->scale < SCALE_LIMIT)
			return true;
		complain(who, "--scale is above 0 and below %d, not '%s'", SCALE_LIMIT, optarg);
		return false;
	case 'b':
		operand->bias = optarg;
		return true;
	case 'a':
		operand->activation =
			strcmp(optarg, "relu") ? NPU_ACTIVATION_NONE : NPU_ACTIVATION_RELU;
		if (operand->activation == NPU_ACTIVATION_RELU || !strcmp(optarg, "none"))
			return true;
		complain(who, "--activation is none or relu, not '%s'", optarg);
		return false;
	case 'z':
		if (!option_integer(who, "--zero-point", optarg, -128, 127, &value))
			return false;
		operand->zero_point = (int32_t)value;
		return true;
	case OPTION_SCALES:
		operand->scales = optarg;
		return true;
	case OPTION_MULTIPLIER:
		if (!option_integer(who, "--multiplier", optarg, INT16_MIN, INT16_MAX, &value))
			return false;
		operand->has_multiplier = true;
		operand->multiplier = (int16_t)value;
		return true;
	case OPTION_SHIFT:
		if (!option_integer(who, "--shift", optarg, 0, NPU_SHIFT_MAX, &value))
			return false;
		options->has_shift = true;
		operand->shift = (uint32_t)value;
		return true;
	default:
		return common_option(c, help, &options->common, status);
	}
}

static bool check_options(const char *who, const struct matmul_options *options, int files)
{
	const struct operand_options *operand = &options->operand;

	if (files != 2) {
		complain(who, "two matrices are needed, A.npy and W.npy (see npu-run matmul "
			      "--help)");
		return false;
	}
	if (!options->output) {
		complain(who, "--output says where the result goes: -o C.npy");
		return false;
	}
	if (operand->has_multiplier != options->has_shift) {
		complain(who, "--multiplier and --shift go together");
		return false;
	}
	if (operand->has_scale + operand->has_multiplier + !!operand->scales > 1) {
		complain(who, "--scale, --scales and --multiplier are different ways to say the "
			      "same: give one");
		return false;
	}
	return true;
}

static bool parse_options(int argc, char **argv, struct matmul_options *options,
			  enum status *status)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "scale", required_argument, NULL, 's' },
		{ "scales", required_argument, NULL, OPTION_SCALES },
		{ "multiplier", required_argument, NULL, OPTION_MULTIPLIER },
		{ "shift", required_argument, NULL, OPTION_SHIFT },
		{ "bias", required_argument, NULL, 'b' },
		{ "activation", required_argument, NULL, 'a' },
		{ "zero-point", required_argument, NULL, 'z' },
		COMMON_LONG,
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:s:b:a:z:" COMMON_SHORT, known, NULL)) != -1) {
		if (!take_option(c, argv[0], options, status))
			return false;
	}
	*status = STATUS_USAGE;
	if (!check_options(argv[0], options, argc - optind))
		return false;
	options->operand.a = argv[optind];
	options->operand.w = argv[optind + 1];
	return true;
}

/* Share of the multiply-accumulates that the engine could have done in its time. */
static double utilisation(const struct device *device, const struct work *work)
{
	return (double)work->plan.macs /
	       ((double)device_cycles(&device->info, work->stats.engine_ns) *
		device->info.macs_per_cycle);
}

static void print_engine(const struct device *device, const struct work *work)
{
	uint64_t cycles = device_cycles(&device->info, work->stats.engine_ns);

	printf("jobs      %" PRIu64 ", and %" PRIu64 " steps on the CPU\n", work->stats.jobs,
	       work->stats.host_steps);
	printf("engine    %.6f s\n", (double)work->stats.engine_ns * 1e-9);
	if (!cycles)
		return;
	printf("cycles    %" PRIu64 " at %.1f MHz; the physical limit is %" PRIu64 "\n", cycles,
	       (double)device->info.clock_hz * 1e-6, work->plan.limit_cycles);
	printf("MACs      %.1f %% of %u a cycle\n", 100.0 * utilisation(device, work),
	       device->info.macs_per_cycle);
}

static void print_text(const struct device *device, const struct operands *operands,
		       const struct work *work, const char *output)
{
	const struct problem *p = &operands->problem;

	printf("device    ");
	device_print(&device->info);
	printf("shape     M %u x K %u x N %u\n", p->m, p->k, p->n);
	if (operands->auto_scale != 0)
		printf("scale     %g, chosen: the largest that cannot saturate\n",
		       (double)operands->auto_scale);
	printf("time      %.6f s\n", work->seconds);
	if (work->stats.engine_ns)
		print_engine(device, work);
	printf("result    %s\n", output);
}

static void print_json(const struct device *device, const struct operands *operands,
		       const struct work *work, const char *output)
{
	uint64_t cycles = device_cycles(&device->info, work->stats.engine_ns);
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_open(&json, "device", '{');
	device_json(&json, &device->info);
	json_close(&json, '}');
	json_uint(&json, "m", operands->problem.m);
	json_uint(&json, "k", operands->problem.k);
	json_uint(&json, "n", operands->problem.n);
	if (operands->auto_scale != 0)
		json_float(&json, "chosen_scale", (double)operands->auto_scale);
	json_float(&json, "seconds", work->seconds);
	if (work->stats.engine_ns) {
		json_uint(&json, "jobs", work->stats.jobs);
		json_uint(&json, "host_steps", work->stats.host_steps);
		json_uint(&json, "engine_ns", work->stats.engine_ns);
	}
	if (cycles) {
		json_uint(&json, "cycles", cycles);
		json_uint(&json, "limit_cycles", work->plan.limit_cycles);
		json_float(&json, "mac_utilisation", utilisation(device, work));
	}
	json_string(&json, "result", output);
	json_end(&json, '}');
}

static enum status compute(const char *who, const struct matmul_options *options,
			   const struct device *device, const struct operands *operands)
{
	const struct problem *p = &operands->problem;
	struct npu_error err;
	struct work work;
	enum status status = STATUS_OK;
	int8_t *c;

	c = malloc((size_t)p->m * p->n);
	if (!c) {
		complain(who, "out of memory for a result of %u x %u", p->m, p->n);
		return STATUS_DEVICE;
	}
	if (multiply(device->dev, p, c, &work, &err)) {
		complain(who, "%s", err.text);
		status = STATUS_DEVICE;
	} else if (npy_write_int8(options->output, c, p->m, p->n, &err)) {
		complain(who, "%s: %s", options->output, err.text);
		status = STATUS_FILE;
	} else if (options->common.json) {
		print_json(device, operands, &work, options->output);
	} else {
		print_text(device, operands, &work, options->output);
	}
	free(c);
	return status;
}

enum status cmd_matmul(int argc, char **argv)
{
	struct matmul_options options = { 0 };
	struct operands operands;
	struct device device;
	struct npu_error err;
	const char *what = NULL;
	enum status status;
	int ret;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (npy_check_writable(options.output, &err)) {
		complain(argv[0], "%s: %s", options.output, err.text);
		return STATUS_FILE;
	}
	ret = operands_load(&options.operand, &operands, &what, &err);
	if (ret) {
		complain(argv[0], "%s: %s", what, err.text);
		return ret == -EDOM ? STATUS_USAGE : STATUS_FILE;
	}
	status = STATUS_DEVICE;
	if (!device_open(argv[0], options.common.device, &device)) {
		status = compute(argv[0], &options, &device, &operands);
		device_close(&device);
	}
	operands_free(&operands);
	return status;
}
