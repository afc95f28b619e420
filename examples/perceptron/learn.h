/* SPDX-License-Identifier: MIT */
/*
 * Trains a model from nothing: mini-batches in random order, a learning rate that falls along half
 * a cosine. Every random choice comes from the seed.
 */
#ifndef PERCEPTRON_LEARN_H
#define PERCEPTRON_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

/*
 * struct lessons - what to learn from, and how
 * @pixels, @labels, @count: Images of as many pixels as the model has inputs, at least one batch
 *	(BATCH of backprop.h), and their classes.
 * @mirror: Pixels of a row, if half of the images are to be mirrored; otherwise 0.
 * @calibration: The ranges of layers come from so many images, at least one batch.
 * @rate, @decay: Learning rate to begin with, and weight decay.
 */
struct lessons {
	const uint8_t *pixels;
	const uint8_t *labels;
	size_t count;
	uint32_t mirror;
	size_t calibration;
	uint64_t epochs;
	uint64_t seed;
	float rate;
	float decay;
};

/* Gives @model, whose input_max is set, weights, biases and ranges. Prints the loss of each epoch.
 */
int learn(struct model *model, const struct lessons *lessons, struct npu_error *err);

/* Prints how many images a model gets right: "test: 89.62 % of 10000 images right". */
int learn_print_accuracy(const struct model *model, const char *name, const uint8_t *pixels,
			 const uint8_t *labels, size_t count, struct npu_error *err);

/* A whole number from @min on, or false. */
bool learn_parse_number(const char *text, uint64_t min, uint64_t *number);

#endif
