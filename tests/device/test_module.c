// SPDX-License-Identifier: MIT
/*
 * The module is removed while something of it is still in use, and loaded again. What outlives a
 * file, such as a sync_file, must not reach into what is gone; freed memory that is poisoned
 * (slub_debug=P) shows it.
 *
 * Only on request: NPU_TEST_MODULE is the file to load npu.ko from.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/sync_file.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"

enum {
	A,
	W,
	C,
	N_BOS
};

/* Enough work that the first of it has not ended when the file is closed. */
enum {
	JOBS = 64,
	SUBMITS = 8
};

struct fixture {
	const char *module;
	struct node node;
	struct node_bo bos[N_BOS];
};

static int setup(void **state)
{
	static struct fixture f;

	f.module = getenv("NPU_TEST_MODULE");
	*state = &f;
	return 0;
}

static struct fixture *on_request(void **state)
{
	struct fixture *f = *state;

	if (!f->module || geteuid())
		skip();
	return f;
}

static void open_npu(struct fixture *f)
{
	node_open(&f->node);
	node_bos_create(&f->node, f->bos, N_BOS, 65536);
}

/* Without closing handles: that is what the end of the file does. */
static void close_npu(struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < N_BOS; i++)
		munmap(f->bos[i].map, f->bos[i].size);
	node_close(&f->node);
}

static void device_works(struct fixture *f)
{
	struct drm_npu_job_matmul job;

	open_npu(f);
	job = node_job(&f->node, 20, 30, 40, &f->bos[A], &f->bos[W], &f->bos[C]);
	job.cvt_shift = 6;
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	node_check_result(&f->node, &job, f->bos, N_BOS);
	close_npu(f);
}

/* Nothing holds the module any more, but what did may take a moment to go. */
static void unload(void)
{
	unsigned int patience;
	int err = -EAGAIN;

	for (patience = 0; err == -EAGAIN && patience < 6000; patience++) {
		err = driver_unload();
		if (err)
			usleep(10000);
	}
	assert_int_equal(err, 0);
}

static void reload(struct fixture *f)
{
	unload();
	assert_int_equal(driver_load(f->module), 0);
	device_works(f);
}

static void submit_much(struct fixture *f)
{
	struct drm_npu_job_matmul jobs[JOBS];
	unsigned int i;

	for (i = 0; i < JOBS; i++)
		jobs[i] = node_job(&f->node, 128, 64, 256, &f->bos[A], &f->bos[W], &f->bos[C]);
	for (i = 0; i < SUBMITS; i++)
		assert_int_equal(node_submit(&f->node, 0, jobs, JOBS, NULL), 0);
}

/* A sync_file with the fence of the last of several submissions. */
static int submit_sync_file(struct fixture *f)
{
	struct drm_npu_job_matmul job =
		node_job(&f->node, 128, 64, 256, &f->bos[A], &f->bos[W], &f->bos[C]);
	uint32_t syncobj;
	int fd;

	submit_much(f);
	assert_int_equal(node_submit_sync(&f->node, 0, &job, 1, &syncobj), 0);
	assert_int_equal(drmSyncobjExportSyncFile(f->node.fd, syncobj, &fd), 0);
	drmSyncobjDestroy(f->node.fd, syncobj);
	return fd;
}

static void is_name(const char *name, size_t size)
{
	size_t len = strnlen(name, size), i;

	assert_in_range(len, 1, size - 1);
	for (i = 0; i < len; i++)
		assert_true(isprint((unsigned char)name[i]));
}

/* Whoever has a sync_file may ask whose it is, at any time. */
static struct sync_fence_info sync_file_asked(int fd)
{
	struct sync_fence_info fence = { 0 };
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};

	assert_int_equal(ioctl(fd, SYNC_IOC_FILE_INFO, &info), 0);
	assert_int_equal(info.num_fences, 1);
	is_name(fence.driver_name, sizeof(fence.driver_name));
	is_name(fence.obj_name, sizeof(fence.obj_name));
	return fence;
}

static void file_keeps_it(void **state)
{
	struct fixture *f = on_request(state);
	unsigned int i;

	open_npu(f);
	assert_int_equal(driver_unload(), -EAGAIN);
	submit_much(f);
	assert_int_equal(driver_unload(), -EAGAIN);
	/* A mapping holds the file that it is of. */
	node_close(&f->node);
	for (i = 0; i < N_BOS; i++) {
		assert_int_equal(driver_unload(), -EAGAIN);
		memset(f->bos[i].map, 1, f->bos[i].size);
		munmap(f->bos[i].map, f->bos[i].size);
	}
	reload(f);
}

static void dma_buf_keeps_it(void **state)
{
	struct fixture *f = on_request(state);
	uint8_t *map;
	int dma_buf;

	open_npu(f);
	assert_int_equal(
		drmPrimeHandleToFD(f->node.fd, f->bos[A].handle, O_CLOEXEC | O_RDWR, &dma_buf), 0);
	f->bos[A].map[0] = 77;
	submit_much(f);
	close_npu(f);
	assert_int_equal(driver_unload(), -EAGAIN);
	map = mmap(NULL, f->bos[A].size, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(map[0], 77);
	close(dma_buf);
	assert_int_equal(driver_unload(), -EAGAIN);
	munmap(map, f->bos[A].size);
	reload(f);
}

/* Removal at any moment between the file's end and that of its jobs. */
static void jobs_in_flight(void **state)
{
	struct fixture *f = on_request(state);
	unsigned int round;

	for (round = 0; round < 8; round++) {
		open_npu(f);
		submit_much(f);
		close_npu(f);
		usleep(round * 2000);
		reload(f);
	}
}

static void sync_file_after_unbind(void **state)
{
	struct fixture *f = on_request(state);
	struct driver_binding binding;
	unsigned int round;
	int sync_file;

	driver_find(&binding);
	for (round = 0; round < 4; round++) {
		open_npu(f);
		sync_file = submit_sync_file(f);
		sync_file_asked(sync_file);
		if (round % 2)
			node_bo_prep(&f->node, &f->bos[C]);
		close_npu(f);
		driver_unbind(&binding);
		assert_int_not_equal(sync_file_asked(sync_file).status, 0);
		driver_bind(&binding);
		device_works(f);
		assert_int_not_equal(sync_file_asked(sync_file).status, 0);
		close(sync_file);
	}
}

/* The module may stay until the sync_file is closed, or go. */
static void sync_file_after_unload(void **state)
{
	struct fixture *f = on_request(state);
	unsigned int round, tries;
	int sync_file, err;

	for (round = 0; round < 4; round++) {
		open_npu(f);
		sync_file = submit_sync_file(f);
		if (round % 2)
			node_bo_prep(&f->node, &f->bos[C]);
		close_npu(f);
		err = -EAGAIN;
		for (tries = 0; err && tries < 100; tries++) {
			err = driver_unload();
			if (err)
				assert_int_equal(err, -EAGAIN);
			sync_file_asked(sync_file);
			usleep(10000);
		}
		if (!err)
			assert_int_equal(driver_load(f->module), 0);
		device_works(f);
		sync_file_asked(sync_file);
		close(sync_file);
		reload(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_keeps_it),	  cmocka_unit_test(dma_buf_keeps_it),
		cmocka_unit_test(jobs_in_flight),	  cmocka_unit_test(sync_file_after_unbind),
		cmocka_unit_test(sync_file_after_unload),
	};

	return cmocka_run_group_tests_name("module", tests, setup, NULL);
}
