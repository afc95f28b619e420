// SPDX-License-Identifier: MIT
/*
 * Requantization: what NVDLA's output stages make of an epilogue, and what the library does with it
 * on the CPU, against each other and, with every value at its limits, against the definition.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../libnpu/backend/nvdla_stage.h"
#include "../../libnpu/half.h"
#include "../matmul_case.h"

/* Wide enough for everything, so that nothing here has to be argued about. */
typedef __int128 wide;

static wide saturate(wide x, int bits)
{
	wide max = ((wide)1 << (bits - 1)) - 1;

	return x > max ? max : x < -max - 1 ? -max - 1 : x;
}

/* x / 2^shift to nearest, halves away from zero. */
static wide rsh(wide x, unsigned int shift)
{
	wide divisor, quotient, rest;

	if (shift > 100)
		return 0;
	divisor = (wide)1 << shift;
	quotient = x / divisor;
	rest = x % divisor;
	if (2 * (rest < 0 ? -rest : rest) >= divisor)
		quotient += x < 0 ? -1 : 1;
	return quotient;
}

/* The definition in npu_epilogue.h of an int8 or uint8 result with FIXED16 or NONE. */
static int32_t defined(const struct npu_requant *rq, uint32_t n, int64_t sum, int32_t residual)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	wide t = saturate((wide)sum + (e->bias ? e->bias[n] : 0), 32);
	wide r = residual - e->residual_zero_point;

	if (e->scaling == NPU_SCALING_FIXED16) {
		t = saturate(rsh(t * e->multiplier[e->scale_count > 1 ? n : 0], e->shift), 32);
		r *= e->residual_multiplier;
	}
	if (rq->residual)
		t = saturate(t + r, 32);
	t += e->zero_point;
	return t < rq->low ? rq->low : t > rq->high ? rq->high : t;
}

/* One stage in the words of the kernel interface; operands come interleaved, ALU first. */
static wide run_stage(const struct nvdla_stage *stage, const int16_t *operands, uint32_t n,
		      int8_t element, wide x)
{
	const struct drm_npu_stage *d = &stage->desc;
	const int16_t *at = operands + n * stage->channel_bytes / sizeof(*operands);
	wide alu = d->alu_src == DRM_NPU_OPERAND_CHANNEL   ? *at++
		   : d->alu_src == DRM_NPU_OPERAND_ELEMENT ? element
							   : d->alu_imm;
	wide mul = d->mul_src == DRM_NPU_OPERAND_CHANNEL ? *at++ : d->mul_imm;

	alu = saturate(alu * ((wide)1 << d->alu_shift), 32);
	if (d->alu_op == DRM_NPU_ALU_ADD)
		x += alu;
	else if (d->alu_op == DRM_NPU_ALU_MIN)
		x = x < alu ? x : alu;
	else if (d->alu_op == DRM_NPU_ALU_MAX)
		x = x > alu ? x : alu;
	if (d->mul_src != DRM_NPU_OPERAND_NONE)
		x *= mul;
	x = saturate(rsh(x, d->mul_shift), 32);
	return d->act == DRM_NPU_ACT_RELU && x < 0 ? 0 : x;
}

/* The byte the engine stores, with the operands in memory as the library writes them. */
static int8_t engine(const struct nvdla_output *out, int16_t *const *operands, uint32_t n,
		     int8_t element, int64_t sum)
{
	wide x = saturate(saturate(sum, 34), 32);

	x = run_stage(&out->stage[0], operands[0], n, element, x);
	x = run_stage(&out->stage[1], operands[1], n, element, x);
	return saturate(saturate(x - out->cvt_offset, 17), 8);
}

#define CHANNELS 24

struct parameters {
	int32_t bias[CHANNELS];
	int16_t multiplier[CHANNELS];
	struct npu_requant rq;
};

static int32_t pick(struct rng *rng, const int32_t *values, uint32_t count)
{
	return values[rng_range(rng, 0, count - 1)];
}

/* None, ReLU, one of two bounds, or both; and sometimes a residual. */
static void random_bounds(struct npu_requant *rq, struct rng *rng)
{
	const int32_t min = npu_type_min(rq->output), max = npu_type_max(rq->output);

	rq->low = min;
	rq->high = max;
	if (rng_next(rng) & 1)
		rq->low = rng_next(rng) & 1 ? rq->epilogue.zero_point
					    : min + (int32_t)rng_range(rng, 0, 255);
	if (!(rng_next(rng) & 3))
		rq->high = rq->low + (int32_t)rng_range(rng, 0, max - rq->low);
	if (rng_next(rng) & 3)
		return;
	rq->residual = rng_next(rng) & 1 ? NPU_TYPE_INT8 : NPU_TYPE_UINT8;
	rq->epilogue.residual_multiplier = rng_next(rng) & 7 ? 1 : 3;
	if (rng_next(rng) & 1)
		rq->epilogue.residual_zero_point =
			npu_type_min(rq->residual) + (int32_t)rng_range(rng, 0, 255);
	else if (rq->residual == NPU_TYPE_UINT8)
		rq->epilogue.residual_zero_point = 128;
}

static void random_parameters(struct parameters *p, struct rng *rng)
{
	unsigned int form = rng_next(rng) % 5;
	static const int32_t biases[] = { NPU_BIAS_MAX, -NPU_BIAS_MAX, 0,      1,      -1,
					  32767,	32768,	       -32768, -32769, 65536 };
	static const int32_t multipliers[] = { INT16_MAX, INT16_MIN, 0, 1, -1, 16384 };
	static const int32_t zero_points[] = { -128, -1, 0, 127 };

	for (int i = 0; i < CHANNELS; i++) {
		p->bias[i] = rng_next(rng) & 1 ? pick(rng, biases, 10)
					       : (int32_t)rng_next(rng) % (NPU_BIAS_MAX + 1);
		p->multiplier[i] =
			rng_next(rng) & 1 ? pick(rng, multipliers, 6) : (int16_t)rng_next(rng);
	}
	p->rq = (struct npu_requant){
		.epilogue = {
			.bias = p->bias,
			.scaling = rng_next(rng) & 7 ? NPU_SCALING_FIXED16 : NPU_SCALING_NONE,
			.multiplier = p->multiplier,
			.scale_count = rng_next(rng) & 1 ? CHANNELS : 1,
			.shift = rng_range(rng, 0, NPU_SHIFT_MAX),
			.zero_point = pick(rng, zero_points, 4),
		},
		.output = rng_next(rng) & 1 ? NPU_TYPE_INT8 : NPU_TYPE_UINT8,
		.k = 65535,
		.group_size = 65535,
		.groups = 1,
	};
	if (p->rq.output == NPU_TYPE_UINT8)
		p->rq.epilogue.zero_point += 128;
	/* Often biases that need one of the halves only, or 16 bits somewhere, or none. */
	for (int i = 0; i < CHANNELS; i++)
		p->bias[i] = form == 0	 ? p->bias[i]
			     : form == 1 ? p->bias[i] / 65536 * 65536
			     : form == 2 ? p->bias[i] % 32768
			     : form == 3 ? p->bias[i] / 65536 * 1024
					 : 0;
	random_bounds(&p->rq, rng);
}

/* Sums that the engine can meet: |sum| <= 65535 * 128 * 128. */
static int64_t random_sum(struct rng *rng)
{
	static const int32_t sums[] = { 1073725440, -1073725440, 0, 1, -1, 1 << 27 };

	if (rng_next(rng) & 1)
		return pick(rng, sums, 6);
	return (int32_t)rng_next(rng) >> rng_range(rng, 1, 31);
}

/* The engine where it can, and always the CPU. */
static void check_channels(struct rng *rng, const struct parameters *p,
			   const struct nvdla_output *out, bool fused)
{
	int16_t x1[CHANNELS * 2], x2[CHANNELS * 2];
	int16_t *const operands[] = { x1, x2 };
	int64_t sum[NPU_STRIP];
	uint8_t residual[CHANNELS], result[CHANNELS];
	const struct npu_strip strip = {
		.count = CHANNELS, .rows = 1, .sum = sum, .residual = residual
	};

	nvdla_stage_operands(&out->stage[0], &p->rq, p->bias, CHANNELS, x1);
	nvdla_stage_operands(&out->stage[1], &p->rq, p->bias, CHANNELS, x2);
	for (uint32_t n = 0; n < CHANNELS; n++) {
		sum[n] = random_sum(rng);
		residual[n] = rng_next(rng);
	}
	npu_requant_group(&p->rq, &strip, 0, NULL, result, 0);
	for (uint32_t n = 0; n < CHANNELS; n++) {
		int32_t r = p->rq.residual == NPU_TYPE_UINT8 ? residual[n] : (int8_t)residual[n];

		assert_int_equal(result[n], defined(&p->rq, n, sum[n], r) & 255);
	}
	for (uint32_t n = 0; fused && n < CHANNELS; n++) {
		uint8_t element = residual[n] - (p->rq.residual == NPU_TYPE_UINT8 ? 128 : 0);
		uint8_t byte = engine(out, operands, n, element, sum[n]);

		assert_int_equal(byte ^ (p->rq.output == NPU_TYPE_UINT8 ? 0x80 : 0), result[n]);
	}
}

/* What has to be fused, since it costs three passes where it is not. */
static bool should_fuse(const struct parameters *p)
{
	const struct npu_requant *rq = &p->rq;
	bool all_16_bits = true;

	for (int i = 0; i < CHANNELS; i++)
		all_16_bits &= p->bias[i] == (int16_t)p->bias[i];
	if (rq->residual && rq->epilogue.scaling == NPU_SCALING_FIXED16 &&
	    rq->epilogue.residual_multiplier != 1)
		return false;
	if (rq->high == npu_type_max(rq->output) && !rq->residual &&
	    (rq->low == npu_type_min(rq->output) || rq->low == rq->epilogue.zero_point))
		return true;
	if (!all_16_bits)
		return false;
	if (rq->residual)
		return rq->high == npu_type_max(rq->output) && rq->low == npu_type_min(rq->output);
	/* ReLU6 */
	return rq->low == rq->epilogue.zero_point;
}

static void engine_and_cpu_agree_with_the_definition(void **state)
{
	unsigned int count = 0, forms[2][3] = { 0 };
	struct rng rng = { 7 };

	(void)state;
	for (int i = 0; i < 40000; i++) {
		struct nvdla_output out;
		struct parameters p;
		bool fused;

		random_parameters(&p, &rng);
		fused = nvdla_output_make(&out, &p.rq, p.bias, CHANNELS);
		if (should_fuse(&p))
			assert_true(fused);
		count += fused;
		forms[0][out.stage[0].channel_bytes / 2] += fused;
		forms[1][out.stage[1].channel_bytes / 2] += fused;
		check_channels(&rng, &p, &out, fused);
	}
	assert_in_range(count, 20000, 39000);
	/* All forms were met: no operand in memory, one, and two interleaved. */
	for (int i = 0; i < 3; i++)
		assert_true(forms[0][i] && forms[1][i]);
}

static void halves_go_away_from_zero(void **state)
{
	const int64_t sum[NPU_STRIP] = { 3, -3, 2, -2, 1, -1, 5, -5 };
	const int8_t expected[] = { 2, -2, 1, -1, 1, -1, 3, -3 };
	const struct npu_strip strip = { .count = 8, .rows = 1, .sum = sum };
	const int16_t one = 1;
	const struct npu_requant rq = {
		.epilogue = { .multiplier = &one, .scale_count = 1, .shift = 1 },
		.output = NPU_TYPE_INT8,
		.low = -128,
		.high = 127,
		.groups = 1,
	};
	int8_t result[8];

	(void)state;
	npu_requant_group(&rq, &strip, 0, NULL, result, 0);
	assert_memory_equal(result, expected, 8);
}

/* The kernel refuses descriptors that say nothing in a complicated way. */
static void stages_are_as_the_kernel_wants_them(void **state)
{
	struct rng rng = { 8 };

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct nvdla_output out;
		struct parameters p;

		random_parameters(&p, &rng);
		if (!nvdla_output_make(&out, &p.rq, p.bias, CHANNELS))
			continue;
		for (int s = 0; s < 2; s++) {
			const struct drm_npu_stage *d = &out.stage[s].desc;
			bool element = d->alu_src == DRM_NPU_OPERAND_ELEMENT;

			assert_int_equal(d->alu_op == DRM_NPU_ALU_NONE,
					 d->alu_src == DRM_NPU_OPERAND_NONE);
			assert_int_equal(d->operand_bytes, element			? 1
							   : out.stage[s].channel_bytes ? 2
											: 0);
			assert_true(d->alu_src == DRM_NPU_OPERAND_IMM || !d->alu_imm);
			assert_true(d->mul_src == DRM_NPU_OPERAND_IMM || !d->mul_imm);
			assert_true(d->alu_op || !d->alu_shift);
		}
	}
}

/* ---- Halves ---------------------------------------------------------------------------- */

static void every_half_comes_back(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 65536; bits++) {
		float x = npu_half_to_float(bits);

		if ((bits & 0x7fff) > 0x7c00)
			assert_true(isnan(x) && (npu_float_to_half(x) & 0x7fff) > 0x7c00);
		else
			assert_int_equal(npu_float_to_half(x), bits);
	}
	assert_true(npu_half_to_float(1) == 0x1p-24f);
	assert_true(npu_half_to_float(0x3c00) == 1);
	assert_true(npu_half_to_float(0x7bff) == 65504);
	assert_true(isinf(npu_half_to_float(0xfc00)));
}

/* Between two halves: the nearer one, and in the middle the even one. */
static void floats_go_to_the_nearest_half(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 0x7c00; bits++) {
		float low = npu_half_to_float(bits);
		float high = bits == 0x7bff ? 65536 : npu_half_to_float(bits + 1);
		float middle = (low + high) / 2;

		assert_int_equal(npu_float_to_half(middle), bits + (bits & 1));
		assert_int_equal(npu_float_to_half(nextafterf(middle, 0)), bits);
		assert_int_equal(npu_float_to_half(nextafterf(middle, INFINITY)), bits + 1);
		assert_int_equal(npu_float_to_half(-middle), 0x8000 | (bits + (bits & 1)));
	}
	assert_int_equal(npu_float_to_half(INFINITY), 0x7c00);
	assert_int_equal(npu_float_to_half(1e30f), 0x7c00);
}

/* Each of them has its own reason, and processors their own bits for it. */
static void there_is_one_nan(void **state)
{
	const float scale[2] = { 3e38f, -3e38f }, one = 1;
	struct npu_requant rq = {
		.epilogue = { .n = 1,
			      .scaling = NPU_SCALING_FLOAT,
			      .scale_count = 2,
			      .groups = 2,
			      .scale = scale,
			      .residual_scale = 1 },
		.output = NPU_TYPE_FLOAT32,
		.groups = 2,
		.group_size = 32,
		.k = 64,
		.float_low = -INFINITY,
		.float_high = INFINITY,
	};
	const uint32_t residual = 0xffc12345;
	const int32_t sum = 100;
	struct npu_strip strip = { .count = 1, .rows = 1, .sum32 = &sum, .stride = 1 };
	float partial;
	uint32_t bits;
	uint16_t half;

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* Infinity less infinity, then a residual that is none. */
		rq.output = NPU_TYPE_FLOAT32;
		npu_requant_group(&rq, &strip, 0, &partial, NULL, 0);
		npu_requant_group(&rq, &strip, 1, &partial, &bits, sizeof(bits));
		assert_int_equal(bits, 0x7fc00000);
		rq.output = NPU_TYPE_FLOAT16;
		npu_requant_group(&rq, &strip, 0, &partial, NULL, 0);
		npu_requant_group(&rq, &strip, 1, &partial, &half, sizeof(half));
		assert_int_equal(half, 0x7e00);
		rq.epilogue.scale_count = 1;
		rq.epilogue.scale = &one;
		rq.residual = NPU_TYPE_FLOAT32;
		strip.residual = &residual;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_and_cpu_agree_with_the_definition),
		cmocka_unit_test(halves_go_away_from_zero),
		cmocka_unit_test(stages_are_as_the_kernel_wants_them),
		cmocka_unit_test(every_half_comes_back),
		cmocka_unit_test(floats_go_to_the_nearest_half),
		cmocka_unit_test(there_is_one_nan),
	};

	return cmocka_run_group_tests_name("requant", tests, NULL, NULL);
}
