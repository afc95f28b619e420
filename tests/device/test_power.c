// SPDX-License-Identifier: MIT
/*
 * The engine loses power when it is idle, when the system sleeps, and not always gets it back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "board_control.h"
#include "driver.h"
#include "drm_node.h"

struct fixture {
	struct node node;
	struct node_bo bos[4];
	struct driver_binding binding;
};

static int setup(void **state)
{
	static struct fixture f;

	node_open(&f.node);
	node_bos_create(&f.node, f.bos, 4, 65536);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	node_bos_destroy(&f->node, f->bos, 4);
	node_close(&f->node);
	return 0;
}

static void power_path(const struct fixture *f, const char *file, char *path, size_t size)
{
	const char *bus = strstr(f->binding.driver, "/drivers/");

	assert_non_null(bus);
	snprintf(path, size, "%.*s/devices/%s/power/%s", (int)(bus - f->binding.driver),
		 f->binding.driver, f->binding.device, file);
}

static void power_write(const struct fixture *f, const char *file, const char *text)
{
	char path[512];

	power_path(f, file, path, sizeof(path));
	assert_int_equal(driver_write(path, text), 0);
}

static int power_is(const struct fixture *f, const char *status)
{
	char path[512], text[64];

	power_path(f, "runtime_status", path, sizeof(path));
	assert_true(driver_read(path, text, sizeof(text)) > 0);
	return !strcmp(text, status);
}

/* A bus whose devices stay on has nothing to test. */
static void wait_until_off(struct fixture *f)
{
	char path[512], text[64];
	unsigned int patience;

	driver_find(&f->binding);
	power_path(f, "autosuspend_delay_ms", path, sizeof(path));
	if (driver_read(path, text, sizeof(text)) <= 0)
		skip();
	for (patience = 0; !power_is(f, "suspended") && patience < 6000; patience++)
		usleep(10000);
	assert_true(power_is(f, "suspended"));
}

static struct drm_npu_job_matmul make_job(const struct fixture *f)
{
	struct drm_npu_job_matmul job =
		node_job(&f->node, 20, 30, 40, &f->bos[0], &f->bos[1], &f->bos[2]);

	job.cvt_shift = 6;
	return job;
}

static void device_works(const struct fixture *f)
{
	struct drm_npu_job_matmul job = make_job(f);

	node_bo_randomize(&f->node, &f->bos[0]);
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	node_check_result(&f->node, &job, f->bos, 4);
}

/* How often the driver has enabled its supply, -1 on a board where it has none. */
static int supply_uses(const struct fixture *f)
{
	FILE *summary = fopen("/sys/kernel/debug/regulator/regulator_summary", "r");
	char line[256], name[128];
	int uses = -1, value;

	if (!summary)
		return -1;
	while (fgets(line, sizeof(line), summary))
		if (sscanf(line, "%127s %d", name, &value) == 2 &&
		    !strncmp(name, f->binding.device, strlen(f->binding.device)) &&
		    strstr(name, "-vdd"))
			uses = value;
	fclose(summary);
	return uses;
}

static void supply_is_switched(void **state)
{
	struct fixture *f = *state;

	wait_until_off(f);
	if (supply_uses(f) < 0)
		skip();
	assert_int_equal(supply_uses(f), 0);
	device_works(f);
	assert_int_equal(supply_uses(f), 1);
}

static void off_when_idle(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		wait_until_off(f);
		device_works(f);
		assert_true(power_is(f, "active"));
	}
}

/* On and off for each job, and every now and then the one in the middle of the other. */
static void off_at_once(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	wait_until_off(f);
	power_write(f, "autosuspend_delay_ms", "0");
	for (i = 0; i < 200; i++) {
		device_works(f);
		if (i % 4 == 0)
			usleep((unsigned int)random() % 2000);
	}
	power_write(f, "autosuspend_delay_ms", "100");
}

static void kept_on(void **state)
{
	struct fixture *f = *state;

	wait_until_off(f);
	power_write(f, "control", "on");
	assert_true(power_is(f, "active"));
	device_works(f);
	usleep(300000);
	assert_true(power_is(f, "active"));
	power_write(f, "control", "auto");
	wait_until_off(f);
}

/* ---- System sleep ---------------------------------------------------------------------- */

/*
 * All devices go to sleep and wake up again, by a test that kernels with PM_DEBUG have: as far as
 * NPU_TEST_SLEEP says, which is a word of /sys/power/pm_test. With "devices" those on PCI keep
 * their power, with "platform" they lose it. Only on request: not every machine's other devices
 * survive it. The virtual board's shared folder does not.
 */
static void may_sleep(void)
{
	const char *depth = getenv("NPU_TEST_SLEEP");

	if (!depth || driver_write("/sys/power/pm_test", depth))
		skip();
}

static void system_sleeps(void)
{
	may_sleep();
	driver_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	assert_int_equal(driver_write("/sys/power/state", "freeze"), 0);
}

static void sleep_when_idle(void **state)
{
	struct fixture *f = *state;

	device_works(f);
	system_sleeps();
	device_works(f);
	/* Twice in a row, and nothing between. */
	system_sleeps();
	system_sleeps();
	device_works(f);
}

static void sleep_when_off(void **state)
{
	struct fixture *f = *state;

	wait_until_off(f);
	system_sleeps();
	assert_true(power_is(f, "suspended"));
	device_works(f);
}

/* What was queued when the system fell asleep is done when it woke up. */
static void sleep_with_jobs(void **state)
{
	enum {
		JOBS = 64,
		SUBMITS = 16
	};
	struct fixture *f = *state;
	struct drm_npu_job_matmul jobs[JOBS], last;
	uint32_t sync[SUBMITS];
	unsigned int i, round;

	for (i = 0; i < JOBS; i++)
		jobs[i] = node_job(&f->node, 128, 128, 256, &f->bos[0], &f->bos[1], &f->bos[2]);
	last = make_job(f);
	last.c.handle = f->bos[3].handle;
	for (round = 0; round < 2; round++) {
		node_bo_randomize(&f->node, &f->bos[0]);
		for (i = 0; i < SUBMITS - 1; i++)
			assert_int_equal(node_submit_sync(&f->node, 0, jobs, JOBS, &sync[i]), 0);
		assert_int_equal(node_submit_sync(&f->node, 0, &last, 1, &sync[i]), 0);
		system_sleeps();
		for (i = 0; i < SUBMITS; i++)
			assert_int_equal(node_finish(&f->node, sync[i]), 0);
		node_check_result(&f->node, &jobs[0], f->bos, 4);
		node_check_result(&f->node, &last, f->bos, 4);
	}
	device_works(f);
}

/* ---- Power that does not come back ----------------------------------------------------- */

/* Skips the test on a board that takes no faults, or whose engine could not be made ready again. */
static struct board_control *need_faults(const struct fixture *f)
{
	struct board_control *control = board_control_open();

	if (!control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	return control;
}

/* The driver is unbound and bound again; with a fault, only the second attempt to bind it works. */
static void rebind(struct fixture *f, struct board_control *control, const char *fault)
{
	char path[512];

	node_bos_destroy(&f->node, f->bos, 4);
	node_close(&f->node);
	driver_find(&f->binding);
	driver_unbind(&f->binding);
	if (fault) {
		snprintf(path, sizeof(path), "%s/bind", f->binding.driver);
		assert_int_equal(board_control_inject(control, fault), 0);
		assert_int_not_equal(driver_write(path, f->binding.device), 0);
	}
	driver_bind(&f->binding);
	node_open(&f->node);
	node_bos_create(&f->node, f->bos, 4, 65536);
}

static void does_not_power_up(void **state)
{
	struct fixture *f = *state;
	struct board_control *control = need_faults(f);
	struct drm_npu_job_matmul job = make_job(f);

	wait_until_off(f);
	assert_int_equal(board_control_inject(control, "no-flush"), 0);
	assert_int_equal(node_submit(&f->node, 0, &job, 1, NULL), -EIO);
	assert_int_equal(node_submit(&f->node, 0, &job, 1, NULL), -EIO);
	rebind(f, control, NULL);
	device_works(f);
	board_control_close(control);
}

/*
 * The core calls a device active whose wake-up has failed, and lets it suspend later: what is off
 * must not be switched off again, which the kernel's log would tell.
 */
static void does_not_wake_up(void **state)
{
	struct fixture *f = *state;
	struct board_control *control = need_faults(f);
	struct drm_npu_job_matmul job = make_job(f);

	may_sleep();
	wait_until_off(f);
	power_write(f, "control", "on");
	assert_int_equal(board_control_inject(control, "no-flush"), 0);
	system_sleeps();
	assert_int_equal(node_submit(&f->node, 0, &job, 1, NULL), -EIO);
	power_write(f, "control", "auto");
	wait_until_off(f);
	assert_true(supply_uses(f) <= 0);
	rebind(f, control, NULL);
	device_works(f);
	wait_until_off(f);
	board_control_close(control);
}

/* A probe that fails keeps nothing on, and the next one goes off when it is idle. */
static void probe_fails(void **state)
{
	struct fixture *f = *state;
	struct board_control *control = need_faults(f);

	wait_until_off(f);
	rebind(f, control, "no-flush");
	device_works(f);
	wait_until_off(f);
	assert_true(supply_uses(f) <= 0);
	board_control_close(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_when_idle),    cmocka_unit_test(off_at_once),
		cmocka_unit_test(kept_on),	    cmocka_unit_test(supply_is_switched),
		cmocka_unit_test(sleep_when_idle),  cmocka_unit_test(sleep_when_off),
		cmocka_unit_test(sleep_with_jobs),  cmocka_unit_test(does_not_power_up),
		cmocka_unit_test(does_not_wake_up), cmocka_unit_test(probe_fails),
	};

	return cmocka_run_group_tests_name("power", tests, setup, teardown);
}
