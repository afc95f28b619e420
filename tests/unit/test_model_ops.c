// SPDX-License-Identifier: MIT
/*
 * Whole ops: products against a plain reference, and ops that go wrong. The RTL does the same, but
 * for what the model refuses outright: units that disagree, bus errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_exact.h"

static void test_products(void **state)
{
	struct rig *r = *state;
	uint32_t seed = 7;

	for (int i = 0; i < 60; i++) {
		uint32_t w = 1 + rig_random(&seed) % 40, h = 1;
		struct rig_op op;

		if (i % 3 == 0) {
			w = 1 + rig_random(&seed) % 9;
			h = 1 + rig_random(&seed) % 5;
		}
		exact_op_init(&op, w * h, 1 + rig_random(&seed) % 90, 1 + rig_random(&seed) % 40);
		op.w = w;
		op.h = h;
		exact_runs(r, &op);
	}
}

static void test_strides(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 5 * 7, 50, 30);
	op.w = 5;
	op.h = 7;
	op.a_line = 64;
	op.a_surf = 1000;
	op.c_line = 48;
	op.c_surf = 344;
	rig_noise(r, RIG_C, 2000, 3);
	exact_runs(r, &op);
	/* The gaps of the output are left alone. */
	assert_memory_not_equal(rig_mem(r, RIG_C + 40), "\0\0\0\0\0\0\0", 8);
}

/* One position: surfaces follow each other whatever the strides say. */
static void test_single_position(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 1, 100, 30);
	op.a_surf = 800;
	op.c_surf = 800;
	assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	assert_false(exact_is_product(r, &op));
	op.a_surf = 0;
	op.c_surf = 0;
	assert_true(exact_is_product(r, &op));
}

/* The second op is fetched while the first still runs: it cannot see the first one's output. */
static void test_overlapping_ops_see_stale_data(void **state)
{
	struct rig *r = *state;
	struct rig_op first, second, alone;
	uint8_t stale[64 * 64];

	exact_op_init(&first, 64, 64, 64);
	first.data_banks = 4;
	first.weight_banks = 4;
	second = first;
	second.a = first.c;
	second.c += 0x10000;
	alone = second;
	alone.c += 0x10000;
	rig_noise(r, first.c, 64 * 64, 5);
	exact_runs(r, &alone);
	memcpy(stale, rig_mem(r, alone.c), sizeof(stale));

	rig_submit(r, &first);
	rig_submit(r, &second);
	assert_true(rig_wait(r, 3, EXACT_LIMIT));
	assert_true(exact_is_product(r, &first));
	assert_memory_equal(rig_mem(r, second.c), stale, sizeof(stale));

	/* One after the other they are right. */
	exact_runs(r, &first);
	exact_runs(r, &second);
}

static void test_bus_errors(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 64, 24);
	r->fail_read = RIG_A + 1000;
	exact_hangs(r, &op, "read the features");
	r->fail_read = RIG_W + 1535;
	exact_hangs(r, &op, "read the weights");
	r->fail_read = 0;
	r->fail_write = RIG_C + 16 * 24 - 1;
	memset(rig_mem(r, RIG_C), 0, 1);
	assert_false(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	assert_non_null(strstr(npu_model_stuck(r->model), "wrote the result"));
}

static void test_operand_bus_error(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 64, 24);
	op.x[1].cfg = DP_CFG_MUL_BYPASS | DP_CFG_RELU_BYPASS | DP_ALU_SUM << 2;
	op.x[1].alu_cfg = DP_SRC_MEMORY;
	op.x[1].rdma_cfg = RDMA_DATA_USE_ALU << 1;
	r->fail_read = RIG_X2 + 23;
	exact_hangs(r, &op, "read operands");
}

/* Ops already in front of the one that breaks still complete. */
static void test_op_in_front_of_a_hang_completes(void **state)
{
	struct rig *r = *state;
	struct rig_op good, bad;

	exact_op_init(&good, 16, 64, 24);
	bad = good;
	bad.a = 0x10000000;
	bad.c += 0x10000;
	rig_submit(r, &good);
	rig_submit(r, &bad);
	assert_true(rig_wait(r, 1, EXACT_LIMIT));
	assert_true(exact_is_product(r, &good));
	assert_false(rig_wait(r, 2, EXACT_LIMIT));
	assert_non_null(npu_model_stuck(r->model));
}

/* A unit that is told something else than the others. */
static void test_units_disagree(void **state)
{
	static const struct {
		uint32_t reg, value;
	} lies[] = {
		{ CSC_D_DATAIN_SIZE_EXT_0, 7 }, { CSC_D_ATOMICS, 7 },
		{ CDMA_D_WEIGHT_SIZE_0, 7 },	{ CSC_D_WEIGHT_SIZE_EXT_1, 0x70007 },
		{ CACC_D_DATAOUT_SIZE_1, 1 },	{ SDP_D_DATA_CUBE_HEIGHT, 1 },
		{ CDMA_D_ENTRY_PER_SLICE, 1 },	{ CSC_D_WEIGHT_BYTES, 8 },
		{ CSC_D_BANK, 0x30001 },	{ CSC_D_MISC_CFG, MISC_CFG_DATA_REUSE },
		{ CDMA_D_BATCH_NUMBER, 1 },	{ CDMA_D_DATAIN_FORMAT, 1 },
		{ CSC_D_WEIGHT_SIZE_EXT_0, 1 }, { SDP_D_FEATURE_MODE_CFG, 3 },
		{ SDP_D_DP_EW_CFG, 0 },		{ SDP_D_DATA_FORMAT, 1 },
		{ CDMA_D_CVT_CFG, 1 },		{ CSC_D_RELEASE, 1 },
	};
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 64, 24);
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		uint32_t page = lies[i].reg & 0xf000;

		/* Into both groups, before and behind the driver's back */
		r->lie_reg = lies[i].reg;
		r->lie_value = lies[i].value;
		assert_false(rig_wait(r, rig_submit(r, &op), 50000));
		assert_non_null(npu_model_stuck(r->model));
		assert_int_equal(npu_model_read(r->model, page | UNIT_S_STATUS) & 3, 1);
		r->lie_reg = 0;
		npu_model_reset(r->model);
		r->group = 0;
		rig_start(r);
	}
	exact_runs(r, &op);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, exact_setup, exact_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_products),
		TEST(test_strides),
		TEST(test_single_position),
		TEST(test_overlapping_ops_see_stale_data),
		TEST(test_bus_errors),
		TEST(test_operand_bus_error),
		TEST(test_op_in_front_of_a_hang_completes),
		TEST(test_units_disagree),
	};

	return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
