/* SPDX-License-Identifier: MIT */
/*
 * Trains a model by stochastic gradient descent: softmax cross entropy, Adam (Kingma & Ba, "Adam: A
 * Method for Stochastic Optimization", 2015), decoupled weight decay. Plain C with a fixed order of
 * every sum, so that a seed gives one result.
 */
#ifndef PERCEPTRON_BACKPROP_H
#define PERCEPTRON_BACKPROP_H

#include <stdint.h>

#include "model.h"

/* Images a step learns from. All matrices of a batch are [feature][BATCH]. */
#define BATCH 128

struct trainer;

/* The trainer changes @model in place, which must outlive it. */
int trainer_create(struct model *model, struct trainer **trainer, struct npu_error *err);

void trainer_destroy(struct trainer *trainer);

/* Where the caller puts the next batch: [inputs][BATCH], pixels divided by the largest. */
float *trainer_input(struct trainer *trainer);

/* Learns from the batch; returns its mean loss. */
float trainer_step(struct trainer *trainer, const uint8_t *labels, float rate, float decay);

/* Runs the batch without learning and widens the range of each layer to what it saw. */
void trainer_calibrate(struct trainer *trainer);

#endif
