// SPDX-License-Identifier: MIT
/*
 * What the driver must refuse, each with its errno, and what a refused call must not have done.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"

#define NO_HANDLE 0x7fffffff

struct fixture {
	struct node node;
	struct node_bo a, w, c;
	struct drm_npu_job_matmul job; /* valid, 16x16x16 */
};

static int setup(void **state)
{
	static struct fixture f;

	node_open(&f.node);
	node_bo_create(&f.node, &f.a, 4096);
	node_bo_create(&f.node, &f.w, 4096);
	node_bo_create(&f.node, &f.c, 4096);
	f.job = node_job(&f.node, 16, 16, 16, &f.a, &f.w, &f.c);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(node_run(&f->node, &f->job, 1), 0);
	node_bo_destroy(&f->node, &f->a);
	node_bo_destroy(&f->node, &f->w);
	node_bo_destroy(&f->node, &f->c);
	node_close(&f->node);
	return 0;
}

static void queries(void **state)
{
	const struct fixture *f = *state;
	const struct node *node = &f->node;
	struct drm_npu_device_info info[2];
	struct drm_npu_dev_query q = { .type = DRM_NPU_QUERY_DEVICE };

	assert_true(memchr(node->info.name, 0, sizeof(node->info.name)) != NULL);
	assert_int_equal(node->info.family, DRM_NPU_FAMILY_NVDLA);
	assert_int_equal(node->info.cores, 1);
	assert_true(node->info.max_jobs && node->info.max_syncs && node->info.max_pending);
	assert_true(node->limits.atom_bytes && node->limits.cbuf_banks);

	/* The size alone. */
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, sizeof(info[0]));

	/* Less room, and nothing behind it. */
	memset(info, 0xa5, sizeof(info));
	q.size = 36;
	q.pointer = (uintptr_t)info;
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, sizeof(info[0]));
	assert_int_equal(info[0].family, DRM_NPU_FAMILY_NVDLA);
	assert_int_equal(info[0].cores, 0xa5a5a5a5);

	/* More room, cleared. */
	memset(info, 0xa5, sizeof(info));
	q.size = sizeof(info);
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), 0);
	assert_int_equal(info[0].cores, 1);
	assert_int_equal(info[1].cores, 0);
	assert_int_equal(info[1].max_pending, 0);

	q.type = 1000;
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), -EINVAL);
	q.type = DRM_NPU_QUERY_MATMUL;
	q.pointer = 8;
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), -EFAULT);
}

static int bo_create(const struct node *node, uint64_t size, uint32_t flags)
{
	struct drm_npu_bo_create args = { .size = size, .flags = flags };
	int err = node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &args);

	if (!err)
		drmCloseBufferHandle(node->fd, args.handle);
	return err;
}

static void buffers(void **state)
{
	const struct fixture *f = *state;
	const struct node *node = &f->node;
	struct drm_npu_bo_info info = { .handle = f->a.handle };
	struct node_bo bo;
	size_t i;

	assert_int_equal(bo_create(node, 1, 0), 0);
	assert_int_equal(bo_create(node, 0, 0), -EINVAL);
	assert_int_equal(bo_create(node, 4096, 1), -EINVAL);
	assert_int_equal(bo_create(node, node->info.max_bo_bytes + 1, 0), -EINVAL);
	assert_int_equal(bo_create(node, UINT64_MAX, 0), -EINVAL);

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_INFO, &info), 0);
	assert_int_equal(info.size, f->a.size);
	assert_int_equal(info.flags, 0);
	assert_true(info.mmap_offset != 0);
	info.handle = NO_HANDLE;
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_INFO, &info), -ENOENT);

	/* What an earlier owner wrote is gone. */
	for (i = 0; i < 8; i++) {
		node_bo_create(node, &bo, 1 << 20);
		node_bo_prep(node, &bo);
		assert_int_equal(bo.map[0], 0);
		assert_memory_equal(bo.map, bo.map + 1, bo.size - 1);
		memset(bo.map, 0x5a, bo.size);
		node_bo_fini(node, &bo);
		node_bo_destroy(node, &bo);
	}
}

static int prep(const struct node *node, uint32_t handle, uint32_t flags, uint64_t offset,
		uint64_t size, int64_t deadline)
{
	struct drm_npu_bo_prep args = { handle, flags, offset, size, deadline };

	return node_ioctl(node, DRM_IOCTL_NPU_BO_PREP, &args);
}

static int fini(const struct node *node, uint32_t handle, uint32_t flags, uint64_t offset,
		uint64_t size)
{
	struct drm_npu_bo_fini args = { handle, flags, offset, size };

	return node_ioctl(node, DRM_IOCTL_NPU_BO_FINI, &args);
}

static void brackets(void **state)
{
	const struct fixture *f = *state;
	const struct node *node = &f->node;
	const uint32_t rd = DRM_NPU_ACCESS_READ, wr = DRM_NPU_ACCESS_WRITE;
	const uint32_t bo = f->a.handle;

	/* An idle BO is ready whatever the deadline. */
	assert_int_equal(prep(node, bo, rd, 0, 0, 0), 0);
	assert_int_equal(prep(node, bo, rd | wr, 0, 0, INT64_MIN), 0);
	assert_int_equal(prep(node, bo, wr | DRM_NPU_ACCESS_NOWAIT, 1, 2, 0), 0);
	assert_int_equal(prep(node, bo, rd, f->a.size, 0, 0), 0);
	assert_int_equal(fini(node, bo, rd | wr, 100, 200), 0);

	assert_int_equal(prep(node, bo, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(prep(node, bo, DRM_NPU_ACCESS_NOWAIT, 0, 0, 0), -EINVAL);
	assert_int_equal(prep(node, bo, rd | 8, 0, 0, 0), -EINVAL);
	assert_int_equal(prep(node, bo, rd, f->a.size + 1, 0, 0), -EINVAL);
	assert_int_equal(prep(node, bo, rd, 1, f->a.size, 0), -EINVAL);
	assert_int_equal(prep(node, bo, rd, 8, UINT64_MAX, 0), -EINVAL);
	assert_int_equal(prep(node, NO_HANDLE, rd, 0, 0, 0), -ENOENT);
	assert_int_equal(fini(node, bo, 0, 0, 0), -EINVAL);
	assert_int_equal(fini(node, bo, rd | DRM_NPU_ACCESS_NOWAIT, 0, 0), -EINVAL);
	assert_int_equal(fini(node, bo, wr, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(fini(node, NO_HANDLE, rd, 0, 0), -ENOENT);
}

static int ctx_create(const struct node *node, uint32_t flags, int32_t priority, uint32_t *id)
{
	struct drm_npu_ctx_create args = { .flags = flags, .priority = priority };
	int err = node_ioctl(node, DRM_IOCTL_NPU_CTX_CREATE, &args);

	if (id)
		*id = args.id;
	return err;
}

static int ctx_destroy(const struct node *node, uint32_t id, uint32_t pad)
{
	struct drm_npu_ctx_destroy args = { .id = id, .pad = pad };

	return node_ioctl(node, DRM_IOCTL_NPU_CTX_DESTROY, &args);
}

static void contexts(void **state)
{
	struct fixture *f = *state;
	const struct node *node = &f->node;
	struct drm_npu_ctx_state st = { .id = 77 };
	uint32_t id, other;

	assert_int_equal(ctx_create(node, 0, DRM_NPU_PRIORITY_LOW, &id), 0);
	assert_int_not_equal(id, 0);
	assert_int_equal(ctx_create(node, 0, DRM_NPU_PRIORITY_NORMAL, &other), 0);
	assert_int_not_equal(id, other);
	assert_int_equal(ctx_create(node, 1, 0, NULL), -EINVAL);
	assert_int_equal(ctx_create(node, 0, 2, NULL), -EINVAL);
	assert_int_equal(ctx_create(node, 0, -2, NULL), -EINVAL);
	assert_int_equal(ctx_destroy(node, id, 1), -EINVAL);
	assert_int_equal(ctx_destroy(node, id, 0), 0);
	assert_int_equal(ctx_destroy(node, id, 0), -ENOENT);
	assert_int_equal(ctx_destroy(node, 0, 0), -EINVAL);
	assert_int_equal(node_submit(node, id, &f->job, 1, NULL), -ENOENT);
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_CTX_STATE, &st), -ENOENT);
	assert_int_equal(node_ctx_state(node, other).submits_done, 0);
	assert_int_equal(ctx_destroy(node, other, 0), 0);
}

static void priority_needs_permission(void **state)
{
	const struct fixture *f = *state;
	uint32_t id;

	if (geteuid())
		skip();
	assert_int_equal(ctx_create(&f->node, 0, DRM_NPU_PRIORITY_HIGH, &id), 0);
	assert_int_equal(ctx_destroy(&f->node, id, 0), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(ctx_create(&f->node, 0, DRM_NPU_PRIORITY_HIGH, &id), -EACCES);
	assert_int_equal(seteuid(0), 0);
}

/* Submits a good job, a broken one, a good one: the broken one is named and nothing runs. */
static void refuse(struct fixture *f, const struct drm_npu_job_matmul *broken, int err, int line)
{
	const struct drm_npu_job_matmul jobs[3] = { f->job, *broken, f->job };
	const uint64_t before = node_ctx_state(&f->node, 0).submits_done;
	uint32_t index;
	int got = node_submit(&f->node, 0, jobs, 3, &index);

	if (got != err)
		fail_msg("line %d: error %d, should be %d", line, got, err);
	assert_int_equal(index, 1);
	assert_int_equal(node_ctx_state(&f->node, 0).submits_done, before);
}

#define REFUSES(f, err, field, value)                        \
	do {                                                 \
		struct drm_npu_job_matmul broken = (f)->job; \
		broken.field = value;                        \
		refuse(f, &broken, err, __LINE__);           \
	} while (0)

static void broken_jobs(void **state)
{
	struct fixture *f = *state;

	REFUSES(f, -EINVAL, op, 0);
	REFUSES(f, -EINVAL, op, 99);
	REFUSES(f, -EINVAL, flags, 1);
	REFUSES(f, -EINVAL, pad, 1);
	REFUSES(f, -EINVAL, pad2, 1);
	REFUSES(f, -EINVAL, a.pad, 1);
	REFUSES(f, -EINVAL, x1.pad2, 1);
	REFUSES(f, -EINVAL, m, 0);
	REFUSES(f, -EINVAL, n, 0);
	REFUSES(f, -EINVAL, k, 0);
	REFUSES(f, -EINVAL, height, 0);
	REFUSES(f, -EINVAL, m, UINT32_MAX);
	REFUSES(f, -EINVAL, n, f->node.limits.max_n + 1);
	REFUSES(f, -EINVAL, k, f->node.limits.max_k + 1);
	REFUSES(f, -EINVAL, a.row_stride, 4);
	REFUSES(f, -EINVAL, c.plane_stride, 12);
	REFUSES(f, -EINVAL, w.offset, 2);
	REFUSES(f, -EINVAL, narrow, 2);
	REFUSES(f, -EINVAL, data_banks, 1);
	REFUSES(f, -EINVAL, x1.alu_op, DRM_NPU_ALU_ADD);
	REFUSES(f, -EINVAL, x1.mul_shift, 64);
	REFUSES(f, -ENOENT, a.handle, NO_HANDLE);
	REFUSES(f, -ENOENT, a.handle, 0);
	REFUSES(f, -ENOENT, w.handle, NO_HANDLE);
	REFUSES(f, -ENOENT, c.handle, NO_HANDLE);
}

static void out_of_bounds(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul edge = f->job;
	const uint64_t size = f->a.size;
	const uint64_t a_end = size - node_cube_bytes(&f->node, 16, 16);
	const uint64_t w_end = size - node_weight_bytes(&f->node, 16, 16);
	const uint32_t atom = f->node.limits.atom_bytes;

	edge.a.offset = a_end;
	edge.w.offset = w_end;
	edge.c.offset = a_end;
	assert_int_equal(node_run(&f->node, &edge, 1), 0);

	REFUSES(f, -EINVAL, a.offset, a_end + atom);
	REFUSES(f, -EINVAL, w.offset, w_end + atom);
	REFUSES(f, -EINVAL, c.offset, a_end + atom);
	REFUSES(f, -EINVAL, a.offset, size);
	REFUSES(f, -EINVAL, a.offset, UINT64_MAX - atom + 1);
	REFUSES(f, -EINVAL, w.offset, UINT64_MAX - atom + 1);
	REFUSES(f, -EINVAL, c.offset, 1ULL << 32);
	REFUSES(f, -EINVAL, k, 8192);
	REFUSES(f, -EINVAL, n, 8192);

	/* With two planes, of which the second one counts. */
	edge = node_job(&f->node, 16, 2 * atom, 2 * atom, &f->a, &f->w, &f->c);
	assert_int_equal(node_run(&f->node, &edge, 1), 0);
	edge.a.plane_stride = UINT32_MAX - atom + 1;
	refuse(f, &edge, -EINVAL, __LINE__);
	edge = node_job(&f->node, 16, 2 * atom, 2 * atom, &f->a, &f->w, &f->c);
	edge.c.plane_stride = (uint32_t)size;
	refuse(f, &edge, -EINVAL, __LINE__);
}

static void overlapping_output(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job = f->job;

	REFUSES(f, -EINVAL, c.handle, f->a.handle);
	REFUSES(f, -EINVAL, c.handle, f->w.handle);

	/* Side by side in one BO is fine, one atom closer is not. */
	job.c.handle = f->a.handle;
	job.c.offset = node_cube_bytes(&f->node, 16, 16);
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	job.c.offset -= f->node.limits.atom_bytes;
	refuse(f, &job, -EINVAL, __LINE__);

	job = f->job;
	job.x1.alu_op = DRM_NPU_ALU_ADD;
	job.x1.alu_src = DRM_NPU_OPERAND_CHANNEL;
	job.x1.operand_bytes = 2;
	job.x1.operand.handle = f->c.handle;
	job.x1.operand.offset = node_cube_bytes(&f->node, 16, 16);
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	job.x1.operand.offset -= f->node.limits.atom_bytes;
	refuse(f, &job, -EINVAL, __LINE__);
	/* 16 elements of 2 bytes. */
	job.x1.operand.offset = f->c.size - f->node.limits.atom_bytes;
	refuse(f, &job, -EINVAL, __LINE__);
}

static int submit(const struct node *node, struct drm_npu_submit *args)
{
	return node_ioctl(node, DRM_IOCTL_NPU_SUBMIT, args);
}

static void broken_submits(void **state)
{
	struct fixture *f = *state;
	const struct drm_npu_submit good = {
		.jobs = { sizeof(f->job), 1, (uintptr_t)&f->job },
	};
	struct drm_npu_submit args;

	args = good;
	args.flags = 1;
	assert_int_equal(submit(&f->node, &args), -EINVAL);
	args = good;
	args.perfmon = 1000;
	assert_int_equal(submit(&f->node, &args), -ENOENT);
	args = good;
	args.ctx = 1000;
	assert_int_equal(submit(&f->node, &args), -ENOENT);
	assert_int_equal(args.fail_index, UINT32_MAX);
	args = good;
	args.jobs.count = 0;
	assert_int_equal(submit(&f->node, &args), -EINVAL);
	args = good;
	args.jobs.count = f->node.info.max_jobs + 1;
	assert_int_equal(submit(&f->node, &args), -E2BIG);
	args = good;
	args.jobs.stride = 0;
	assert_int_equal(submit(&f->node, &args), -EINVAL);
	args = good;
	args.jobs.stride = sizeof(f->job) - 4;
	assert_int_equal(submit(&f->node, &args), -EINVAL);
	args = good;
	args.jobs.pointer = 8;
	assert_int_equal(submit(&f->node, &args), -EFAULT);
	assert_int_equal(args.fail_index, 0);
	args = good;
	args.jobs.pointer = UINT64_MAX - 7;
	assert_int_equal(submit(&f->node, &args), -EFAULT);
	args = good;
	args.syncs = (struct drm_npu_array){ 16, f->node.info.max_syncs + 1, 8 };
	assert_int_equal(submit(&f->node, &args), -E2BIG);
	args.syncs = (struct drm_npu_array){ 16, 1, 8 };
	assert_int_equal(submit(&f->node, &args), -EFAULT);
	assert_int_equal(args.fail_index, UINT32_MAX);
}

static void grown_structures(void **state)
{
	struct fixture *f = *state;
	struct {
		struct drm_npu_job_matmul job;
		uint64_t later[4];
	} jobs[2] = { { .job = f->job }, { .job = f->job } };
	struct drm_npu_submit args = {
		.jobs = { sizeof(jobs[0]), 2, (uintptr_t)jobs },
	};
	struct {
		struct drm_npu_bo_info info;
		uint64_t later;
	} grown = { .info = { .handle = f->a.handle } };
	const unsigned long request = _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
					   DRM_COMMAND_BASE + DRM_NPU_BO_INFO, sizeof(grown));

	assert_int_equal(submit(&f->node, &args), 0);
	jobs[1].later[3] = 1;
	assert_int_equal(submit(&f->node, &args), -E2BIG);
	assert_int_equal(args.fail_index, 1);

	assert_int_equal(node_ioctl(&f->node, request, &grown), 0);
	assert_int_equal(grown.info.size, f->a.size);
	grown.later = 1;
	assert_int_equal(node_ioctl(&f->node, request, &grown), -E2BIG);
}

static int submit_sync(struct fixture *f, uint32_t handle, uint32_t flags, uint64_t point)
{
	struct drm_npu_sync sync = { handle, flags, point };
	struct drm_npu_submit args = {
		.jobs = { sizeof(f->job), 1, (uintptr_t)&f->job },
		.syncs = { sizeof(sync), 1, (uintptr_t)&sync },
	};

	return submit(&f->node, &args);
}

static void broken_syncs(void **state)
{
	struct fixture *f = *state;
	uint32_t syncobj;

	assert_int_equal(drmSyncobjCreate(f->node.fd, 0, &syncobj), 0);
	assert_int_equal(submit_sync(f, syncobj, 0, 0), -EINVAL);
	assert_int_equal(submit_sync(f, syncobj, 3, 0), -EINVAL);
	assert_int_equal(submit_sync(f, syncobj, 4, 0), -EINVAL);
	assert_int_equal(submit_sync(f, NO_HANDLE, DRM_NPU_SYNC_WAIT, 0), -ENOENT);
	assert_int_equal(submit_sync(f, NO_HANDLE, DRM_NPU_SYNC_SIGNAL, 0), -ENOENT);
	assert_int_equal(submit_sync(f, NO_HANDLE, DRM_NPU_SYNC_SIGNAL, 7), -ENOENT);
	/* Nothing to wait for yet. */
	assert_int_equal(submit_sync(f, syncobj, DRM_NPU_SYNC_WAIT, 0), -EINVAL);
	assert_int_equal(submit_sync(f, syncobj, DRM_NPU_SYNC_SIGNAL, 3), 0);
	assert_int_equal(submit_sync(f, syncobj, DRM_NPU_SYNC_WAIT, 4), -EINVAL);
	assert_int_equal(submit_sync(f, syncobj, DRM_NPU_SYNC_WAIT, 3), 0);
	drmSyncobjDestroy(f->node.fd, syncobj);
}

static void unknown_ioctl(void **state)
{
	const struct fixture *f = *state;
	uint64_t arg[4] = { 0 };

	assert_int_equal(node_ioctl(&f->node, _IOC(_IOC_READ, DRM_IOCTL_BASE, 0x9f, 8), arg),
			 -ENOTTY);
}

/* Export and import on one device give the same memory; another file sees it, too. */
static void dma_bufs(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job;
	struct node other;
	struct node_bo bos[3];
	uint32_t same;
	uint8_t *map;
	int fd;

	assert_int_equal(drmPrimeHandleToFD(f->node.fd, f->a.handle, DRM_CLOEXEC | DRM_RDWR, &fd),
			 0);
	assert_int_equal(drmPrimeFDToHandle(f->node.fd, fd, &same), 0);
	assert_int_equal(same, f->a.handle);

	node_open(&other);
	node_bo_create(&other, &bos[1], 4096);
	node_bo_create(&other, &bos[2], 4096);
	node_bo_randomize(&other, &bos[1]);
	bos[0] = f->a;
	assert_int_equal(drmPrimeFDToHandle(other.fd, fd, &bos[0].handle), 0);
	map = mmap(NULL, f->a.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	node_bo_prep(&f->node, &f->a);
	memset(f->a.map, 3, f->a.size);
	assert_int_equal(map[100], 3);
	map[5] = 77;
	node_bo_fini(&f->node, &f->a);

	job = node_job(&other, 16, 16, 16, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 4;
	assert_int_equal(node_run(&other, &job, 1), 0);
	node_check_result(&other, &job, bos, 3);
	munmap(map, f->a.size);
	close(fd);
	node_bo_destroy(&other, &bos[1]);
	node_bo_destroy(&other, &bos[2]);
	node_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries),
		cmocka_unit_test(buffers),
		cmocka_unit_test(brackets),
		cmocka_unit_test(contexts),
		cmocka_unit_test(priority_needs_permission),
		cmocka_unit_test(broken_jobs),
		cmocka_unit_test(out_of_bounds),
		cmocka_unit_test(overlapping_output),
		cmocka_unit_test(broken_submits),
		cmocka_unit_test(grown_structures),
		cmocka_unit_test(broken_syncs),
		cmocka_unit_test(unknown_ioctl),
		cmocka_unit_test(dma_bufs),
	};

	return cmocka_run_group_tests_name("ioctl", tests, setup, teardown);
}
