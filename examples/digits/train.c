// SPDX-License-Identifier: MIT
/*
 * Trains the model of this example on all digits but the last 500, which are used only to print the
 * accuracy at the end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../perceptron/backprop.h"
#include "../perceptron/error.h"
#include "../perceptron/learn.h"
#include "../perceptron/model.h"
#include "digits.h"

#define LAYER_COUNT 3

static const uint32_t width[LAYER_COUNT + 1] = { DIGITS_PIXELS, 64, 32, DIGITS_CLASSES };

struct options {
	const char *data;
	const char *output;
	uint64_t epochs;
	uint64_t seed;
};

static int train(const struct options *options, const struct digits *digits, struct model *model,
		 struct npu_error *err)
{
	const size_t training = digits->count - DIGITS_TEST;
	const struct lessons lessons = {
		.pixels = digits->pixels,
		.labels = digits->labels,
		.count = training,
		.calibration = training,
		.epochs = options->epochs,
		.seed = options->seed,
		.rate = 3e-3f,
		.decay = 0.02f,
	};
	int ret = model_create(width, LAYER_COUNT, model, err);

	if (ret)
		return ret;
	model->input_max = DIGITS_PIXEL_MAX;
	ret = learn(model, &lessons, err);
	if (!ret)
		ret = model_save(options->output, model, err);
	if (!ret)
		ret = learn_print_accuracy(model, "training", digits->pixels, digits->labels,
					   training, err);
	if (!ret)
		ret = learn_print_accuracy(model, "test", digits->pixels + training * DIGITS_PIXELS,
					   digits->labels + training, DIGITS_TEST, err);
	return ret;
}

/* On failure @what is the file that @err speaks of, NULL if it says so itself. */
static int run(const struct options *options, const char **what, struct npu_error *err)
{
	struct model model = { 0 };
	struct digits digits;
	int ret;

	*what = options->data;
	ret = digits_load(options->data, &digits, err);
	if (ret)
		return ret;
	if (digits.count - DIGITS_TEST < BATCH) {
		ret = error_set(err, -EINVAL, "has %zu images for training, fewer than %d",
				digits.count - DIGITS_TEST, BATCH);
	} else {
		*what = NULL;
		ret = train(options, &digits, &model, err);
	}
	model_free(&model);
	digits_free(&digits);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = { .epochs = 200, .seed = 1 };
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	const char *what = NULL;
	struct npu_error err;

	if (help || argc < 3 || argc > 5 ||
	    (argc > 3 && !learn_parse_number(argv[3], 1, &options.epochs)) ||
	    (argc > 4 && !learn_parse_number(argv[4], 0, &options.seed))) {
		fputs("Usage: digits-train DIGITS.csv.gz MODEL [EPOCHS [SEED]]\n",
		      help ? stdout : stderr);
		return help ? 0 : 2;
	}
	options.data = argv[1];
	options.output = argv[2];

	if (run(&options, &what, &err)) {
		fprintf(stderr, "digits-train: %s%s%s\n", what ? what : "", what ? ": " : "",
			err.text);
		return 1;
	}
	return 0;
}
