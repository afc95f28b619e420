// SPDX-License-Identifier: MIT
/*
 * The arithmetic of the epilogue against a second, plain description of it in 128 bits: ten
 * thousand random elements for every mode, accumulators over the whole of int32.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/config.h"
#include "../../tools/board/model/sdp.h"
#include "test_model_rig.h"

#define W 25
#define H 50
#define POSITIONS (W * H)
#define ELEMENTS (POSITIONS * 8)
#define GROUP 3 /* not the first, so that offsets count */
#define OPERANDS 0x1000

static uint8_t memory[2][0x100000];
static uint32_t seed = 99;

static int bus_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	if (addr >= sizeof(memory) || len > sizeof(memory) - addr)
		return -1;
	memcpy(buf, (uint8_t *)memory + addr, len);
	return 0;
}

/* ---- the second description ------------------------------------------------------------- */

static __int128 clamp(__int128 v, int bits)
{
	__int128 limit = (__int128)1 << (bits - 1);

	return v >= limit ? limit - 1 : v < -limit ? -limit : v;
}

/* Divides by 2^shift, to the nearest, halves away from zero. */
static __int128 divide(__int128 v, unsigned int shift)
{
	__int128 d = (__int128)1 << shift;
	__int128 magnitude = v < 0 ? -v : v;

	magnitude = (2 * magnitude + d) / (2 * d);
	return v < 0 ? -magnitude : magnitude;
}

static int read_operand(const struct op_operand *o, uint32_t position, int lane, int which)
{
	uint32_t size = o->bytes * (o->both ? 2 : 1);
	uint32_t at = o->base;
	const uint8_t *p;

	if (o->per_element)
		at += GROUP * o->surf_stride + position / W * o->line_stride +
		      (position % W * 8 + lane) * size;
	else
		at += (GROUP * 8 + lane) * size;
	if (o->both)
		at += which * o->bytes;
	p = (uint8_t *)memory + at;
	if (o->bytes == 1)
		return p[0] < 128 ? p[0] : p[0] - 256;
	return p[1] < 128 ? p[1] * 256 + p[0] : p[1] * 256 + p[0] - 65536;
}

static __int128 expected_stage(const struct op_stage *s, __int128 x, uint32_t position, int lane)
{
	int alu = s->alu_memory ? read_operand(&s->operand, position, lane, 0) : s->alu_value;
	int mul = s->mul_memory ? read_operand(&s->operand, position, lane, 1) : s->mul_value;
	__int128 operand = clamp((__int128)alu * ((__int128)1 << s->alu_shift), 32);

	if (s->bypass)
		return x;
	if (s->alu == OP_ALU_SUM)
		x += operand;
	else if (s->alu == OP_ALU_MAX && operand > x)
		x = operand;
	else if (s->alu == OP_ALU_MIN && operand < x)
		x = operand;
	if (s->mul && s->prelu && x >= 0) {
		/* the 32 low bits, as two's complement */
		x &= 0xffffffff;
		if (x >> 31)
			x -= (__int128)1 << 32;
	} else {
		if (s->mul)
			x *= mul;
		x = s->mul_shift >= 49 ? 0 : clamp(divide(x, s->mul_shift), 32);
	}
	return s->relu && x < 0 ? 0 : x;
}

static uint8_t expected(const struct op *op, int32_t acc, uint32_t position, int lane)
{
	__int128 x = acc;

	x = expected_stage(&op->stage[0], x, position, lane);
	x = expected_stage(&op->stage[1], x, position, lane);
	x = (x - op->cvt_offset) * op->cvt_scale;
	x = op->cvt_shift >= 49 ? 0 : divide(x, op->cvt_shift);
	return (uint8_t)(int)clamp(x, op->out_int16 ? 16 : 8);
}

/* ---- modes ------------------------------------------------------------------------------ */

static void init_op(struct op *op)
{
	memset(op, 0, sizeof(*op));
	op->width = W;
	op->height = H;
	op->positions = POSITIONS;
	op->kernels = 8 * (GROUP + 1);
	op->groups = GROUP + 1;
	op->stage[0].bypass = true;
	op->stage[1].bypass = true;
	op->cvt_scale = 1;
	op->out_int16 = true;
}

/* Small values half of the time: they are where rounding and signs go wrong. */
static int32_t some_int32(void)
{
	int32_t v = rig_random(&seed);

	switch (rig_random(&seed) % 4) {
	case 0:
		return v % 300;
	case 1:
		return v >> rig_random(&seed) % 32;
	case 2:
		return v & 1 ? INT32_MAX - (v >> 28 & 7) : INT32_MIN + (v >> 28 & 7);
	default:
		return v;
	}
}

static void check(const struct op *op, const char *what)
{
	struct npu_model_bus bus = { .read = bus_read };
	struct npu_config cfg;
	static int32_t acc[POSITIONS][8], copy[POSITIONS][8];
	static uint8_t out[ELEMENTS];
	struct sdp sdp;

	for (int i = 0; i < ELEMENTS; i++)
		acc[i / 8][i % 8] = some_int32();
	memcpy(copy, acc, sizeof(copy));
	assert_int_equal(npu_config_parse(&cfg, "nv_small"), 0);
	assert_int_equal(sdp_init(&sdp, &cfg, &bus), 0);
	assert_null(sdp_group(&sdp, op, GROUP, acc[0], out));
	for (int i = 0; i < ELEMENTS; i++) {
		uint8_t want = expected(op, copy[i / 8][i % 8], i / 8, i % 8);

		if (out[i] != want)
			fail_msg("%s, element %d: %02x for %d, should be %02x", what, i, out[i],
				 copy[i / 8][i % 8], want);
	}
	sdp_fini(&sdp);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(memory); i++)
		((uint8_t *)memory)[i] = rig_random(&seed) >> 7;
	return 0;
}

static void test_converter(void **state)
{
	struct op op;

	(void)state;
	init_op(&op);
	for (op.cvt_shift = 0; op.cvt_shift < 64; op.cvt_shift++) {
		op.out_int16 = op.cvt_shift & 1;
		op.cvt_offset = some_int32();
		op.cvt_scale = rig_random(&seed);
		check(&op, "converter");
		op.cvt_scale = 1;
		op.cvt_offset = 0;
		check(&op, "plain shift");
	}
}

static void random_stage(struct op_stage *s)
{
	static const enum op_alu algos[] = { OP_ALU_NONE, OP_ALU_MAX, OP_ALU_MIN, OP_ALU_SUM };
	uint32_t bits = rig_random(&seed);

	memset(s, 0, sizeof(*s));
	s->alu = algos[bits & 3];
	s->mul = bits & 4;
	s->prelu = bits & 8;
	s->relu = bits & 16;
	s->alu_shift = bits & 32 ? rig_random(&seed) % 64 : rig_random(&seed) % 20;
	s->mul_shift = bits & 64 ? rig_random(&seed) % 64 : rig_random(&seed) % 20;
	s->alu_value = rig_random(&seed);
	s->mul_value = rig_random(&seed) >> (bits & 128 ? 9 : 0);
}

static void random_converter(struct op *op)
{
	op->cvt_offset = rig_random(&seed) & 1 ? some_int32() : 0;
	op->cvt_scale = rig_random(&seed) & 1 ? rig_random(&seed) : 1;
	op->cvt_shift = rig_random(&seed) % 25;
	op->out_int16 = rig_random(&seed) & 1;
}

static void test_register_operands(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct op op;

		init_op(&op);
		random_stage(&op.stage[i & 1]);
		if (i > 50)
			random_stage(&op.stage[~i & 1]);
		random_converter(&op);
		check(&op, "register operands");
	}
}

/* Every way to keep operands in memory, in both stages, with every ALU. */
static void test_memory_operands(void **state)
{
	static const enum op_alu algos[] = { OP_ALU_MAX, OP_ALU_MIN, OP_ALU_SUM };

	(void)state;
	for (int mode = 0; mode < 2 * 2 * 3 * 3 * 2; mode++) {
		int index = mode & 1, use = mode / 4 % 3;
		struct op_stage *s;
		struct op op;

		init_op(&op);
		random_converter(&op);
		s = &op.stage[index];
		random_stage(s);
		s->alu = algos[mode / 12 % 3];
		s->mul = true;
		s->alu_memory = use != 0;
		s->mul_memory = use != 1;
		s->operand = (struct op_operand){ .base = OPERANDS + index * sizeof(memory[0]),
						  .bytes = mode & 2 ? 2 : 1,
						  .both = use == 2,
						  .per_element = mode / 36 };
		s->operand.line_stride = W * 8 * s->operand.bytes * (use == 2 ? 2 : 1) + 16;
		s->operand.surf_stride = H * s->operand.line_stride + 24;
		check(&op, "memory operands");
	}
}

static void test_both_stages_from_memory(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		struct op op;

		init_op(&op);
		random_converter(&op);
		for (int x = 0; x < 2; x++) {
			struct op_stage *s = &op.stage[x];

			random_stage(s);
			s->alu_memory = s->alu != OP_ALU_NONE;
			s->mul_memory = s->mul;
			s->operand = (struct op_operand){
				.base = OPERANDS + x * sizeof(memory[0]),
				.bytes = 1 + rig_random(&seed) % 2,
				.both = s->alu_memory && s->mul_memory,
				.per_element = rig_random(&seed) & 1,
				.line_stride = W * 32,
				.surf_stride = W * H * 32,
			};
		}
		check(&op, "both stages");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_converter),
		cmocka_unit_test(test_register_operands),
		cmocka_unit_test(test_memory_operands),
		cmocka_unit_test(test_both_stages_from_memory),
	};

	return cmocka_run_group_tests_name("epilogue", tests, setup, NULL);
}
