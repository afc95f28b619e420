// SPDX-License-Identifier: MIT
/* The performance counters: what they count, and when they show it in which group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_model_rig.h"

#define LIMIT 1000000 /* cycles */

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r, "nv_small");
	rig_start(r);
	rig_noise(r, RIG_A, 65536, 1);
	rig_noise(r, RIG_W, 65536, 2);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static uint32_t counter(struct rig *r, uint32_t reg, unsigned int group)
{
	npu_model_write(r->model, (reg & 0xf000) | 4, group);
	return npu_model_read(r->model, reg);
}

static int64_t product(struct rig *r, const struct rig_op *op, uint32_t row, uint32_t n)
{
	const int8_t *a = (int8_t *)rig_mem(r, op->a);
	const int8_t *w = (int8_t *)rig_mem(r, op->wt);
	int64_t sum = 0;

	/* K and N are multiples of 8 here. */
	for (uint32_t k = 0; k < op->k; k++)
		sum += a[(k / 8 * op->w + row) * 8 + k % 8] *
		       w[n / 8 * 8 * op->k + k / 8 * 64 + n % 8 * 8 + k % 8];
	return sum;
}

/*
 * Above, rounding is part of it: 65535.5 is too much. Below it is not: anything under -65536 is.
 * The whole in double, which holds these products exactly.
 */
static uint32_t expected(struct rig *r, const struct rig_op *op)
{
	double unit = 1;
	uint32_t count = 0;

	if (op->cvt_shift >= 49)
		return 0;
	for (uint32_t i = 0; i < op->cvt_shift; i++)
		unit *= 2;
	for (uint32_t row = 0; row < op->w; row++)
		for (uint32_t n = 0; n < op->n; n++) {
			double x = (double)((product(r, op, row, n) - (int32_t)op->cvt_offset) *
					    (int16_t)op->cvt_scale) /
				   unit;

			count += x >= 65535.5 || x < -65536;
		}
	return count;
}

static uint32_t run(struct rig *r, const struct rig_op *op)
{
	unsigned int group = r->group;

	assert_true(rig_wait(r, rig_submit(r, op), LIMIT));
	return counter(r, SDP_D_PERF_OUT_SATURATION, group);
}

static void test_saturation(void **state)
{
	struct rig *r = *state;
	unsigned int some = 0;
	struct rig_op op;

	rig_op_init(&op, &rig_small, 33, 64, 24);
	for (op.cvt_shift = 0; op.cvt_shift < 64; op.cvt_shift += 1 + op.cvt_shift / 8) {
		for (uint32_t scale = 1; scale < 0x10000; scale = scale * 5 + 3) {
			uint32_t want;

			op.cvt_scale = scale;
			op.cvt_offset = scale * 77;
			op.format = scale & 4;
			want = expected(r, &op);
			assert_int_equal(run(r, &op), want);
			some += want > 0 && want < op.w * op.n;
		}
	}
	assert_true(some > 20);
}

/* Around both limits, to a quarter. */
static void test_saturation_at_the_limits(void **state)
{
	struct rig *r = *state;
	static const struct {
		int32_t x;
		uint32_t all;
	} at[] = {
		{ 65535 * 4 + 1, 0 }, { 65535 * 4 + 2, 1 }, { -65536 * 4, 0 }, { -65536 * 4 - 1, 1 }
	};
	struct rig_op op;

	rig_op_init(&op, &rig_small, 3, 8, 8);
	for (int i = 0; i < 8 * 3; i++)
		*rig_mem(r, RIG_A + i) = 0;
	op.cvt_shift = 2;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		op.cvt_offset = (uint32_t)-at[i].x;
		assert_int_equal(run(r, &op), at[i].all * 3 * 8);
	}
}

static void test_groups_keep_their_own(void **state)
{
	struct rig *r = *state;
	struct rig_op op[2];
	uint32_t mask;

	for (int i = 0; i < 2; i++) {
		rig_op_init(&op[i], &rig_small, 33, 64, 24);
		op[i].cvt_scale = i ? 9 : 5;
	}
	assert_int_not_equal(expected(r, &op[0]), expected(r, &op[1]));
	mask = rig_submit(r, &op[0]);
	mask |= rig_submit(r, &op[1]);
	assert_true(rig_wait(r, mask, LIMIT));
	assert_int_equal(counter(r, SDP_D_PERF_OUT_SATURATION, 0), expected(r, &op[0]));
	assert_int_equal(counter(r, SDP_D_PERF_OUT_SATURATION, 1), expected(r, &op[1]));
	npu_model_write(r->model, SDP_D_PERF_OUT_SATURATION, 7);
	assert_int_equal(counter(r, SDP_D_PERF_OUT_SATURATION, 1), expected(r, &op[1]));
	npu_model_reset(r->model);
	assert_int_equal(counter(r, SDP_D_PERF_OUT_SATURATION, 1), 0);
}

/* An op that does not count shows what the last one that did has left. */
static void test_disabled(void **state)
{
	struct rig *r = *state;
	struct rig_op op;
	uint32_t before;

	rig_op_init(&op, &rig_small, 33, 64, 24);
	op.cvt_scale = 9;
	before = run(r, &op);
	assert_true(before > 0);
	r->lie_reg = SDP_D_PERF_ENABLE;
	op.cvt_scale = 1;
	assert_int_equal(run(r, &op), before);
	assert_int_equal(counter(r, CDMA_D_PERF_DAT_READ_STALL, 0), 0);
	assert_int_equal(counter(r, CDMA_D_PERF_WT_READ_STALL, 1), 0);
}

/* Both streams of CDMA are in each other's way; weights that are there already are in none. */
static void test_stalls(void **state)
{
	struct rig *r = *state;
	struct rig_op op;
	uint64_t cycles;
	uint32_t data;

	rig_op_init(&op, &rig_small, 64, 256, 64);
	r->lie_reg = CDMA_D_PERF_ENABLE;
	r->lie_value = 1;
	cycles = r->now;
	run(r, &op);
	cycles = r->now - cycles;
	data = counter(r, CDMA_D_PERF_DAT_READ_STALL, 0);
	assert_in_range(data, 1, cycles);
	assert_in_range(counter(r, CDMA_D_PERF_WT_READ_STALL, 0), 1, cycles);
	assert_int_equal(counter(r, SDP_D_PERF_WDMA_WRITE_STALL, 0), 0);

	op.misc = MISC_CFG_SKIP_WEIGHT_RLS;
	run(r, &op);
	op.misc = MISC_CFG_WEIGHT_REUSE;
	run(r, &op);
	assert_in_range(counter(r, CDMA_D_PERF_DAT_READ_STALL, 0), 1, data * 2 / 3);
	assert_int_equal(counter(r, CDMA_D_PERF_WT_READ_STALL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_saturation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saturation_at_the_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups_keep_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stalls, setup, teardown),
	};

	return cmocka_run_group_tests_name("model: counters", tests, NULL, NULL);
}
