// SPDX-License-Identifier: MIT
/*
 * Trains the model of this example on the 60,000 training images and writes its file. Every random
 * choice comes from the seed. The test images are used only to print the accuracy at the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backprop.h"
#include "dataset.h"
#include "error.h"
#include "forward.h"
#include "model.h"
#include "score.h"

#define CALIBRATION_IMAGES 12800
#define LAYER_COUNT 3
#define LEARNING_RATE 1e-3f
#define WEIGHT_DECAY 0.02f

static const uint32_t width[LAYER_COUNT + 1] = { IMAGE_PIXELS, 256, 128, CLASS_COUNT };

/* splitmix64 (Steele et al., 2014): small, and the same on every machine. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform in -1 .. 1. */
static float random_float(uint64_t *state)
{
	return (float)((double)(next_random(state) >> 11) / (double)((uint64_t)1 << 52) - 1.0);
}

/* He's uniform initialization ("Delving Deep into Rectifiers", 2015); biases stay 0. */
static void init_weights(struct model *model, uint64_t *random)
{
	for (uint32_t i = 0; i < model->layer_count; i++) {
		struct layer *layer = &model->layer[i];
		float bound = sqrtf(6.0f / (float)layer->k);

		for (size_t j = 0; j < (size_t)layer->n * layer->k; j++)
			layer->weight[j] = bound * random_float(random);
	}
}

static void shuffle(uint32_t *order, size_t count, uint64_t *random)
{
	for (size_t i = count - 1; i > 0; i--) {
		size_t j = next_random(random) % (i + 1);
		uint32_t swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

/* Puts an image into column @b of the batch, mirrored if asked. */
static void put_image(const uint8_t *image, bool mirror, float *batch, int b)
{
	for (int p = 0; p < IMAGE_PIXELS; p++) {
		int from = mirror ? p / 28 * 28 + 27 - p % 28 : p;

		batch[p * BATCH + b] = (float)image[from] / 255.0f;
	}
}

/* One pass over the training images; half of them mirrored, because clothes have no side. */
static float train_epoch(struct trainer *trainer, const struct dataset *set, const uint32_t *order,
			 uint64_t *random, float progress, float progress_step)
{
	size_t steps = set->count / BATCH;
	float *input = trainer_input(trainer);
	uint8_t labels[BATCH];
	float loss = 0;

	for (size_t step = 0; step < steps; step++) {
		float at = progress + progress_step * (float)step / (float)steps;
		/* Down to 0 along half a cosine. */
		float rate = LEARNING_RATE * 0.5f * (1.0f + cosf((float)M_PI * at));

		for (int b = 0; b < BATCH; b++) {
			uint32_t image = order[step * BATCH + (size_t)b];

			put_image(dataset_image(set, image), next_random(random) & 1, input, b);
			labels[b] = (uint8_t)dataset_label(set, image);
		}
		loss += trainer_step(trainer, labels, rate, WEIGHT_DECAY);
	}
	return loss / (float)steps;
}

static int train(struct model *model, const struct dataset *set, uint64_t epochs, uint64_t seed,
		 struct npu_error *err)
{
	struct trainer *trainer = NULL;
	uint32_t *order;
	int ret;

	order = malloc(set->count * sizeof(*order));
	ret = order ? trainer_create(model, &trainer, err)
		    : error_set(err, -ENOMEM, "out of memory");
	if (ret)
		goto out;
	for (uint32_t i = 0; i < set->count; i++)
		order[i] = i;

	init_weights(model, &seed);
	for (uint64_t epoch = 0; epoch < epochs; epoch++) {
		float loss;

		shuffle(order, set->count, &seed);
		loss = train_epoch(trainer, set, order, &seed, (float)epoch / (float)epochs,
				   1.0f / (float)epochs);
		printf("epoch %2" PRIu64 " of %" PRIu64 ": loss %.4f\n", epoch + 1, epochs,
		       (double)loss);
		fflush(stdout);
	}

	for (size_t first = 0; first + BATCH <= CALIBRATION_IMAGES; first += BATCH) {
		for (int b = 0; b < BATCH; b++)
			put_image(dataset_image(set, first + (size_t)b), false,
				  trainer_input(trainer), b);
		trainer_calibrate(trainer);
	}
out:
	trainer_destroy(trainer);
	free(order);
	return ret;
}

static int print_accuracy(const struct model *model, const struct dataset *set, const char *name,
			  struct npu_error *err)
{
	struct forward *forward = NULL;
	float *logits;
	uint8_t *classes;
	int ret;

	logits = malloc(set->count * CLASS_COUNT * sizeof(*logits));
	classes = malloc(set->count);
	ret = logits && classes ? forward_create(model, &forward, err)
				: error_set(err, -ENOMEM, "out of memory");
	if (!ret) {
		forward_run(forward, dataset_image(set, 0), set->count, logits);
		score_float(logits, set->count, CLASS_COUNT, classes);
		printf("%s: %.2f %% of %zu images right\n", name,
		       100.0 * (double)score_agreement(classes, set->labels.data, set->count) /
			       (double)set->count,
		       set->count);
	}
	forward_destroy(forward);
	free(classes);
	free(logits);
	return ret;
}

struct options {
	uint64_t epochs;
	uint64_t seed;
	const char *output;
};

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
	*what = options->output;
	if (training.count < CALIBRATION_IMAGES) {
		*what = DATASET_TRAIN_IMAGES;
		ret = error_set(err, -EINVAL, "has %zu images, fewer than %d", training.count,
				CALIBRATION_IMAGES);
		goto out;
	}
	ret = model_create(width, LAYER_COUNT, &model, err);
	if (!ret)
		ret = train(&model, &training, options->epochs, options->seed, err);
	if (!ret)
		ret = model_save(options->output, &model, err);
	if (!ret)
		ret = print_accuracy(&model, &training, "training", err);
	if (!ret)
		ret = print_accuracy(&model, &test, "test", err);
out:
	model_free(&model);
	dataset_free(&test);
	dataset_free(&training);
	return ret;
}

/* A whole number from @min on, or false. */
static bool parse_number(const char *text, uint64_t min, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return !errno && !*end && end != text && *text != '-' && *number >= min;
}

int main(int argc, char **argv)
{
	struct options options = { .epochs = 20, .seed = 1 };
	const char *what = "";
	struct npu_error err;

	if (argc < 2 || argc > 4 || (argc > 2 && !parse_number(argv[2], 1, &options.epochs)) ||
	    (argc > 3 && !parse_number(argv[3], 0, &options.seed))) {
		fprintf(stderr, "usage: fashion-mnist-train MODEL [EPOCHS [SEED]]\n");
		return 2;
	}
	options.output = argv[1];

	if (run(&options, &what, &err)) {
		fprintf(stderr, "fashion-mnist-train: %s: %s\n", what, err.text);
		return 1;
	}
	return 0;
}
