// SPDX-License-Identifier: MIT
/*
 * The erratum of builds with clock gating: weights released while CDMA is idle are never counted,
 * until the engine hangs. The numbers are those of NVIDIA's RTL with its clock gates on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_exact.h"

#define GATED "nv_small+gated"

static int gated_setup(void **state)
{
	*state = exact_new(GATED);
	return 0;
}

static void init_op(struct rig_op *op, uint32_t m, uint32_t k, uint32_t n, uint32_t weight_banks)
{
	exact_op_init(op, m, k, n);
	op->data_banks = m * ((k + 7) / 8) > 512 ? 8 : 2;
	op->weight_banks = weight_banks;
}

/* Submits @flight ops at a time and waits for all of them. Returns how many ops completed. */
static unsigned int run_bursts(struct rig *r, const struct rig_op *op, unsigned int flight,
			       unsigned int ops)
{
	unsigned int done = 0;

	while (done < ops) {
		for (unsigned int i = 0; i < flight; i++)
			rig_submit(r, op);
		for (unsigned int i = 0; i < flight; i++, done++)
			if (!rig_wait(r, 1u << (done & 1), EXACT_LIMIT))
				return done;
		assert_true(exact_is_product(r, op));
	}
	return done;
}

/* Keeps two ops in flight; the same. */
static unsigned int run_queued(struct rig *r, const struct rig_op *op, unsigned int ops)
{
	unsigned int done = 0;

	rig_submit(r, op);
	for (; done < ops; done++) {
		rig_submit(r, op);
		if (!rig_wait(r, 1u << (done & 1), EXACT_LIMIT))
			break;
	}
	return done;
}

static void check_hang(struct rig *r)
{
	assert_non_null(npu_model_stuck(r->model));
	assert_non_null(strstr(npu_model_stuck(r->model), "released while CDMA had no clock"));
}

struct row {
	uint32_t m, k, n, weight_banks;
	unsigned int flight;
	unsigned int ops; /* that complete, one behind the other */
};

static const struct row rows[] = {
	{ 32, 64, 32, 2, 1, 4 },   { 32, 64, 32, 30, 1, 60 }, { 32, 64, 32, 2, 2, 4 },
	{ 64, 64, 32, 8, 1, 16 },  { 32, 64, 60, 4, 1, 4 },   { 64, 256, 64, 8, 1, 2 },
	{ 64, 256, 64, 20, 1, 5 },
};

static void test_drained_each_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct rig *r = exact_new(GATED);
		struct rig_op op;
		void *rig = r;

		init_op(&op, row->m, row->k, row->n, row->weight_banks);
		assert_int_equal(run_bursts(r, &op, row->flight, 100), row->ops);
		check_hang(r);
		exact_teardown(&rig);
	}
}

/* Bank counts that change, which empty the ring, do not empty the count. */
static void test_other_banks_do_not_help(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	init_op(&op, 32, 64, 32, 2);
	for (int i = 0; i < 4; i++) {
		op.data_banks = 2 + (i & 1);
		exact_runs(r, &op);
	}
	op.data_banks = 2;
	exact_hangs(r, &op, "released while CDMA had no clock");
}

static void test_more_banks_than_leaked(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	init_op(&op, 32, 64, 32, 2);
	assert_int_equal(run_bursts(r, &op, 1, 4), 4);
	op.weight_banks = 3;
	assert_int_equal(run_bursts(r, &op, 1, 4), 2);
	check_hang(r);
}

/* CDMA waits for room or for the memory all the time, so it always has a clock. */
static void test_two_in_flight(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	init_op(&op, 64, 256, 64, 4);
	assert_int_equal(run_queued(r, &op, 300), 300);
}

static void test_reset_helps(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	init_op(&op, 32, 64, 32, 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_bursts(r, &op, 1, 4), 4);
		npu_model_reset(r->model);
		r->group = 0;
		rig_start(r);
	}
}

static void test_only_when_gated(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	init_op(&op, 32, 64, 32, 2);
	assert_int_equal(run_bursts(r, &op, 1, 100), 100);
}

static void test_unknown_option(void **state)
{
	struct npu_model_bus bus = { 0 };

	(void)state;
	assert_null(npu_model_new("nv_small+gate", &bus));
	assert_null(npu_model_new("nv_smal", &bus));
	assert_null(npu_model_new("nv_small_", &bus));
}

#define TEST(f, setup) cmocka_unit_test_setup_teardown(f, setup, exact_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drained_each_time),
		TEST(test_other_banks_do_not_help, gated_setup),
		TEST(test_more_banks_than_leaked, gated_setup),
		TEST(test_two_in_flight, gated_setup),
		TEST(test_reset_helps, gated_setup),
		TEST(test_only_when_gated, exact_setup),
		cmocka_unit_test(test_unknown_option),
	};

	return cmocka_run_group_tests_name("weight release erratum", tests, NULL, NULL);
}
