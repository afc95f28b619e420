/* SPDX-License-Identifier: MIT */
/*
 * What device tests share: the NPU's node, BOs and submissions through raw ioctls. Functions that
 * cannot fail in a sane system assert.
 */
#ifndef TESTS_DEVICE_DRM_NODE_H
#define TESTS_DEVICE_DRM_NODE_H

#include <stddef.h>
#include <stdint.h>

#include <drm/npu_accel.h>

/** How long a test waits for what must come. Virtual engines are slow, so it only ends hangs. */
#define NODE_PATIENCE_NS (120LL * 1000000000LL)

/**
 * struct node - an open NPU
 * @fd: The file.
 * @info: DRM_NPU_QUERY_DEVICE.
 * @limits: DRM_NPU_QUERY_MATMUL.
 */
struct node {
	int fd;
	struct drm_npu_device_info info;
	struct drm_npu_matmul_limits limits;
};

/**
 * struct node_bo - a mapped BO
 * @handle: Handle.
 * @size: Bytes.
 * @map: CPU mapping.
 */
struct node_bo {
	uint32_t handle;
	size_t size;
	uint8_t *map;
};

/** Opens the first NPU of the machine. */
void node_open(struct node *node);
/** Opens the NPU with that name on its bus, as in struct driver_binding. */
void node_open_device(struct node *node, const char *device);
void node_close(struct node *node);
/** A file of the first NPU, which node_open() would ask what it can; -1 if there is none. */
int node_try_open(void);

/** Calls an ioctl; 0 or a negative errno. */
int node_ioctl(const struct node *node, unsigned long request, void *arg);

void node_bo_create(const struct node *node, struct node_bo *bo, size_t size);
void node_bo_destroy(const struct node *node, struct node_bo *bo);
/** Opens and closes CPU access to a whole BO, for reading and writing. */
void node_bo_prep(const struct node *node, const struct node_bo *bo);
void node_bo_fini(const struct node *node, const struct node_bo *bo);

/** Submits jobs without syncs to @ctx. 0 or a negative errno; @fail_index may be NULL. */
int node_submit(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		uint32_t n_jobs, uint32_t *fail_index);
/** Submits jobs and makes a syncobj that gets their fence. */
int node_submit_sync(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		     uint32_t n_jobs, uint32_t *syncobj);
/** Submits jobs that begin when the fence of a sync_file has signalled. */
int node_submit_held(const struct node *node, uint32_t ctx, const struct drm_npu_job_matmul *jobs,
		     uint32_t n_jobs, int sync_file);
/** Waits for a syncobj's fence. */
void node_wait(const struct node *node, uint32_t syncobj);
/** The same, then destroys the syncobj and returns the error the fence carries. */
int node_finish(const struct node *node, uint32_t syncobj);
/** Error of the fence in a syncobj that has signalled: 0 or a negative errno. */
int node_fence_status(const struct node *node, uint32_t syncobj);
/** When the fence in a syncobj that has signalled did, in nanoseconds of CLOCK_MONOTONIC. */
uint64_t node_fence_time(const struct node *node, uint32_t syncobj);
/** Submits, waits, returns the fence's error or that of the ioctl. */
int node_run(const struct node *node, const struct drm_npu_job_matmul *jobs, uint32_t n_jobs);

struct drm_npu_ctx_state node_ctx_state(const struct node *node, uint32_t ctx);

/** A packed job of one line, m x k times n x k, without an epilogue. */
struct drm_npu_job_matmul node_job(const struct node *node, uint32_t m, uint32_t n, uint32_t k,
				   const struct node_bo *a, const struct node_bo *w,
				   const struct node_bo *c);
/** Bytes of a packed A or C with that many rows and channels. */
size_t node_cube_bytes(const struct node *node, uint32_t rows, uint32_t channels);
/** Bytes of W, over-fetch included. */
size_t node_weight_bytes(const struct node *node, uint32_t n, uint32_t k);

/** Fills a BO with random bytes. */
void node_bo_randomize(const struct node *node, const struct node_bo *bo);
/** Makes @n BOs of @size bytes, filled with random bytes. */
void node_bos_create(const struct node *node, struct node_bo *bos, unsigned int n, size_t size);
void node_bos_destroy(const struct node *node, struct node_bo *bos, unsigned int n);
/** Elements of C of a job that the converter clips to 17 bits. */
uint64_t node_count_clips(const struct node *node, const struct drm_npu_job_matmul *job,
			  const struct node_bo *bos, unsigned int n_bos);
/** Compares C of a job with the reference; the BOs are looked up by handle in @bos. */
void node_check_result(const struct node *node, const struct drm_npu_job_matmul *job,
		       const struct node_bo *bos, unsigned int n_bos);

#endif /* TESTS_DEVICE_DRM_NODE_H */
