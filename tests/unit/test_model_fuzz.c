// SPDX-License-Identifier: MIT
/*
 * Hostile registers: the model runs inside an emulator, so nothing a guest writes may crash it or
 * make it touch memory of its own that it should not. Meant to be run with sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "../../tools/board/model/regfile.h"
#include "test_model_rig.h"

static const uint32_t pages[] = { 0x3000, 0x4000, 0x5000, 0x6000, 0x7000, 0x8000, 0x9000 };

static uint32_t some_value(uint32_t *seed)
{
	static const uint32_t corners[] = { 0,		1,	    7,	       8,
					    0x1fff,	0xffff,	    0x10001,   0x7fffffff,
					    0x80000000, 0xfffffff8, 0xffffffff };

	if (rig_random(seed) % 4 == 0)
		return corners[rig_random(seed) % (sizeof(corners) / sizeof(*corners))];
	return rig_random(seed) >> rig_random(seed) % 32;
}

static void enable_all(struct rig *r)
{
	static const uint32_t enables[] = { SDP_RDMA_D_OP_ENABLE, SDP_D_OP_ENABLE,
					    CACC_D_OP_ENABLE,	  CMAC_A_D_OP_ENABLE,
					    CMAC_B_D_OP_ENABLE,	  CSC_D_OP_ENABLE,
					    CDMA_D_OP_ENABLE };

	for (size_t i = 0; i < sizeof(enables) / sizeof(*enables); i++)
		npu_model_write(r->model, enables[i], 1);
}

static void reset(struct rig *r)
{
	npu_model_reset(r->model);
	r->group = 0;
	r->rdma_group = 0;
}

/* Any value into any register, any time. */
static void test_noise(void **state)
{
	uint32_t seed = 1234567;
	struct rig r;

	(void)state;
	rig_init(&r, "nv_small");
	for (int i = 0; i < 100000; i++) {
		uint32_t reg = rig_random(&seed) & 0xffff;

		if (rig_random(&seed) % 8)
			reg = pages[rig_random(&seed) % 7] + (rig_random(&seed) & 0xfc);
		npu_model_write(r.model, reg, some_value(&seed));
		npu_model_read(r.model, reg);
		if (i % 64 == 0)
			enable_all(&r);
		if (i % 16 == 0)
			npu_model_run(r.model, rig_random(&seed) % 100000);
		if (i % 1000 == 999)
			reset(&r);
	}
	rig_fini(&r);
}

/* Valid ops of extreme sizes, with a few registers turned: these get far into the model. */
static void test_extreme_ops(void **state)
{
	uint32_t seed = 7654321;
	unsigned int started = 0;
	struct rig r;

	(void)state;
	rig_init(&r, "nv_small");
	for (int i = 0; i < 3000; i++) {
		struct rig_op op;

		rig_op_init(&op, &rig_small, 1 + some_value(&seed) % 64,
			    1 + some_value(&seed) % 512, 1 + some_value(&seed) % 64);
		op.h = 1 + rig_random(&seed) % 8;
		op.w = 1 + some_value(&seed) % 64;
		op.data_banks = 1 + rig_random(&seed) % 32;
		op.weight_banks = 1 + rig_random(&seed) % 32;
		if (rig_random(&seed) % 4 == 0)
			op.weight_bytes = some_value(&seed);
		op.misc = some_value(&seed) & MISC_CFG_CBUF;
		op.clip = some_value(&seed);
		if (rig_random(&seed) % 4 == 0)
			op.a = some_value(&seed);
		if (rig_random(&seed) % 4 == 0)
			op.c = some_value(&seed);
		op.a_line = some_value(&seed);
		op.c_surf = some_value(&seed);
		for (int x = 0; x < 2; x++) {
			op.x[x].cfg = some_value(&seed);
			op.x[x].alu_cfg = some_value(&seed);
			op.x[x].mul_cfg = some_value(&seed);
			op.x[x].alu_value = some_value(&seed);
			op.x[x].mul_value = some_value(&seed);
			op.x[x].rdma_cfg = some_value(&seed);
			op.x[x].line = some_value(&seed);
			op.x[x].surf = some_value(&seed);
		}
		op.cvt_offset = some_value(&seed);
		op.cvt_scale = some_value(&seed);
		op.cvt_shift = some_value(&seed);
		rig_submit(&r, &op);
		started += !npu_model_stuck(r.model);
		npu_model_run(r.model, 1 + some_value(&seed) % 1000000);
		if (npu_model_stuck(r.model) || rig_random(&seed) % 4 == 0)
			reset(&r);
	}
	/* Else the test would have tested the front door only. */
	assert_true(started > 100);
	rig_fini(&r);
}

/* The largest numbers that all fields can hold at once. */
static void test_largest(void **state)
{
	struct rig_op op;
	struct rig r;

	(void)state;
	rig_init(&r, "nv_small");
	rig_op_init(&op, &rig_small, 8192, 8192, 8192);
	op.h = 4096;
	op.data_banks = 16;
	op.weight_banks = 16;
	rig_submit(&r, &op);
	assert_non_null(npu_model_stuck(r.model));
	reset(&r);
	/* The most that fits: all of the buffer, all kernels, weights at the end of the bus */
	rig_op_init(&op, &rig_small, 1, 8192, 8192);
	op.data_banks = 2;
	op.weight_banks = 30;
	op.wt = 0xfffffff8;
	rig_submit(&r, &op);
	npu_model_run(r.model, 1000);
	assert_non_null(npu_model_stuck(r.model));
	rig_fini(&r);
}

/* A clock that has run for ever. */
static void test_end_of_time(void **state)
{
	struct rig_op op;
	struct rig r;

	(void)state;
	rig_init(&r, "nv_small");
	rig_op_init(&op, &rig_small, 4, 8, 8);
	npu_model_run(r.model, INT64_MAX);
	assert_true(rig_submit(&r, &op));
	npu_model_run(r.model, UINT64_MAX);
	npu_model_run(r.model, UINT64_MAX);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_extreme_ops),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_end_of_time),
	};

	return cmocka_run_group_tests_name("hostile registers", tests, NULL, NULL);
}
