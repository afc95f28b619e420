// SPDX-License-Identifier: MIT
/*
 * The rules of the convolution buffer, and what happens to those who break them. The RTL does the
 * same, but for too many banks, which the model refuses outright.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_exact.h"

static void test_exact_fit(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 64, 64, 8);
	op.data_banks = 1;
	exact_runs(r, &op);
	exact_op_init(&op, 8, 512, 16);
	op.weight_banks = 1;
	exact_runs(r, &op);
	exact_runs(r, &op);
}

static void test_weights_stream(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 200, 300);
	assert_int_equal(op.weight_banks, 15);
	for (op.weight_banks = 1; op.weight_banks < 15; op.weight_banks += 3) {
		memset(rig_mem(r, RIG_C), 0, 16 * 304);
		exact_runs(r, &op);
	}
}

static void test_data_does_not_fit(void **state)
{
	struct rig_op op;

	exact_op_init(&op, 65, 64, 8);
	op.data_banks = 1;
	exact_hangs(*state, &op, "features do not fit");
	op.w = 1;
	op.h = 65;
	exact_hangs(*state, &op, "features do not fit");
}

static void test_group_does_not_fit(void **state)
{
	struct rig_op op;

	exact_op_init(&op, 8, 513, 8);
	op.weight_banks = 1;
	exact_hangs(*state, &op, "kernel group does not fit");
}

static void test_too_many_banks(void **state)
{
	struct rig_op op;

	exact_op_init(&op, 8, 64, 8);
	op.data_banks = 31;
	op.weight_banks = 2;
	exact_hangs(*state, &op, "more than the CBUF has");
}

static void test_too_few_weight_bytes(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 64, 24);
	op.weight_bytes -= 64 * 8 + 8;
	exact_hangs(r, &op, "WEIGHT_BYTES is less");
	exact_op_init(&op, 16, 64, 20);
	op.weight_bytes += 4;
	exact_hangs(r, &op, "not a multiple");

	/* Missing in the last group only: wrong, and fatal for the next op. */
	exact_op_init(&op, 16, 64, 24);
	op.weight_bytes -= 8;
	assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	assert_false(exact_is_product(r, &op));
	op.weight_bytes += 8;
	exact_hangs(r, &op, "lost count");
}

/* The first op is right; the next ones read the weights that the first has left. */
static void test_too_many_weight_bytes(void **state)
{
	struct rig *r = *state;
	struct rig_op op, late;

	exact_op_init(&op, 16, 64, 24);
	late = op;
	late.wt += 0x200000;
	op.weight_bytes += 8;
	exact_runs(r, &op);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
		assert_false(exact_is_product(r, &op));
	}
	/* The stream is late by what was too much so far: four entries of the op before. */
	memcpy(rig_mem(r, late.wt), rig_mem(r, RIG_W) + 189 * 8, 32);
	memcpy(rig_mem(r, late.wt) + 32, rig_mem(r, RIG_W), 188 * 8);
	assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	assert_true(exact_is_product(r, &late));
	/* Other banks start from an empty ring. */
	op.weight_bytes -= 8;
	op.weight_banks++;
	exact_runs(r, &op);
}

/* Each op leaves 100 entries behind, until 1024 are no longer enough. */
static void test_leak_ends_in_a_hang(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 16, 64, 24);
	op.weight_banks = 2;
	op.weight_bytes += 800;
	for (int i = 0; i < 9; i++)
		assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	exact_hangs(r, &op, "kernel group does not fit");
}

static void test_reuse(void **state)
{
	struct rig *r = *state;
	struct rig_op op, first;

	exact_op_init(&op, 16, 64, 24);
	op.misc = MISC_CFG_SKIP_DATA_RLS | MISC_CFG_SKIP_WEIGHT_RLS;
	exact_runs(r, &op);
	first = op;
	first.c += 0x10000;
	exact_runs(r, &first);

	/* New bytes in memory are not seen: nothing is fetched. */
	op.misc = MISC_CFG_DATA_REUSE | MISC_CFG_WEIGHT_REUSE;
	rig_noise(r, RIG_A, 4096, 11);
	rig_noise(r, RIG_W, 4096, 12);
	memset(rig_mem(r, RIG_C), 0, 16 * 24);
	assert_true(rig_wait(r, rig_submit(r, &op), EXACT_LIMIT));
	assert_memory_equal(rig_mem(r, RIG_C), rig_mem(r, first.c), 16 * 24);

	/* That op released what it reused, so the wish is not granted again. */
	exact_runs(r, &op);
}

static void test_skipped_release_is_made_up_for(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 64, 64, 64);
	op.data_banks = 2;
	op.weight_banks = 2;
	for (int i = 0; i < 6; i++) {
		op.misc = i & 1 ? 0 : MISC_CFG_SKIP_DATA_RLS | MISC_CFG_SKIP_WEIGHT_RLS;
		exact_runs(r, &op);
	}
}

static void test_kept_weights_must_all_fit(void **state)
{
	struct rig_op op;

	exact_op_init(&op, 8, 512, 16);
	op.weight_banks = 1;
	op.misc = MISC_CFG_SKIP_WEIGHT_RLS;
	exact_hangs(*state, &op, "kernel group does not fit");
}

/* A change of banks drops what was kept; asking for it nevertheless loses its place for good. */
static void test_reuse_across_other_banks(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	exact_op_init(&op, 42, 205, 74);
	op.misc = MISC_CFG_SKIP_WEIGHT_RLS;
	exact_runs(r, &op);
	op.misc = MISC_CFG_WEIGHT_REUSE;
	op.data_banks++;
	exact_hangs(r, &op, "lost in a change of banks");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, exact_setup, exact_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("convolution buffer", tests, NULL, NULL);
}
