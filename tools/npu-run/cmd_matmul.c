// SPDX-License-Identifier: MIT
/* npu-run matmul: multiplies two .npy matrices on a device. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "device.h"
#include "multiply.h"
#include "npy.h"
#include "operands.h"
#include "options.h"
#include "stages.h"

static const char help[] =
	"Usage: npu-run matmul [OPTION]... A.npy W.npy -o C.npy\n"
	"Computes C = A x W^T on an NPU: A is M x K (int8, uint8 or int16), W is N x K (int8),\n"
	"C is M x N.\n"
	"\n"
	"  -o, --output=FILE      where C goes\n"
	"  -t, --type=TYPE        of C: int8, uint8, int16, int32, float16, float32 (int8)\n"
	"  -r, --scaling=NAME     fixed16, tflite, tflite-double, float or none\n"
	"  -s, --scale=FACTOR     C is the exact product times this, rounded\n"
	"      --scales=FILE      .npy vector of N such factors, one for each row of W\n"
	"      --multiplier=INT   the factor in fixed point: INT / 2^SHIFT\n"
	"      --shift=SHIFT      0 to 62\n"
	"  -b, --bias=FILE        .npy vector of N int32, added before the factor\n"
	"      --residual=FILE    .npy matrix like C, added after it\n"
	"  -a, --activation=NAME  none, relu or relu6\n"
	"      --output-scale=S   what one step of C means, for relu6 on integers\n"
	"      --clamp=MIN,MAX    bounds of C\n"
	"  -z, --zero-point=INT   of C, added last\n"
	"      --a-zero-point=INT, --w-zero-point=INT\n"
	"                         of A and W, taken off first\n" COMMON_HELP "\n"
	"Example: npu-run matmul A.npy W.npy -o C.npy --scale 0.002 --activation relu\n"
	"\n"
	"Without a factor one is chosen for C of 8 and 16 bits, and printed: the largest that\n"
	"cannot saturate. It is 1 for other types.\n"
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
	OPTION_SHIFT,
	OPTION_RESIDUAL,
	OPTION_OUTPUT_SCALE,
	OPTION_CLAMP,
	OPTION_A_ZERO_POINT,
	OPTION_W_ZERO_POINT,
};

static bool take_scale(const char *who, struct operand_options *operand)
{
	operand->has_scale = true;
	if (!option_float(who, "--scale", optarg, &operand->scale))
		return false;
	if (operand->scale > 0 && operand->scale < SCALE_LIMIT)
		return true;
	complain(who, "--scale is above 0 and below %d, not '%s'", SCALE_LIMIT, optarg);
	return false;
}

static bool take_integer(const char *who, const char *option, int64_t min, int64_t max,
			 int32_t *value)
{
	int64_t number = 0;
	bool ok = option_integer(who, option, optarg, min, max, &number);

	*value = (int32_t)number;
	return ok;
}

static bool take_zero_point(const char *who, const char *option, int32_t *value)
{
	return take_integer(who, option, INT16_MIN, INT16_MAX, value);
}

/* The options that choose by a name. */
static bool take_choice(int c, const char *who, struct operand_options *operand)
{
	if (c == 't')
		return choose_type(who, "--type", optarg, &operand->result);
	if (c == 'a')
		return choose_activation(who, "--activation", optarg, &operand->activation);
	operand->has_scaling = true;
	return choose_scaling(who, "--scaling", optarg, &operand->scaling);
}

/* The options that are numbers. */
static bool take_number(int c, const char *who, struct matmul_options *options)
{
	struct operand_options *operand = &options->operand;
	int32_t value = 0;
	bool ok;

	switch (c) {
	case OPTION_MULTIPLIER:
		ok = take_integer(who, "--multiplier", INT16_MIN, INT16_MAX, &value);
		operand->has_multiplier = true;
		operand->multiplier = (int16_t)value;
		return ok;
	case OPTION_SHIFT:
		ok = take_integer(who, "--shift", 0, NPU_SHIFT_MAX, &value);
		options->has_shift = true;
		operand->shift = (uint32_t)value;
		return ok;
	case OPTION_OUTPUT_SCALE:
		return choose_output_scale(who, optarg, &operand->output_scale);
	case OPTION_A_ZERO_POINT:
		return take_zero_point(who, "--a-zero-point", &operand->a_zero_point);
	case OPTION_W_ZERO_POINT:
		return take_zero_point(who, "--w-zero-point", &operand->w_zero_point);
	default:
		return take_zero_point(who, "--zero-point", &operand->zero_point);
	}
}

/* Returns false when the command is to end with *@status. */
static bool take_option(int c, const char *who, struct matmul_options *options, enum status *status)
{
	struct operand_options *operand = &options->operand;

	*status = STATUS_USAGE;
	switch (c) {
	case 'o':
		options->output = optarg;
		return true;
	case 'b':
		operand->bias = optarg;
		return true;
	case OPTION_RESIDUAL:
		operand->residual = optarg;
		return true;
	case OPTION_SCALES:
		operand->scales = optarg;
		return true;
	case 's':
		return take_scale(who, operand);
	case OPTION_CLAMP:
		operand->clamp = true;
		return choose_clamp(who, optarg, &operand->clamp_min, &operand->clamp_max);
	case 't':
	case 'r':
	case 'a':
		return take_choice(c, who, operand);
	case 'z':
	case OPTION_MULTIPLIER:
	case OPTION_SHIFT:
	case OPTION_OUTPUT_SCALE:
	case OPTION_A_ZERO_POINT:
	case OPTION_W_ZERO_POINT:
		return take_number(c, who, options);
	default:
		return common_option(c, help, &options->common, status);
	}
}

/* A factor that the scaling has no use for would be ignored. */
static bool check_factor(const char *who, const struct operand_options *operand)
{
	const enum npu_scaling scaling = operands_scaling(operand);
	const char *factor = operand->has_scale	       ? "--scale"
			     : operand->scales	       ? "--scales"
			     : operand->has_multiplier ? "--multiplier"
						       : NULL;

	if (factor && scaling == NPU_SCALING_NONE) {
		complain(who, "%s: results of %s", factor,
			 operand->has_scaling ? "--scaling none are exact sums and take no factor"
					      : "type int32 are exact sums and take no factor, "
						"unless --scaling says how");
		return false;
	}
	if (operand->has_multiplier && scaling != NPU_SCALING_FIXED16) {
		complain(who, "--multiplier goes with --scaling fixed16, but here it is %s",
			 scaling_word(scaling));
		return false;
	}
	return true;
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
	return check_factor(who, operand);
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
		{ "type", required_argument, NULL, 't' },
		{ "scaling", required_argument, NULL, 'r' },
		{ "residual", required_argument, NULL, OPTION_RESIDUAL },
		{ "output-scale", required_argument, NULL, OPTION_OUTPUT_SCALE },
		{ "clamp", required_argument, NULL, OPTION_CLAMP },
		{ "a-zero-point", required_argument, NULL, OPTION_A_ZERO_POINT },
		{ "w-zero-point", required_argument, NULL, OPTION_W_ZERO_POINT },
		COMMON_LONG,
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:s:b:a:z:t:r:" COMMON_SHORT, known, NULL)) != -1) {
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
	if (work->plan.host_stages) {
		printf("on CPU    ");
		stages_print(work->plan.host_stages);
		putchar('\n');
	}
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
		stages_json(&json, "host_stages", work->plan.host_stages);
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
	int ret;
	void *c;

	c = malloc(problem_results(p) * npu_type_size(p->c_type));
	if (!c) {
		complain(who, "out of memory for a result of %u x %u", p->m, p->n);
		return STATUS_DEVICE;
	}
	ret = multiply(device->dev, p, c, &work, &err);
	if (ret) {
		complain(who, "%s", err.text);
		/* Options that do not go together are the library's to know. */
		status = ret == -EINVAL ? STATUS_USAGE : STATUS_DEVICE;
	} else if (npy_write(options->output, operands_npy_type(p->c_type), c, p->m, p->n, &err)) {
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
	struct matmul_options options = { .operand = { .result = NPU_TYPE_INT8 } };
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
