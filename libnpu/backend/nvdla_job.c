// SPDX-License-Identifier: MIT
/*
 * NVDLA jobs. Tiles work in place: a tile of rows is a window into each plane, a tile of columns is
 * a run of planes, so nothing is ever copied to be cut.
 */
#include "nvdla_job.h"

struct nvdla_matrix nvdla_matrix_of(const struct npu_tensor *tensor, uint32_t row, uint32_t col)
{
	const struct npu_layout *layout = &tensor->layout;

	return (struct nvdla_matrix){
		.handle = nvdla_handle(tensor->buf),
		.plane_stride = layout->plane_stride,
		.offset = tensor->offset + npu_layout_offset(layout, tensor->first_row + row,
							     tensor->first_col + col),
	};
}

/* True if a matrix of @cols columns has planes with gaps between its single rows. */
static bool has_gaps(const struct nvdla_matrix *matrix, uint32_t cols, uint32_t atom)
{
	return matrix->handle && cols > atom && matrix->plane_stride != atom;
}

static bool is_doubled(const struct nvdla_op *op, uint32_t atom)
{
	return op->m == 1 &&
	       (has_gaps(&op->a, op->job.k, atom) || has_gaps(&op->c, op->n, atom) ||
		has_gaps(&op->element[0], op->n, atom) || has_gaps(&op->element[1], op->n, atom));
}

uint32_t nvdla_op_rows(const struct nvdla_op *op, const struct drm_npu_matmul_limits *limits)
{
	return is_doubled(op, limits->atom_bytes) ? 2 : op->m;
}

/* The window of a matrix that begins at @row and @col. */
static struct drm_npu_tensor window(const struct nvdla_matrix *matrix, uint32_t atom, uint32_t row,
				    uint32_t rows, uint32_t col)
{
	return (struct drm_npu_tensor){
		.handle = matrix->handle,
		.offset = matrix->offset + (uint64_t)col / atom * matrix->plane_stride +
			  (uint64_t)row * atom,
		.row_stride = rows * atom,
		.plane_stride = matrix->plane_stride,
	};
}

/* The same line twice. */
static void double_row(const struct nvdla_op *op, struct drm_npu_job_matmul *job)
{
	job->m = 2;
	job->height = 2;
	job->a.row_stride = 0;
	job->c.row_stride = 0;
	if (op->element[0].handle)
		job->x1.operand.row_stride = 0;
	if (op->element[1].handle)
		job->x2.operand.row_stride = 0;
}

static void cut_tile(const struct nvdla_op *op, uint32_t atom, struct npu_part rows,
		     struct npu_part cols, struct drm_npu_job_matmul *job)
{
	*job = op->job;
	job->m = rows.count;
	job->n = cols.count;
	job->a = window(&op->a, atom, rows.first, rows.count, 0);
	job->c = window(&op->c, atom, rows.first, rows.count, cols.first);
	job->w.offset += (uint64_t)cols.first * job->k;
	job->x1.operand.offset += (uint64_t)cols.first * op->channel_bytes[0];
	job->x2.operand.offset += (uint64_t)cols.first * op->channel_bytes[1];
	if (op->element[0].handle)
		job->x1.operand = window(&op->element[0], atom, rows.first, rows.count, cols.first);
	if (op->element[1].handle)
		job->x2.operand = window(&op->element[1], atom, rows.first, rows.count, cols.first);
	if (is_doubled(op, atom))
		double_row(op, job);
}

void nvdla_op_cut(const struct nvdla_op *op, const struct drm_npu_matmul_limits *limits,
		  const struct npu_tiles *tiles, struct drm_npu_job_matmul *jobs, uint32_t step)
{
	uint32_t unit = npu_plan_n_unit(limits);

	for (uint32_t i = 0; i < tiles->m_tiles; i++) {
		struct npu_part rows = npu_plan_rows(tiles, op->m, i);

		for (uint32_t j = 0; j < tiles->n_tiles; j++) {
			struct npu_part cols = npu_plan_part(op->n, unit, tiles->n_tiles, j);

			cut_tile(op, limits->atom_bytes, rows, cols, jobs);
			jobs->data_banks = tiles->data_banks;
			jobs->weight_banks = tiles->weight_banks;
			jobs += step;
		}
	}
}
