// SPDX-License-Identifier: MIT
/*
 * One process under load: several contexts, jobs of all small shapes, results compared with the
 * reference. Whatever happens to the device, it opens it again and goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/sync_file.h>
#include <xf86drm.h>
#include <drm/npu_accel.h>

#include "../reference.h"
#include "load.h"

enum {
	A,
	W,
	C,
	BOS,
	CONTEXTS_MAX = 16,
	JOBS = 6,
	BO_BYTES = 32768,
	/* Elements of a result that are compared: all would take longer than the jobs. */
	SAMPLES = 48,
	PATIENCE_S = 120
};

struct worker {
	int fd;
	struct drm_npu_matmul_limits limits;
	uint32_t ctxs[CONTEXTS_MAX];
	unsigned int n_ctxs;
	uint32_t handles[BOS];
	uint8_t *maps[BOS];
	uint32_t syncobj;
	struct tally *tally;
};

static volatile sig_atomic_t ended;
static sigjmp_buf page_is_gone;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* A mapping of a device that has gone away. */
static void bus_error(int signal)
{
	(void)signal;
	siglongjmp(page_is_gone, 1);
}

static uint32_t up_to(uint32_t max)
{
	return 1 + (uint32_t)random() % max;
}

static int call(const struct worker *w, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(w->fd, request, arg);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

/* ---- The device ------------------------------------------------------------------------ */

static int open_node(struct worker *w)
{
	struct drm_npu_dev_query query = {
		.type = DRM_NPU_QUERY_MATMUL,
		.size = sizeof(w->limits),
		.pointer = (uintptr_t)&w->limits,
	};
	glob_t nodes = { 0 };
	size_t i;

	w->fd = -1;
	glob("/dev/accel/accel*", 0, NULL, &nodes);
	glob("/dev/dri/renderD*", GLOB_APPEND, NULL, &nodes);
	for (i = 0; w->fd < 0 && i < nodes.gl_pathc; i++) {
		drmVersionPtr version;

		w->fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		version = w->fd < 0 ? NULL : drmGetVersion(w->fd);
		if (w->fd >= 0 && (!version || strcmp(version->name, "npu") != 0)) {
			close(w->fd);
			w->fd = -1;
		}
		drmFreeVersion(version);
	}
	globfree(&nodes);
	return w->fd < 0 ? -ENODEV : call(w, DRM_IOCTL_NPU_DEV_QUERY, &query);
}

static int make_bo(struct worker *w, unsigned int which)
{
	struct drm_npu_bo_create create = { .size = BO_BYTES };
	int err = call(w, DRM_IOCTL_NPU_BO_CREATE, &create);
	void *map;

	if (err)
		return err;
	map = mmap(NULL, BO_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd,
		   (off_t)create.mmap_offset);
	if (map == MAP_FAILED)
		return -errno;
	w->handles[which] = create.handle;
	w->maps[which] = map;
	return 0;
}

static void disconnect(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < BOS; i++)
		if (w->maps[i])
			munmap(w->maps[i], BO_BYTES);
	memset(w->maps, 0, sizeof(w->maps));
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static int connect_device(struct worker *w)
{
	struct drm_npu_ctx_create ctx = { 0 };
	unsigned int i;
	int err = open_node(w);

	for (i = 0; !err && i < BOS; i++)
		err = make_bo(w, i);
	for (i = 0; !err && i < w->n_ctxs; i++) {
		err = call(w, DRM_IOCTL_NPU_CTX_CREATE, &ctx);
		w->ctxs[i] = ctx.id;
	}
	if (!err && drmSyncobjCreate(w->fd, 0, &w->syncobj))
		err = -errno;
	return err;
}

/* ---- Work ------------------------------------------------------------------------------ */

static void randomize(uint32_t *words, size_t n)
{
	while (n--)
		*words++ = (uint32_t)random() << 1 ^ (uint32_t)random();
}

static int fill(struct worker *w, unsigned int which)
{
	struct drm_npu_bo_prep prep = {
		.handle = w->handles[which],
		.flags = DRM_NPU_ACCESS_WRITE,
		.deadline_ns = INT64_MAX,
	};
	struct drm_npu_bo_fini fini = { .handle = prep.handle, .flags = DRM_NPU_ACCESS_WRITE };
	int err = call(w, DRM_IOCTL_NPU_BO_PREP, &prep);

	if (err)
		return err;
	if (sigsetjmp(page_is_gone, 1))
		return -ENODEV;
	randomize((uint32_t *)w->maps[which], BO_BYTES / sizeof(uint32_t));
	return call(w, DRM_IOCTL_NPU_BO_FINI, &fini);
}

static struct drm_npu_job_matmul make_job(const struct worker *w)
{
	const uint32_t m = up_to(64), line = m * w->limits.atom_bytes;

	return (struct drm_npu_job_matmul){
		.op = DRM_NPU_OP_MATMUL,
		.m = m,
		.n = up_to(64),
		.k = up_to(128),
		.height = 1,
		.a = { .handle = w->handles[A], .row_stride = line, .plane_stride = line },
		.w = { .handle = w->handles[W] },
		.c = { .handle = w->handles[C], .row_stride = line, .plane_stride = line },
		.cvt_scale = 1,
		.cvt_shift = 9,
	};
}

static int is_right(const struct worker *w, const struct drm_npu_job_matmul *job)
{
	const struct reference_memory mem = { .a = w->maps[A], .w = w->maps[W] };
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		const uint32_t row = (uint32_t)random() % job->m, n = (uint32_t)random() % job->n;
		const uint64_t at = reference_offset(&w->limits, job, &job->c, row, n, 1);

		if ((int8_t)w->maps[C][at] != reference_element(&w->limits, job, &mem, row, n))
			return 0;
	}
	return 1;
}

/* The error in the fence, once it has signalled; positive when it never does. */
static int finish(struct worker *w)
{
	struct sync_file_info info = { 0 };
	struct timespec now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (drmSyncobjWait(w->fd, &w->syncobj, 1, (now.tv_sec + PATIENCE_S) * 1000000000LL, 0,
			   NULL))
		return errno == ENODEV ? -ENODEV : 1;
	if (drmSyncobjExportSyncFile(w->fd, w->syncobj, &fd))
		return -errno;
	if (ioctl(fd, SYNC_IOC_FILE_INFO, &info))
		info.status = -errno;
	close(fd);
	return info.status < 0 ? info.status : 0;
}

static int compare(struct worker *w, const struct drm_npu_job_matmul *job)
{
	struct drm_npu_bo_prep prep = {
		.handle = w->handles[C],
		.flags = DRM_NPU_ACCESS_READ,
		.deadline_ns = INT64_MAX,
	};
	int err = call(w, DRM_IOCTL_NPU_BO_PREP, &prep);

	if (err)
		return err;
	if (sigsetjmp(page_is_gone, 1))
		return -ENODEV;
	if (is_right(w, job)) {
		w->tally->right++;
	} else {
		w->tally->wrong++;
		printf("wrong: %ux%ux%u\n", job->m, job->k, job->n);
	}
	return 0;
}

static void explain(struct worker *w, int err)
{
	switch (err) {
	case -ETIMEDOUT: /* its op hung */
	case -EIO:	 /* a bus error */
	case -ENODEV:	 /* unbound */
		w->tally->failed++;
		break;
	default:
		w->tally->lost++;
		printf("unexplained: %s\n", err > 0 ? "fence never signalled" : strerror(-err));
	}
}

static int work_once(struct worker *w)
{
	struct drm_npu_job_matmul jobs[JOBS];
	struct drm_npu_sync sync = { .handle = w->syncobj, .flags = DRM_NPU_SYNC_SIGNAL };
	struct drm_npu_submit submit = {
		.ctx = w->ctxs[up_to(w->n_ctxs) - 1],
		.jobs = { sizeof(*jobs), up_to(JOBS), (uintptr_t)jobs },
		.syncs = { sizeof(sync), 1, (uintptr_t)&sync },
	};
	unsigned int i;
	int err = fill(w, A);

	if (!err)
		err = fill(w, W);
	for (i = 0; i < submit.jobs.count; i++)
		jobs[i] = make_job(w);
	if (!err)
		err = call(w, DRM_IOCTL_NPU_SUBMIT, &submit);
	if (err)
		return err;
	err = finish(w);
	w->tally->submissions++;
	if (!err)
		return compare(w, &jobs[i - 1]);
	explain(w, err);
	return err == -ENODEV ? err : 0;
}

void worker_run(struct tally *tally, unsigned int contexts, uint32_t seed)
{
	struct worker w = { .fd = -1, .n_ctxs = contexts, .tally = tally };
	int err = -ENODEV;

	signal(SIGTERM, end);
	signal(SIGBUS, bus_error);
	srandom(seed);
	while (!ended) {
		if (err == -ENODEV) {
			disconnect(&w);
			err = connect_device(&w);
			if (err == -ENODEV)
				usleep(20000);
			else
				tally->reopened++;
			continue;
		}
		if (err) {
			explain(&w, err);
			err = -ENODEV;
			continue;
		}
		err = work_once(&w);
	}
	disconnect(&w);
	_exit(0);
}
