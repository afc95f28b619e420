// SPDX-License-Identifier: MIT
/* A random multiplication and its right result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "trial.h"

/* Most shapes are small and odd, where tiles end and begin; some have one long side. */
#define SMALL_SIDE 70
#define LONG_SIDE 1500

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

static void choose_shape(struct problem *p, uint64_t *random)
{
	p->m = (uint32_t)between(random, 1, SMALL_SIDE);
	p->k = (uint32_t)between(random, 1, SMALL_SIDE);
	p->n = (uint32_t)between(random, 1, SMALL_SIDE);
	if (!once_in(random, 6))
		return;
	switch (between(random, 0, 2)) {
	case 0:
		p->m = (uint32_t)between(random, SMALL_SIDE, LONG_SIDE);
		break;
	case 1:
		p->k = (uint32_t)between(random, SMALL_SIDE, LONG_SIDE);
		break;
	default:
		p->n = (uint32_t)between(random, SMALL_SIDE, LONG_SIDE);
	}
}

/* Any int8, or now and then the extremes only, for the largest accumulators. */
static void fill_matrix(int8_t *data, size_t count, uint64_t *random)
{
	int extremes = once_in(random, 10);

	for (size_t i = 0; i < count; i++) {
		data[i] = (int8_t)between(random, -128, 127);
		if (extremes)
			data[i] = data[i] < 0 ? -128 : 127;
	}
}

/* Up to the size of a typical accumulator, or now and then any bias there is. */
static void fill_bias(int32_t *bias, uint32_t n, uint32_t k, uint64_t *random)
{
	int64_t limit = once_in(random, 10) ? NPU_BIAS_MAX : (int64_t)k * 1024;

	for (uint32_t i = 0; i < n; i++)
		bias[i] = (int32_t)between(random, -limit, limit);
}

static unsigned int log2_of(uint32_t x)
{
	return 31 - (unsigned int)__builtin_clz(x);
}

/*
 * Mostly a scale that brings results into int8 with some saturating: one with all the bits of a
 * multiplier, or a small multiplier and shift, with which halves are common and their rounding
 * shows. Sometimes any scale at all.
 */
static void choose_scaling(struct trial *trial, uint64_t *random)
{
	struct npu_epilogue_desc *e = &trial->problem.epilogue;
	/* An accumulator has about 12 bits, and half a bit more each time K doubles; 7 are kept. */
	int64_t usual = 12 + log2_of(trial->problem.k) / 2 - 7;
	int64_t lowest = 1, highest = INT16_MAX;
	int64_t shift = between(random, usual - 2, usual + 3);

	if (once_in(random, 10)) {
		lowest = INT16_MIN;
		shift = between(random, 0, NPU_SHIFT_MAX);
	} else if (once_in(random, 3)) {
		highest = 3;
	} else {
		shift += 14;
	}
	e->multiplier_count = once_in(random, 2) ? 1 : e->n;
	for (uint32_t i = 0; i < e->multiplier_count; i++)
		trial->multiplier[i] = (int16_t)between(random, lowest, highest);
	e->multiplier = trial->multiplier;
	e->shift = (uint32_t)shift;
	e->zero_point = (int32_t)(once_in(random, 2) ? 0 : between(random, -128, 127));
	e->activation = once_in(random, 2) ? NPU_ACTIVATION_RELU : NPU_ACTIVATION_NONE;
}

static int64_t clamp(int64_t x, int64_t min, int64_t max)
{
	return x < min ? min : x > max ? max : x;
}

/* x / 2^shift to nearest, halves away from zero. No intermediate exceeds 2^62. */
static int64_t round_shift(int64_t x, uint32_t shift)
{
	int64_t half = shift ? (int64_t)1 << (shift - 1) : 0;

	return x < 0 ? -((-x + half) >> shift) : (x + half) >> shift;
}

static int8_t expected_element(const struct problem *p, uint32_t m, uint32_t n)
{
	const struct npu_epilogue_desc *e = &p->epilogue;
	const int8_t *a = p->a + (size_t)m * p->k;
	const int8_t *w = p->w + (size_t)n * p->k;
	int64_t t = 0;

	for (uint32_t k = 0; k < p->k; k++)
		t += a[k] * w[k];
	t = clamp(t, INT32_MIN, INT32_MAX) + (e->bias ? e->bias[n] : 0);
	t = round_shift(t * e->multiplier[e->multiplier_count == 1 ? 0 : n], e->shift);
	t = clamp(t, INT32_MIN, INT32_MAX);
	if (e->activation == NPU_ACTIVATION_RELU && t < 0)
		t = 0;
	return (int8_t)clamp(t + e->zero_point, -128, 127);
}

int trial_create(uint64_t seed, struct trial *trial, struct npu_error *err)
{
	struct problem *p = &trial->problem;
	uint64_t random = seed;

	memset(trial, 0, sizeof(*trial));
	choose_shape(p, &random);
	trial->a = malloc((size_t)p->m * p->k);
	trial->w = malloc((size_t)p->n * p->k);
	trial->bias = malloc(p->n * sizeof(*trial->bias));
	trial->multiplier = malloc(p->n * sizeof(*trial->multiplier));
	trial->expected = malloc((size_t)p->m * p->n);
	if (!trial->a || !trial->w || !trial->bias || !trial->multiplier || !trial->expected) {
		trial_free(trial);
		return error_set(err, -ENOMEM, "out of memory");
	}

	fill_matrix(trial->a, (size_t)p->m * p->k, &random);
	fill_matrix(trial->w, (size_t)p->n * p->k, &random);
	p->a = trial->a;
	p->w = trial->w;
	p->epilogue.size = sizeof(p->epilogue);
	p->epilogue.n = p->n;
	if (!once_in(&random, 3)) {
		fill_bias(trial->bias, p->n, p->k, &random);
		p->epilogue.bias = trial->bias;
	}
	choose_scaling(trial, &random);

	for (uint32_t m = 0; m < p->m; m++) {
		for (uint32_t n = 0; n < p->n; n++)
			trial->expected[(size_t)m * p->n + n] = expected_element(p, m, n);
	}
	return 0;
}

void trial_free(struct trial *trial)
{
	free(trial->a);
	free(trial->w);
	free(trial->bias);
	free(trial->multiplier);
	free(trial->expected);
	memset(trial, 0, sizeof(*trial));
}
