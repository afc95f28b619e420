// SPDX-License-Identifier: MIT
/*
 * The CPU without memory, files, maps or threads: each allocation and each system call of the
 * library fails once, wherever it is made.
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

#include "life.h"

static char folder[32], path[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/npu-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/w.npuw", folder);
	life_device = "cpu:3";
	life_path = path;
	return 0;
}

/* Fails if anything is left in the folder. */
static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void no_memory(void **state)
{
	(void)state;
	assert_in_range(failing_try(&failing_memory, ENOMEM, life_steps, life_step_count), 50,
			1000);
}

static void no_calls(void **state)
{
	static const int codes[] = { ENOMEM, EIO, EMFILE, ENOSPC };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_in_range(failing_try(&failing_calls, codes[i], life_steps, life_step_count),
				30, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(no_calls, setup, teardown),
	};

	return cmocka_run_group_tests_name("failing CPU", tests, NULL, NULL);
}
