// SPDX-License-Identifier: MIT
/* Trains a model from nothing. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "backprop.h"
#include "error.h"
#include "forward.h"
#include "learn.h"
#include "score.h"

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

/* Puts an image into column @b of the batch, its rows of @mirror pixels turned round if not 0. */
static void put_image(const struct model *model, const uint8_t *image, uint32_t mirror,
		      float *batch, int b)
{
	for (uint32_t p = 0; p < model->layer[0].k; p++) {
		uint32_t from = mirror ? p / mirror * mirror + mirror - 1 - p % mirror : p;

		batch[p * BATCH + (uint32_t)b] = (float)image[from] / model->input_max;
	}
}

static const uint8_t *image_at(const struct model *model, const struct lessons *lessons, size_t i)
{
	return lessons->pixels + i * model->layer[0].k;
}

/* One pass over the images. */
static float learn_epoch(struct trainer *trainer, const struct model *model,
			 const struct lessons *lessons, const uint32_t *order, uint64_t *random,
			 float progress)
{
	size_t steps = lessons->count / BATCH;
	float progress_step = 1.0f / (float)lessons->epochs;
	float *input = trainer_input(trainer);
	uint8_t labels[BATCH];
	float loss = 0;

	for (size_t step = 0; step < steps; step++) {
		float at = progress + progress_step * (float)step / (float)steps;
		/* Down to 0 along half a cosine. */
		float rate = lessons->rate * 0.5f * (1.0f + cosf((float)M_PI * at));

		for (int b = 0; b < BATCH; b++) {
			uint32_t image = order[step * BATCH + (size_t)b];
			bool mirror = lessons->mirror && (next_random(random) & 1);

			put_image(model, image_at(model, lessons, image),
				  mirror ? lessons->mirror : 0, input, b);
			labels[b] = lessons->labels[image];
		}
		loss += trainer_step(trainer, labels, rate, lessons->decay);
	}
	return loss / (float)steps;
}

static void calibrate(struct trainer *trainer, const struct model *model,
		      const struct lessons *lessons)
{
	for (size_t first = 0; first + BATCH <= lessons->calibration; first += BATCH) {
		for (int b = 0; b < BATCH; b++)
			put_image(model, image_at(model, lessons, first + (size_t)b), 0,
				  trainer_input(trainer), b);
		trainer_calibrate(trainer);
	}
}

int learn(struct model *model, const struct lessons *lessons, struct npu_error *err)
{
	struct trainer *trainer = NULL;
	uint64_t random = lessons->seed;
	uint32_t *order;
	int ret;

	order = malloc(lessons->count * sizeof(*order));
	ret = order ? trainer_create(model, &trainer, err)
		    : error_set(err, -ENOMEM, "out of memory");
	if (ret)
		goto out;
	for (uint32_t i = 0; i < lessons->count; i++)
		order[i] = i;

	init_weights(model, &random);
	for (uint64_t epoch = 0; epoch < lessons->epochs; epoch++) {
		float loss;

		shuffle(order, lessons->count, &random);
		loss = learn_epoch(trainer, model, lessons, order, &random,
				   (float)epoch / (float)lessons->epochs);
		printf("epoch %2" PRIu64 " of %" PRIu64 ": loss %.4f\n", epoch + 1, lessons->epochs,
		       (double)loss);
		fflush(stdout);
	}
	calibrate(trainer, model, lessons);
out:
	trainer_destroy(trainer);
	free(order);
	return ret;
}

int learn_print_accuracy(const struct model *model, const char *name, const uint8_t *pixels,
			 const uint8_t *labels, size_t count, struct npu_error *err)
{
	const uint32_t classes = model->layer[model->layer_count - 1].n;
	struct forward *forward = NULL;
	uint8_t *class;
	float *logits;
	int ret;

	logits = malloc(count * classes * sizeof(*logits));
	class = malloc(count);
	ret = logits && class ? forward_create(model, &forward, err)
			      : error_set(err, -ENOMEM, "out of memory");
	if (!ret) {
		forward_run(forward, pixels, count, logits);
		score_float(logits, count, classes, class);
		printf("%s: %.2f %% of %zu images right\n", name,
		       100.0 * (double)score_agreement(class, labels, count) / (double)count,
		       count);
	}
	forward_destroy(forward);
	free(class);
	free(logits);
	return ret;
}

bool learn_parse_number(const char *text, uint64_t min, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return !errno && !*end && end != text && *text != '-' && *number >= min;
}
