// SPDX-License-Identifier: MIT
/* The command line of "npu-run quantize". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quantize_options.h"

static const char help[] =
	"Usage: npu-run quantize MODEL -o OUT.safetensors [OPTION]...\n"
	"Makes integers of the weights and activations of a network: layers NAME.weight and\n"
	"NAME.bias of a safetensors or GGUF file, or one matrix in .npy.\n"
	"\n"
	"  -o, --output=FILE      where the quantized network goes\n"
	"      --tensor=NAME      the only matrix of MODEL to take, as a network of one layer\n"
	"  -s, --samples=FILE     .npy matrix of sample inputs, one a row\n"
	"      --input-scale=S    what samples are multiplied with: 0.5, 1/255 (1)\n"
	"Weights:\n"
	"  -w, --weights=TYPE     int2 to int8, kmeans1 to kmeans8, log2 to log4 (int8)\n"
	"  -g, --granularity=WHAT what has a scale of its own: tensor, channel, or a group of so\n"
	"                         many columns: 32, 64, 128 ... (channel)\n"
	"      --asymmetric       with zero points\n"
	"      --round=HOW        nearest, or compensate: so that errors cancel in the output\n"
	"      --layer=NAME:TYPE  weights of one layer; may be repeated\n"
	"      --budget-bytes=N   choose bits for each layer: the least error in N bytes\n"
	"      --budget-error=E   the fewest bytes with an error of at most E\n"
	"Activations:\n"
	"  -a, --activations=TYPE int2 to int8, or int16 (int8)\n"
	"  -m, --mode=MODE        where their scales come from: static (samples, ahead), dynamic\n"
	"                         (each batch), dynamic-row (each sample), adaptive (the batches so\n"
	"                         far) (static)\n"
	"      --symmetric-activations\n"
	"                         without zero points\n"
	"      --observer=NAME    range of static ones: min-max, moving-average, percentile, mse or\n"
	"                         entropy (min-max)\n"
	"      --percentile=P     for that observer (99.99)\n"
	"      --momentum=M       what a batch moves an adaptive range (0.1)\n"
	"      --smooth[=ALPHA]   move outliers into the weights (0.5)\n"
	"      --rotate[=SEED]    spread outliers over all channels (1)\n"
	"      --scales=FILE      learnt scales: NAME.weight_scale, NAME.input_scale ...\n"
	"Results:\n"
	"  -r, --scaling=NAME     fixed16, tflite, tflite-double or float\n"
	"      --float-output     the last layer gives float, even if all others are integers\n"
	"      --pack=PREFIX      write the weights as the device has them, too: PREFIX.NAME.npuw\n"
	"\n" COMMON_HELP "\n"
	"Example: npu-run quantize model.safetensors -o q.safetensors --samples X.npy --weights int4\n"
	"\n"
	"A device is used with --pack only.\n"
	"The exit status is 0, 2 (command line), 3 (device) or 4 (file).\n";

/* Options without a letter of their own. */
enum {
	OPTION_ASYMMETRIC = MODEL_OPTION_END,
	OPTION_ROUND,
	OPTION_LAYER,
	OPTION_BUDGET_BYTES,
	OPTION_BUDGET_ERROR,
	OPTION_SYMMETRIC,
	OPTION_OBSERVER,
	OPTION_PERCENTILE,
	OPTION_MOMENTUM,
	OPTION_SMOOTH,
	OPTION_ROTATE,
	OPTION_SCALES,
	OPTION_FLOAT_OUTPUT,
	OPTION_PACK,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool take_name(const char *who, const char *option, const char *const *names, size_t count,
		      int *index)
{
	char list[80] = "";

	*index = name_index(names, count, optarg);
	if (*index >= 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		strcat(list, names[i]);
		if (i + 1 < count)
			strcat(list, i + 2 < count ? ", " : " or ");
	}
	complain(who, "%s is %s, not '%s'", option, list, optarg);
	return false;
}

/* A number above @min and at most @max. */
static bool take_between(const char *who, const char *option, double min, double max,
			 double *number)
{
	char *end;

	*number = strtod(optarg, &end);
	if (end != optarg && !*end && *number > min && *number <= max)
		return true;
	complain(who, "%s is above %g and at most %g, not '%s'", option, min, max, optarg);
	return false;
}

static bool take_alpha(const char *who, double *alpha)
{
	char *end;

	*alpha = strtod(optarg, &end);
	if (end != optarg && !*end && *alpha >= 0 && *alpha <= 1)
		return true;
	complain(who, "--smooth is 0 to 1, not '%s'", optarg);
	return false;
}

static bool take_weights(const char *who, struct technique *technique)
{
	if (weight_type_parse(optarg, &technique->weights))
		return true;
	complain(who, "--weights is int2 to int8, kmeans1 to kmeans8 or log2 to log4, not '%s'",
		 optarg);
	return false;
}

static bool take_granularity(const char *who, struct technique *technique)
{
	int index = name_index(granularity_names, NPU_QUANT_PER_GROUP, optarg);
	char *end;
	unsigned long group;

	if (index >= 0) {
		technique->granularity = (enum npu_quant_granularity)index;
		return true;
	}
	group = strtoul(optarg, &end, 10);
	if (*end || end == optarg || !group || group > INT32_MAX || group % NPU_GROUP_UNIT) {
		complain(who,
			 "--granularity is tensor, channel, or a multiple of %d columns, not '%s'",
			 NPU_GROUP_UNIT, optarg);
		return false;
	}
	technique->granularity = NPU_QUANT_PER_GROUP;
	technique->group_size = (uint32_t)group;
	return true;
}

static bool take_activations(const char *who, struct technique *technique)
{
	struct weight_type type;

	if (!strcmp(optarg, "int16")) {
		technique->input_bits = 16;
		return true;
	}
	if (weight_type_parse(optarg, &type) && type.form == FORM_UNIFORM) {
		technique->input_bits = type.bits;
		return true;
	}
	complain(who, "--activations is int2 to int8 or int16, not '%s'", optarg);
	return false;
}

static bool take_budget(const char *who, const char *option, enum npu_budget budget,
			struct technique *technique)
{
	if (technique->has_budget) {
		complain(who, "there is one budget: of bytes or of error");
		return false;
	}
	technique->has_budget = true;
	technique->budget = budget;
	return take_between(who, option, 0, budget == NPU_BUDGET_BYTES ? 1e15 : 1e6,
			    &technique->limit);
}

static bool take_layer(const char *who, struct quantize_options *options)
{
	if (options->layer_count == NETWORK_MAX_LAYERS) {
		complain(who, "--layer may be given %d times: no network has more layers",
			 NETWORK_MAX_LAYERS);
		return false;
	}
	if (!strrchr(optarg, ':')) {
		complain(who, "--layer is a layer and its weights, as in 0:int4, not '%s'", optarg);
		return false;
	}
	options->layers[options->layer_count++] = optarg;
	return true;
}

/* The options that choose by a name. */
static bool take_choice(int c, const char *who, struct technique *technique)
{
	static const char *const rounds[] = { "nearest", "compensate" };
	int index = 0;
	bool ok;

	switch (c) {
	case 'm':
		ok = take_name(who, "--mode", input_mode_names, COUNT(input_mode_names), &index);
		technique->mode = (enum input_mode)index;
		return ok;
	case 'r':
		ok = take_name(who, "--scaling", scaling_names, NPU_SCALING_NONE, &index);
		technique->has_scaling = true;
		technique->scaling = (enum npu_scaling)index;
		return ok;
	case OPTION_OBSERVER:
		ok = take_name(who, "--observer", observer_names, COUNT(observer_names), &index);
		technique->observer = (enum npu_observer_method)index;
		return ok;
	default:
		ok = take_name(who, "--round", rounds, COUNT(rounds), &index);
		technique->compensate = index == 1;
		return ok;
	}
}

/* The options that are numbers. */
static bool take_number(int c, const char *who, struct quantize_options *options)
{
	struct technique *technique = &options->technique;
	double number = 0.5;
	int64_t seed = 1;
	bool ok = true;

	switch (c) {
	case OPTION_BUDGET_BYTES:
		return take_budget(who, "--budget-bytes", NPU_BUDGET_BYTES, technique);
	case OPTION_BUDGET_ERROR:
		return take_budget(who, "--budget-error", NPU_BUDGET_ERROR, technique);
	case OPTION_PERCENTILE:
		return take_between(who, "--percentile", 0, 100, &technique->percentile);
	case OPTION_MOMENTUM:
		ok = take_between(who, "--momentum", 0, 1, &number);
		options->has_momentum = true;
		technique->momentum = (float)number;
		return ok;
	case OPTION_SMOOTH:
		if (optarg)
			ok = take_alpha(who, &number);
		technique->smooth = true;
		technique->alpha = (float)number;
		return ok;
	default:
		if (optarg)
			ok = option_integer(who, "--rotate", optarg, 0, INT64_MAX, &seed);
		technique->rotate = true;
		technique->seed = (uint64_t)seed;
		return ok;
	}
}

/* Returns false when the command is to end with *@status. */
static bool take_option(int c, const char *who, struct quantize_options *options,
			enum status *status)
{
	struct technique *technique = &options->technique;

	*status = STATUS_USAGE;
	switch (c) {
	case 'o':
		options->output = optarg;
		return true;
	case 's':
	case MODEL_OPTION_TENSOR:
	case MODEL_OPTION_INPUT_SCALE:
		return model_option(c, who, &options->model);
	case OPTION_SCALES:
		options->scales = optarg;
		return true;
	case OPTION_PACK:
		options->pack = optarg;
		return true;
	case 'w':
		return take_weights(who, technique);
	case 'g':
		return take_granularity(who, technique);
	case 'a':
		return take_activations(who, technique);
	case OPTION_ASYMMETRIC:
		technique->asymmetric = true;
		return true;
	case OPTION_SYMMETRIC:
		technique->symmetric_inputs = true;
		return true;
	case OPTION_FLOAT_OUTPUT:
		technique->float_output = true;
		return true;
	case OPTION_LAYER:
		return take_layer(who, options);
	case 'm':
	case 'r':
	case OPTION_OBSERVER:
	case OPTION_ROUND:
		return take_choice(c, who, technique);
	case OPTION_BUDGET_BYTES:
	case OPTION_BUDGET_ERROR:
	case OPTION_PERCENTILE:
	case OPTION_MOMENTUM:
	case OPTION_SMOOTH:
	case OPTION_ROTATE:
		return take_number(c, who, options);
	default:
		return common_option(c, help, &options->common, status);
	}
}

/* An option that would be ignored, because there is nothing it could be about. */
static const char *find_idle(const struct quantize_options *options)
{
	const struct technique *technique = &options->technique;

	if (options->common.device && !options->pack)
		return "--device goes with --pack: nothing else here needs a device";
	if (options->model.has_input_scale && !options->model.samples)
		return "--input-scale goes with --samples: it is what they are multiplied with";
	if (technique->percentile > 0 && technique->observer != NPU_OBSERVER_PERCENTILE)
		return "--percentile goes with --observer percentile";
	if (options->has_momentum && technique->mode != INPUT_ADAPTIVE)
		return "--momentum goes with --mode adaptive";
	return NULL;
}

static bool check_options(const char *who, struct quantize_options *options, int files)
{
	const char *idle = find_idle(options);
	struct npu_error err;

	if (files != 1) {
		complain(who, "one model is needed (see npu-run quantize --help)");
		return false;
	}
	if (!options->output) {
		complain(who, "--output says where the network goes: -o q.safetensors");
		return false;
	}
	if (idle) {
		complain(who, "%s", idle);
		return false;
	}
	if (options->technique.has_budget && options->layer_count) {
		complain(who, "with a budget the bits of all layers are chosen: leave out --layer");
		return false;
	}
	if (technique_check(&options->technique, &err)) {
		complain(who, "%s", err.text);
		return false;
	}
	return true;
}

bool quantize_parse(int argc, char **argv, struct quantize_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		MODEL_LONG,
		{ "weights", required_argument, NULL, 'w' },
		{ "granularity", required_argument, NULL, 'g' },
		{ "asymmetric", no_argument, NULL, OPTION_ASYMMETRIC },
		{ "round", required_argument, NULL, OPTION_ROUND },
		{ "layer", required_argument, NULL, OPTION_LAYER },
		{ "budget-bytes", required_argument, NULL, OPTION_BUDGET_BYTES },
		{ "budget-error", required_argument, NULL, OPTION_BUDGET_ERROR },
		{ "activations", required_argument, NULL, 'a' },
		{ "mode", required_argument, NULL, 'm' },
		{ "symmetric-activations", no_argument, NULL, OPTION_SYMMETRIC },
		{ "observer", required_argument, NULL, OPTION_OBSERVER },
		{ "percentile", required_argument, NULL, OPTION_PERCENTILE },
		{ "momentum", required_argument, NULL, OPTION_MOMENTUM },
		{ "smooth", optional_argument, NULL, OPTION_SMOOTH },
		{ "rotate", optional_argument, NULL, OPTION_ROTATE },
		{ "scales", required_argument, NULL, OPTION_SCALES },
		{ "scaling", required_argument, NULL, 'r' },
		{ "float-output", no_argument, NULL, OPTION_FLOAT_OUTPUT },
		{ "pack", required_argument, NULL, OPTION_PACK },
		COMMON_LONG,
		{ 0 },
	};
	int c;

	*options = (struct quantize_options){
		.model.input_scale = 1,
		.technique = {
			.weights = { FORM_UNIFORM, 8 },
			.granularity = NPU_QUANT_PER_ROW,
			.input_bits = 8,
			.momentum = 0.1f,
		},
	};
	while ((c = getopt_long(argc, argv, "o:w:g:a:m:r:" MODEL_SHORT COMMON_SHORT, known,
				NULL)) != -1) {
		if (!take_option(c, argv[0], options, status))
			return false;
	}
	*status = STATUS_USAGE;
	if (!check_options(argv[0], options, argc - optind))
		return false;
	options->model.path = argv[optind];
	return true;
}

/* Index of the layer whose name has @length bytes, or the number of layers. */
static uint32_t find_layer(const struct float_network *network, const char *name, size_t length)
{
	uint32_t i;

	for (i = 0; i < network->count; i++)
		if (strlen(network->layer[i].name) == length &&
		    !memcmp(network->layer[i].name, name, length))
			break;
	return i;
}

bool quantize_take_layers(const char *who, struct quantize_options *options,
			  const struct float_network *network)
{
	struct technique *technique = &options->technique;
	struct npu_error err;

	for (uint32_t i = 0; i < options->layer_count; i++) {
		const char *colon = strrchr(options->layers[i], ':');
		int length = (int)(colon - options->layers[i]);
		uint32_t layer = find_layer(network, options->layers[i], (size_t)length);

		if (layer == network->count) {
			complain(who, "--layer: %s has no layer '%.*s'", options->model.path,
				 length, options->layers[i]);
			return false;
		}
		technique->has_layer[layer] = true;
		if (!weight_type_parse(colon + 1, &technique->layer[layer])) {
			complain(who, "--layer: '%s' is no type of weights", colon + 1);
			return false;
		}
	}
	if (technique_check(technique, &err)) {
		complain(who, "%s", err.text);
		return false;
	}
	return true;
}
