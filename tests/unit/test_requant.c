// SPDX-License-Identifier: MIT
/*
 * Requantization: the library's arithmetic, and what NVDLA's output stages make of the same
 * parameters, against the definition, with every value at its limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../libnpu/backend/nvdla_stage.h"
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

/* The definition in npu.h. */
static int8_t defined(const struct npu_requant *rq, uint32_t n, int64_t sum)
{
	wide t = saturate(sum, 32) + (rq->bias ? rq->bias[n] : 0);

	t *= rq->multiplier[rq->per_channel ? n : 0];
	t = saturate(rsh(t, rq->shift), 32);
	if (rq->relu && t < 0)
		t = 0;
	return saturate(t + rq->zero_point, 8);
}

/* One stage in the words of the kernel interface; operands come interleaved, ALU first. */
static wide run_stage(const struct nvdla_stage *stage, const int16_t *operands, uint32_t n, wide x)
{
	const struct drm_npu_stage *d = &stage->desc;
	const int16_t *at = operands + n * stage->channel_bytes / sizeof(*operands);
	wide alu = d->alu_src == DRM_NPU_OPERAND_CHANNEL ? *at++ : d->alu_imm;
	wide mul = d->mul_src == DRM_NPU_OPERAND_CHANNEL ? *at++ : d->mul_imm;

	if (d->alu_op == DRM_NPU_ALU_ADD)
		x += saturate(alu * ((wide)1 << d->alu_shift), 32);
	if (d->mul_src != DRM_NPU_OPERAND_NONE)
		x *= mul;
	x = saturate(rsh(x, d->mul_shift), 32);
	return d->act == DRM_NPU_ACT_RELU && x < 0 ? 0 : x;
}

/* What the engine makes of a sum, with the operands in memory as the library writes them. */
static int8_t engine(const struct npu_requant *rq, const struct nvdla_stage *stage,
		     int16_t *const *operands, uint32_t n, int64_t sum)
{
	wide x = saturate(saturate(sum, 34), 32);

	x = run_stage(&stage[0], operands[0], n, x);
	x = run_stage(&stage[1], operands[1], n, x);
	/* The converter takes away an offset of -zero_point. */
	return saturate(saturate(x + rq->zero_point, 17), 8);
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

static void random_parameters(struct parameters *p, struct rng *rng)
{
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
		.bias = rng_next(rng) & 3 ? p->bias : NULL,
		.multiplier = p->multiplier,
		.per_channel = rng_next(rng) & 1,
		.relu = rng_next(rng) & 1,
		.shift = rng_range(rng, 0, NPU_SHIFT_MAX),
		.zero_point = pick(rng, zero_points, 4),
	};
	/* Now and then biases that need one of the halves only, or none. */
	for (int i = 0; i < CHANNELS && p->rq.bias && p->rq.shift % 4 == 0; i++)
		p->bias[i] = p->rq.shift % 8 ? p->bias[i] / 65536 * 65536 : p->bias[i] % 32768;
}

/* Sums that the engine can meet: |sum| <= 65535 * 128 * 128. */
static int64_t random_sum(struct rng *rng)
{
	static const int32_t sums[] = { 1073725440, -1073725440, 0, 1, -1, 1 << 27 };

	if (rng_next(rng) & 1)
		return pick(rng, sums, 6);
	return (int32_t)rng_next(rng) >> rng_range(rng, 1, 31);
}

static void rows_follow_the_definition(void **state)
{
	struct rng rng = { 6 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t first = rng_range(&rng, 0, CHANNELS - 1);
		uint32_t count = rng_range(&rng, 1, CHANNELS - first);
		struct parameters p;
		int64_t sum[CHANNELS];
		int8_t result[CHANNELS];

		random_parameters(&p, &rng);
		/* Sums beyond int32 are clamped first. */
		for (uint32_t c = 0; c < count; c++)
			sum[c] = random_sum(&rng) * (i % 4 ? 1 : 1000);
		npu_requant_row(&p.rq, first, count, sum, result);
		for (uint32_t c = 0; c < count; c++)
			assert_int_equal(result[c], defined(&p.rq, first + c, sum[c]));
	}
}

static void halves_go_away_from_zero(void **state)
{
	const int64_t sum[] = { 3, -3, 2, -2, 1, -1, 5, -5 };
	const int8_t expected[] = { 2, -2, 1, -1, 1, -1, 3, -3 };
	const int16_t one = 1;
	const struct npu_requant rq = { .multiplier = &one, .shift = 1 };
	int8_t result[8];

	(void)state;
	npu_requant_row(&rq, 0, 8, sum, result);
	assert_memory_equal(result, expected, 8);
}

static void engine_agrees_with_the_definition(void **state)
{
	struct rng rng = { 7 };
	unsigned int forms[2][3] = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int16_t x1[CHANNELS * 2], x2[CHANNELS * 2];
		int16_t *const operands[] = { x1, x2 };
		struct nvdla_stage stage[2];
		struct parameters p;

		random_parameters(&p, &rng);
		nvdla_stages(stage, &p.rq, CHANNELS);
		nvdla_stage_operands(&stage[0], 0, &p.rq, CHANNELS, x1);
		nvdla_stage_operands(&stage[1], 1, &p.rq, CHANNELS, x2);
		forms[0][stage[0].channel_bytes / 2]++;
		forms[1][stage[1].channel_bytes / 2]++;
		for (uint32_t n = 0; n < CHANNELS; n++) {
			int64_t sum = random_sum(&rng);

			assert_int_equal(engine(&p.rq, stage, operands, n, sum),
					 defined(&p.rq, n, sum));
		}
	}
	/* All forms were met: no operand in memory, one, and two interleaved. */
	assert_true(forms[0][0] && forms[0][1] && !forms[0][2]);
	assert_true(forms[1][0] && forms[1][1] && forms[1][2]);
}

/* The kernel refuses descriptors that say nothing in a complicated way. */
static void stages_are_as_the_kernel_wants_them(void **state)
{
	struct rng rng = { 8 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct nvdla_stage stage[2];
		struct parameters p;

		random_parameters(&p, &rng);
		nvdla_stages(stage, &p.rq, CHANNELS);
		for (int s = 0; s < 2; s++) {
			const struct drm_npu_stage *d = &stage[s].desc;

			assert_int_equal(d->alu_op == DRM_NPU_ALU_NONE,
					 d->alu_src == DRM_NPU_OPERAND_NONE);
			assert_int_equal(d->operand_bytes, stage[s].channel_bytes ? 2 : 0);
			assert_true(d->alu_src == DRM_NPU_OPERAND_IMM || !d->alu_imm);
			assert_true(d->mul_src == DRM_NPU_OPERAND_IMM || !d->mul_imm);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_the_definition),
		cmocka_unit_test(halves_go_away_from_zero),
		cmocka_unit_test(engine_agrees_with_the_definition),
		cmocka_unit_test(stages_are_as_the_kernel_wants_them),
	};

	return cmocka_run_group_tests_name("requant", tests, NULL, NULL);
}
