// SPDX-License-Identifier: MIT
/*
 * Each allocation of a probe fails once: the probe says so and leaves nothing behind and the next
 * one works, or it did without. What is lost on the way the kernel's leak detector reports when the
 * module goes. Skips where the kernel cannot make allocations fail by their call stack.
 *
 * Not every allocation is the driver's to survive. In Linux 6.12 drm_minor_alloc() puts an error
 * pointer, register_irq_proc() makes files in part and warns of those that are missing when they
 * go, and the interpreter of ACPI's tables, which runs where the card's power is switched on, uses
 * freed memory. So a step of the probe at a time is tried, by the function it is in.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"
#include "injection.h"

enum {
	/* More allocations than any step has. */
	MOST = 1000,
	/* Frames between an allocation and the step that it is for. */
	ANY_DEPTH = 32,
	/* From the probe itself: ends before ACPI's interpreter. */
	OWN_DEPTH = 7
};

static struct driver_binding binding;

static int setup(void **state)
{
	*state = NULL;
	if (injection_open() || injection_within("npu_device_alloc", "drm_minor_alloc", ANY_DEPTH))
		return 0;
	driver_find(&binding);
	*state = &binding;
	driver_unbind(&binding);
	return 0;
}

static int teardown(void **state)
{
	if (!*state)
		return 0;
	injection_anywhere();
	injection_close();
	driver_bind(&binding);
	return 0;
}

static int bind(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bind", binding.driver);
	return driver_write(path, binding.device);
}

static void device_works(void)
{
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;

	node_open(&node);
	node_bos_create(&node, bos, 3, 8192);
	job = node_job(&node, 30, 40, 50, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 7;
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

/*
 * One allocation after the other fails in what @function does, but not in what @except does for it,
 * until none is left to fail.
 */
static void fail_each(void **state, const char *function, const char *except, unsigned int depth)
{
	unsigned int n, refused = 0;
	int err, failed = 1;

	if (!*state)
		skip();
	assert_int_equal(injection_within(function, except, depth), 0);
	for (n = 1; failed && n < MOST; n++) {
		injection_arm(n);
		err = bind();
		failed = injection_disarm();
		if (err) {
			assert_true(failed);
			/* EBUSY: devm_ioremap_resource(), if the region cannot be noted. */
			assert_true(err == -ENOMEM || err == -EBUSY);
			assert_int_equal(node_try_open(), -1);
			refused++;
			assert_int_equal(bind(), 0);
			device_works();
		}
		driver_unbind(&binding);
	}
	assert_false(failed);
	print_message("%s: %u allocations, %u of them needed\n", function, n - 2, refused);
	assert_true(refused);
}

static void the_device(void **state)
{
	fail_each(state, "npu_device_alloc", "drm_minor_alloc", ANY_DEPTH);
}

static void power(void **state)
{
	fail_each(state, "npu_pm_init", "drm_minor_alloc", ANY_DEPTH);
}

static void interrupt_and_node(void **state)
{
	fail_each(state, "npu_device_register", "register_irq_proc", ANY_DEPTH);
}

static void registers_and_the_rest(void **state)
{
	fail_each(state, "npu_pci_probe", "drm_minor_alloc", OWN_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device),
		cmocka_unit_test(power),
		cmocka_unit_test(interrupt_and_node),
		cmocka_unit_test(registers_and_the_rest),
	};

	return cmocka_run_group_tests_name("probe", tests, setup, teardown);
}
