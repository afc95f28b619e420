// SPDX-License-Identifier: MIT
/*
 * The model against the RTL: every recorded run must replay bit for bit, and the cost model must
 * come near the cycles the RTL took. NPU_TEST_VERBOSE=1 prints the cycles of every run.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/record/replay.h"

#define VECTORS 44
#define LIMIT 1000000 /* cycles; the longest recorded op takes 12,000 */
#define LONG_RUN 5000
#define OP_OFF 25 /* percent */
#define LONG_RUN_OFF 10

static const struct library model = {
	.new = npu_model_new,
	.free = npu_model_free,
	.reset = npu_model_reset,
	.read = npu_model_read,
	.write = npu_model_write,
	.busy = npu_model_busy,
	.run = npu_model_run,
};

static void check_cycles(const char *path, const struct replay_result *r)
{
	double off =
		r->timed_recorded ? 100.0 * (double)r->timed / (double)r->timed_recorded - 100 : 0;

	if (getenv("NPU_TEST_VERBOSE"))
		printf("%-40s RTL %6llu model %6llu %+5.1f %%\n", path,
		       (unsigned long long)r->timed_recorded, (unsigned long long)r->timed, off);
	if (r->timed_recorded > LONG_RUN && (off > LONG_RUN_OFF || off < -LONG_RUN_OFF))
		fail_msg("%s: %llu cycles instead of %llu", path, (unsigned long long)r->timed,
			 (unsigned long long)r->timed_recorded);
}

static void test_replay(void **state)
{
	const struct replay_options options = { .limit = LIMIT, .cycles_off = OP_OFF };
	const char *path = *state;
	struct replay_result result;
	struct vector v;

	assert_int_equal(vector_load(&v, path), 0);
	if (replay_run(&result, &v, &model, &options) || result.kind != REPLAY_EQUAL)
		fail_msg("%s:%u: %s", path, result.line, result.text);
	assert_true(result.ops > 0 && result.bytes > 0);
	assert_int_equal(result.bytes_unknown, 0);
	check_cycles(path, &result);
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
