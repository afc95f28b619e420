/* SPDX-License-Identifier: MIT */
/*
 * NVDLA jobs: one operation on whole matrices, cut into the tiles of a plan.
 */
#ifndef LIBNPU_NVDLA_JOB_H
#define LIBNPU_NVDLA_JOB_H

#include "nvdla.h"

/* A matrix in packed planes; a row is an atom long. */
struct nvdla_matrix {
	uint32_t handle;
	uint32_t plane_stride;
	uint64_t offset;
};

/**
 * struct nvdla_op - an operation on whole matrices
 * @job: Everything that is the same for all tiles: K, weights of all N, epilogue, banks.
 * @m: Rows.
 * @n: Columns of the result.
 * @a: Input, from its first row and column on.
 * @c: Result.
 * @element: Per-element operands of x1 and x2; handle 0 without.
 * @channel_bytes: Bytes of per-channel operands of x1 and x2 for each channel.
 */
struct nvdla_op {
	struct drm_npu_job_matmul job;
	uint32_t m;
	uint32_t n;
	struct nvdla_matrix a;
	struct nvdla_matrix c;
	struct nvdla_matrix element[2];
	uint32_t channel_bytes[2];
};

/*
 * Rows to plan with. The engine takes the planes of a single row back to back, so a row that is cut
 * out of a larger matrix is computed as two lines, both of which are this row.
 */
uint32_t nvdla_op_rows(const struct nvdla_op *op, const struct drm_npu_matmul_limits *limits);

/* A tensor from @row and @col on, @col being the first of a plane. */
struct nvdla_matrix nvdla_matrix_of(const struct npu_tensor *tensor, uint32_t row, uint32_t col);

/* Writes the jobs of @op, m_tiles * n_tiles of them, to every @step'th of @jobs. */
void nvdla_op_cut(const struct nvdla_op *op, const struct drm_npu_matmul_limits *limits,
		  const struct npu_tiles *tiles, struct drm_npu_job_matmul *jobs, uint32_t step);

#endif /* LIBNPU_NVDLA_JOB_H */
