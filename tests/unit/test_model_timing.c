// SPDX-License-Identifier: MIT
/*
 * The cost model against throughput measured on the RTL (read latency 32, an atom a cycle): cycles
 * an op takes in the middle of a row of equal ops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_model_rig.h"

#define OPS 6

struct measured {
	const char *name;
	uint32_t m, k, n;
	uint32_t data_banks, weight_banks;
	unsigned int in_flight;
	uint32_t cycles;
};

static const struct measured table[] = {
	{ "64x256x64 one at a time", 64, 256, 64, 4, 4, 1, 20758 },
	{ "64x256x64 two in flight, banks just fitting", 64, 256, 64, 4, 4, 2, 19225 },
	{ "64x256x64 two in flight, room for the next", 64, 256, 64, 8, 8, 2, 16449 },
	{ "64x512x64", 64, 512, 64, 16, 16, 2, 32833 },
	{ "64x256x1024 weights streamed", 64, 256, 1024, 4, 8, 2, 264990 },
	{ "16x1024x256 weights streamed", 16, 1024, 256, 8, 16, 2, 65601 },
	{ "1x1024x512 bound by memory", 1, 1024, 512, 1, 16, 2, 65728 },
	{ "1x1024x512 room for two groups", 1, 1024, 512, 1, 4, 2, 67713 },
	{ "1x1024x512 room for one group", 1, 1024, 512, 1, 2, 2, 135168 },
	{ "32x2048x64 data banks just fitting", 32, 2048, 64, 16, 16, 2, 77488 },
	{ "64x8x64 bound by SDP", 64, 8, 64, 1, 1, 1, 6077 },
	{ "16x32x32 short, two in flight", 16, 32, 32, 1, 1, 2, 728 },
	{ "16x16x64 short, bound by SDP", 16, 16, 64, 2, 2, 2, 1456 },
	{ "4x64x64 short, bound by memory", 4, 64, 64, 1, 4, 2, 608 },
	{ "1x64x64 short GEMV", 1, 64, 64, 2, 4, 2, 584 },
};

static const struct measured large[] = {
	{ "nv_large 64x256x64 bound by memory", 64, 256, 64, 4, 4, 2, 1092 },
	{ "nv_large 33x512x64 bound by memory", 33, 512, 64, 2, 4, 2, 1616 },
	{ "nv_large 128x256x256 bound by MACs", 128, 256, 256, 4, 4, 2, 4185 },
	{ "nv_large 16x1024x256 weights streamed", 16, 1024, 256, 2, 10, 2, 8768 },
	{ "nv_large 1x1024x512 GEMV", 1, 1024, 512, 1, 14, 2, 16480 },
	{ "nv_large 128x64x256 bound by SDP", 128, 64, 256, 2, 2, 2, 3680 },
	{ "nv_large 256x64x64 bound by SDP", 256, 64, 64, 2, 2, 2, 1840 },
};

/* Average of the ops behind the first, with as many queued as asked for. */
static double steady_state(struct rig *r, const struct measured *t, const struct rig_shape *shape)
{
	unsigned int queued = 0, done = 0;
	uint64_t first = 0;
	struct rig_op op;

	rig_op_init(&op, shape, t->m, t->k, t->n);
	op.data_banks = t->data_banks;
	op.weight_banks = t->weight_banks;
	while (queued < t->in_flight) {
		rig_submit(r, &op);
		queued++;
	}
	while (done < OPS) {
		assert_true(rig_wait(r, 1u << (done & 1), 10000000));
		if (!done++)
			first = r->now;
		if (queued < OPS) {
			rig_submit(r, &op);
			queued++;
		}
	}
	return (double)(r->now - first) / (OPS - 1);
}

static void check(const struct measured *t, const char *config, const struct rig_shape *shape)
{
	struct rig r;
	double cycles;

	rig_init(&r, config);
	rig_start(&r);
	cycles = steady_state(&r, t, shape);
	rig_fini(&r);
	if (getenv("NPU_TEST_VERBOSE"))
		printf("%-45s RTL %6u model %8.0f %+5.1f %%\n", t->name, t->cycles, cycles,
		       100 * (cycles - t->cycles) / t->cycles);
	assert_true(cycles > 0.98 * t->cycles && cycles < 1.02 * t->cycles);
}

static void test_small(void **state)
{
	check(*state, "nv_small", &rig_small);
}

static void test_large(void **state)
{
	check(*state, "nv_large", &rig_large);
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	struct CMUnitTest tests[COUNT(table) + COUNT(large)] = { 0 };

	for (size_t i = 0; i < COUNT(tests); i++) {
		const struct measured *row =
			i < COUNT(table) ? &table[i] : &large[i - COUNT(table)];

		tests[i].name = row->name;
		tests[i].test_func = i < COUNT(table) ? test_small : test_large;
		tests[i].initial_state = (void *)row;
	}
	return cmocka_run_group_tests_name("throughput", tests, NULL, NULL);
}
