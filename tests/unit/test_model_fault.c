// SPDX-License-Identifier: MIT
/* Faults on request: each does what npu_fault.h says, to the op it was meant for and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_rig.h"

#define LIMIT 100000

static struct rig_op op;

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r, "nv_small");
	rig_start(r);
	rig_op_init(&op, &rig_small, 16, 64, 16);
	op.cvt_offset = -1;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static bool runs(struct rig *r)
{
	memset(rig_mem(r, RIG_C), 0, 16 * 16);
	return rig_wait(r, rig_submit(r, &op), LIMIT) && rig_mem(r, RIG_C)[255] == 1;
}

static void restart(struct rig *r)
{
	npu_model_reset(r->model);
	r->group = 0;
	rig_start(r);
}

static void test_bad_texts(void **state)
{
	struct rig *r = *state;
	static const char *const texts[] = {
		"",	      "hang",	      "hang:",	      "hang:0",
		"hang:-1",    "hang:1x",      "hang:1:2",     "hangs:1",
		"late-irq:1", "late-irq:1:",  "late-irq:1:0", "spurious-irq:1",
		"no-flush:1", "bus-error: 1", "lost-irq:1 ",  "hang:99999999999999999999"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(npu_model_inject(r->model, texts[i]), -1);
	assert_true(runs(r));
	assert_null(npu_model_stuck(r->model));
}

static void test_only_so_many(void **state)
{
	struct rig *r = *state;
	int taken = 0;

	while (taken < 1000 && npu_model_inject(r->model, "hang:1000") == 0)
		taken++;
	assert_in_range(taken, 8, 100);
	assert_true(runs(r));
}

static void test_hang(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_inject(r->model, "hang:3"), 0);
	assert_true(runs(r));
	assert_true(runs(r));
	assert_false(runs(r));
	assert_int_equal(rig_mem(r, RIG_C)[0], 0);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS), 0);
	assert_false(npu_model_busy(r->model));
	assert_false(runs(r));
	restart(r);
	assert_true(runs(r));
}

static void test_hang_behind_a_running_op(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_inject(r->model, "hang:2"), 0);
	rig_submit(r, &op);
	rig_submit(r, &op);
	assert_true(rig_wait(r, 1, LIMIT));
	assert_false(rig_wait(r, 2, LIMIT));
}

static void test_bus_error(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_inject(r->model, "bus-error:1"), 0);
	assert_false(runs(r));
	assert_non_null(npu_model_stuck(r->model));
	restart(r);
	assert_true(runs(r));
}

/* A reset is not the end of what is still to come. */
static void test_faults_outlive_a_reset(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_inject(r->model, "hang:2"), 0);
	restart(r);
	assert_true(runs(r));
	assert_false(runs(r));
}

static void test_lost_irq(void **state)
{
	struct rig *r = *state;
	unsigned int rises = r->rises;

	assert_int_equal(npu_model_inject(r->model, "lost-irq:1"), 0);
	assert_false(runs(r));
	assert_int_equal(r->rises, rises);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS) & 3, 1);
	assert_int_equal(rig_mem(r, RIG_C)[255], 1);
	/* The next interrupt brings both. */
	rig_submit(r, &op);
	assert_true(rig_run_to_irq(r, LIMIT));
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS) & 3, 3);
	npu_model_write(r->model, GLB_S_INTR_STATUS, 3);
	assert_int_equal(r->level, 0);
	assert_true(runs(r));
}

static void test_late_irq(void **state)
{
	struct rig *r = *state;
	uint64_t start, normal;

	start = r->now;
	assert_true(runs(r));
	normal = r->now - start;
	assert_int_equal(npu_model_inject(r->model, "late-irq:2:5000"), 0);
	assert_true(runs(r));
	start = r->now;
	assert_true(runs(r));
	assert_in_range(r->now - start, normal + 4900, normal + 5100);
	assert_true(runs(r));
}

/* Who clears the status in time is not bothered later. */
static void test_late_irq_cleared_before(void **state)
{
	struct rig *r = *state;
	unsigned int rises = r->rises;

	assert_int_equal(npu_model_inject(r->model, "late-irq:1:5000"), 0);
	rig_submit(r, &op);
	r->now += npu_model_run(r->model, 3000);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS) & 3, 1);
	assert_true(npu_model_busy(r->model));
	npu_model_write(r->model, GLB_S_INTR_STATUS, 1);
	assert_false(npu_model_busy(r->model));
	npu_model_run(r->model, 100000);
	assert_int_equal(r->rises, rises);
}

static void test_spurious_irq(void **state)
{
	struct rig *r = *state;
	unsigned int rises = r->rises;

	assert_int_equal(npu_model_inject(r->model, "spurious-irq"), 0);
	assert_int_equal(r->level, 0);
	assert_true(npu_model_busy(r->model));
	npu_model_run(r->model, LIMIT);
	assert_int_equal(r->level, 1);
	assert_int_equal(npu_model_read(r->model, GLB_S_INTR_STATUS), 0);
	npu_model_run(r->model, LIMIT);
	assert_int_equal(r->level, 0);
	assert_int_equal(r->rises, rises + 1);
	assert_false(npu_model_busy(r->model));
	assert_true(runs(r));
}

/* Resets in vain, and once that was seen the next one helps. */
static void test_no_flush(void **state)
{
	struct rig *r = *state;

	assert_int_equal(npu_model_inject(r->model, "no-flush"), 0);
	assert_true(runs(r));
	npu_model_reset(r->model);
	npu_model_reset(r->model);
	npu_model_run(r->model, 100 * LIMIT);
	assert_int_equal(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS), 0);
	assert_false(npu_model_busy(r->model));
	restart(r);
	assert_int_equal(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS), 1);
	assert_true(runs(r));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_texts),
		TEST(test_only_so_many),
		TEST(test_hang),
		TEST(test_hang_behind_a_running_op),
		TEST(test_bus_error),
		TEST(test_faults_outlive_a_reset),
		TEST(test_lost_irq),
		TEST(test_late_irq),
		TEST(test_late_irq_cleared_before),
		TEST(test_spurious_irq),
		TEST(test_no_flush),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
