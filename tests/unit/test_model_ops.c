// SPDX-License-Identifier: MIT
/*
 * Whole ops: products against a plain reference, the rules of the convolution buffer, and what
 * happens to those who break them. The RTL does the same, but for what the model refuses outright:
 * too many banks, units that disagree, bus errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_rig.h"

#define LIMIT 2000000

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	rig_start(r);
	rig_noise(r, RIG_A, 256 << 10, 1);
	rig_noise(r, RIG_W, 1 << 20, 2);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static int8_t feature(struct rig *r, const struct rig_op *op, uint32_t m, uint32_t k)
{
	return *rig_mem(r, op->a + k / 8 * rig_surf(op, op->a_surf) +
				   m / op->w * rig_line(op, op->a_line) + m % op->w * 8 + k % 8);
}

/* Groups of 8 kernels, blocks of 8 channels, kernels inside a block, tight tails. */
static int8_t weight(struct rig *r, const struct rig_op *op, uint32_t n, uint32_t k)
{
	uint32_t group = n & ~7u, block = k & ~7u;
	uint32_t kernels = op->n - group < 8 ? op->n - group : 8;
	uint32_t channels = op->k - block < 8 ? op->k - block : 8;

	return *rig_mem(r, op->wt + group * op->k + block * kernels + (n - group) * channels +
				   (k - block));
}

/* What the op must leave at m, n: the low byte of the sum, as its converter is set here. */
static uint8_t product(struct rig *r, const struct rig_op *op, uint32_t m, uint32_t n)
{
	int32_t sum = 0;

	for (uint32_t k = 0; k < op->k && n < op->n; k++)
		sum += feature(r, op, m, k) * weight(r, op, n, k);
	sum >>= 4;
	return sum > 32767 ? 0xff : sum < -32768 ? 0 : sum;
}

/* An op whose output shows the low bits of the sum: any wrong operand is seen. */
static void exact_op(struct rig_op *op, uint32_t m, uint32_t k, uint32_t n)
{
	rig_op_init(op, m, k, n);
	op->format = PRECISION_INT16 << 2;
	/* floor(sum / 16): rounding is half away from zero, of an odd number of halves */
	op->x[0].cfg = DP_CFG_ALU_BYPASS | DP_CFG_RELU_BYPASS;
	op->x[0].mul_value = 2;
	op->cvt_offset = 15;
	op->cvt_shift = 5;
}

static bool is_product(struct rig *r, const struct rig_op *op)
{
	for (uint32_t n = 0; n < (op->n + 7) / 8 * 8; n++) {
		for (uint32_t m = 0; m < op->w * op->h; m++) {
			uint32_t at = op->c + n / 8 * rig_surf(op, op->c_surf) +
				      m / op->w * rig_line(op, op->c_line) + m % op->w * 8 + n % 8;

			if (*rig_mem(r, at) != product(r, op, m, n))
				return false;
		}
	}
	return true;
}

static void assert_runs(struct rig *r, const struct rig_op *op)
{
	assert_true(rig_wait(r, rig_submit(r, op), LIMIT));
	assert_true(is_product(r, op));
}

/* Submits an op that must never complete, and checks that the engine is stuck for good. */
static void assert_hangs(struct rig *r, const struct rig_op *op, const char *why)
{
	struct rig_op good;
	uint8_t before[64];
	unsigned int rises = r->rises;

	memcpy(before, rig_mem(r, op->c), sizeof(before));
	assert_false(rig_wait(r, rig_submit(r, op), LIMIT));
	assert_non_null(npu_model_stuck(r->model));
	assert_non_null(strstr(npu_model_stuck(r->model), why));
	assert_false(npu_model_busy(r->model));
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS) & 3 << 16 * (r->group ^ 1),
			 1 << 16 * (r->group ^ 1));
	exact_op(&good, 4, 8, 8);
	assert_false(rig_wait(r, rig_submit(r, &good), LIMIT));
	assert_int_equal(r->rises, rises);
	assert_memory_equal(before, rig_mem(r, op->c), sizeof(before));

	npu_model_reset(r->model);
	r->group = 0;
	r->rdma_group = 0;
	rig_start(r);
	assert_null(npu_model_stuck(r->model));
	assert_runs(r, &good);
}

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
		exact_op(&op, w * h, 1 + rig_random(&seed) % 90, 1 + rig_random(&seed) % 40);
		op.w = w;
		op.h = h;
		assert_runs(r, &op);
	}
}

static void test_strides(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 5 * 7, 50, 30);
	op.w = 5;
	op.h = 7;
	op.a_line = 64;
	op.a_surf = 1000;
	op.c_line = 48;
	op.c_surf = 344;
	rig_noise(r, RIG_C, 2000, 3);
	assert_runs(r, &op);
	/* The gaps of the output are left alone. */
	assert_memory_not_equal(rig_mem(r, RIG_C + 40), "\0\0\0\0\0\0\0", 8);
}

/* One position: surfaces follow each other whatever the strides say. */
static void test_single_position(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 1, 100, 30);
	op.a_surf = 800;
	op.c_surf = 800;
	assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_false(is_product(r, &op));
	op.a_surf = 0;
	op.c_surf = 0;
	assert_true(is_product(r, &op));
}

static void test_exact_fit(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 64, 64, 8);
	op.data_banks = 1;
	assert_runs(r, &op);
	exact_op(&op, 8, 512, 16);
	op.weight_banks = 1;
	assert_runs(r, &op);
	assert_runs(r, &op);
}

static void test_weights_stream(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 16, 200, 300);
	assert_int_equal(op.weight_banks, 15);
	for (op.weight_banks = 1; op.weight_banks < 15; op.weight_banks += 3) {
		memset(rig_mem(r, RIG_C), 0, 16 * 304);
		assert_runs(r, &op);
	}
}

static void test_data_does_not_fit(void **state)
{
	struct rig_op op;

	exact_op(&op, 65, 64, 8);
	op.data_banks = 1;
	assert_hangs(*state, &op, "features do not fit");
	op.w = 1;
	op.h = 65;
	assert_hangs(*state, &op, "features do not fit");
}

static void test_group_does_not_fit(void **state)
{
	struct rig_op op;

	exact_op(&op, 8, 513, 8);
	op.weight_banks = 1;
	assert_hangs(*state, &op, "kernel group does not fit");
}

static void test_too_many_banks(void **state)
{
	struct rig_op op;

	exact_op(&op, 8, 64, 8);
	op.data_banks = 31;
	op.weight_banks = 2;
	assert_hangs(*state, &op, "more than the CBUF has");
}

static void test_too_few_weight_bytes(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 16, 64, 24);
	op.weight_bytes -= 64 * 8 + 8;
	assert_hangs(r, &op, "WEIGHT_BYTES is less");
	exact_op(&op, 16, 64, 20);
	op.weight_bytes += 4;
	assert_hangs(r, &op, "not a multiple");

	/* Missing in the last group only: wrong, and fatal for the next op. */
	exact_op(&op, 16, 64, 24);
	op.weight_bytes -= 8;
	assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_false(is_product(r, &op));
	op.weight_bytes += 8;
	assert_hangs(r, &op, "lost count");
}

/* The first op is right; the next ones read the weights that the first has left. */
static void test_too_many_weight_bytes(void **state)
{
	struct rig *r = *state;
	struct rig_op op, late;

	exact_op(&op, 16, 64, 24);
	late = op;
	late.wt += 0x200000;
	op.weight_bytes += 8;
	assert_runs(r, &op);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
		assert_false(is_product(r, &op));
	}
	/* The stream is late by what was too much so far: four entries of the op before. */
	memcpy(rig_mem(r, late.wt), rig_mem(r, RIG_W) + 189 * 8, 32);
	memcpy(rig_mem(r, late.wt) + 32, rig_mem(r, RIG_W), 188 * 8);
	assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_true(is_product(r, &late));
	/* Other banks start from an empty ring. */
	op.weight_bytes -= 8;
	op.weight_banks++;
	assert_runs(r, &op);
}

/* Each op leaves 100 entries behind, until 1024 are no longer enough. */
static void test_leak_ends_in_a_hang(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 16, 64, 24);
	op.weight_banks = 2;
	op.weight_bytes += 800;
	for (int i = 0; i < 9; i++)
		assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_hangs(r, &op, "kernel group does not fit");
}

static void test_reuse(void **state)
{
	struct rig *r = *state;
	struct rig_op op, first;

	exact_op(&op, 16, 64, 24);
	op.misc = MISC_CFG_SKIP_DATA_RLS | MISC_CFG_SKIP_WEIGHT_RLS;
	assert_runs(r, &op);
	first = op;
	first.c += 0x10000;
	assert_runs(r, &first);

	/* New bytes in memory are not seen: nothing is fetched. */
	op.misc = MISC_CFG_DATA_REUSE | MISC_CFG_WEIGHT_REUSE;
	rig_noise(r, RIG_A, 4096, 11);
	rig_noise(r, RIG_W, 4096, 12);
	memset(rig_mem(r, RIG_C), 0, 16 * 24);
	assert_true(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_memory_equal(rig_mem(r, RIG_C), rig_mem(r, first.c), 16 * 24);

	/* That op released what it reused, so the wish is not granted again. */
	assert_runs(r, &op);
}

static void test_skipped_release_is_made_up_for(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 64, 64, 64);
	op.data_banks = 2;
	op.weight_banks = 2;
	for (int i = 0; i < 6; i++) {
		op.misc = i & 1 ? 0 : MISC_CFG_SKIP_DATA_RLS | MISC_CFG_SKIP_WEIGHT_RLS;
		assert_runs(r, &op);
	}
}

static void test_kept_weights_must_all_fit(void **state)
{
	struct rig_op op;

	exact_op(&op, 8, 512, 16);
	op.weight_banks = 1;
	op.misc = MISC_CFG_SKIP_WEIGHT_RLS;
	assert_hangs(*state, &op, "kernel group does not fit");
}

/* A change of banks drops what was kept; asking for it nevertheless loses its place for good. */
static void test_reuse_across_other_banks(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 42, 205, 74);
	op.misc = MISC_CFG_SKIP_WEIGHT_RLS;
	assert_runs(r, &op);
	op.misc = MISC_CFG_WEIGHT_REUSE;
	op.data_banks++;
	assert_hangs(r, &op, "lost in a change of banks");
}

/* The second op is fetched while the first still runs: it cannot see the first one's output. */
static void test_overlapping_ops_see_stale_data(void **state)
{
	struct rig *r = *state;
	struct rig_op first, second, alone;
	uint8_t stale[64 * 64];

	exact_op(&first, 64, 64, 64);
	first.data_banks = 4;
	first.weight_banks = 4;
	second = first;
	second.a = first.c;
	second.c += 0x10000;
	alone = second;
	alone.c += 0x10000;
	rig_noise(r, first.c, 64 * 64, 5);
	assert_runs(r, &alone);
	memcpy(stale, rig_mem(r, alone.c), sizeof(stale));

	rig_submit(r, &first);
	rig_submit(r, &second);
	assert_true(rig_wait(r, 3, LIMIT));
	assert_true(is_product(r, &first));
	assert_memory_equal(rig_mem(r, second.c), stale, sizeof(stale));

	/* One after the other they are right. */
	assert_runs(r, &first);
	assert_runs(r, &second);
}

static void test_bus_errors(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 16, 64, 24);
	r->fail_read = RIG_A + 1000;
	assert_hangs(r, &op, "read the features");
	r->fail_read = RIG_W + 1535;
	assert_hangs(r, &op, "read the weights");
	r->fail_read = 0;
	r->fail_write = RIG_C + 16 * 24 - 1;
	memset(rig_mem(r, RIG_C), 0, 1);
	assert_false(rig_wait(r, rig_submit(r, &op), LIMIT));
	assert_non_null(strstr(npu_model_stuck(r->model), "wrote the result"));
}

static void test_operand_bus_error(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op(&op, 16, 64, 24);
	op.x[1].cfg = DP_CFG_MUL_BYPASS | DP_CFG_RELU_BYPASS | DP_ALU_SUM << 2;
	op.x[1].alu_cfg = DP_SRC_MEMORY;
	op.x[1].rdma_cfg = RDMA_DATA_USE_ALU << 1;
	r->fail_read = RIG_X2 + 23;
	assert_hangs(r, &op, "read operands");
}

/* Ops already in front of the one that breaks still complete. */
static void test_op_in_front_of_a_hang_completes(void **state)
{
	struct rig *r = *state;
	struct rig_op good, bad;

	exact_op(&good, 16, 64, 24);
	bad = good;
	bad.a = 0x10000000;
	bad.c += 0x10000;
	rig_submit(r, &good);
	rig_submit(r, &bad);
	assert_true(rig_wait(r, 1, LIMIT));
	assert_true(is_product(r, &good));
	assert_false(rig_wait(r, 2, LIMIT));
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

	exact_op(&op, 16, 64, 24);
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
	assert_runs(r, &op);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_products),
		TEST(test_strides),
		TEST(test_single_position),
		TEST(test_exact_fit),
		TEST(test_weights_stream),
		TEST(test_data_does_not_fit),
		TEST(test_group_does_not_fit),
		TEST(test_too_many_banks),
		TEST(test_too_few_weight_bytes),
		TEST(test_too_many_weight_bytes),
		TEST(test_leak_ends_in_a_hang),
		TEST(test_reuse),
		TEST(test_skipped_release_is_made_up_for),
		TEST(test_kept_weights_must_all_fit),
		TEST(test_reuse_across_other_banks),
		TEST(test_overlapping_ops_see_stale_data),
		TEST(test_bus_errors),
		TEST(test_operand_bus_error),
		TEST(test_op_in_front_of_a_hang_completes),
		TEST(test_units_disagree),
	};

	return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
