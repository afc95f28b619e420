// SPDX-License-Identifier: MIT
/*
 * Faults of every kind that the virtual board injects, one at a time and by the thousand. Elsewhere
 * there is nothing to inject with, and all of this is skipped.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "board_control.h"
#include "driver.h"
#include "drm_node.h"

/* A hang costs about two of them. */
#define FLOOR_MS 10

#define STORM_FAULTS 1000

/* The device stays on: powering up resets it, and a fault that waits would strike there. */
struct fixture {
	struct node node;
	struct board_control *control;
	struct node_bo bos[6];
	unsigned int floor_ms;
	struct driver_binding binding;
};

static int setup(void **state)
{
	static struct fixture f;

	node_open(&f.node);
	f.control = board_control_open();
	node_bos_create(&f.node, f.bos, 6, 16384);
	if (f.control) {
		f.floor_ms = driver_set_param("timeout_floor_ms", FLOOR_MS);
		assert_int_equal(driver_find_all(&f.binding, 1), 1);
		driver_set_autosuspend(&f.binding, 0);
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->control) {
		driver_set_param("timeout_floor_ms", f->floor_ms);
		driver_set_autosuspend(&f->binding, 1);
		board_control_close(f->control);
	}
	node_bos_destroy(&f->node, f->bos, 6);
	node_close(&f->node);
	return 0;
}

static void inject(const struct fixture *f, const char *fault)
{
	if (!f->control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	assert_int_equal(board_control_inject(f->control, fault), 0);
}

static struct drm_npu_job_matmul make_job(const struct fixture *f)
{
	struct drm_npu_job_matmul job =
		node_job(&f->node, 33, 40, 48, &f->bos[0], &f->bos[1], &f->bos[2]);

	job.cvt_shift = 6;
	return job;
}

/* The device does what it should, whatever went before. */
static void device_works(const struct fixture *f)
{
	struct drm_npu_job_matmul job = make_job(f);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		node_bo_randomize(&f->node, &f->bos[0]);
		assert_int_equal(node_run(&f->node, &job, 1), 0);
		node_check_result(&f->node, &job, f->bos, 6);
	}
}

/* A fault that costs time and nothing else. */
static void harmless(const struct fixture *f, const char *fault)
{
	const uint64_t failed = node_ctx_state(&f->node, 0).submits_failed;
	struct drm_npu_job_matmul job = make_job(f);

	node_bo_randomize(&f->node, &f->bos[0]);
	inject(f, fault);
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	node_check_result(&f->node, &job, f->bos, 6);
	device_works(f);
	assert_int_equal(node_ctx_state(&f->node, 0).submits_failed, failed);
}

/* A fault that its submission does not survive. */
static void fatal(const struct fixture *f, const char *fault)
{
	const uint64_t failed = node_ctx_state(&f->node, 0).submits_failed;
	struct drm_npu_job_matmul job = make_job(f);

	inject(f, fault);
	assert_int_equal(node_run(&f->node, &job, 1), -ETIMEDOUT);
	assert_int_equal(node_ctx_state(&f->node, 0).submits_failed, failed + 1);
	assert_int_equal(node_ctx_state(&f->node, 0).last_error, ETIMEDOUT);
	device_works(f);
}

static void hang(void **state)
{
	fatal(*state, "hang:1");
}

static void bus_error(void **state)
{
	fatal(*state, "bus-error:1");
}

static void lost_interrupt(void **state)
{
	harmless(*state, "lost-irq:1");
}

static void late_interrupt(void **state)
{
	harmless(*state, "late-irq:1:100000");
}

/* The driver has found out by itself when it comes. */
static void interrupt_after_the_deadline(void **state)
{
	harmless(*state, "late-irq:1:5000000");
}

static void spurious_interrupt(void **state)
{
	harmless(*state, "spurious-irq");
}

/* ---- Coredump -------------------------------------------------------------------------- */

#define DUMPS "/sys/class/devcoredump/devcd*/data"

static size_t count_dumps(void)
{
	glob_t found;
	size_t n;

	n = glob(DUMPS, 0, NULL, &found) ? 0 : found.gl_pathc;
	globfree(&found);
	return n;
}

/* Reads the only dump and throws it away, as its reader should. */
static void take_dump(char *text, size_t size)
{
	glob_t found;
	unsigned int patience;

	for (patience = 0; !count_dumps() && patience < 1000; patience++)
		usleep(10000);
	assert_int_equal(glob(DUMPS, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	if (text)
		assert_true(driver_read(found.gl_pathv[0], text, size) > 0);
	assert_int_equal(driver_write(found.gl_pathv[0], "0"), 0);
	globfree(&found);
	for (patience = 0; count_dumps() && patience < 1000; patience++)
		usleep(10000);
	assert_int_equal(count_dumps(), 0);
}

static void coredump(void **state)
{
	struct fixture *f = *state;
	unsigned int interval;
	static char text[32768];

	if (!f->control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	interval = driver_set_param("coredump_interval", 0);
	if (count_dumps())
		take_dump(NULL, 0);
	/* Both come from the same device, so the second is dropped while the first is unread. */
	fatal(f, "hang:1");
	fatal(f, "hang:1");
	driver_set_param("coredump_interval", 3600);
	take_dump(text, sizeof(text));
	assert_non_null(strstr(text, "npu: the engine hung"));
	assert_non_null(strstr(text, "op 0 (guilty): group "));
	assert_non_null(strstr(text, "job 0 of 1 of its submission"));
	assert_non_null(strstr(text, "matmul: m 33, n 40, k 48, height 1"));
	assert_non_null(strstr(text, "C: bus address 0x"));
	/* The registers of the op are in one of the groups: K - 1 and N - 1 in CSC. */
	assert_non_null(strstr(text, "CSC: status "));
	assert_non_null(strstr(text, " 0027002f"));
	assert_non_null(strstr(text, "SDP: status "));

	/* Another one was taken not long ago. */
	fatal(f, "hang:1");
	assert_int_equal(count_dumps(), 0);
	driver_set_param("coredump_interval", interval);
}

/* ---- Many faults ----------------------------------------------------------------------- */

/**
 * struct worker - a process that uses the NPU and keeps count
 * @stop: It shall end.
 * @done: Submissions that gave the right result.
 * @failed: Submissions whose fence had ETIMEDOUT.
 */
struct worker {
	volatile int stop;
	volatile unsigned int done;
	volatile unsigned int failed;
};

/* One chained pair in each of @n_ctxs contexts at once, each checked. */
static void round_of_pairs(const struct node *node, const struct node_bo *bos, uint32_t *ctxs,
			   unsigned int n_ctxs, struct worker *count)
{
	struct drm_npu_job_matmul jobs[2];
	uint32_t sync[4];
	unsigned int i;
	int status;

	node_bo_randomize(node, &bos[0]);
	jobs[0] =
		node_job(node, 1 + random() % 40, 40, 1 + random() % 64, &bos[0], &bos[1], &bos[2]);
	jobs[0].cvt_shift = 7;
	jobs[1] = node_job(node, jobs[0].m, 1 + random() % 40, 40, &bos[2], &bos[3], &bos[4]);
	jobs[1].cvt_shift = 7;
	for (i = 0; i < n_ctxs; i++)
		assert_int_equal(node_submit_sync(node, ctxs[i], jobs, 2, &sync[i]), 0);
	for (i = 0; i < n_ctxs; i++) {
		status = node_finish(node, sync[i]);
		if (status)
			assert_int_equal(status, -ETIMEDOUT);
		if (status)
			count->failed++;
		else
			count->done++;
	}
	/* All wrote the same; the last one to succeed completed it. */
	if (status)
		return;
	node_check_result(node, &jobs[0], bos, 5);
	node_check_result(node, &jobs[1], bos, 5);
}

static void bystander(struct worker *count)
{
	struct node_bo bos[5];
	struct node node;
	uint32_t ctx = 0;

	srandom(77);
	node_open(&node);
	node_bos_create(&node, bos, 5, 16384);
	while (!count->stop)
		round_of_pairs(&node, bos, &ctx, 1, count);
	assert_int_equal(node_ctx_state(&node, 0).submits_failed, count->failed);
}

static int random_fault(char *fault, size_t size)
{
	const unsigned int op = 1 + (unsigned int)random() % 4;

	switch (random() % 5) {
	case 0:
		snprintf(fault, size, "hang:%u", op);
		return 1;
	case 1:
		snprintf(fault, size, "bus-error:%u", op);
		return 1;
	case 2:
		snprintf(fault, size, "lost-irq:%u", op);
		return 0;
	case 3:
		snprintf(fault, size, "late-irq:%u:%u", op, 1 + (unsigned int)random() % 3000000);
		return 0;
	default:
		snprintf(fault, size, "spurious-irq");
		return 0;
	}
}

/*
 * Two processes and four contexts under a fault a round. Which of them it strikes is chance; that
 * it costs one submission if it is fatal and none if it is not, is not.
 */
static void storm(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_ctx_create create = { 0 };
	struct worker *other, own = { 0 };
	uint32_t ctxs[3] = { 0 };
	unsigned int i, fatal_faults = 0;
	uint64_t before, counted = 0;
	char fault[64];
	pid_t child;
	int status;

	if (!f->control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	other = mmap(NULL, sizeof(*other), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_true(other != MAP_FAILED);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* A failed assertion leaves through cmocka's end, with a status that is not 0. */
		bystander(other);
		_exit(0);
	}
	srandom(4711);
	for (i = 1; i < 3; i++) {
		assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_CREATE, &create), 0);
		ctxs[i] = create.id;
	}
	before = node_ctx_state(&f->node, 0).submits_failed;
	for (i = 0; i < STORM_FAULTS; i++) {
		fatal_faults += random_fault(fault, sizeof(fault));
		inject(f, fault);
		round_of_pairs(&f->node, f->bos, ctxs, 3, &own);
	}
	other->stop = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));

	assert_int_equal(own.failed + other->failed, fatal_faults);
	assert_true(other->done > 0);
	for (i = 0; i < 3; i++)
		counted += node_ctx_state(&f->node, ctxs[i]).submits_failed;
	assert_int_equal(counted - before, own.failed);
	print_message(
		"%u faults, %u of them fatal; right results: %u here, %u in another process\n",
		STORM_FAULTS, fatal_faults, own.done, other->done);
	munmap(other, sizeof(*other));
	device_works(f);
}

/* ---- A reset that fails ---------------------------------------------------------------- */

/* The device is bound again with a new file and new BOs. */
static void start_again(struct fixture *f)
{
	driver_bind(&f->binding);
	driver_set_autosuspend(&f->binding, 0);
	node_open(&f->node);
	node_bos_create(&f->node, f->bos, 6, 16384);
	device_works(f);
}

static void wedge(struct fixture *f)
{
	struct drm_npu_job_matmul job = make_job(f);
	uint32_t sync[6];
	unsigned int i;

	inject(f, "no-flush");
	inject(f, "hang:1");
	for (i = 0; i < 6; i++)
		assert_int_equal(node_submit_sync(&f->node, 0, &job, 1, &sync[i]), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(node_finish(&f->node, sync[i]), -EIO);
	assert_int_equal(node_submit(&f->node, 0, &job, 1, NULL), -EIO);
	assert_int_equal(node_ctx_state(&f->node, 0).last_error, EIO);
	node_bo_randomize(&f->node, &f->bos[2]);
}

/*
 * Everything fails with EIO from then on, and memory stays where it is. A new probe resets again:
 * this time with success.
 */
static void failed_reset(void **state)
{
	struct fixture *f = *state;

	wedge(f);
	node_bos_destroy(&f->node, f->bos, 6);
	node_close(&f->node);
	driver_unbind(&f->binding);
	start_again(f);
}

/* The same with everything open: the memory is there until the file is closed, and then for good.
 */
static void failed_reset_and_unbind(void **state)
{
	struct fixture *f = *state;
	uint8_t last;
	unsigned int i;

	wedge(f);
	last = f->bos[2].map[100];
	driver_unbind(&f->binding);
	assert_int_equal(f->bos[2].map[100], last);
	for (i = 0; i < 6; i++)
		munmap(f->bos[i].map, f->bos[i].size);
	node_close(&f->node);
	start_again(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hang),
		cmocka_unit_test(bus_error),
		cmocka_unit_test(lost_interrupt),
		cmocka_unit_test(late_interrupt),
		cmocka_unit_test(interrupt_after_the_deadline),
		cmocka_unit_test(spurious_interrupt),
		cmocka_unit_test(coredump),
		cmocka_unit_test(storm),
		cmocka_unit_test(failed_reset),
		cmocka_unit_test(failed_reset_and_unbind),
	};

	return cmocka_run_group_tests_name("faults", tests, setup, teardown);
}
