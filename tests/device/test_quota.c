// SPDX-License-Identifier: MIT
/*
 * What one open file may have, and all files of a user together.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"
#include "user.h"
#include "vgem.h"

#define QUOTA_MIB 4
#define MIB (1u << 20)

/* What uapi/drm/npu_accel.h says of users. */
#define FILES_OF_A_USER 16

enum {
	SOMEBODY = 1001,
	SOMEBODY_ELSE = 1002
};

static int create(const struct node *node, uint64_t size, uint32_t *handle)
{
	struct drm_npu_bo_create args = { .size = size };
	int err = node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &args);

	*handle = args.handle;
	return err;
}

/* ---- Files ------------------------------------------------------------------------------ */

static unsigned int usual_mib;

static int low_file_quota(void **state)
{
	static struct node node;

	*state = NULL;
	if (!geteuid()) {
		usual_mib = driver_set_param("max_file_mib", QUOTA_MIB);
		node_open(&node);
		*state = &node;
	}
	return 0;
}

static int old_file_quota(void **state)
{
	if (*state) {
		node_close(*state);
		driver_set_param("max_file_mib", usual_mib);
	}
	return 0;
}

static void bytes_are_limited(void **state)
{
	const struct node *node = *state;
	struct node other;
	uint32_t handle[QUOTA_MIB], more, there;
	unsigned int i;

	if (!node)
		skip();
	assert_int_equal(node->info.max_file_bytes, QUOTA_MIB * MIB);
	assert_int_equal(create(node, QUOTA_MIB * MIB + 1, &more), -EDQUOT);
	for (i = 0; i < QUOTA_MIB; i++)
		assert_int_equal(create(node, MIB, &handle[i]), 0);
	assert_int_equal(create(node, 1, &more), -EDQUOT);

	/* Each file has its own. */
	node_open(&other);
	assert_int_equal(create(&other, MIB, &there), 0);
	node_close(&other);

	assert_int_equal(drmCloseBufferHandle(node->fd, handle[0]), 0);
	assert_int_equal(create(node, MIB, &handle[0]), 0);
	for (i = 0; i < QUOTA_MIB; i++)
		assert_int_equal(drmCloseBufferHandle(node->fd, handle[i]), 0);
}

/* Memory counts for as long as anybody has it, and only for the file that made it. */
static void bytes_count_until_the_last_user(void **state)
{
	const struct node *node = *state;
	struct node other;
	uint32_t handle, imported, more;
	int fd;

	if (!node)
		skip();
	node_open(&other);
	assert_int_equal(create(node, QUOTA_MIB * MIB, &handle), 0);
	assert_int_equal(drmPrimeHandleToFD(node->fd, handle, DRM_CLOEXEC, &fd), 0);
	assert_int_equal(drmCloseBufferHandle(node->fd, handle), 0);
	assert_int_equal(create(node, 1, &more), -EDQUOT);

	assert_int_equal(drmPrimeFDToHandle(other.fd, fd, &imported), 0);
	close(fd);
	assert_int_equal(create(node, 1, &more), -EDQUOT);
	assert_int_equal(create(&other, QUOTA_MIB * MIB, &more), 0);
	assert_int_equal(drmCloseBufferHandle(other.fd, imported), 0);
	assert_int_equal(create(node, QUOTA_MIB * MIB, &handle), 0);
	assert_int_equal(drmCloseBufferHandle(node->fd, handle), 0);
	node_close(&other);
}

static void contexts_are_limited(void **state)
{
	struct drm_npu_ctx_create args = { 0 };
	struct drm_npu_ctx_destroy destroy;
	struct node node;
	unsigned int made = 1; /* by open() */
	int err;

	(void)state;
	node_open(&node);
	assert_true(node.info.max_contexts > 1);
	while ((err = node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &args)) == 0)
		made++;
	assert_int_equal(err, -EDQUOT);
	assert_int_equal(made, node.info.max_contexts);
	destroy = (struct drm_npu_ctx_destroy){ .id = 1 };
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &args), 0);
	assert_int_equal(args.id, 1);
	node_close(&node);
}

/* ---- Users ------------------------------------------------------------------------------ */

static int low_user_quota(void **state)
{
	*state = NULL;
	if (!geteuid()) {
		usual_mib = driver_set_param("max_user_mib", QUOTA_MIB);
		assert_int_equal(user_become(SOMEBODY), 0);
		*state = &usual_mib;
	}
	return 0;
}

static int old_user_quota(void **state)
{
	if (*state) {
		assert_int_equal(user_become_root(), 0);
		driver_set_param("max_user_mib", usual_mib);
	}
	return 0;
}

static void bytes_of_a_user_are_limited(void **state)
{
	struct node one, two, other, root;
	uint32_t handle, more;
	unsigned int i;

	if (!*state)
		skip();
	node_open(&one);
	node_open(&two);
	assert_int_equal(one.info.max_user_bytes, QUOTA_MIB * MIB);
	assert_int_equal(create(&one, QUOTA_MIB * MIB + 1, &more), -EDQUOT);
	assert_int_equal(create(&one, 3 * MIB, &handle), 0);
	assert_int_equal(create(&two, 2 * MIB, &more), -EDQUOT);
	assert_int_equal(create(&two, MIB, &more), 0);
	assert_int_equal(create(&one, 1, &more), -EDQUOT);

	assert_int_equal(user_become(SOMEBODY_ELSE), 0);
	node_open(&other);
	assert_int_equal(create(&other, QUOTA_MIB * MIB, &more), 0);
	/* A file is of who opened it, whoever has it now. */
	assert_int_equal(create(&two, 1, &more), -EDQUOT);
	node_close(&other);

	assert_int_equal(user_become_root(), 0);
	node_open(&root);
	assert_int_equal(root.info.max_user_bytes, 0);
	for (i = 0; i < QUOTA_MIB + 1; i++)
		assert_int_equal(create(&root, MIB, &more), 0);
	node_close(&root);

	assert_int_equal(drmCloseBufferHandle(one.fd, handle), 0);
	assert_int_equal(create(&two, 3 * MIB, &more), 0);
	node_close(&one);
	node_close(&two);
}

/* A dma-buf counts for its maker's user though his files are closed. */
static void bytes_of_a_user_outlive_his_files(void **state)
{
	struct node node;
	uint32_t handle;
	int fd;

	if (!*state)
		skip();
	node_open(&node);
	assert_int_equal(create(&node, QUOTA_MIB * MIB, &handle), 0);
	assert_int_equal(drmPrimeHandleToFD(node.fd, handle, DRM_CLOEXEC, &fd), 0);
	node_close(&node);
	node_open(&node);
	assert_int_equal(create(&node, 1, &handle), -EDQUOT);
	close(fd);
	assert_int_equal(create(&node, QUOTA_MIB * MIB, &handle), 0);
	node_close(&node);
}

static void contexts_of_a_user_are_limited(void **state)
{
	struct drm_npu_ctx_create args = { 0 };
	struct node node[FILES_OF_A_USER];
	unsigned int i, made = 0;
	int fd;

	if (!*state)
		skip();
	for (i = 0; i < FILES_OF_A_USER; i++) {
		node_open(&node[i]);
		made++;
	}
	for (i = 0; i < FILES_OF_A_USER; i++)
		while (node_ioctl(&node[i], DRM_IOCTL_NPU_CTX_CREATE, &args) == 0)
			made++;
	assert_int_equal(made, FILES_OF_A_USER * node[0].info.max_contexts);
	assert_int_equal(node_try_open(), -1);
	node_close(&node[0]);
	fd = node_try_open();
	assert_true(fd >= 0);
	close(fd);
	for (i = 1; i < FILES_OF_A_USER; i++)
		node_close(&node[i]);
}

static void perfmons_of_a_user_are_limited(void **state)
{
	struct drm_npu_perfmon_create args = { .counters = 1 };
	struct node node[FILES_OF_A_USER], one_more;
	unsigned int i;

	if (!*state)
		skip();
	for (i = 0; i < FILES_OF_A_USER; i++) {
		node_open(&node[i]);
		assert_int_equal(node_ioctl(&node[i], DRM_IOCTL_NPU_PERFMON_CREATE, &args), 0);
		while (node_ioctl(&node[i], DRM_IOCTL_NPU_PERFMON_CREATE, &args) == 0)
			;
	}
	node_open(&one_more);
	assert_int_equal(node_ioctl(&one_more, DRM_IOCTL_NPU_PERFMON_CREATE, &args), -EDQUOT);
	node_close(&node[0]);
	assert_int_equal(node_ioctl(&one_more, DRM_IOCTL_NPU_PERFMON_CREATE, &args), 0);
	for (i = 1; i < FILES_OF_A_USER; i++)
		node_close(&node[i]);
	node_close(&one_more);
}

/**
 * struct hoard - files with as many jobs as each may have
 * @node: The files.
 * @n: Their number.
 * @refused: What the last one was told, which had room of its own left.
 */
struct hoard {
	struct node node[2 * FILES_OF_A_USER];
	unsigned int n;
	int refused;
};

/* @held: What the jobs wait for, so that none ends, or -1. */
static void hoard_fill(struct hoard *hoard, struct node *node, int held)
{
	const uint32_t n = node->limits.mac_channels * node->limits.mac_kernels;
	const uint32_t batch = node->info.max_jobs;
	struct drm_npu_job_matmul *jobs = calloc(batch, sizeof(*jobs));
	struct node_bo bos[3];
	unsigned int i, done;

	assert_non_null(jobs);
	node_bos_create(node, bos, 3, 262144);
	for (i = 0; i < batch; i++)
		jobs[i] = node_job(node, 64, n, 64, &bos[0], &bos[1], &bos[2]);
	for (done = 0; !hoard->refused && done + batch <= node->info.max_pending; done += batch)
		hoard->refused = held < 0 ? node_submit(node, 0, jobs, batch, NULL)
					  : node_submit_held(node, 0, jobs, batch, held);
	node_bos_destroy(node, bos, 3);
	free(jobs);
}

/* A file with nothing under way is let in again when those of the hoard have been cancelled. */
static void wait_for_room(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	unsigned int i;
	int err = -EBUSY;

	node_open(&node);
	node_bos_create(&node, bos, 3, 4096);
	job = node_job(&node, 4, 8, 8, &bos[0], &bos[1], &bos[2]);
	for (i = 0; err == -EBUSY && i < NODE_PATIENCE_NS / pause.tv_nsec; i++) {
		err = node_run(&node, &job, 1);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(err, 0);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

/* Where a detector makes each job slow the fence ends too early: then nothing was held back. */
static void jobs_of_a_user_are_limited(void **state)
{
	static struct hoard hoard;
	const int vgem = vgem_open();
	unsigned int files;
	uint32_t fence = 0;
	bool lasted = true;
	int held = -1;

	if (!*state)
		skip();
	driver_set_param("max_user_mib", usual_mib);
	if (vgem >= 0)
		held = vgem_hold(vgem, &fence);
	while (!hoard.refused && hoard.n < 2 * FILES_OF_A_USER) {
		struct node *node = &hoard.node[hoard.n++];

		node_open(node);
		hoard_fill(&hoard, node, held);
	}
	files = hoard.n;
	while (hoard.n)
		node_close(&hoard.node[--hoard.n]);
	if (vgem >= 0) {
		close(held);
		lasted = vgem_release(vgem, fence);
		close(vgem);
	}
	wait_for_room();
	if (!lasted && !hoard.refused)
		skip();
	assert_int_equal(hoard.refused, -EBUSY);
	assert_true(files > FILES_OF_A_USER);
}

/* ---- Control groups --------------------------------------------------------------------- */

/**
 * struct group - a control group for a child
 * @root: Where the hierarchy is mounted.
 * @path: The group.
 */
struct group {
	char root[32];
	char path[64];
};

static int group_make(struct group *group)
{
	char path[64];

	strcpy(group->root, "/tmp/test_quota.XXXXXX");
	if (!mkdtemp(group->root))
		return -errno;
	if (mount("none", group->root, "cgroup2", 0, NULL)) {
		rmdir(group->root);
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group->root);
	snprintf(group->path, sizeof(group->path), "%s/test_quota", group->root);
	return driver_write(path, "+memory") || mkdir(group->path, 0700) ? -1 : 0;
}

static void group_remove(struct group *group)
{
	rmdir(group->path);
	umount(group->root);
	rmdir(group->root);
}

static unsigned long group_bytes(const struct group *group)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "%s/memory.current", group->path);
	assert_true(driver_read(path, text, sizeof(text)) > 0);
	return strtoul(text, NULL, 10);
}

/* Pages one by one: what takes more at once may come out of CMA. */
static void hoard_pages(const struct group *group)
{
	const unsigned int pages = 1024;
	unsigned long before;
	struct node node;
	unsigned int i;
	uint32_t handle;
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group->path);
	assert_int_equal(driver_write(path, "0"), 0);
	node_open(&node);
	before = group_bytes(group);
	for (i = 0; i < pages; i++)
		assert_int_equal(create(&node, 1, &handle), 0);
	assert_true(group_bytes(group) - before >= (unsigned long)pages * getpagesize());
	node_close(&node);
}

static void memory_is_charged_to_the_control_group(void **state)
{
	struct group group;
	int status, made = group_make(&group);
	pid_t child;

	(void)state;
	if (made == -EPERM || made == -ENODEV || made == -ENOENT)
		skip();
	child = made ? -1 : fork();
	if (!child) {
		hoard_pages(&group);
		_exit(0);
	}
	if (child > 0)
		assert_int_equal(waitpid(child, &status, 0), child);
	group_remove(&group);
	if (child < 0)
		skip();
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_are_limited, low_file_quota, old_file_quota),
		cmocka_unit_test_setup_teardown(bytes_count_until_the_last_user, low_file_quota,
						old_file_quota),
		cmocka_unit_test(contexts_are_limited),
		cmocka_unit_test_setup_teardown(bytes_of_a_user_are_limited, low_user_quota,
						old_user_quota),
		cmocka_unit_test_setup_teardown(bytes_of_a_user_outlive_his_files, low_user_quota,
						old_user_quota),
		cmocka_unit_test_setup_teardown(contexts_of_a_user_are_limited, low_user_quota,
						old_user_quota),
		cmocka_unit_test_setup_teardown(perfmons_of_a_user_are_limited, low_user_quota,
						old_user_quota),
		cmocka_unit_test_setup_teardown(jobs_of_a_user_are_limited, low_user_quota,
						old_user_quota),
		cmocka_unit_test(memory_is_charged_to_the_control_group),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
