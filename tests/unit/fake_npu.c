// SPDX-License-Identifier: MIT
/*
 * A kernel driver and an engine inside the test program. Jobs are computed at SUBMIT and end when
 * somebody waits for them without a limit, so that there is always something outstanding.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/sync_file.h>
#include <xf86drm.h>

#include "../../kmod/npu_validate.h"
#include "../../kmod/nvdla/nvdla_limits.h"
#include "../reference.h"
#include "fake_npu.h"
#include "fake_syncobj.h"

#define MAX_BOS 512
#define MAX_CTXS 64
#define MAX_SUBMISSIONS 512

struct fake_npu fake;

struct bo {
	uint64_t size; /* 0: there is none */
	uint64_t at;   /* in the memory file */
	uint8_t *map;
	ino_t dma_buf; /* the file that stands for it, 0 if it was never exported */
};

struct submission {
	uint32_t jobs;
	int error;
};

/* Submissions are numbered from 1; those up to state.submits_done have ended. */
struct ctx {
	bool exists;
	uint64_t submitted;
	struct submission submission[MAX_SUBMISSIONS]; /* by number, the oldest are forgotten */
	struct drm_npu_ctx_state state;
};

static struct bo bos[MAX_BOS];
static struct ctx ctxs[MAX_CTXS];
static uint64_t memory;
static uint32_t pending;
int fake_node = -1;
pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

int __wrap_npu_node_open(const char *path, const char *driver, void *err);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_drmGetCap(int fd, uint64_t capability, uint64_t *value);

void fake_reset(void)
{
	fake = (struct fake_npu){
		.limits = nvdla_small_limits,
		.max_jobs = 64,
		.max_pending = 256,
		.max_syncs = 64,
		.family = DRM_NPU_FAMILY_NVDLA,
		.caps = DRM_NPU_CAP_RESET,
		.fail_after = -1,
	};
	pending = 0;
	memory = 0;
}

/* True when it is this call's turn to fail. */
bool fake_fails(void)
{
	fake.calls++;
	if (fake.fail_after < 0 || fake.fail_after-- > 0)
		return false;
	errno = fake.fail_errno;
	return true;
}

int __wrap_npu_node_open(const char *path, const char *driver, void *err)
{
	(void)path;
	(void)err;
	assert_string_equal(driver, "npu");
	fake_node = memfd_create("fake npu", MFD_CLOEXEC);
	memory = 0;
	return fake_node;
}

int __wrap_drmGetCap(int fd, uint64_t capability, uint64_t *value)
{
	assert_int_equal(fd, fake_node);
	assert_int_equal(capability, DRM_CAP_SYNCOBJ);
	*value = 1;
	return fake_fails() ? -errno : 0;
}

/* ---- Queries and buffers --------------------------------------------------------------- */

static int dev_query(struct drm_npu_dev_query *q)
{
	const struct drm_npu_device_info info = {
		.name = "fake",
		.family = fake.family,
		.cores = 1,
		.clock_hz = 100000000,
		.caps = fake.caps,
		.max_bo_bytes = 1 << 28,
		.max_jobs = fake.max_jobs,
		.max_syncs = fake.max_syncs,
		.max_pending = fake.max_pending,
	};
	const void *answer = q->type == DRM_NPU_QUERY_DEVICE ? (const void *)&info : &fake.limits;
	uint32_t size = q->type == DRM_NPU_QUERY_DEVICE ? sizeof(info) : sizeof(fake.limits);

	assert_int_equal(q->size, size);
	memcpy((void *)(uintptr_t)q->pointer, answer, size);
	return 0;
}

static int bo_create(struct drm_npu_bo_create *args)
{
	struct bo *bo = bos + 1;

	while (bo->size)
		bo++;
	assert_true(bo < bos + MAX_BOS);
	bo->dma_buf = 0;
	bo->size = args->size = (args->size + 4095) / 4096 * 4096;
	bo->at = args->mmap_offset = memory;
	args->handle = bo - bos;
	memory += bo->size;
	assert_int_equal(ftruncate(fake_node, memory), 0);
	bo->map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, fake_node, bo->at);
	assert_ptr_not_equal(bo->map, MAP_FAILED);
	fake.objects++;
	fake.buffers++;
	return 0;
}

static struct bo *find_bo(uint32_t handle)
{
	assert_in_range(handle, 1, MAX_BOS - 1);
	assert_true(bos[handle].size);
	return &bos[handle];
}

static int bo_close(const struct drm_gem_close *args)
{
	struct bo *bo = find_bo(args->handle);

	munmap(bo->map, bo->size);
	bo->size = 0;
	fake.objects--;
	fake.buffers--;
	return 0;
}

static int bo_access(uint32_t handle, uint32_t flags, uint64_t offset, uint64_t size)
{
	struct bo *bo = find_bo(handle);

	assert_true(flags && !(flags & ~3u));
	assert_true(offset < bo->size && size <= bo->size - offset);
	return 0;
}

static int bo_info(struct drm_npu_bo_info *args)
{
	const struct bo *bo = find_bo(args->handle);

	args->size = bo->size;
	args->mmap_offset = bo->at;
	return 0;
}

/* A dma-buf is known by its inode, and like the kernel a file has one handle for it. */
static int bo_export(struct drm_prime_handle *args)
{
	struct bo *bo = find_bo(args->handle);
	struct stat st;

	args->fd = memfd_create("fake dma-buf", MFD_CLOEXEC);
	assert_true(args->fd >= 0 && !fstat(args->fd, &st));
	bo->dma_buf = st.st_ino;
	return 0;
}

static int bo_import(struct drm_prime_handle *args)
{
	struct stat st;

	if (fstat(args->fd, &st))
		return -EBADF;
	for (uint32_t i = 1; i < MAX_BOS; i++) {
		if (!bos[i].size || bos[i].dma_buf != st.st_ino)
			continue;
		args->handle = i;
		return 0;
	}
	return -EINVAL;
}

/* ---- Contexts and jobs ----------------------------------------------------------------- */

static int ctx_create(struct drm_npu_ctx_create *args)
{
	uint32_t id = 1;

	if (args->priority == DRM_NPU_PRIORITY_HIGH)
		return -EACCES;
	while (ctxs[id].exists)
		id++;
	assert_true(id < MAX_CTXS);
	ctxs[id] = (struct ctx){ .exists = true };
	args->id = id;
	fake.objects++;
	return 0;
}

static int ctx_destroy(const struct drm_npu_ctx_destroy *args)
{
	assert_true(ctxs[args->id].exists);
	ctxs[args->id].exists = false;
	fake.objects--;
	return 0;
}

static int ctx_state(struct drm_npu_ctx_state *args)
{
	uint32_t id = args->id;

	assert_true(ctxs[id].exists);
	*args = ctxs[id].state;
	args->id = id;
	return 0;
}

static uint8_t *operand(const struct drm_npu_tensor *t, const struct npu_extent *extent)
{
	struct bo *bo;

	if (!extent->bytes)
		return NULL;
	bo = find_bo(t->handle);
	assert_true(extent->offset + extent->bytes <= bo->size);
	return bo->map + t->offset;
}

/* Computes a job, padding of the result included, which gets something that nobody expects. */
static int run_job(const struct drm_npu_job_matmul *job)
{
	uint32_t atom = fake.limits.atom_bytes, padded = (job->n + atom - 1) / atom * atom;
	struct reference_memory mem;
	struct npu_matmul_plan plan;
	uint8_t *c;

	if (npu_validate_matmul(&fake.limits, job, &plan))
		return -EINVAL;
	mem.a = operand(&job->a, &plan.extent[NPU_OPERAND_A]);
	mem.w = operand(&job->w, &plan.extent[NPU_OPERAND_W]);
	mem.x1 = operand(&job->x1.operand, &plan.extent[NPU_OPERAND_X1]);
	mem.x2 = operand(&job->x2.operand, &plan.extent[NPU_OPERAND_X2]);
	c = operand(&job->c, &plan.extent[NPU_OPERAND_C]);
	for (uint32_t row = 0; row < job->m; row++)
		for (uint32_t n = 0; n < padded; n++)
			c[reference_offset(&fake.limits, job, &job->c, row, n, 1)] =
				n < job->n ? reference_element(&fake.limits, job, &mem, row, n)
					   : 0x55;
	return 0;
}

static int submit(struct drm_npu_submit *args)
{
	const struct drm_npu_job_matmul *jobs = (void *)(uintptr_t)args->jobs.pointer;
	const struct drm_npu_sync *sync = (void *)(uintptr_t)args->syncs.pointer;
	uint32_t waits = args->syncs.count - 1;
	struct ctx *ctx = &ctxs[args->ctx];

	assert_true(ctx->exists && !args->flags && !args->perfmon);
	assert_in_range(args->jobs.count, 1, fake.max_jobs);
	assert_int_equal(args->jobs.stride, sizeof(*jobs));
	assert_in_range(args->syncs.count, 1, fake.max_syncs);
	for (uint32_t i = 0; i < waits; i++, sync++) {
		assert_int_equal(sync->flags, DRM_NPU_SYNC_WAIT);
		assert_true(fake_syncobj_has_fence(sync->handle));
	}
	assert_int_equal(sync->flags, DRM_NPU_SYNC_SIGNAL);
	if (pending + args->jobs.count > fake.max_pending) {
		fake.refused++;
		return -EBUSY;
	}
	for (uint32_t i = 0; i < args->jobs.count; i++) {
		args->fail_index = i;
		if (run_job(&jobs[i]))
			return -EINVAL;
	}
	args->fail_index = UINT32_MAX;
	ctx->submission[++ctx->submitted % MAX_SUBMISSIONS] = (struct submission){
		.jobs = args->jobs.count,
		.error = fake.outcome & 1 ? fake.outcome_errno : 0,
	};
	fake_syncobj_set(sync->handle, args->ctx, ctx->submitted);
	fake.outcome >>= 1;
	fake.submits++;
	fake.waits += waits;
	pending += args->jobs.count;
	return 0;
}

int fake_ctx_status(uint32_t id, uint64_t number)
{
	const struct ctx *ctx = &ctxs[id];
	int error = ctx->submission[number % MAX_SUBMISSIONS].error;

	if (ctx->state.submits_done < number)
		return 0;
	return error ? -error : 1;
}

void fake_ctx_complete(uint32_t id, uint64_t number)
{
	struct drm_npu_ctx_state *state = &ctxs[id].state;

	while (state->submits_done < number) {
		const struct submission *submission =
			&ctxs[id].submission[++state->submits_done % MAX_SUBMISSIONS];

		pending -= submission->jobs;
		state->jobs_done += submission->jobs;
		state->engine_ns += 1000;
		state->submits_failed += submission->error != 0;
	}
}

/* ---- The one entrance ------------------------------------------------------------------ */

static int dispatch(int fd, unsigned long request, void *arg)
{
	const struct drm_npu_bo_prep *prep = arg;
	const struct drm_npu_bo_fini *fini = arg;

	if (request == SYNC_IOC_FILE_INFO)
		return fake_sync_file_info(fd, arg);
	assert_int_equal(fd, fake_node);
	switch (request) {
	case DRM_IOCTL_NPU_DEV_QUERY:
		return dev_query(arg);
	case DRM_IOCTL_NPU_BO_CREATE:
		return bo_create(arg);
	case DRM_IOCTL_NPU_BO_INFO:
		return bo_info(arg);
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		return bo_export(arg);
	case DRM_IOCTL_PRIME_FD_TO_HANDLE:
		return bo_import(arg);
	case DRM_IOCTL_NPU_BO_PREP:
		fake.preps++;
		return bo_access(prep->handle, prep->flags, prep->offset, prep->size);
	case DRM_IOCTL_NPU_BO_FINI:
		return bo_access(fini->handle, fini->flags, fini->offset, fini->size);
	case DRM_IOCTL_NPU_CTX_CREATE:
		return ctx_create(arg);
	case DRM_IOCTL_NPU_CTX_DESTROY:
		return ctx_destroy(arg);
	case DRM_IOCTL_NPU_CTX_STATE:
		return ctx_state(arg);
	case DRM_IOCTL_NPU_SUBMIT:
		return submit(arg);
	case DRM_IOCTL_GEM_CLOSE:
		return bo_close(arg);
	default:
		fail_msg("unexpected ioctl 0x%lx", request);
		return -ENOTTY;
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	bool releases = request == DRM_IOCTL_GEM_CLOSE || request == DRM_IOCTL_NPU_CTX_DESTROY;
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == DRM_IOCTL_NPU_SUBMIT && fake.before_submit)
		fake.before_submit();
	pthread_mutex_lock(&fake_lock);
	/* Releasing never fails. */
	if (!releases && fake_fails())
		ret = -errno;
	else
		ret = dispatch(fd, request, arg);
	pthread_mutex_unlock(&fake_lock);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return 0;
}
