// SPDX-License-Identifier: MIT
/*
 * Random multiplications with a plain reference. The reference is written from the definition in
 * npu_epilogue.h and shares no code with the library.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "matmul_case.h"

uint32_t rng_next(struct rng *rng)
{
	/* splitmix64 */
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) >> 32;
}

uint32_t rng_range(struct rng *rng, uint32_t low, uint32_t high)
{
	return low + rng_next(rng) % (high - low + 1);
}

int8_t *rng_int8(struct rng *rng, size_t count)
{
	int8_t *data = malloc(count);

	assert_non_null(data);
	for (size_t i = 0; i < count; i++)
		data[i] = rng_next(rng) & 0xff;
	return data;
}

static int32_t either(struct rng *rng, int32_t a, int32_t b)
{
	return rng_next(rng) & 1 ? a : b;
}

static int32_t random_bias(struct rng *rng, uint32_t k, unsigned int form)
{
	int32_t range = form & CASE_SMALL_BIAS ? INT16_MAX : 1000 * (int32_t)ceil(sqrt(k)) + 40000;

	if (form & CASE_EXTREME)
		return either(rng, NPU_BIAS_MAX, -NPU_BIAS_MAX);
	return (int32_t)rng_range(rng, 0, 2 * range) - range;
}

static int16_t random_multiplier(struct rng *rng, unsigned int form)
{
	if (form & CASE_EXTREME)
		return either(rng, INT16_MAX, INT16_MIN);
	return either(rng, 1, -1) * (int32_t)rng_range(rng, 16384, 32767);
}

/* So that a typical sum of @k products, times 24000, ends around 64. */
static uint32_t fitting_shift(struct rng *rng, uint32_t k, unsigned int form)
{
	if (form & CASE_EXTREME)
		return rng_range(rng, 0, NPU_SHIFT_MAX);
	return (uint32_t)rint(log2(sqrt(k) * 5400 * 24000 / 64));
}

static void make_epilogue(struct matmul_case *c, struct rng *rng, unsigned int form)
{
	uint32_t count = form & CASE_PER_CHANNEL ? c->n : 1;

	c->bias = calloc(c->n, sizeof(*c->bias));
	c->multiplier = calloc(count, sizeof(*c->multiplier));
	assert_true(c->bias && c->multiplier);
	for (uint32_t i = 0; i < c->n; i++)
		c->bias[i] = random_bias(rng, c->k, form);
	for (uint32_t i = 0; i < count; i++)
		c->multiplier[i] = random_multiplier(rng, form);

	c->epilogue = (struct npu_epilogue_desc){
		.size = sizeof(c->epilogue),
		.n = c->n,
		.bias = form & CASE_BIAS ? c->bias : NULL,
		.multiplier = c->multiplier,
		.scale_count = count,
		.shift = fitting_shift(rng, c->k, form),
		.zero_point = form & CASE_ZERO_POINT ? (int32_t)rng_range(rng, 0, 255) - 128 : 0,
		.activation = form & CASE_RELU ? NPU_ACTIVATION_RELU : NPU_ACTIVATION_NONE,
	};
}

void case_init(struct matmul_case *c, struct rng *rng, uint32_t m, uint32_t k, uint32_t n,
	       unsigned int form)
{
	*c = (struct matmul_case){ .m = m, .k = k, .n = n };
	c->a = rng_int8(rng, (size_t)m * k);
	c->w = rng_int8(rng, (size_t)n * k);
	if (form & CASE_EXTREME) {
		for (size_t i = 0; i < (size_t)m * k; i++)
			c->a[i] = i / k % 2 ? INT8_MAX : INT8_MIN;
		for (size_t i = 0; i < (size_t)n * k; i++)
			c->w[i] = i / k % 2 ? INT8_MAX : INT8_MIN;
	}
	make_epilogue(c, rng, form);
}

void case_free(struct matmul_case *c)
{
	free(c->a);
	free(c->w);
	free(c->bias);
	free(c->multiplier);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	if (x < low)
		return low;
	return x > high ? high : x;
}

static int64_t divide_nearest(int64_t x, uint32_t shift)
{
	int64_t divisor = INT64_C(1) << shift;
	int64_t quotient = x / divisor, rest = x % divisor;

	if (2 * (rest < 0 ? -rest : rest) >= divisor)
		quotient += x < 0 ? -1 : 1;
	return quotient;
}

static int8_t reference_element(const struct matmul_case *c, uint32_t row, uint32_t channel)
{
	const struct npu_epilogue_desc *e = &c->epilogue;
	const int8_t *a = c->a + (size_t)row * c->k;
	const int8_t *w = c->w + (size_t)channel * c->k;
	int64_t t = 0;

	for (uint32_t i = 0; i < c->k; i++)
		t += a[i] * w[i];
	if (e->bias)
		t += e->bias[channel];
	t = clamp(t, INT32_MIN, INT32_MAX);
	t *= e->multiplier[e->scale_count == 1 ? 0 : channel];
	t = clamp(divide_nearest(t, e->shift), INT32_MIN, INT32_MAX);
	if (e->activation == NPU_ACTIVATION_RELU && t < 0)
		t = 0;
	return clamp(t + e->zero_point, -128, 127);
}

int8_t *case_reference(const struct matmul_case *c)
{
	int8_t *result = malloc((size_t)c->m * c->n);

	assert_non_null(result);
	for (uint32_t row = 0; row < c->m; row++)
		for (uint32_t channel = 0; channel < c->n; channel++)
			result[(size_t)row * c->n + channel] = reference_element(c, row, channel);
	return result;
}

int case_weights(struct npu_device *dev, uint32_t n, uint32_t k, const int8_t *data,
		 struct npu_weights **weights, struct npu_error *err)
{
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.n = n,
		.k = k,
		.data = data,
	};

	return npu_weights_create(dev, &desc, weights, err);
}

static void must(int ret, const struct npu_error *err)
{
	if (ret)
		fail_msg("error %d: %s", ret, err->text);
}

int8_t *case_run_with(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c,
		      struct npu_weights *weights)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc), .weights = weights };
	int8_t *result = malloc((size_t)c->m * c->n);
	struct npu_matmul *matmul;
	struct npu_error err;

	assert_non_null(result);
	must(npu_tensor_create(dev, NPU_TYPE_INT8, c->m, c->k, &desc.a, &err), &err);
	must(npu_tensor_create(dev, NPU_TYPE_INT8, c->m, c->n, &desc.c, &err), &err);
	must(npu_epilogue_create(dev, &c->epilogue, &desc.epilogue, &err), &err);
	must(npu_matmul_create(dev, &desc, &matmul, &err), &err);
	must(npu_tensor_write(desc.a, 0, c->m, c->a, 0, &err), &err);
	must(npu_queue_run(queue, &matmul, 1, &err), &err);
	must(npu_tensor_read(desc.c, 0, c->m, result, 0, &err), &err);

	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	return result;
}

int8_t *case_run(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c)
{
	struct npu_weights *weights;
	struct npu_error err;
	int8_t *result;

	must(case_weights(dev, c->n, c->k, c->w, &weights, &err), &err);
	result = case_run_with(dev, queue, c, weights);
	npu_weights_destroy(weights);
	return result;
}

void case_compare(const struct matmul_case *c, const int8_t *got, const int8_t *expected)
{
	for (size_t i = 0; i < (size_t)c->m * c->n; i++)
		if (got[i] != expected[i])
			fail_msg("%u x %u x %u: element (%zu, %zu) is %d, not %d", c->m, c->k, c->n,
				 i / c->n, i % c->n, got[i], expected[i]);
}

void case_check(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c)
{
	int8_t *got = case_run(dev, queue, c);
	int8_t *expected = case_reference(c);

	case_compare(c, got, expected);
	free(got);
	free(expected);
}
