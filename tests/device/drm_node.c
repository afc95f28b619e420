// SPDX-License-Identifier: MIT
/*
 * The NPU's node, BOs and submissions through raw ioctls.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/sync_file.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "../reference.h"
#include "drm_node.h"

static int is_npu(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	int yes = version && !strcmp(version->name, "npu");

	drmFreeVersion(version);
	return yes;
}

/* The name of the device on its bus is the last part of where the node's link points. */
static int is_device(int fd, const char *device)
{
	char path[64], target[256];
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st))
		return 0;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = 0;
	return !strcmp(basename(target), device);
}

static int open_npu(const char *device)
{
	glob_t nodes = { 0 };
	size_t i;
	int fd = -1;

	glob("/dev/accel/accel*", 0, NULL, &nodes);
	glob("/dev/dri/renderD*", GLOB_APPEND, NULL, &nodes);
	for (i = 0; i < nodes.gl_pathc; i++) {
		fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (fd >= 0 && is_npu(fd) && (!device || is_device(fd, device)))
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	globfree(&nodes);
	return fd;
}

static void query(const struct node *node, uint32_t type, void *answer, uint32_t size)
{
	struct drm_npu_dev_query q = { .type = type, .size = size, .pointer = (uintptr_t)answer };

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, size);
}

int node_try_open(void)
{
	return open_npu(NULL);
}

void node_open(struct node *node)
{
	node_open_device(node, NULL);
}

void node_open_device(struct node *node, const char *device)
{
	node->fd = open_npu(device);
	if (node->fd < 0)
		fail_msg("no node of the driver \"npu\" in /dev/accel or /dev/dri%s%s",
			 device ? " for " : "", device ? device : "");
	query(node, DRM_NPU_QUERY_DEVICE, &node->info, sizeof(node->info));
	query(node, DRM_NPU_QUERY_MATMUL, &node->limits, sizeof(node->limits));
}

void node_close(struct node *node)
{
	close(node->fd);
}

int node_ioctl(const struct node *node, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(node->fd, request, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

void node_bo_create(const struct node *node, struct node_bo *bo, size_t size)
{
	struct drm_npu_bo_create create = { .size = size };
	void *map;

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &create), 0);
	assert_true(create.size >= size);
	map = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, node->fd,
		   (off_t)create.mmap_offset);
	assert_true(map != MAP_FAILED);
	bo->handle = create.handle;
	bo->size = create.size;
	bo->map = map;
}

void node_bo_destroy(const struct node *node, struct node_bo *bo)
{
	munmap(bo->map, bo->size);
	assert_int_equal(drmCloseBufferHandle(node->fd, bo->handle), 0);
}

void node_bo_prep(const struct node *node, const struct node_bo *bo)
{
	struct drm_npu_bo_prep prep = {
		.handle = bo->handle,
		.flags = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_WRITE,
		.deadline_ns = INT64_MAX,
	};

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_PREP, &prep), 0);
}

void node_bo_fini(const struct node *node, const struct node_bo *bo)
{
	struct drm_npu_bo_fini fini = {
		.handle = bo->handle,
		.flags = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_WRITE,
	};

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_FINI, &fini), 0);
}

static int submit(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		  uint32_t n_jobs, const struct drm_npu_sync *sync, uint32_t *fail_index)
{
	struct drm_npu_submit args = {
		.ctx = ctx,
		.jobs = { sizeof(*jobs), n_jobs, (uintptr_t)jobs },
		.syncs = { sizeof(*sync), !!sync, (uintptr_t)sync },
	};
	int err = node_ioctl(node, DRM_IOCTL_NPU_SUBMIT, &args);

	if (fail_index)
		*fail_index = args.fail_index;
	return err;
}

int node_submit(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		uint32_t n_jobs, uint32_t *fail_index)
{
	return submit(node, ctx, jobs, n_jobs, NULL, fail_index);
}

int node_submit_held(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		     uint32_t n_jobs, int sync_file)
{
	struct drm_npu_sync wait = { .flags = DRM_NPU_SYNC_WAIT };
	int err;

	assert_int_equal(drmSyncobjCreate(node->fd, 0, &wait.handle), 0);
	assert_int_equal(drmSyncobjImportSyncFile(node->fd, wait.handle, sync_file), 0);
	err = submit(node, ctx, jobs, n_jobs, &wait, NULL);
	drmSyncobjDestroy(node->fd, wait.handle);
	return err;
}

int node_submit_sync(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		     uint32_t n_jobs, uint32_t *syncobj)
{
	struct drm_npu_sync sync = { .flags = DRM_NPU_SYNC_SIGNAL };
	int err;

	assert_int_equal(drmSyncobjCreate(node->fd, 0, syncobj), 0);
	sync.handle = *syncobj;
	err = submit(node, ctx, jobs, n_jobs, &sync, NULL);
	if (err)
		drmSyncobjDestroy(node->fd, *syncobj);
	return err;
}

static struct sync_fence_info fence_info(const struct node *node, uint32_t syncobj)
{
	struct sync_fence_info fence = { 0 };
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };
	int fd;

	assert_int_equal(drmSyncobjExportSyncFile(node->fd, syncobj, &fd), 0);
	assert_int_equal(ioctl(fd, SYNC_IOC_FILE_INFO, &info), 0);
	close(fd);
	assert_int_not_equal(fence.status, 0);
	return fence;
}

int node_fence_status(const struct node *node, uint32_t syncobj)
{
	int status = fence_info(node, syncobj).status;

	return status < 0 ? status : 0;
}

uint64_t node_fence_time(const struct node *node, uint32_t syncobj)
{
	return fence_info(node, syncobj).timestamp_ns;
}

static int64_t patience(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec + NODE_PATIENCE_NS;
}

void node_wait(const struct node *node, uint32_t syncobj)
{
	assert_int_equal(drmSyncobjWait(node->fd, &syncobj, 1, patience(), 0, NULL), 0);
}

int node_finish(const struct node *node, uint32_t syncobj)
{
	int status;

	node_wait(node, syncobj);
	status = node_fence_status(node, syncobj);
	drmSyncobjDestroy(node->fd, syncobj);
	return status;
}

int node_run(const struct node *node, const struct drm_npu_job_matmul *jobs, uint32_t n_jobs)
{
	uint32_t syncobj;
	int err = node_submit_sync(node, 0, jobs, n_jobs, &syncobj);

	return err ? err : node_finish(node, syncobj);
}

struct drm_npu_ctx_state node_ctx_state(const struct node *node, uint32_t ctx)
{
	struct drm_npu_ctx_state state = { .id = ctx };

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_CTX_STATE, &state), 0);
	return state;
}

static uint32_t round_up(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

size_t node_cube_bytes(const struct node *node, uint32_t rows, uint32_t channels)
{
	return (size_t)rows * round_up(channels, node->limits.atom_bytes);
}

size_t node_weight_bytes(const struct node *node, uint32_t n, uint32_t k)
{
	return round_up(n * k, node->limits.cbuf_entry_bytes);
}

struct drm_npu_job_matmul node_job(const struct node *node, uint32_t m, uint32_t n, uint32_t k,
				   const struct node_bo *a, const struct node_bo *w,
				   const struct node_bo *c)
{
	const uint32_t line = m * node->limits.atom_bytes;

	return (struct drm_npu_job_matmul){
		.op = DRM_NPU_OP_MATMUL,
		.m = m,
		.n = n,
		.k = k,
		.height = 1,
		.a = { .handle = a->handle, .row_stride = line, .plane_stride = line },
		.w = { .handle = w->handle },
		.c = { .handle = c->handle, .row_stride = line, .plane_stride = line },
		.cvt_scale = 1,
	};
}

void node_bo_randomize(const struct node *node, const struct node_bo *bo)
{
	size_t i;

	node_bo_prep(node, bo);
	for (i = 0; i < bo->size; i++)
		bo->map[i] = (uint8_t)random();
	node_bo_fini(node, bo);
}

void node_bos_create(const struct node *node, struct node_bo *bos, unsigned int n, size_t size)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		node_bo_create(node, &bos[i], size);
		node_bo_randomize(node, &bos[i]);
	}
}

void node_bos_destroy(const struct node *node, struct node_bo *bos, unsigned int n)
{
	while (n--)
		node_bo_destroy(node, &bos[n]);
}

static const uint8_t *find_tensor(const struct node *node, const struct drm_npu_tensor *t,
				  const struct node_bo *bos, unsigned int n_bos)
{
	unsigned int i;

	if (!t->handle)
		return NULL;
	for (i = 0; i < n_bos; i++)
		if (bos[i].handle == t->handle) {
			node_bo_prep(node, &bos[i]);
			node_bo_fini(node, &bos[i]);
			return bos[i].map + t->offset;
		}
	fail_msg("the test forgot a BO");
	return NULL;
}

static struct reference_memory find_operands(const struct node *node,
					     const struct drm_npu_job_matmul *job,
					     const struct node_bo *bos, unsigned int n_bos)
{
	return (struct reference_memory){
		.a = find_tensor(node, &job->a, bos, n_bos),
		.w = find_tensor(node, &job->w, bos, n_bos),
		.x1 = find_tensor(node, &job->x1.operand, bos, n_bos),
		.x2 = find_tensor(node, &job->x2.operand, bos, n_bos),
	};
}

uint64_t node_count_clips(const struct node *node, const struct drm_npu_job_matmul *job,
			  const struct node_bo *bos, unsigned int n_bos)
{
	const struct reference_memory mem = find_operands(node, job, bos, n_bos);
	uint64_t clips = 0;
	uint32_t row, n;

	for (row = 0; row < job->m; row++)
		for (n = 0; n < job->n; n++)
			clips += reference_clips(&node->limits, job, &mem, row, n);
	return clips;
}

void node_check_result(const struct node *node, const struct drm_npu_job_matmul *job,
		       const struct node_bo *bos, unsigned int n_bos)
{
	const struct reference_memory mem = find_operands(node, job, bos, n_bos);
	const uint8_t *c = find_tensor(node, &job->c, bos, n_bos);
	uint32_t row, n;
	int8_t got, want;

	for (row = 0; row < job->m; row++)
		for (n = 0; n < job->n; n++) {
			got = (int8_t)c[reference_offset(&node->limits, job, &job->c, row, n, 1)];
			want = reference_element(&node->limits, job, &mem, row, n);
			if (got != want)
				fail_msg("%ux%ux%u: C[%u,%u] is %d, should be %d", job->m, job->k,
					 job->n, row, n, got, want);
		}
}
