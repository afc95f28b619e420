// SPDX-License-Identifier: MIT
/*
 * Trains the model of this example on the 60,000 training images and writes its file. The test
 * images are used only to print the accuracy at the end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../perceptron/error.h"
#include "../perceptron/learn.h"
#include "../perceptron/model.h"
#include "dataset.h"

#define CALIBRATION_IMAGES 12800
#define LAYER_COUNT 3

static const uint32_t width[LAYER_COUNT + 1] = { IMAGE_PIXELS, 256, 128, CLASS_COUNT };

struct options {
	uint64_t epochs;
	uint64_t seed;
	const char *output;
};

static int train(const struct options *options, const struct dataset *training, struct model *model,
		 struct npu_error *err)
{
	const struct lessons lessons = {
		.pixels = training->images.data,
		.labels = training->labels.data,
		.count = training->count,
		/* Clothes have no side. */
		.mirror = IMAGE_SIDE,
		.calibration = CALIBRATION_IMAGES,
		.epochs = options->epochs,
		.seed = options->seed,
		.rate = 1e-3f,
		.decay = 0.02f,
	};
	int ret = model_create(width, LAYER_COUNT, model, err);

	if (ret)
		return ret;
	model->input_max = PIXEL_MAX;
	ret = learn(model, &lessons, err);
	if (!ret)
		ret = model_save(options->output, model, err);
	if (!ret)
		ret = learn_print_accuracy(model, "training", training->images.data,
					   training->labels.data, training->count, err);
	return ret;
}

/* On failure @what is the file that @err speaks of, NULL if it says so itself. */
static int run(const struct options *options, const char **what, struct npu_error *err)
{
	struct dataset training = { 0 };
	struct dataset test = { 0 };
	struct model model = { 0 };
	int ret;

	ret = dataset_load(DATASET_TRAIN_IMAGES, DATASET_TRAIN_LABELS, &training, what, err);
	if (!ret)
		ret = dataset_load(DATASET_TEST_IMAGES, DATASET_TEST_LABELS, &test, what, err);
	if (ret)
		goto out;
	if (training.count < CALIBRATION_IMAGES) {
		*what = DATASET_TRAIN_IMAGES;
		ret = error_set(err, -EINVAL, "has %zu images, fewer than %d", training.count,
				CALIBRATION_IMAGES);
		goto out;
	}
	*what = NULL;
	ret = train(options, &training, &model, err);
	if (!ret)
		ret = learn_print_accuracy(&model, "test", test.images.data, test.labels.data,
					   test.count, err);
out:
	model_free(&model);
	dataset_free(&test);
	dataset_free(&training);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = { .epochs = 20, .seed = 1 };
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	const char *what = NULL;
	struct npu_error err;

	if (help || argc < 2 || argc > 4 ||
	    (argc > 2 && !learn_parse_number(argv[2], 1, &options.epochs)) ||
	    (argc > 3 && !learn_parse_number(argv[3], 0, &options.seed))) {
		fputs("Usage: fashion-mnist-train MODEL [EPOCHS [SEED]]\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	options.output = argv[1];

	if (run(&options, &what, &err)) {
		fprintf(stderr, "fashion-mnist-train: %s%s%s\n", what ? what : "", what ? ": " : "",
			err.text);
		return 1;
	}
	return 0;
}
