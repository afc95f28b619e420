// SPDX-License-Identifier: MIT
/* A random multiplication. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "trial.h"

/* Most shapes are small and odd, where tiles end and begin; some have one long side. */
#define SMALL_SIDE 70
#define LONG_SIDE 1500
#define LONGEST_SIDE 9000
#define SHORT_SIDE 9

/* ---- Numbers --------------------------------------------------------------------------- */

/* splitmix64 (Steele et al., 2014): small, and the same on every machine. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform in @min..@max. */
static int64_t between(uint64_t *random, int64_t min, int64_t max)
{
	return min + (int64_t)(next_random(random) % (uint64_t)(max - min + 1));
}

/* True once in @times. */
static int once_in(uint64_t *random, unsigned int times)
{
	return next_random(random) % times == 0;
}

/* ---- Forms ----------------------------------------------------------------------------- */

static const enum npu_type a_types[] = { NPU_TYPE_INT8, NPU_TYPE_UINT8, NPU_TYPE_INT16 };

static const enum npu_type c_types[] = { NPU_TYPE_INT8,	 NPU_TYPE_UINT8,   NPU_TYPE_INT16,
					 NPU_TYPE_INT32, NPU_TYPE_FLOAT16, NPU_TYPE_FLOAT32 };

/* 4 types of C with each scaling, and the two floats with FLOAT. */
static void choose_result(struct problem *p, unsigned int form)
{
	if (form >= 20) {
		p->epilogue.scaling = NPU_SCALING_FLOAT;
		p->c_type = c_types[4 + form - 20];
		return;
	}
	p->epilogue.scaling = (enum npu_scaling)(form / 4);
	p->c_type = c_types[form % 4];
}

/* What the form, a number below TRIAL_FORMS / 2, says. */
static void choose_form(struct problem *p, unsigned int form, uint64_t *random)
{
	unsigned int residual;

	p->a_type = a_types[form % 3];
	form /= 3;
	p->weights.type = (enum npu_weight_type)(form % 3);
	form /= 3;
	p->epilogue.activation = (enum npu_activation)(form % 3);
	form /= 3;
	residual = form % 3;
	choose_result(p, form / 3);
	if (residual == 1)
		p->residual_type = NPU_TYPE_INT8;
	else if (residual == 2)
		p->residual_type = c_types[between(
			random, 1, p->epilogue.scaling == NPU_SCALING_FLOAT ? 5 : 3)];
}

/* Takes what is beyond the engine for what comes next to it. */
static void make_plain(struct problem *p)
{
	if (p->a_type == NPU_TYPE_INT16)
		p->a_type = NPU_TYPE_UINT8;
	if (p->epilogue.scaling != NPU_SCALING_NONE)
		p->epilogue.scaling = NPU_SCALING_FIXED16;
	if (p->c_type != NPU_TYPE_INT8)
		p->c_type = NPU_TYPE_UINT8;
	if (p->residual_type > NPU_TYPE_UINT8)
		p->residual_type = NPU_TYPE_UINT8;
	/* One of these is what the second stage has room for. */
	if (p->residual_type && p->epilogue.activation == NPU_ACTIVATION_RELU6)
		p->epilogue.activation = NPU_ACTIVATION_RELU;
}

static uint32_t side(uint64_t *random)
{
	return (uint32_t)between(random, 1, SMALL_SIDE);
}

static void choose_shape(struct problem *p, uint64_t *random)
{
	uint32_t *const sides[] = { &p->m, &p->k, &p->n };
	uint32_t *longer = sides[between(random, 0, 2)];

	p->m = side(random);
	p->k = side(random);
	p->n = side(random);
	p->batch = 1;
	if (once_in(random, 40)) {
		p->m = p->k = p->n = (uint32_t)between(random, 1, SHORT_SIDE);
		*longer = (uint32_t)between(random, LONG_SIDE, LONGEST_SIDE);
	} else if (once_in(random, 6)) {
		*longer = (uint32_t)between(random, SMALL_SIDE, LONG_SIDE);
	} else if (once_in(random, 4)) {
		p->batch = (uint32_t)between(random, 2, 4);
	}
}

/* ---- Operands -------------------------------------------------------------------------- */

/* Any bytes, or now and then the extremes only, for the largest accumulators. */
static void fill_bytes(void *data, size_t count, uint64_t *random)
{
	int extremes = once_in(random, 10);
	uint8_t *bytes = data;

	for (size_t i = 0; i < count; i++) {
		bytes[i] = (uint8_t)next_random(random);
		if (extremes)
			bytes[i] = bytes[i] < 128 ? 127 : 128;
	}
}

static int fill_a(struct trial *trial, uint64_t *random)
{
	struct problem *p = &trial->problem;
	size_t bytes = (size_t)p->batch * p->m * p->k * npu_type_size(p->a_type);

	trial->a = malloc(bytes);
	if (!trial->a)
		return -ENOMEM;
	fill_bytes(trial->a, bytes, random);
	p->a = trial->a;
	if (p->a_type == NPU_TYPE_INT16)
		p->a_zero_point = once_in(random, 4) ? (int16_t)next_random(random) : 0;
	else if (p->a_type == NPU_TYPE_UINT8)
		p->a_zero_point = (int32_t)(once_in(random, 4) ? between(random, 0, 255)
							       : between(random, 100, 140));
	else
		p->a_zero_point = (int32_t)(once_in(random, 4)	 ? between(random, -128, 127)
					    : once_in(random, 2) ? 0
								 : between(random, -20, 20));
	return 0;
}

static int make_codebook(struct trial *trial, uint64_t *random)
{
	struct npu_weights_desc *w = &trial->problem.weights;
	size_t count;

	w->index_bits = (uint32_t)between(random, 1, 8);
	/* Random indices have all values, so the table has to. */
	w->codebook_entries = 1u << w->index_bits;
	w->codebook_per_channel = once_in(random, 2);
	count = (size_t)w->codebook_entries * (w->codebook_per_channel ? w->n : 1);
	trial->codebook = malloc(count);
	if (!trial->codebook)
		return -ENOMEM;
	fill_bytes(trial->codebook, count, random);
	w->codebook = trial->codebook;
	return 0;
}

/* Mostly such that nothing is lost by taking them off; always with 4 bits. */
static int make_zero_points(struct trial *trial, uint32_t groups, uint64_t *random)
{
	struct npu_weights_desc *w = &trial->problem.weights;
	int64_t limit = w->type == NPU_WEIGHTS_INT4 ? 8 : once_in(random, 3) ? 127 : 3;

	if (!once_in(random, 4) || (trial->plain && w->type != NPU_WEIGHTS_INT4))
		return 0;
	w->zero_point_count = once_in(random, 3) ? 1 : once_in(random, 2) ? w->n : w->n * groups;
	trial->w_zero_point = malloc(w->zero_point_count * sizeof(*trial->w_zero_point));
	if (!trial->w_zero_point)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->zero_point_count; i++)
		trial->w_zero_point[i] = (int32_t)between(random, -limit, limit);
	w->zero_point = trial->w_zero_point;
	return 0;
}

static int fill_weights(struct trial *trial, uint64_t *random)
{
	struct problem *p = &trial->problem;
	struct npu_weights_desc *w = &p->weights;
	size_t row, bytes;
	uint32_t groups = 1;

	w->size = sizeof(*w);
	w->n = p->n;
	w->k = p->k;
	w->batch = p->batch;
	if (p->epilogue.scaling == NPU_SCALING_FLOAT && once_in(random, 2)) {
		w->group_size = NPU_GROUP_UNIT * (uint32_t)between(random, 1, 3);
		groups = (p->k - 1) / w->group_size + 1;
	}
	p->epilogue.groups = groups;
	if (w->type == NPU_WEIGHTS_CODEBOOK && make_codebook(trial, random))
		return -ENOMEM;
	row = w->type == NPU_WEIGHTS_INT8   ? p->k
	      : w->type == NPU_WEIGHTS_INT4 ? (p->k + 1) / 2
					    : ((size_t)p->k * w->index_bits + 7) / 8;
	w->row_stride = once_in(random, 4) ? row + (size_t)between(random, 0, 5) : 0;
	bytes = p->batch * p->n * (w->row_stride ? w->row_stride : row);
	trial->w = malloc(bytes);
	if (!trial->w)
		return -ENOMEM;
	fill_bytes(trial->w, bytes, random);
	w->data = trial->w;
	return make_zero_points(trial, groups, random);
}

static int fill_residual(struct trial *trial, uint64_t *random)
{
	struct problem *p = &trial->problem;
	size_t size = npu_type_size(p->residual_type), count = problem_results(p);
	int is_float = p->residual_type > NPU_TYPE_INT32;

	if (!size)
		return 0;
	trial->residual = malloc(count * size);
	if (!trial->residual)
		return -ENOMEM;
	p->residual = trial->residual;
	fill_bytes(trial->residual, count * size, random);
	for (size_t i = 0; i < count && is_float; i++) {
		/* All halves but infinities, and floats as large. */
		if (p->residual_type == NPU_TYPE_FLOAT16)
			((uint16_t *)trial->residual)[i] &= 0xbbff;
		else
			((float *)trial->residual)[i] =
				(float)between(random, -100000, 100000) / 1000.0f;
	}
	if (trial->plain && p->epilogue.activation != NPU_ACTIVATION_NONE)
		p->epilogue.residual_zero_point = p->residual_type == NPU_TYPE_UINT8 ? 128 : 0;
	else if (!is_float && p->residual_type != NPU_TYPE_INT32 && once_in(random, 2))
		p->epilogue.residual_zero_point = (int32_t)between(
			random, p->residual_type == NPU_TYPE_UINT8 ? 0 : -100, 100);
	return 0;
}

/* ---- Epilogue -------------------------------------------------------------------------- */

/* Up to the size of a typical accumulator, or now and then any bias there is. */
static int make_bias(struct trial *trial, uint64_t *random)
{
	struct problem *p = &trial->problem;
	int64_t limit = once_in(random, 10) ? NPU_BIAS_MAX : (int64_t)p->k * 1024;

	limit = limit < NPU_BIAS_MAX ? limit : NPU_BIAS_MAX;
	if (once_in(random, 3))
		return 0;
	trial->bias = malloc(p->n * sizeof(*trial->bias));
	trial->float_bias = malloc(p->n * sizeof(*trial->float_bias));
	if (!trial->bias || !trial->float_bias)
		return -ENOMEM;
	/* Small ones take one addition of the engine. */
	if (once_in(random, 2) || trial->plain)
		limit = limit < INT16_MAX ? limit : INT16_MAX;
	for (uint32_t i = 0; i < p->n; i++) {
		trial->bias[i] = (int32_t)between(random, -limit, limit);
		trial->float_bias[i] = (float)between(random, -50000, 50000) / 1000.0f;
	}
	if (p->epilogue.groups == 1 && !once_in(random, 4))
		p->epilogue.bias = trial->bias;
	if (p->epilogue.scaling == NPU_SCALING_FLOAT && once_in(random, 2))
		p->epilogue.float_bias = trial->float_bias;
	return 0;
}

/* Brings a typical sum to about the middle of the type's range: some saturate. */
static double usual_factor(const struct problem *p)
{
	double a = p->a_type == NPU_TYPE_INT16 ? 19000 : 74;
	double w = p->weights.type == NPU_WEIGHTS_INT4 ? 6 : 74;
	double c = p->c_type == NPU_TYPE_INT16	 ? 16000
		   : p->c_type == NPU_TYPE_INT32 ? 1e6
		   : p->c_type > NPU_TYPE_INT32	 ? 8
						 : 64;

	return c / (a * w * sqrt(p->k));
}

/*
 * Mostly all the bits of a multiplier; or a small one, with which halves are common and their
 * rounding shows; or anything.
 */
static void make_factor(struct trial *trial, uint32_t i, double factor, unsigned int kind,
			uint64_t *random)
{
	const struct problem *p = &trial->problem;
	int exponent, most = p->a_type == NPU_TYPE_INT16 ? 14 : NPU_EXPONENT_MAX;
	double mantissa = frexp(factor * (double)between(random, 500, 2000) / 1000, &exponent);

	exponent = exponent < NPU_EXPONENT_MIN ? NPU_EXPONENT_MIN : exponent;
	trial->multiplier[i] = (int16_t)(mantissa * 32767);
	trial->multiplier_q31[i] = (int32_t)(mantissa * INT32_MAX);
	trial->exponent[i] = exponent > most ? most : exponent;
	trial->scale[i] = (float)ldexp(mantissa, exponent);
	if (kind == 1) {
		trial->multiplier[i] = (int16_t)between(random, 1, 3);
		trial->multiplier_q31[i] = (int32_t)between(random, 1, 3) << 29;
		trial->scale[i] = (float)ldexp((double)between(random, 1, 3) / 4, exponent);
	} else if (kind == 2) {
		trial->multiplier[i] = (int16_t)next_random(random);
		trial->multiplier_q31[i] = (int32_t)(next_random(random) >> 33);
		trial->exponent[i] = (int32_t)between(random, NPU_EXPONENT_MIN, most);
	}
}

static int make_scaling(struct trial *trial, uint64_t *random)
{
	struct npu_epilogue_desc *e = &trial->problem.epilogue;
	unsigned int kind = once_in(random, 3) ? 1 : once_in(random, 6) ? 2 : 0;
	double factor = usual_factor(&trial->problem);
	int exponent;

	frexp(factor, &exponent);
	e->scale_count = once_in(random, 2) ? 1 : e->n * e->groups;
	trial->multiplier = malloc(e->scale_count * sizeof(*trial->multiplier));
	trial->multiplier_q31 = malloc(e->scale_count * sizeof(*trial->multiplier_q31));
	trial->exponent = malloc(e->scale_count * sizeof(*trial->exponent));
	trial->scale = malloc(e->scale_count * sizeof(*trial->scale));
	if (!trial->multiplier || !trial->multiplier_q31 || !trial->exponent || !trial->scale)
		return -ENOMEM;
	for (uint32_t i = 0; i < e->scale_count; i++)
		make_factor(trial, i, factor, kind, random);
	e->shift = (uint32_t)(kind == 2	  ? between(random, 0, NPU_SHIFT_MAX)
			      : kind == 1 ? (1 - exponent > 0 ? 1 - exponent : 0)
					  : (15 - exponent > 0 ? 15 - exponent : 0));
	e->multiplier = trial->multiplier;
	e->multiplier_q31 = trial->multiplier_q31;
	e->exponent = trial->exponent;
	e->scale = trial->scale;
	return 0;
}

/* Half of the time one that the engine can add by itself. */
static void scale_residual(struct trial *trial, uint64_t *random)
{
	struct npu_epilogue_desc *e = &trial->problem.epilogue;

	e->residual_multiplier = 1;
	e->residual_multiplier_q31 = 1 << 30;
	e->residual_exponent = 1;
	e->residual_scale = 1;
	if (once_in(random, 2) || trial->plain)
		return;
	e->residual_multiplier = (int16_t)next_random(random);
	e->residual_shift = (uint32_t)between(random, 8, 18);
	e->residual_multiplier_q31 = (int32_t)between(random, 1 << 30, INT32_MAX);
	e->residual_exponent = (int32_t)between(random, -8, 3);
	e->residual_scale = (float)between(random, -4000, 4000) / 1000;
}

/* Zero point and bounds of the result. */
static void choose_bounds(struct trial *trial, uint64_t *random)
{
	const struct problem *p = &trial->problem;
	struct npu_epilogue_desc *e = &trial->problem.epilogue;
	int64_t min = -128, max = 127, one, other;

	if (p->c_type == NPU_TYPE_UINT8) {
		min = 0;
		max = 255;
	} else if (p->c_type != NPU_TYPE_INT8) {
		min = -30000;
		max = 30000;
	}
	if (p->c_type <= NPU_TYPE_INT16 && once_in(random, 2))
		e->zero_point = (int32_t)between(random, min, max);
	e->output_scale = (float)between(random, 10, 500) / 1000;
	if (!once_in(random, 4) || (trial->plain && (e->activation || p->residual)))
		return;
	e->clamp = true;
	one = once_in(random, 3) ? min : between(random, min, max);
	other = once_in(random, 3) ? max : between(random, min, max);
	e->clamp_min = (double)(one < other ? one : other);
	e->clamp_max = (double)(one < other ? other : one);
	if (trial->plain) {
		if (once_in(random, 2))
			e->clamp_min = (double)min;
		else
			e->clamp_max = (double)max;
	}
	if (p->c_type > NPU_TYPE_INT32) {
		e->clamp_min /= 2000;
		e->clamp_max /= 2000;
	}
}

/* ---- Trials ---------------------------------------------------------------------------- */

int trial_create(uint64_t seed, struct trial *trial, struct npu_error *err)
{
	struct problem *p = &trial->problem;
	uint64_t random = seed;

	memset(trial, 0, sizeof(*trial));
	/* A number without a factor of their number: neighbours differ in everything. */
	choose_form(p, (unsigned int)(seed / 2 * 1037 % (TRIAL_FORMS / 2)), &random);
	trial->plain = seed % 2;
	if (trial->plain)
		make_plain(p);
	choose_shape(p, &random);
	p->epilogue.size = sizeof(p->epilogue);
	p->epilogue.n = p->n;
	if (fill_a(trial, &random) || fill_weights(trial, &random) ||
	    fill_residual(trial, &random) || make_bias(trial, &random) ||
	    make_scaling(trial, &random)) {
		trial_free(trial);
		return error_set(err, -ENOMEM, "out of memory");
	}
	scale_residual(trial, &random);
	choose_bounds(trial, &random);
	return 0;
}

void trial_free(struct trial *trial)
{
	free(trial->a);
	free(trial->w);
	free(trial->codebook);
	free(trial->w_zero_point);
	free(trial->bias);
	free(trial->float_bias);
	free(trial->multiplier);
	free(trial->multiplier_q31);
	free(trial->exponent);
	free(trial->scale);
	free(trial->residual);
	memset(trial, 0, sizeof(*trial));
}

const char *trial_type_name(enum npu_type type)
{
	static const char *const names[] = {
		"no", "int8", "uint8", "int16", "int32", "float16", "float32",
	};

	return names[type];
}

void trial_describe(const struct trial *trial, char text[TRIAL_TEXT])
{
	static const char *const weights[] = { "int8", "int4", "codebook" };
	static const char *const scalings[] = { "FIXED16", "TFLITE", "TFLITE_DOUBLE", "FLOAT",
						"NONE" };
	static const char *const activations[] = { "", ", ReLU", ", ReLU6" };
	const struct problem *p = &trial->problem;

	snprintf(text, TRIAL_TEXT,
		 "M %u x K %u x N %u, batch %u, %s x %s -> %s, %s%s%s, %s residual", p->m, p->k,
		 p->n, p->batch, trial_type_name(p->a_type), weights[p->weights.type],
		 trial_type_name(p->c_type), scalings[p->epilogue.scaling],
		 activations[p->epilogue.activation], p->epilogue.clamp ? ", clamp" : "",
		 trial_type_name(p->residual_type));
}
