// SPDX-License-Identifier: MIT
/*
 * The model against the RTL: every recorded run must replay bit for bit, and the cost model must
 * come near the cycles the RTL took. NPU_TEST_VERBOSE=1 prints the cycles of every op.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_model_rig.h"
#include "vector.h"

#define VECTORS 44
#define LIMIT 1000000 /* cycles; the longest recorded op takes 12,000 */
#define LONG_OP 5000

struct replay {
	const char *path;
	struct rig rig;
	uint64_t enabled_at; /* last write of an OP_ENABLE */
	uint64_t cycles;     /* from there to the interrupt that ended the last wait */
};

static bool is_op_enable(uint32_t reg)
{
	return reg == CDMA_D_OP_ENABLE || reg == CSC_D_OP_ENABLE || reg == CMAC_A_D_OP_ENABLE ||
	       reg == CMAC_B_D_OP_ENABLE || reg == CACC_D_OP_ENABLE ||
	       reg == SDP_RDMA_D_OP_ENABLE || reg == SDP_D_OP_ENABLE;
}

static void poll(struct replay *p, const struct vector_step *s)
{
	struct rig *r = &p->rig;
	uint64_t end = r->now + LIMIT;

	while ((npu_model_read(r->model, s->addr) & s->mask) != s->value) {
		if (r->now >= end)
			fail_msg("%s:%u: the poll never ends", p->path, s->line);
		r->now += npu_model_run(r->model, 100);
	}
}

static void check_cycles(const struct replay *p, uint32_t rtl)
{
	double off = 100.0 * ((double)p->cycles - rtl) / rtl;

	if (getenv("NPU_TEST_VERBOSE"))
		printf("%-40s RTL %6u model %6llu %+5.1f %%\n", p->path, rtl,
		       (unsigned long long)p->cycles, off);
	if (off < 0)
		off = -off;
	if (off > (rtl > LONG_OP ? 10 : 25))
		fail_msg("%s: %llu cycles instead of %u", p->path, (unsigned long long)p->cycles,
			 rtl);
}

static void check_out(struct replay *p, const struct vector_step *s)
{
	const uint8_t *got = rig_mem(&p->rig, s->addr);

	for (size_t i = 0; i < s->len; i++)
		if (got[i] != s->data[i])
			fail_msg("%s:%u: byte %zu is %02x, on the RTL %02x", p->path, s->line, i,
				 got[i], s->data[i]);
}

static void run_step(struct replay *p, const struct vector_step *s)
{
	struct rig *r = &p->rig;

	switch (s->kind) {
	case VECTOR_MEM:
		memcpy(rig_mem(r, s->addr), s->data, s->len);
		break;
	case VECTOR_WRITE:
		npu_model_write(r->model, s->addr, s->value);
		if (is_op_enable(s->addr))
			p->enabled_at = r->now;
		break;
	case VECTOR_POLL:
		poll(p, s);
		break;
	case VECTOR_WAIT:
		if (!rig_wait(r, s->mask, LIMIT))
			fail_msg("%s:%u: the interrupt never comes", p->path, s->line);
		p->cycles = r->now - p->enabled_at;
		break;
	case VECTOR_CYCLES:
		check_cycles(p, s->value);
		break;
	case VECTOR_OUT:
		check_out(p, s);
		break;
	}
}

static void test_replay(void **state)
{
	struct replay p = { .path = *state };
	struct vector v;

	assert_int_equal(vector_load(&v, p.path), 0);
	rig_init(&p.rig, v.config);
	for (size_t i = 0; i < v.count; i++) {
		const struct vector_step *s = &v.steps[i];

		if (s->data && (s->addr < RIG_BASE || s->len > RIG_SIZE ||
				s->addr - RIG_BASE > RIG_SIZE - s->len))
			fail_msg("%s:%u: not in the memory of the rig", p.path, s->line);
		run_step(&p, s);
	}
	rig_fini(&p.rig);
	vector_free(&v);
}

int main(void)
{
	struct CMUnitTest tests[VECTORS] = { 0 };
	glob_t found;
	int failed;

	if (glob("tests/vectors/*.vec", 0, NULL, &found) || found.gl_pathc != VECTORS) {
		fprintf(stderr, "tests/vectors: not %d vectors; run from the root of the source\n",
			VECTORS);
		return 1;
	}
	for (int i = 0; i < VECTORS; i++) {
		tests[i].name = strrchr(found.gl_pathv[i], '/') + 1;
		tests[i].test_func = test_replay;
		tests[i].initial_state = found.gl_pathv[i];
	}
	failed = cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
	globfree(&found);
	return failed;
}
