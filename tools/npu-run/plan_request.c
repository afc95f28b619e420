// SPDX-License-Identifier: MIT
/* What "npu-run plan" is asked: the command line as a query of the library. */
#include <stdlib.h>

#include "choices.h"
#include "plan_request.h"

static const char help[] =
	"Usage: npu-run plan M K N [OPTION]...\n"
	"Shows how C[M,N] = A[M,K] x W[N,K]^T would be carried out, and how long it would take.\n"
	"\n"
	"  -c, --config=NAME      plan for nv_small or nv_large, with or without an NPU\n"
	"  -f, --clock=MHZ        clock of the engine, instead of the device's\n"
	"  -e, --exact            int32 sums instead of int8 results\n"
	"      --a-type=TYPE      of A: int8, uint8 or int16 (int8)\n"
	"      --w-type=TYPE      of W: int8, int4 or codebook (int8)\n"
	"  -t, --type=TYPE        of C: int8, uint8, int16, int32, float16, float32 (int8)\n"
	"      --batch=COUNT      matrices of W, each for M / COUNT rows of A (1)\n"
	"      --group-size=COLS  columns of W with scales of their own (K)\n"
	"  -r, --scaling=NAME     fixed16, tflite, tflite-double, float or none\n"
	"  -b, --bias             there is a bias, of any value\n"
	"      --residual         a matrix like C is added\n"
	"  -a, --activation=NAME  none, relu or relu6\n"
	"      --output-scale=S   what one step of C means, for relu6 on integers\n"
	"      --clamp=MIN,MAX    bounds of C\n"
	"      --a-zero-point=INT, --w-zero-point=INT\n"
	"                         of A and W\n" COMMON_HELP "\n"
	"Example: npu-run plan 128 1024 1024 --config nv_small --clock 100\n"
	"         npu-run plan 64 768 3072 -c nv_small --w-type int4 --bias --activation relu6 \\\n"
	"                      --output-scale 0.05\n"
	"\n"
	"The exit status is 0, 2 (command line, or a shape beyond the device), 3 (device) or\n"
	"4 (standard output).\n";

/* Options without a letter of their own. */
enum {
	OPTION_A_TYPE = 256,
	OPTION_W_TYPE,
	OPTION_BATCH,
	OPTION_GROUP_SIZE,
	OPTION_RESIDUAL,
	OPTION_OUTPUT_SCALE,
	OPTION_CLAMP,
	OPTION_A_ZERO_POINT,
	OPTION_W_ZERO_POINT,
};

/*
 * struct told - what the command line says besides the request
 * @has_output: Something that --exact leaves no room for.
 */
struct told {
	bool has_scaling;
	bool has_output;
	bool bias;
	bool residual;
	int64_t w_zero_point;
};

/* Factors of any value, for all channels: it is their form that decides. */
static const int16_t multiplier = 1;
static const int32_t multiplier_q31 = 1 << 30, exponent = 0;
static const float scale = 1;

static bool parse_shape(int argc, char **argv, struct npu_plan_desc *desc)
{
	static const char *const names[] = { "M", "K", "N" };
	uint32_t *const sides[] = { &desc->m, &desc->k, &desc->n };
	int64_t value;

	if (argc - optind != 3) {
		complain(argv[0], "three sizes are needed, M K N (see npu-run plan --help)");
		return false;
	}
	for (int i = 0; i < 3; i++) {
		if (!option_integer(argv[0], names[i], argv[optind + i], 1, UINT32_MAX, &value))
			return false;
		*sides[i] = (uint32_t)value;
	}
	return true;
}

static bool take_clock(const char *who, float *mhz)
{
	if (!option_float(who, "--clock", optarg, mhz))
		return false;
	if (*mhz < 1e-6f || *mhz > 1e6f) {
		complain(who, "--clock is 0.000001 to 1000000 MHz, not '%s'", optarg);
		return false;
	}
	return true;
}

static bool take_count(const char *who, const char *option, uint32_t *count)
{
	int64_t value = 0;
	bool ok = option_integer(who, option, optarg, 1, UINT32_MAX, &value);

	*count = (uint32_t)value;
	return ok;
}

static bool take_group_size(const char *who, uint32_t *cols)
{
	if (!take_count(who, "--group-size", cols))
		return false;
	if (*cols % NPU_GROUP_UNIT) {
		complain(who, "--group-size is a multiple of %d, not '%s'", NPU_GROUP_UNIT, optarg);
		return false;
	}
	return true;
}

static bool take_a_zero_point(const char *who, int32_t *zero_point)
{
	int64_t value = 0;
	bool ok = option_integer(who, "--a-zero-point", optarg, INT16_MIN, INT16_MAX, &value);

	*zero_point = (int32_t)value;
	return ok;
}

/* The options that are about the output stage. */
static bool take_output(int c, const char *who, struct plan_request *request, struct told *told)
{
	struct npu_epilogue_desc *epilogue = &request->epilogue;

	told->has_output = true;
	switch (c) {
	case 't':
		return choose_type(who, "--type", optarg, &request->desc.c_type);
	case 'r':
		told->has_scaling = true;
		return choose_scaling(who, "--scaling", optarg, &epilogue->scaling);
	case 'b':
		return told->bias = true;
	case OPTION_RESIDUAL:
		return told->residual = true;
	case 'a':
		return choose_activation(who, "--activation", optarg, &epilogue->activation);
	case OPTION_OUTPUT_SCALE:
		return choose_output_scale(who, optarg, &epilogue->output_scale);
	default:
		epilogue->clamp = true;
		return choose_clamp(who, optarg, &epilogue->clamp_min, &epilogue->clamp_max);
	}
}

/* Returns false when the command is to end with *@status. */
static bool take_option(int c, const char *who, struct plan_request *request, struct told *told,
			enum status *status)
{
	struct npu_plan_desc *desc = &request->desc;

	*status = STATUS_USAGE;
	switch (c) {
	case 'c':
		request->config = optarg;
		return true;
	case 'f':
		return take_clock(who, &request->clock_mhz);
	case 'e':
		return request->exact = true;
	case OPTION_A_TYPE:
		return choose_a_type(who, "--a-type", optarg, &desc->a_type);
	case OPTION_W_TYPE:
		return choose_w_type(who, "--w-type", optarg, &desc->w_type);
	case OPTION_BATCH:
		return take_count(who, "--batch", &desc->batch);
	case OPTION_GROUP_SIZE:
		return take_group_size(who, &desc->group_size);
	case OPTION_A_ZERO_POINT:
		return take_a_zero_point(who, &desc->a_zero_point);
	case OPTION_W_ZERO_POINT:
		return option_integer(who, "--w-zero-point", optarg, INT8_MIN, INT8_MAX,
				      &told->w_zero_point);
	case 't':
	case 'r':
	case 'b':
	case 'a':
	case OPTION_RESIDUAL:
	case OPTION_OUTPUT_SCALE:
	case OPTION_CLAMP:
		return take_output(c, who, request, told);
	default:
		return common_option(c, help, &request->common, status);
	}
}

static bool check(const char *who, const struct plan_request *request, const struct told *told)
{
	const struct npu_plan_desc *desc = &request->desc;

	if (request->config && request->common.device) {
		complain(who, "--config and --device exclude each other");
		return false;
	}
	if (request->exact && told->has_output) {
		complain(who, "--exact is --type int32 --scaling none, and nothing after the sums");
		return false;
	}
	if (desc->w_type == NPU_WEIGHTS_INT4 &&
	    (told->w_zero_point < -8 || told->w_zero_point > 7)) {
		complain(who, "--w-zero-point of int4 is a whole number from -8 to 7, not '%lld'",
			 (long long)told->w_zero_point);
		return false;
	}
	return true;
}

/* How the library scales to this type if nobody says it, as npu-run matmul does. */
static enum npu_scaling usual_scaling(enum npu_type type, uint32_t groups)
{
	if (type == NPU_TYPE_FLOAT16 || type == NPU_TYPE_FLOAT32 || groups > 1)
		return NPU_SCALING_FLOAT;
	return type == NPU_TYPE_INT32 ? NPU_SCALING_NONE : NPU_SCALING_FIXED16;
}

/* Groups have a bias in units of the result; else one that fits no 16 bits, however shifted. */
static bool make_bias(const char *who, struct plan_request *request)
{
	const uint32_t n = request->desc.n;
	int32_t *bias = NULL;
	float *float_bias = NULL;

	if (request->epilogue.groups > 1)
		request->bias = float_bias = calloc(n, sizeof(*float_bias));
	else
		request->bias = bias = calloc(n, sizeof(*bias));
	if (!request->bias) {
		complain(who, "out of memory for a bias of %u channels", n);
		return false;
	}
	if (bias)
		bias[0] = NPU_BIAS_MAX - 1;
	request->epilogue.bias = bias;
	request->epilogue.float_bias = float_bias;
	return true;
}

static bool complete(const char *who, struct plan_request *request, const struct told *told)
{
	struct npu_plan_desc *desc = &request->desc;
	struct npu_epilogue_desc *epilogue = &request->epilogue;

	desc->w_zero_points = told->w_zero_point != 0;
	if (!desc->a_type)
		desc->a_type = NPU_TYPE_INT8;
	if (!desc->c_type)
		desc->c_type = request->exact ? NPU_TYPE_INT32 : NPU_TYPE_INT8;
	if (told->residual)
		desc->residual_type = desc->c_type;
	epilogue->n = desc->n;
	epilogue->groups = desc->group_size ? (desc->k - 1) / desc->group_size + 1 : 1;
	if (!told->has_scaling)
		epilogue->scaling = usual_scaling(desc->c_type, epilogue->groups);
	desc->epilogue = epilogue;
	return !told->bias || make_bias(who, request);
}

bool plan_request_parse(int argc, char **argv, struct plan_request *request, enum status *status)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "clock", required_argument, NULL, 'f' },
		{ "exact", no_argument, NULL, 'e' },
		{ "a-type", required_argument, NULL, OPTION_A_TYPE },
		{ "w-type", required_argument, NULL, OPTION_W_TYPE },
		{ "type", required_argument, NULL, 't' },
		{ "batch", required_argument, NULL, OPTION_BATCH },
		{ "group-size", required_argument, NULL, OPTION_GROUP_SIZE },
		{ "scaling", required_argument, NULL, 'r' },
		{ "bias", no_argument, NULL, 'b' },
		{ "residual", no_argument, NULL, OPTION_RESIDUAL },
		{ "activation", required_argument, NULL, 'a' },
		{ "output-scale", required_argument, NULL, OPTION_OUTPUT_SCALE },
		{ "clamp", required_argument, NULL, OPTION_CLAMP },
		{ "a-zero-point", required_argument, NULL, OPTION_A_ZERO_POINT },
		{ "w-zero-point", required_argument, NULL, OPTION_W_ZERO_POINT },
		COMMON_LONG,
		{ 0 },
	};
	struct told told = { 0 };
	int c;

	*request = (struct plan_request){
		.desc.size = sizeof(request->desc),
		.epilogue = {
			.size = sizeof(request->epilogue),
			.scale_count = 1,
			.multiplier = &multiplier,
			.multiplier_q31 = &multiplier_q31,
			.exponent = &exponent,
			.scale = &scale,
			.residual_multiplier = 1,
			.residual_multiplier_q31 = 1 << 30,
			.residual_exponent = 1,
			.residual_scale = 1,
		},
	};
	while ((c = getopt_long(argc, argv, "c:f:et:r:ba:" COMMON_SHORT, known, NULL)) != -1)
		if (!take_option(c, argv[0], request, &told, status))
			return false;
	*status = STATUS_USAGE;
	if (!check(argv[0], request, &told) || !parse_shape(argc, argv, &request->desc))
		return false;
	*status = STATUS_DEVICE;
	return complete(argv[0], request, &told);
}

void plan_request_free(struct plan_request *request)
{
	free(request->bias);
}
