/* SPDX-License-Identifier: MIT */
/* Runs a model in float32 on the CPU: what the int8 results are measured against. */
#ifndef PERCEPTRON_FORWARD_H
#define PERCEPTRON_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

struct forward;

/* Packs a model's weights for the CPU; the model is not needed afterwards. */
int forward_create(const struct model *model, struct forward **forward, struct npu_error *err);

void forward_destroy(struct forward *forward);

/* Classifies @count images of pixels; the logits are [count][outputs of the last layer]. */
void forward_run(struct forward *forward, const uint8_t *pixels, size_t count, float *logits);

#endif
