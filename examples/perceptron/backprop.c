// SPDX-License-Identifier: MIT
/* Forward, backward and Adam on mini-batches. The inner loop of everything runs over the batch. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backprop.h"
#include "error.h"

#define LANES 16

/* Adam's first and second moments of one array of parameters, and the gradient. */
struct moments {
	float *gradient;
	float *first;
	float *second;
};

struct trainer {
	struct model *model;
	uint32_t step;
	float *activation[MODEL_MAX_LAYERS + 1];
	float *delta[MODEL_MAX_LAYERS + 1]; /* d loss / d activation */
	struct moments bias[MODEL_MAX_LAYERS];
	struct moments weight[MODEL_MAX_LAYERS];
};

static bool moments_create(struct moments *m, size_t count)
{
	m->gradient = calloc(count, sizeof(float));
	m->first = calloc(count, sizeof(float));
	m->second = calloc(count, sizeof(float));
	return m->gradient && m->first && m->second;
}

static void moments_free(struct moments *m)
{
	free(m->gradient);
	free(m->first);
	free(m->second);
}

int trainer_create(struct model *model, struct trainer **trainer, struct npu_error *err)
{
	struct trainer *t;
	bool ok = true;

	t = calloc(1, sizeof(*t));
	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->model = model;
	for (uint32_t i = 0; i <= model->layer_count; i++) {
		uint32_t width = i ? model->layer[i - 1].n : model->layer[0].k;

		t->activation[i] = calloc((size_t)width * BATCH, sizeof(float));
		t->delta[i] = calloc((size_t)width * BATCH, sizeof(float));
		ok = ok && t->activation[i] && t->delta[i];
	}
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct layer *layer = &model->layer[i];

		ok = moments_create(&t->bias[i], layer->n) && ok;
		ok = moments_create(&t->weight[i], (size_t)layer->n * layer->k) && ok;
	}
	if (!ok) {
		trainer_destroy(t);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*trainer = t;
	return 0;
}

void trainer_destroy(struct trainer *trainer)
{
	if (!trainer)
		return;
	for (uint32_t i = 0; i <= trainer->model->layer_count; i++) {
		free(trainer->activation[i]);
		free(trainer->delta[i]);
	}
	for (uint32_t i = 0; i < trainer->model->layer_count; i++) {
		moments_free(&trainer->bias[i]);
		moments_free(&trainer->weight[i]);
	}
	free(trainer);
}

float *trainer_input(struct trainer *trainer)
{
	return trainer->activation[0];
}

/* y[n] += sum over k of w[n * n_stride + k * k_stride] * x[k], each element a row of BATCH. */
static void multiply(const float *w, size_t n_stride, size_t k_stride, uint32_t n_count,
		     uint32_t k_count, const float *x, float *y)
{
	for (uint32_t n = 0; n < n_count; n++) {
		for (uint32_t b = 0; b < BATCH; b += LANES) {
			float acc[LANES];

			memcpy(acc, y + n * BATCH + b, sizeof(acc));
			for (uint32_t k = 0; k < k_count; k++) {
				float value = w[n * n_stride + k * k_stride];

				for (int i = 0; i < LANES; i++)
					acc[i] += value * x[k * BATCH + b + i];
			}
			memcpy(y + n * BATCH + b, acc, sizeof(acc));
		}
	}
}

/* Sum over the batch of x * y, in LANES partial sums. */
static float dot(const float *x, const float *y)
{
	float acc[LANES] = { 0 };
	float sum = 0;

	for (uint32_t b = 0; b < BATCH; b += LANES) {
		for (int i = 0; i < LANES; i++)
			acc[i] += x[b + i] * y[b + i];
	}
	for (int i = 0; i < LANES; i++)
		sum += acc[i];
	return sum;
}

static void run_forward(struct trainer *t)
{
	for (uint32_t i = 0; i < t->model->layer_count; i++) {
		const struct layer *layer = &t->model->layer[i];
		float *y = t->activation[i + 1];

		for (uint32_t n = 0; n < layer->n; n++) {
			for (int b = 0; b < BATCH; b++)
				y[n * BATCH + b] = layer->bias[n];
		}
		multiply(layer->weight, layer->k, 1, layer->n, layer->k, t->activation[i], y);
		if (i + 1 == t->model->layer_count)
			break;
		for (size_t j = 0; j < (size_t)layer->n * BATCH; j++)
			y[j] = y[j] < 0.0f ? 0.0f : y[j];
	}
}

/* Turns the last activations into d loss / d logit; returns the mean loss. */
static float softmax_loss(struct trainer *t, const uint8_t *labels)
{
	const uint32_t classes = t->model->layer[t->model->layer_count - 1].n;
	const float *logit = t->activation[t->model->layer_count];
	float *delta = t->delta[t->model->layer_count];
	float loss = 0;

	for (int b = 0; b < BATCH; b++) {
		float top = logit[b];
		float sum = 0;

		for (uint32_t n = 1; n < classes; n++)
			top = fmaxf(top, logit[n * BATCH + b]);
		for (uint32_t n = 0; n < classes; n++)
			sum += expf(logit[n * BATCH + b] - top);
		for (uint32_t n = 0; n < classes; n++) {
			float p = expf(logit[n * BATCH + b] - top) / sum;

			delta[n * BATCH + b] = (p - (n == labels[b])) / BATCH;
		}
		loss += logf(sum) + top - logit[labels[b] * BATCH + b];
	}
	return loss / BATCH;
}

static void layer_backward(struct trainer *t, uint32_t index)
{
	const struct layer *layer = &t->model->layer[index];
	const float *x = t->activation[index];
	const float *dy = t->delta[index + 1];
	float *dx = t->delta[index];

	for (uint32_t n = 0; n < layer->n; n++) {
		float sum = 0;

		for (int b = 0; b < BATCH; b++)
			sum += dy[n * BATCH + b];
		t->bias[index].gradient[n] = sum;
		for (uint32_t k = 0; k < layer->k; k++)
			t->weight[index].gradient[(size_t)n * layer->k + k] =
				dot(dy + n * BATCH, x + k * BATCH);
	}
	if (index == 0)
		return;

	memset(dx, 0, (size_t)layer->k * BATCH * sizeof(float));
	multiply(layer->weight, 1, layer->k, layer->k, layer->n, dy, dx);
	for (size_t j = 0; j < (size_t)layer->k * BATCH; j++)
		dx[j] = x[j] > 0.0f ? dx[j] : 0.0f;
}

/* @rate already holds Adam's bias correction. */
static void adam(float *param, struct moments *m, size_t count, float rate, float decay)
{
	for (size_t i = 0; i < count; i++) {
		float g = m->gradient[i];

		m->first[i] = 0.9f * m->first[i] + 0.1f * g;
		m->second[i] = 0.999f * m->second[i] + 0.001f * g * g;
		param[i] -= rate * m->first[i] / (sqrtf(m->second[i]) + 1e-8f) + decay * param[i];
	}
}

float trainer_step(struct trainer *trainer, const uint8_t *labels, float rate, float decay)
{
	float corrected;
	float loss;

	run_forward(trainer);
	loss = softmax_loss(trainer, labels);
	for (uint32_t i = trainer->model->layer_count; i-- > 0;)
		layer_backward(trainer, i);

	trainer->step++;
	corrected = rate * sqrtf(1.0f - powf(0.999f, (float)trainer->step)) /
		    (1.0f - powf(0.9f, (float)trainer->step));
	for (uint32_t i = 0; i < trainer->model->layer_count; i++) {
		struct layer *layer = &trainer->model->layer[i];

		adam(layer->bias, &trainer->bias[i], layer->n, corrected, 0.0f);
		adam(layer->weight, &trainer->weight[i], (size_t)layer->n * layer->k, corrected,
		     rate * decay);
	}
	return loss;
}

void trainer_calibrate(struct trainer *trainer)
{
	run_forward(trainer);
	for (uint32_t i = 0; i < trainer->model->layer_count; i++) {
		struct layer *layer = &trainer->model->layer[i];

		for (size_t j = 0; j < (size_t)layer->n * BATCH; j++)
			layer->range = fmaxf(layer->range, fabsf(trainer->activation[i + 1][j]));
	}
}
