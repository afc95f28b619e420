// SPDX-License-Identifier: MIT
/*
 * Each allocation of each operation fails once: the operation says so and has no effect, or it did
 * without; the next try works. What is lost on the way the kernel's leak detector reports when the
 * module goes. Skips where the kernel cannot make allocations fail. Probe has a test of
 * its own, test_probe.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"
#include "injection.h"
#include "user.h"

enum {
	/* More allocations than any operation has. */
	MOST = 5000
};

/**
 * struct scene - what the operations work on
 * @node: The file.
 * @bos: A, W and C of @jobs.
 * @jobs: Three that follow each other.
 * @syncs: A binary syncobj and a timeline, both for a submission to signal.
 * @blocker: Context in which something runs before what @node submits.
 * @perfmon: Perfmon.
 */
struct scene {
	struct node node;
	struct node_bo bos[3];
	struct drm_npu_job_matmul jobs[3];
	struct drm_npu_sync syncs[2];
	uint32_t blocker;
	uint32_t perfmon;
};

/**
 * struct operation - something that allocates
 * @run: Does it; 0, with what @undo needs in @made, or a negative errno.
 * @undo: Takes it back, after it worked.
 */
struct operation {
	int (*run)(struct scene *s, uint64_t *made);
	void (*undo)(struct scene *s, uint64_t made);
};

/*
 * A place whose page table is there, because something is mapped beside it: Linux 6.12 on x86 warns
 * where the table cannot be had (untrack_pfn()), and that is not the driver's.
 */
static void *find_place(void)
{
	enum {
		TABLE = 2 << 20
	};
	static uint8_t *room;

	if (!room) {
		room = mmap(NULL, 2 * TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		assert_true(room != MAP_FAILED);
		room += TABLE - (uintptr_t)room % TABLE;
		room[TABLE / 2] = 1;
	}
	return room;
}

static int setup(void **state)
{
	struct drm_npu_perfmon_create perfmon = { .counters = 1 };
	struct drm_npu_ctx_create ctx = { 0 };
	static struct scene scene;
	struct scene *s = &scene;
	unsigned int i;

	*state = NULL;
	if (injection_open())
		return 0;
	*state = s;
	find_place();
	node_open(&s->node);
	node_bos_create(&s->node, s->bos, 3, 65536);
	for (i = 0; i < 3; i++) {
		s->jobs[i] = node_job(&s->node, 16, 32, 48, &s->bos[0], &s->bos[1], &s->bos[2]);
		s->jobs[i].cvt_shift = 7;
	}
	s->syncs[0].flags = DRM_NPU_SYNC_SIGNAL;
	s->syncs[1].flags = DRM_NPU_SYNC_SIGNAL;
	assert_int_equal(drmSyncobjCreate(s->node.fd, 0, &s->syncs[0].handle), 0);
	assert_int_equal(drmSyncobjCreate(s->node.fd, 0, &s->syncs[1].handle), 0);
	assert_int_equal(node_ioctl(&s->node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);
	s->blocker = ctx.id;
	assert_int_equal(node_ioctl(&s->node, DRM_IOCTL_NPU_PERFMON_CREATE, &perfmon), 0);
	s->perfmon = perfmon.id;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	if (!s)
		return 0;
	node_bos_destroy(&s->node, s->bos, 3);
	node_close(&s->node);
	injection_close();
	return 0;
}

/* One allocation after the other fails, until none is left to fail. */
static void fail_each(void **state, const struct operation *op)
{
	struct scene *s = *state;
	unsigned int n, refused = 0;
	int err, failed = 1;
	uint64_t made;

	if (!s)
		skip();
	for (n = 1; failed && n < MOST; n++) {
		injection_arm(n);
		err = op->run(s, &made);
		failed = injection_disarm();
		if (err) {
			assert_true(failed);
			assert_int_equal(err, -ENOMEM);
			refused++;
			err = op->run(s, &made);
			assert_int_equal(err, 0);
		}
		op->undo(s, made);
	}
	assert_false(failed);
	print_message("%u allocations, %u of them needed\n", n - 2, refused);
	assert_true(refused);
}

/* ---- Files, buffers -------------------------------------------------------------------- */

static int open_file(struct scene *s, uint64_t *made)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->node.fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	*made = (uint64_t)fd;
	return fd < 0 ? -errno : 0;
}

static void close_file(struct scene *s, uint64_t made)
{
	(void)s;
	close((int)made);
}

static int create_bo(struct scene *s, uint64_t *made)
{
	struct drm_npu_bo_create create = { .size = 20000 };
	int err = node_ioctl(&s->node, DRM_IOCTL_NPU_BO_CREATE, &create);

	*made = create.handle;
	return err;
}

static void close_bo(struct scene *s, uint64_t made)
{
	assert_int_equal(drmCloseBufferHandle(s->node.fd, (uint32_t)made), 0);
}

static int map_bo(struct scene *s, uint64_t *made)
{
	struct drm_npu_bo_info info = { .handle = s->bos[0].handle };
	void *map;

	assert_int_equal(node_ioctl(&s->node, DRM_IOCTL_NPU_BO_INFO, &info), 0);
	map = mmap(find_place(), info.size, PROT_READ, MAP_SHARED | MAP_FIXED, s->node.fd,
		   (off_t)info.mmap_offset);
	*made = (uintptr_t)map;
	return map == MAP_FAILED ? -errno : 0;
}

static void unmap_bo(struct scene *s, uint64_t made)
{
	/* The mapping is whole, whatever failed. */
	assert_int_equal(*(uint8_t *)(uintptr_t)(made + s->bos[0].size - 1),
			 s->bos[0].map[s->bos[0].size - 1]);
	munmap((void *)(uintptr_t)made, s->bos[0].size);
}

static int export_bo(struct scene *s, uint64_t *made)
{
	int fd = -1;
	int err = drmPrimeHandleToFD(s->node.fd, s->bos[0].handle, O_CLOEXEC, &fd);

	*made = (uint64_t)fd;
	return err ? -errno : 0;
}

static int wait_for_bo(struct scene *s, uint64_t *made)
{
	struct drm_npu_bo_prep prep = {
		.handle = s->bos[2].handle,
		.flags = DRM_NPU_ACCESS_WRITE,
		.deadline_ns = INT64_MAX,
	};

	*made = 0;
	return node_ioctl(&s->node, DRM_IOCTL_NPU_BO_PREP, &prep);
}

static void a_file(void **state)
{
	fail_each(state, &(const struct operation){ open_file, close_file });
}

/* One more allocation: the first file of a user brings his quotas. */
static void a_file_of_a_user(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(user_become(1001), 0);
	a_file(state);
	assert_int_equal(user_become_root(), 0);
}

static void a_buffer(void **state)
{
	fail_each(state, &(const struct operation){ create_bo, close_bo });
}

static void a_mapping(void **state)
{
	fail_each(state, &(const struct operation){ map_bo, unmap_bo });
}

static void a_dma_buf(void **state)
{
	fail_each(state, &(const struct operation){ export_bo, close_file });
}

/* ---- Contexts, perfmons ---------------------------------------------------------------- */

static int create_ctx(struct scene *s, uint64_t *made)
{
	struct drm_npu_ctx_create create = { 0 };
	int err = node_ioctl(&s->node, DRM_IOCTL_NPU_CTX_CREATE, &create);

	*made = create.id;
	return err;
}

static void destroy_ctx(struct scene *s, uint64_t made)
{
	struct drm_npu_ctx_destroy destroy = { .id = (uint32_t)made };

	assert_int_equal(node_ioctl(&s->node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
}

static int create_perfmon(struct scene *s, uint64_t *made)
{
	struct drm_npu_perfmon_create create = { .counters = 1 };
	int err = node_ioctl(&s->node, DRM_IOCTL_NPU_PERFMON_CREATE, &create);

	*made = create.id;
	return err;
}

static void destroy_perfmon(struct scene *s, uint64_t made)
{
	struct drm_npu_perfmon_destroy destroy = { .id = (uint32_t)made };

	assert_int_equal(node_ioctl(&s->node, DRM_IOCTL_NPU_PERFMON_DESTROY, &destroy), 0);
}

static void a_context(void **state)
{
	fail_each(state, &(const struct operation){ create_ctx, destroy_ctx });
}

static void a_perfmon(void **state)
{
	fail_each(state, &(const struct operation){ create_perfmon, destroy_perfmon });
}

/* ---- Submissions ----------------------------------------------------------------------- */

/* Signals both syncobjs; @made is the point of the timeline. */
static int submit(struct scene *s, uint64_t *made)
{
	struct drm_npu_submit args = {
		.jobs = { sizeof(s->jobs[0]), 3, (uintptr_t)s->jobs },
		.syncs = { sizeof(s->syncs[0]), 2, (uintptr_t)s->syncs },
		.perfmon = s->perfmon,
	};
	int err;

	s->syncs[1].point++;
	*made = s->syncs[1].point;
	err = node_ioctl(&s->node, DRM_IOCTL_NPU_SUBMIT, &args);
	assert_true(!err || args.fail_index == UINT32_MAX);
	return err;
}

/* The outcome is that of a submission to which nothing happened. */
static void finish(struct scene *s, uint64_t made)
{
	uint64_t none;

	assert_int_equal(drmSyncobjTimelineWait(s->node.fd, &s->syncs[1].handle, &made, 1,
						INT64_MAX, 0, NULL),
			 0);
	assert_int_equal(node_fence_status(&s->node, s->syncs[0].handle), 0);
	assert_int_equal(wait_for_bo(s, &none), 0);
	node_check_result(&s->node, &s->jobs[2], s->bos, 3);
}

/* Behind another context's work on the same BOs, so that it has to go through the scheduler. */
static int submit_behind(struct scene *s, uint64_t *made)
{
	static struct drm_npu_job_matmul long_jobs[64];
	unsigned int i;
	int err;

	for (i = 0; i < 64; i++)
		long_jobs[i] = s->jobs[0];
	err = node_submit(&s->node, s->blocker, long_jobs, 64, NULL);
	return err ? err : submit(s, made);
}

static void a_submission(void **state)
{
	fail_each(state, &(const struct operation){ submit, finish });
}

static void a_submission_that_waits(void **state)
{
	fail_each(state, &(const struct operation){ submit_behind, finish });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(a_file_of_a_user),
		cmocka_unit_test(a_buffer),
		cmocka_unit_test(a_mapping),
		cmocka_unit_test(a_dma_buf),
		cmocka_unit_test(a_context),
		cmocka_unit_test(a_perfmon),
		cmocka_unit_test(a_submission),
		cmocka_unit_test(a_submission_that_waits),
	};

	return cmocka_run_group_tests_name("injection", tests, setup, teardown);
}
