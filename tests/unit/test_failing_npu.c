// SPDX-License-Identifier: MIT
/*
 * An NPU without memory, and with a kernel that refuses: each allocation and each call of the
 * driver fails once, wherever the library makes it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_npu.h"
#include "life.h"

static char folder[32], path[64];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	/* K above 16 is cut into chunks. */
	fake.limits.max_k = 16;
	strcpy(folder, "/tmp/npu-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/w.npuw", folder);
	life_device = "fake";
	life_path = path;
	return 0;
}

/* Fails if anything is left in the folder, or in the kernel. */
static int teardown(void **state)
{
	(void)state;
	return rmdir(folder) || fake.objects;
}

static void arm(unsigned int after, int code)
{
	fake.fail_errno = code;
	fake.fail_after = (int)after;
}

static bool disarm(void)
{
	bool failed = fake.fail_after < 0;

	fake.fail_after = -1;
	return failed;
}

static const struct failing_source driver = { arm, disarm };

static void no_memory(void **state)
{
	(void)state;
	assert_in_range(failing_try(&failing_memory, ENOMEM, life_steps, life_step_count), 50,
			1000);
}

static void no_driver(int code)
{
	assert_in_range(failing_try(&driver, code, life_steps, life_step_count), 100, 5000);
}

static void out_of_memory(void **state)
{
	(void)state;
	no_driver(ENOMEM);
}

static void out_of_quota(void **state)
{
	(void)state;
	no_driver(EDQUOT);
}

static void lost(void **state)
{
	(void)state;
	no_driver(EIO);
}

static void gone(void **state)
{
	(void)state;
	no_driver(ENODEV);
}

static void busy(void **state)
{
	(void)state;
	no_driver(EBUSY);
}

static void interrupted(void **state)
{
	(void)state;
	no_driver(EINTR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_quota, setup, teardown),
		cmocka_unit_test_setup_teardown(lost, setup, teardown),
		cmocka_unit_test_setup_teardown(gone, setup, teardown),
		cmocka_unit_test_setup_teardown(busy, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted, setup, teardown),
	};

	return cmocka_run_group_tests_name("failing NPU", tests, NULL, NULL);
}
