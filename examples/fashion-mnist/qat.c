// SPDX-License-Identifier: MIT
/*
 * Fine-tunes the model of this example for weights of 4 and of 2 bits, and shows what that gives
 * back: top-1 on the test images with weights rounded to nearest, rounded with compensation, and
 * trained through the device's arithmetic. Each is then run on the device.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "../perceptron/error.h"
#include "../perceptron/forward.h"
#include "../perceptron/model.h"
#include "network.h"
#include "qat_network.h"
#include "../perceptron/score.h"

#define CALIBRATION_IMAGES 2048
#define LEARNING_RATE 1e-3f
#define DEVICE_BATCH 500

static const uint32_t widths[] = { 4, 2 };

/* What all runs share. */
struct bench {
	struct npu_device *dev;
	struct model model;
	struct dataset training;
	struct dataset test;
	uint32_t epochs;
	int8_t *logits;	  /* of the test images, from the device */
	uint8_t *classes; /* of the test images */
};

/* splitmix64 (Steele et al., 2014): small, and the same on every machine. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---- Training -------------------------------------------------------------------------- */

/* d cross entropy / d logits of one image. */
static void softmax_gradient(const float *logits, unsigned int label, float *gradient)
{
	float top = logits[0], sum = 0;

	for (int i = 1; i < CLASS_COUNT; i++)
		top = fmaxf(top, logits[i]);
	for (int i = 0; i < CLASS_COUNT; i++)
		sum += expf(logits[i] - top);
	for (int i = 0; i < CLASS_COUNT; i++) {
		float p = expf(logits[i] - top) / sum;

		gradient[i] = (p - ((unsigned int)i == label)) / QAT_BATCH;
	}
}

/* Half of the images are mirrored, because clothes have no side. */
static void put_image(const uint8_t *image, bool mirror, uint8_t *pixels)
{
	for (int p = 0; p < IMAGE_PIXELS; p++)
		pixels[p] = image[mirror ? p / 28 * 28 + 27 - p % 28 : p];
}

static int train_batch(struct qat_network *net, const struct dataset *set, uint64_t *random,
		       float rate, struct npu_error *err)
{
	static uint8_t pixels[QAT_BATCH * IMAGE_PIXELS];
	float gradient[QAT_BATCH * CLASS_COUNT];
	unsigned int label[QAT_BATCH];
	const float *logits;
	int ret;

	for (int b = 0; b < QAT_BATCH; b++) {
		uint64_t number = next_random(random);
		size_t image = (number >> 1) % set->count;

		put_image(dataset_image(set, image), number & 1, pixels + b * IMAGE_PIXELS);
		label[b] = dataset_label(set, image);
	}
	ret = qat_network_forward(net, pixels, QAT_BATCH, &logits, err);
	if (ret)
		return ret;
	for (int b = 0; b < QAT_BATCH; b++)
		softmax_gradient(logits + b * CLASS_COUNT, label[b], gradient + b * CLASS_COUNT);
	return qat_network_learn(net, gradient, rate, err);
}

static int train(struct qat_network *net, const struct bench *bench, struct npu_error *err)
{
	size_t steps = bench->training.count / QAT_BATCH * bench->epochs;
	uint64_t random = 1;
	int ret = 0;

	for (size_t step = 0; step < steps && !ret; step++) {
		/* Down to 0 along half a cosine. */
		float at = (float)step / (float)steps;
		float rate = LEARNING_RATE * 0.5f * (1.0f + cosf((float)M_PI * at));

		ret = train_batch(net, &bench->training, &random, rate, err);
	}
	return ret;
}

/* ---- Judging --------------------------------------------------------------------------- */

static int run_on_device(struct qat_network *net, const struct bench *bench, struct npu_error *err)
{
	struct network_work work = { 0 };
	struct quant_model quant;
	struct network *network;
	int ret;

	ret = qat_network_export(net, &quant, err);
	if (ret)
		return ret;
	ret = network_create(bench->dev, &quant, DEVICE_BATCH, &network, err);
	quant_model_free(&quant);
	if (ret)
		return ret;
	ret = network_run(network, dataset_image(&bench->test, 0), bench->test.count, bench->logits,
			  &work, err);
	network_destroy(network);
	return ret;
}

/* Compares the classes that training would give with those of the device. */
static int judge(struct qat_network *net, const struct bench *bench, const char *what,
		 uint32_t bits, struct npu_error *err)
{
	const size_t count = bench->test.count;
	size_t differing = 0, right;
	const float *logits;
	int ret = 0;

	for (size_t first = 0; first < count && !ret; first += QAT_BATCH) {
		size_t rest = count - first, rows = rest < QAT_BATCH ? rest : QAT_BATCH;

		ret = qat_network_forward(net, dataset_image(&bench->test, first), (uint32_t)rows,
					  &logits, err);
		if (!ret)
			score_float(logits, rows, CLASS_COUNT, bench->classes + first);
	}
	if (!ret)
		ret = run_on_device(net, bench, err);
	if (ret)
		return ret;
	right = score_agreement(bench->classes, bench->test.labels.data, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t class;

		score_int8(bench->logits + i * CLASS_COUNT, 1, CLASS_COUNT, &class);
		differing += class != bench->classes[i];
	}
	printf("  %u bits  %-28s %6.2f %%", bits, what, 100.0 * (double)right / (double)count);
	if (differing)
		printf("  %zu differ on the device", differing);
	printf("\n");
	fflush(stdout);
	return differing ? error_set(err, -EIO, "training does not compute what the device does")
			 : 0;
}

static int run_bits(const struct bench *bench, uint32_t bits, struct npu_error *err)
{
	struct qat_network *net;
	int ret;

	ret = qat_network_create(&bench->model, bits, &net, err);
	if (ret)
		return ret;
	ret = judge(net, bench, "rounded to nearest", bits, err);
	if (!ret)
		ret = qat_network_compensate(net, dataset_image(&bench->training, 0),
					     CALIBRATION_IMAGES, err);
	if (!ret)
		ret = judge(net, bench, "rounded with compensation", bits, err);
	qat_network_destroy(net);
	if (ret)
		return ret;

	ret = qat_network_create(&bench->model, bits, &net, err);
	if (ret)
		return ret;
	ret = train(net, bench, err);
	if (!ret)
		ret = judge(net, bench, "trained", bits, err);
	qat_network_destroy(net);
	return ret;
}

static int judge_float(const struct bench *bench, struct npu_error *err)
{
	struct forward *forward;
	float *logits;
	int ret;

	ret = forward_create(&bench->model, &forward, err);
	if (ret)
		return ret;
	logits = malloc(bench->test.count * CLASS_COUNT * sizeof(*logits));
	if (logits) {
		forward_run(forward, dataset_image(&bench->test, 0), bench->test.count, logits);
		score_float(logits, bench->test.count, CLASS_COUNT, bench->classes);
		printf("  float32 %-28s %6.2f %%\n", "",
		       100.0 *
			       (double)score_agreement(bench->classes, bench->test.labels.data,
						       bench->test.count) /
			       (double)bench->test.count);
	}
	free(logits);
	forward_destroy(forward);
	return logits ? 0 : error_set(err, -ENOMEM, "out of memory for the logits");
}

/* On failure @what is the file that @err speaks of, NULL if it says so itself. */
static int run(struct bench *bench, const char *path, const char **what, struct npu_error *err)
{
	int ret;

	*what = NULL;
	ret = model_load(path, IMAGE_PIXELS, PIXEL_MAX, CLASS_COUNT, &bench->model, err);
	if (!ret)
		ret = dataset_load(DATASET_TRAIN_IMAGES, DATASET_TRAIN_LABELS, &bench->training,
				   what, err);
	if (!ret)
		ret = dataset_load(DATASET_TEST_IMAGES, DATASET_TEST_LABELS, &bench->test, what,
				   err);
	if (ret)
		return ret;
	*what = NULL;
	if (bench->training.count < CALIBRATION_IMAGES)
		return error_set(err, -EINVAL, "fewer than %d training images", CALIBRATION_IMAGES);
	bench->logits = malloc(bench->test.count * CLASS_COUNT);
	bench->classes = malloc(bench->test.count);
	if (!bench->logits || !bench->classes)
		return error_set(err, -ENOMEM, "out of memory for the results");

	ret = judge_float(bench, err);
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths) && !ret; i++)
		ret = run_bits(bench, widths[i], err);
	return ret;
}

int main(int argc, char **argv)
{
	struct bench bench = { .epochs = 4 };
	const char *what = NULL;
	struct npu_error err;
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	char *end = NULL;
	int ret;

	if (argc == 4)
		bench.epochs = (uint32_t)strtoul(argv[3], &end, 10);
	if (argc < 3 || argc > 4 || (end && (*end || end == argv[3] || bench.epochs > 1000))) {
		fputs("Usage: fashion-mnist-qat DEVICE MODEL [EPOCHS]\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	ret = npu_device_open(argv[1], &bench.dev, &err);
	if (!ret)
		ret = run(&bench, argv[2], &what, &err);
	if (ret)
		fprintf(stderr, "fashion-mnist-qat: %s%s%s\n", what ? what : "", what ? ": " : "",
			err.text);
	free(bench.logits);
	free(bench.classes);
	dataset_free(&bench.test);
	dataset_free(&bench.training);
	model_free(&bench.model);
	npu_device_close(bench.dev);
	return ret ? 1 : 0;
}
