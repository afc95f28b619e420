// SPDX-License-Identifier: MIT
/*
 * Ranges that follow their input: how far, within which bounds, and the grids they give.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <npu_tune.h>

#include "../expect.h"

static struct npu_follower *make(float momentum, float max_step, float low, float high, float width)
{
	const struct npu_follower_desc desc = {
		.size = sizeof(desc),
		.momentum = momentum,
		.max_step = max_step,
		.low_limit = low,
		.high_limit = high,
		.min_width = width,
	};
	struct npu_follower *f;

	expect_ok(npu_follower_create(&desc, &f, &err));
	return f;
}

/* Shows @f a batch from @low to @high, and expects a range. */
static void show(struct npu_follower *f, float low, float high, float expected_low,
		 float expected_high)
{
	const float x[] = { low / 2, high, low, high / 3 };
	float got_low, got_high;

	expect_ok(npu_follower_update(f, x, 4, &err));
	expect_ok(npu_follower_get(f, 8, true, &got_low, &got_high, NULL, NULL, &err));
	if (fabsf(got_low - expected_low) > 1e-5f || fabsf(got_high - expected_high) > 1e-5f)
		fail_msg("the range is %g to %g, not %g to %g", (double)got_low, (double)got_high,
			 (double)expected_low, (double)expected_high);
}

static void is_a_moving_average(void **state)
{
	struct npu_follower *f = make(0.25f, 0, 0, 0, 0.001f);

	(void)state;
	show(f, -1, 3, -1, 3);
	show(f, -5, 7, -2, 4);
	show(f, -2, 0, -2, 3);
	/* 0 is always inside. */
	show(f, 2, 3, -1.5f, 3);
	npu_follower_destroy(f);
}

static void steps_have_a_limit(void **state)
{
	struct npu_follower *f = make(1, 0.5f, 0, 0, 0.001f);

	(void)state;
	show(f, -1, 1, -1, 1);
	show(f, -1000, 1.5f, -2, 1.5f);
	show(f, 0, 0, -0.25f, 0);
	npu_follower_destroy(f);
}

static void ranges_have_bounds(void **state)
{
	struct npu_follower *f = make(1, 0, -2, 10, 4);

	(void)state;
	show(f, -100, 100, -2, 10);
	show(f, -1, 9, -1, 9);
	show(f, 0, 1, 0, 4);
	/* There is no room below -2. */
	show(f, -1.5f, 0, -2, 2);
	show(f, 0, 0, 0, 4);
	npu_follower_destroy(f);
	f = make(1, 0, -10, 2, 4);
	show(f, 0, 1.5f, -2, 2);
	npu_follower_destroy(f);
}

static void grids_cover_the_range(void **state)
{
	struct npu_follower *f = make(1, 0, 0, 0, 0.001f);
	int32_t zero;
	float scale;

	(void)state;
	show(f, -1, 3, -1, 3);
	expect_ok(npu_follower_get(f, 8, true, NULL, NULL, &scale, &zero, &err));
	assert_true(scale == 3.0f / 127 && zero == 0);
	expect_ok(npu_follower_get(f, 8, false, NULL, NULL, &scale, &zero, &err));
	assert_true(scale == 4.0f / 255 && zero == -64);
	expect_ok(npu_follower_get(f, 16, true, NULL, NULL, &scale, &zero, &err));
	assert_true(scale == 3.0f / 32767 && zero == 0);
	npu_follower_destroy(f);
}

/* A scale is a normal number, however little there is to scale. */
static void denormal_ranges_have_a_scale(void **state)
{
	struct npu_follower *f = make(1, 0, 0, 0, 1e-44f);
	float scale;

	(void)state;
	show(f, 0, 1e-40f, 0, 1e-40f);
	expect_ok(npu_follower_get(f, 8, true, NULL, NULL, &scale, NULL, &err));
	assert_true(scale == FLT_MIN);
	npu_follower_destroy(f);
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const struct npu_follower_desc good = { .size = sizeof(good),
						.momentum = 0.1f,
						.min_width = 1 };
	struct npu_follower_desc desc;
	struct npu_follower *f;
	const float x[] = { 1, 2, INFINITY };
	float scale;

	(void)state;
#define refuse(change, word)                                         \
	do {                                                         \
		desc = good;                                         \
		change;                                              \
		refused(npu_follower_create(&desc, &f, &err), word); \
	} while (0)
	refuse(desc.size = 3, "size is 3");
	refuse(desc.momentum = 0, "momentum is 0");
	refuse(desc.momentum = NAN, "momentum is");
	refuse(desc.max_step = -1, "max_step is -1");
	refuse(desc.low_limit = 1, "limits are 1 and 0");
	refuse(desc.min_width = 0, "min_width is 0");
	refuse(desc.high_limit = 0.5f, "min_width is 1");
	expect_ok(npu_follower_create(&good, &f, &err));
	expect_error(npu_follower_get(f, 8, true, NULL, NULL, &scale, NULL, &err), -ENODATA,
		     "no batch yet");
	refused(npu_follower_update(f, x, 3, &err), "element 2 is inf");
	refused(npu_follower_update(f, x, 0, &err), "no elements");
	/* Nothing of a refused batch is left. */
	show(f, -3, 4, -3, 4);
	refused(npu_follower_update(f, x, 3, &err), "element 2");
	refused(npu_follower_get(f, 17, true, NULL, NULL, &scale, NULL, &err), "bits is 17");
	show(f, -3, 4, -3, 4);
	npu_follower_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_a_moving_average),
		cmocka_unit_test(steps_have_a_limit),
		cmocka_unit_test(ranges_have_bounds),
		cmocka_unit_test(grids_cover_the_range),
		cmocka_unit_test(denormal_ranges_have_a_scale),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("ranges that follow", tests, NULL, NULL);
}
