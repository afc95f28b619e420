// SPDX-License-Identifier: MIT
/* A model that learns with the device's arithmetic. */
#include <errno.h>
#include <math.h>
#include <npu_tune.h>
#include <stdlib.h>
#include <string.h>

#include "../perceptron/error.h"
#include "qat_network.h"

/* Parameters that learn together: values, gradient, Adam's first and second moments. */
struct learner {
	size_t count;
	float *value;
	float *gradient;
	float *first;
	float *second;
};

struct qat_layer {
	uint32_t n;
	uint32_t k;
	uint32_t bits;
	struct npu_qat *qat;
	struct learner weight;
	struct learner bias;
	struct learner w_scale;
	struct learner c_scale;
	float *x;      /* [QAT_BATCH][k] inputs */
	float *dx;     /* d loss / d input */
	float a_slope; /* d loss / d scale of the input */
};

struct qat_network {
	uint32_t layer_count;
	uint32_t rows;
	uint32_t step;
	struct qat_layer layer[MODEL_MAX_LAYERS];
	float *logits;
};

/* ---- Learners -------------------------------------------------------------------------- */

static bool learner_create(struct learner *l, size_t count)
{
	l->count = count;
	l->value = calloc(count, sizeof(float));
	l->gradient = calloc(count, sizeof(float));
	l->first = calloc(count, sizeof(float));
	l->second = calloc(count, sizeof(float));
	return l->value && l->gradient && l->first && l->second;
}

static void learner_free(struct learner *l)
{
	free(l->value);
	free(l->gradient);
	free(l->first);
	free(l->second);
}

/* Adam's direction for element @i, about -1 to 1, given its gradient. */
static float direction(struct learner *l, size_t i, float gradient)
{
	l->first[i] = 0.9f * l->first[i] + 0.1f * gradient;
	l->second[i] = 0.999f * l->second[i] + 0.001f * gradient * gradient;
	return l->first[i] / (sqrtf(l->second[i]) + 1e-8f);
}

static void learn(struct learner *l, float rate)
{
	for (size_t i = 0; i < l->count; i++)
		l->value[i] -= rate * direction(l, i, l->gradient[i]);
}

/* Scales learn by their logarithms, and so stay above 0. */
static void learn_scale(struct learner *l, float rate)
{
	for (size_t i = 0; i < l->count; i++)
		l->value[i] *= expf(-rate * direction(l, i, l->gradient[i] * l->value[i]));
}

/* ---- Creation -------------------------------------------------------------------------- */

/* Of the scales from a row's full range downwards, the one with the least squared error. */
static float best_scale(const float *w, uint32_t k, uint32_t bits)
{
	const float top = (float)((1 << (bits - 1)) - 1);
	float max = 0, best = 1, least = INFINITY;

	for (uint32_t i = 0; i < k; i++)
		max = fmaxf(max, fabsf(w[i]));
	for (int step = 100; max > 0 && step > 20; step--) {
		float scale = max / top * (float)step / 100, error = 0;

		for (uint32_t i = 0; i < k; i++) {
			float q = fmaxf(-top, fminf(top, rintf(w[i] / scale)));

			error += (w[i] - scale * q) * (w[i] - scale * q);
		}
		if (error < least) {
			least = error;
			best = scale;
		}
	}
	return best;
}

static int layer_create(struct qat_layer *q, const struct layer *layer, uint32_t bits, bool last,
			struct npu_error *err)
{
	const struct npu_qat_desc desc = {
		.size = sizeof(desc),
		.m = QAT_BATCH,
		.k = layer->k,
		.n = layer->n,
		.w_bits = bits,
		.scaling = NPU_SCALING_FIXED16,
		.c_type = NPU_TYPE_INT8,
		.a_zero_point = -128,
		.c_zero_point = last ? 0 : -128,
		.activation = last ? NPU_ACTIVATION_NONE : NPU_ACTIVATION_RELU,
	};
	const size_t weights = (size_t)layer->n * layer->k;

	q->n = layer->n;
	q->k = layer->k;
	q->bits = bits;
	q->x = calloc((size_t)QAT_BATCH * layer->k, sizeof(float));
	q->dx = calloc((size_t)QAT_BATCH * layer->k, sizeof(float));
	if (!learner_create(&q->weight, weights) || !learner_create(&q->bias, layer->n) ||
	    !learner_create(&q->w_scale, layer->n) || !learner_create(&q->c_scale, 1) || !q->x ||
	    !q->dx)
		return error_set(err, -ENOMEM, "out of memory for a layer");
	memcpy(q->weight.value, layer->weight, weights * sizeof(float));
	memcpy(q->bias.value, layer->bias, layer->n * sizeof(float));
	for (uint32_t n = 0; n < layer->n; n++)
		q->w_scale.value[n] =
			best_scale(layer->weight + (size_t)n * layer->k, layer->k, bits);
	q->c_scale.value[0] = layer->range / (last ? 127 : 255);
	return npu_qat_create(&desc, &q->qat, err);
}

int qat_network_create(const struct model *model, uint32_t bits, struct qat_network **network,
		       struct npu_error *err)
{
	struct qat_network *net = calloc(1, sizeof(*net));
	int ret = 0;

	if (!net)
		return error_set(err, -ENOMEM, "out of memory for a network");
	net->layer_count = model->layer_count;
	for (uint32_t i = 0; i < model->layer_count && !ret; i++)
		ret = layer_create(&net->layer[i], &model->layer[i], bits,
				   i + 1 == model->layer_count, err);
	net->logits =
		calloc((size_t)QAT_BATCH * model->layer[model->layer_count - 1].n, sizeof(float));
	if (!ret && !net->logits)
		ret = error_set(err, -ENOMEM, "out of memory for the logits");
	if (ret) {
		qat_network_destroy(net);
		return ret;
	}
	*network = net;
	return 0;
}

void qat_network_destroy(struct qat_network *network)
{
	if (!network)
		return;
	for (uint32_t i = 0; i < network->layer_count; i++) {
		struct qat_layer *q = &network->layer[i];

		npu_qat_destroy(q->qat);
		learner_free(&q->weight);
		learner_free(&q->bias);
		learner_free(&q->w_scale);
		learner_free(&q->c_scale);
		free(q->x);
		free(q->dx);
	}
	free(network->logits);
	free(network);
}

/* ---- Running --------------------------------------------------------------------------- */

static struct npu_qat_params params_of(const struct qat_network *net, uint32_t i)
{
	const struct qat_layer *q = &net->layer[i];

	return (struct npu_qat_params){
		.size = sizeof(struct npu_qat_params),
		.w = q->weight.value,
		.bias = q->bias.value,
		.w_scale = q->w_scale.value,
		.w_scale_count = q->n,
		.a_scale = i ? net->layer[i - 1].c_scale.value[0] : 1.0f / 255.0f,
		.c_scale = q->c_scale.value[0],
	};
}

int qat_network_forward(struct qat_network *network, const uint8_t *pixels, uint32_t count,
			const float **logits, struct npu_error *err)
{
	struct qat_layer *first = &network->layer[0];

	for (size_t i = 0; i < (size_t)count * first->k; i++)
		first->x[i] = (float)pixels[i] / 255.0f;
	network->rows = count;
	for (uint32_t i = 0; i < network->layer_count; i++) {
		const struct npu_qat_params params = params_of(network, i);
		bool last = i + 1 == network->layer_count;
		int ret;

		ret = npu_qat_forward(network->layer[i].qat, &params, network->layer[i].x, count,
				      last ? network->logits : network->layer[i + 1].x, err);
		if (ret)
			return ret;
	}
	*logits = network->logits;
	return 0;
}

static int backward(struct qat_network *net, const float *gradient, struct npu_error *err)
{
	for (uint32_t i = net->layer_count; i-- > 0;) {
		const struct npu_qat_params params = params_of(net, i);
		struct qat_layer *q = &net->layer[i];
		const struct npu_qat_gradients gradients = {
			.size = sizeof(gradients),
			.x = q->dx,
			.w = q->weight.gradient,
			.bias = q->bias.gradient,
			.w_scale = q->w_scale.gradient,
			.a_scale = &q->a_slope,
			.c_scale = q->c_scale.gradient,
		};
		int ret;

		ret = npu_qat_backward(q->qat, &params, q->x, net->rows,
				       i + 1 < net->layer_count ? net->layer[i + 1].dx : gradient,
				       &gradients, err);
		if (ret)
			return ret;
	}
	return 0;
}

int qat_network_learn(struct qat_network *network, const float *gradient, float rate,
		      struct npu_error *err)
{
	int ret = backward(network, gradient, err);

	if (ret)
		return ret;
	network->step++;
	rate *= sqrtf(1.0f - powf(0.999f, (float)network->step)) /
		(1.0f - powf(0.9f, (float)network->step));
	for (uint32_t i = 0; i < network->layer_count; i++) {
		struct qat_layer *q = &network->layer[i];

		/* The scale of a layer's outputs is that of the next one's inputs. */
		if (i + 1 < network->layer_count)
			q->c_scale.gradient[0] += network->layer[i + 1].a_slope;
		learn(&q->weight, rate);
		learn(&q->bias, rate);
		learn_scale(&q->w_scale, rate);
		learn_scale(&q->c_scale, rate);
	}
	return 0;
}

/* ---- Compensation ---------------------------------------------------------------------- */

/* Puts what rounding made of the weights back into them. */
static void take_rounded(struct qat_layer *q, const int8_t *rounded)
{
	for (size_t i = 0; i < q->weight.count; i++)
		q->weight.value[i] = q->w_scale.value[i / q->k] * (float)rounded[i];
}

static int compensate_layer(struct qat_network *net, uint32_t index, const uint8_t *pixels,
			    size_t count, struct npu_hessian *inputs, struct npu_error *err)
{
	struct qat_layer *q = &net->layer[index];
	const struct npu_round_desc desc = {
		.size = sizeof(desc),
		.n = q->n,
		.k = q->k,
		.w = q->weight.value,
		.bits = q->bits,
		.symmetric = true,
		.range = NPU_ROUND_RANGE_SEARCH,
		.order = NPU_ROUND_BY_ACTIVATION,
		.damping = 0.01,
		.sweeps = 5,
	};
	const float *logits;
	int8_t *rounded;
	int ret = 0;

	for (size_t first = 0; first + QAT_BATCH <= count && !ret; first += QAT_BATCH) {
		ret = qat_network_forward(net, pixels + first * net->layer[0].k, QAT_BATCH, &logits,
					  err);
		if (!ret)
			ret = npu_hessian_add(inputs, q->x, QAT_BATCH, err);
	}
	if (ret)
		return ret;
	rounded = malloc(q->weight.count);
	if (!rounded)
		return error_set(err, -ENOMEM, "out of memory for rounded weights");
	ret = npu_round_weights(inputs, &desc, rounded, q->w_scale.value, NULL, err);
	if (!ret)
		take_rounded(q, rounded);
	free(rounded);
	return ret;
}

int qat_network_compensate(struct qat_network *network, const uint8_t *pixels, size_t count,
			   struct npu_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < network->layer_count && !ret; i++) {
		struct npu_hessian *inputs;

		ret = npu_hessian_create(network->layer[i].k, &inputs, err);
		if (ret)
			return ret;
		ret = compensate_layer(network, i, pixels, count, inputs, err);
		npu_hessian_destroy(inputs);
	}
	return ret;
}

/* ---- Export ---------------------------------------------------------------------------- */

static int export_layer(const struct qat_layer *q, struct quant_layer *out, struct npu_error *err)
{
	const struct npu_epilogue_desc *epilogue = npu_qat_epilogue(q->qat);
	const size_t weights = q->weight.count;

	out->n = q->n;
	out->k = q->k;
	out->weight = malloc(weights);
	out->bias = malloc(q->n * sizeof(*out->bias));
	out->multiplier = malloc(q->n * sizeof(*out->multiplier));
	if (!out->weight || !out->bias || !out->multiplier)
		return error_set(err, -ENOMEM, "out of memory for the int8 weights");
	memcpy(out->weight, npu_qat_weights(q->qat), weights);
	memcpy(out->multiplier, epilogue->multiplier, q->n * sizeof(*out->multiplier));
	for (uint32_t n = 0; n < q->n; n++) {
		/* The zero point of the inputs, -128, moves into the bias. */
		out->bias[n] = epilogue->bias[n];
		for (uint32_t k = 0; k < q->k; k++)
			out->bias[n] += 128 * out->weight[(size_t)n * q->k + k];
	}
	out->shift = epilogue->shift;
	out->zero_point = epilogue->zero_point;
	out->activation = epilogue->activation;
	return 0;
}

int qat_network_export(const struct qat_network *network, struct quant_model *quant,
		       struct npu_error *err)
{
	memset(quant, 0, sizeof(*quant));
	quant->layer_count = network->layer_count;
	for (uint32_t i = 0; i < network->layer_count; i++) {
		int ret = export_layer(&network->layer[i], &quant->layer[i], err);

		if (ret) {
			quant_model_free(quant);
			return ret;
		}
	}
	return 0;
}
