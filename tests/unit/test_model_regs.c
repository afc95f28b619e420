// SPDX-License-Identifier: MIT
/* The register front: groups and pointers, locks, field widths, interrupts, the flush. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../tools/board/model/regfile.h"
#include "test_model_rig.h"

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r, "nv_small");
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static void test_identity(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_abi(), NPU_MODEL_ABI);
	assert_int_equal(npu_model_read(r->model, CFGROM_HW_VERSION), 0x00010001);
	assert_int_equal(npu_model_read(r->model, GLB_S_NVDLA_HW_VERSION), 0x00303031);
	assert_null(npu_model_new("nv_unheard_of", NULL));
	npu_model_free(NULL);
}

static void test_flush_takes_time(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS), 0);
		assert_true(npu_model_busy(r->model));
		npu_model_run(r->model, 8000);
		assert_int_equal(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS), 0);
		npu_model_run(r->model, 1000);
		assert_int_equal(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS), 1);
		assert_false(npu_model_busy(r->model));
		npu_model_reset(r->model);
	}
}

/* Every register holds what its fields can hold, and each group its own. */
static void test_fields_and_groups(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < regmap_size; i++) {
		const struct regmap_entry *e = &regmap[i];
		uint32_t pointer = (e->offset & 0xf000) | UNIT_S_POINTER;

		/* MCIF has no groups, and another register where the others have the pointer. */
		if (e->offset < CDMA_S_STATUS)
			pointer = 0;
		assert_int_equal(npu_model_read(r->model, e->offset), e->reset);
		npu_model_write(r->model, pointer, 1);
		npu_model_write(r->model, e->offset, 0xffffffff);
		assert_int_equal(npu_model_read(r->model, e->offset), e->mask ? e->mask : e->reset);
		npu_model_write(r->model, pointer, 0);
	}
	/* A register of a group, and one that both groups share */
	assert_int_equal(npu_model_read(r->model, CDMA_D_WEIGHT_BYTES), 0);
	assert_int_equal(npu_model_read(r->model, CDMA_S_ARBITER), 0x000f000f);
	npu_model_write(r->model, CDMA_S_POINTER, 1);
	assert_int_equal(npu_model_read(r->model, CDMA_D_WEIGHT_BYTES), 0xffffffff);
	npu_model_reset(r->model);
	assert_int_equal(npu_model_read(r->model, CDMA_S_POINTER), 0);
	assert_int_equal(npu_model_read(r->model, CDMA_D_WEIGHT_BYTES), 0);
}

static void test_nobody_home(void **state)
{
	struct rig *r = *state;
	static const uint32_t holes[] = { 0x1010, 0x3100, 0x3fff, 0x3002, 0xa000, 0xfffc, ~0u };

	for (size_t i = 0; i < sizeof(holes) / sizeof(*holes); i++) {
		npu_model_write(r->model, holes[i], 0x12345678);
		assert_int_equal(npu_model_read(r->model, holes[i]), 0);
	}
}

static void test_ping_pong(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	rig_start(r);
	rig_op_init(&op, &rig_small, 16, 64, 16);
	rig_submit(r, &op);
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS), 0x00000001);
	rig_submit(r, &op);
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS), 0x00020001);
	assert_int_equal(npu_model_read(r->model, SDP_S_POINTER), 0x00000001);

	/* Both groups are taken: writes bounce, and the enable stays. */
	npu_model_write(r->model, SDP_D_CVT_SCALE, 77);
	npu_model_write(r->model, SDP_D_OP_ENABLE, 0);
	assert_int_equal(npu_model_read(r->model, SDP_D_CVT_SCALE), 1);
	assert_int_equal(npu_model_read(r->model, SDP_D_OP_ENABLE), 1);

	assert_true(rig_wait(r, 1, 100000));
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS), 0x00010000);
	assert_int_equal(npu_model_read(r->model, SDP_S_POINTER), 0x00010001);
	assert_true(rig_wait(r, 2, 100000));
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS), 0);
	assert_int_equal(npu_model_read(r->model, CDMA_S_STATUS), 0);
	assert_int_equal(npu_model_read(r->model, CACC_S_POINTER), 1);

	/* The group keeps its values, unlocked. */
	assert_int_equal(npu_model_read(r->model, SDP_D_OP_ENABLE), 0);
	assert_int_equal(npu_model_read(r->model, SDP_D_CVT_SCALE), 1);
	npu_model_write(r->model, SDP_D_CVT_SCALE, 77);
	assert_int_equal(npu_model_read(r->model, SDP_D_CVT_SCALE), 77);
}

/* CDMA is done with an op long before SDP is. */
static void test_units_finish_one_by_one(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	rig_start(r);
	rig_op_init(&op, &rig_small, 64, 64, 64);
	rig_submit(r, &op);
	r->now += npu_model_run(r->model, 2000);
	assert_int_equal(npu_model_read(r->model, CDMA_S_STATUS), 0);
	assert_int_equal(npu_model_read(r->model, CDMA_S_POINTER) >> 16, 1);
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS), 1);
	assert_true(rig_wait(r, 1, 100000));
}

/* The parity of SDP_RDMA moves on with the ops that use it, and with no others. */
static void test_rdma_parity(void **state)
{
	struct rig *r = *state;
	struct rig_op plain, with;

	rig_start(r);
	rig_op_init(&plain, &rig_small, 4, 8, 8);
	with = plain;
	with.x[0].cfg = DP_CFG_MUL_BYPASS | DP_CFG_RELU_BYPASS | DP_ALU_SUM << 2;
	with.x[0].alu_cfg = DP_SRC_MEMORY;
	with.x[0].rdma_cfg = RDMA_DATA_USE_ALU << 1;
	assert_true(rig_wait(r, rig_submit(r, &plain), 100000));
	assert_int_equal(npu_model_read(r->model, SDP_RDMA_S_POINTER), 0);
	assert_true(rig_wait(r, rig_submit(r, &with), 100000));
	assert_int_equal(npu_model_read(r->model, SDP_RDMA_S_POINTER), 0x10000);
	assert_true(rig_wait(r, rig_submit(r, &plain), 100000));
	assert_true(rig_wait(r, rig_submit(r, &with), 100000));
	assert_int_equal(npu_model_read(r->model, SDP_RDMA_S_POINTER), 1);
	/* In the wrong group its enable is not seen, and the op waits. */
	r->rdma_group = 1;
	assert_false(rig_wait(r, rig_submit(r, &with), 100000));
}

static void test_interrupts(void **state)
{
	struct rig *r = *state;
	struct npu_model *m = r->model;

	npu_model_write(m, GLB_S_INTR_MASK, 0xffffffff);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_MASK), 0x003f003f);
	npu_model_write(m, GLB_S_INTR_SET, 3);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_STATUS), 3);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_SET), 0);
	assert_int_equal(r->level, 0);
	npu_model_write(m, GLB_S_INTR_MASK, ~1u);
	assert_int_equal(r->level, 1);
	npu_model_write(m, GLB_S_INTR_STATUS, 2);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_STATUS), 1);
	assert_int_equal(r->level, 1);
	npu_model_write(m, GLB_S_INTR_STATUS, 1);
	assert_int_equal(r->level, 0);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_STATUS), 0);
	npu_model_write(m, GLB_S_INTR_SET, 1);
	assert_int_equal(r->level, 1);
	npu_model_reset(m);
	assert_int_equal(r->level, 0);
	assert_int_equal(npu_model_read(m, GLB_S_INTR_STATUS), 0);
}

/* All units report, masked or not; run() stops when the line rises. */
static void test_all_done_bits(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	rig_start(r);
	rig_op_init(&op, &rig_small, 16, 64, 16);
	rig_submit(r, &op);
	assert_true(npu_model_run(r->model, 1000000) < 10000);
	assert_int_equal(r->level, 1);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS), 0x00150001);
	npu_model_write(r->model, GLB_S_INTR_STATUS, 0xffffffff);
	rig_submit(r, &op);
	npu_model_write(r->model, GLB_S_INTR_MASK, 0);
	npu_model_run(r->model, 1000000);
	assert_int_equal(r->level, 1);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS) & ~0x000a0000, 0);
}

/* Nothing happens to memory before the op's time is over. */
static void test_time_passes_in_run_only(void **state)
{
	struct rig *r = *state;
	struct rig_op op;
	uint64_t total;

	rig_start(r);
	rig_op_init(&op, &rig_small, 16, 64, 16);
	op.cvt_offset = -1;
	rig_submit(r, &op);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS), 0);
	for (total = 0; !r->level; total += npu_model_run(r->model, 1))
		assert_int_equal(rig_mem(r, RIG_C)[0], 0);
	assert_int_equal(rig_mem(r, RIG_C)[0], 1);
	assert_in_range(total, 500, 1000);
}

static void test_reset_stops_everything(void **state)
{
	struct rig *r = *state;
	struct rig_op op;

	rig_start(r);
	rig_op_init(&op, &rig_small, 16, 64, 16);
	op.cvt_offset = -1;
	rig_submit(r, &op);
	npu_model_run(r->model, 300);
	npu_model_reset(r->model);
	npu_model_run(r->model, 100000);
	assert_int_equal(rig_mem(r, RIG_C)[0], 0);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS), 0);
	assert_int_equal(npu_model_read(r->model, CDMA_S_STATUS), 0);
	r->group = 0;
	rig_start(r);
	assert_true(rig_wait(r, rig_submit(r, &op), 100000));
	assert_int_equal(rig_mem(r, RIG_C)[0], 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_flush_takes_time),
		TEST(test_fields_and_groups),
		TEST(test_nobody_home),
		TEST(test_ping_pong),
		TEST(test_units_finish_one_by_one),
		TEST(test_rdma_parity),
		TEST(test_interrupts),
		TEST(test_all_done_bits),
		TEST(test_time_passes_in_run_only),
		TEST(test_reset_stops_everything),
	};

	return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
