// SPDX-License-Identifier: MIT
/*
 * Matmuls of the CPU: sums come strip by strip while they are in the cache, and are made results of
 * at once, unless they are the results. Most results are 8 bits with 16-bit multipliers, for which
 * there is a fast way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "cpu/fixed16.h"
#include "cpu_buffer.h"

_Static_assert(NPU_GEMM_STRIP <= NPU_STRIP, "strips of sums are strips of results");

/* ---- Life ------------------------------------------------------------------------------ */

static bool is_8_bits(enum npu_type type)
{
	return type == NPU_TYPE_INT8 || type == NPU_TYPE_UINT8;
}

/*
 * True if cpu/fixed16.h gives what npu_epilogue.h defines. Of 16384 products of 8 bits and a bias
 * nothing can saturate on the way to the multiplier, zero points of A included.
 */
static bool is_fast(const struct npu_matmul *mm)
{
	const struct npu_requant *rq = &mm->requant;

	return rq->epilogue.scaling == NPU_SCALING_FIXED16 && is_8_bits(rq->output) &&
	       is_8_bits(mm->a->type) && !rq->residual && !rq->w_zero_point && rq->groups == 1 &&
	       rq->k <= NPU_GEMM_K_INT32;
}

/* Bias and zero point of A in one: a sum of (a - za) * w is one of a * w less za * (sum of w). */
static int fold_bias(struct cpu_matmul *cm, struct npu_error *err)
{
	const struct npu_requant *rq = &cm->base.requant;
	const struct npu_weights *w = cm->base.weights;
	const size_t count = (size_t)w->batch * w->n;

	if (!rq->epilogue.bias && !rq->a_zero_point)
		return 0;
	cm->bias = malloc(count * sizeof(*cm->bias));
	if (!cm->bias)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");
	for (size_t i = 0; i < count; i++)
		cm->bias[i] = (rq->epilogue.bias ? rq->epilogue.bias[i % w->n] : 0) -
			      rq->a_zero_point * w->sum[i];
	return 0;
}

int cpu_matmul_init(struct npu_matmul *matmul, struct npu_error *err)
{
	struct cpu_matmul *cm = (struct cpu_matmul *)matmul;

	if (matmul->a->type != NPU_TYPE_INT8)
		matmul->requant.a_zero_point -= 128;
	cm->is_fast = is_fast(matmul);
	return cm->is_fast ? fold_bias(cm, err) : 0;
}

void cpu_matmul_fini(struct npu_matmul *matmul)
{
	free(((struct cpu_matmul *)matmul)->bias);
}

/* ---- Results --------------------------------------------------------------------------- */

/* One matrix of the batch; its first row in A and C. */
struct cpu_part {
	const struct cpu_matmul *matmul;
	uint32_t matrix;
	uint32_t row;
};

/* Without the divisions of npu_layout_offset(): it is row-major, and this is for every strip. */
static void *element(const struct npu_tensor *tensor, uint32_t row, uint32_t col)
{
	return tensor->buf->map + tensor->offset +
	       ((size_t)tensor->first_row + row) * tensor->layout.row_stride +
	       ((size_t)tensor->first_col + col) * tensor->layout.element;
}

static void scale_fast(const struct cpu_part *part, const struct npu_gemm_strip *strip, void *dst,
		       size_t dst_stride)
{
	const struct npu_requant *rq = &part->matmul->base.requant;
	const int32_t *bias = part->matmul->bias;

	npu_fixed16_rows(
		&(struct npu_fixed16){
			.bias = bias ? bias + (size_t)part->matrix * rq->epilogue.n : NULL,
			.multiplier = rq->epilogue.multiplier,
			.per_channel = rq->epilogue.scale_count > 1,
			.shift = rq->epilogue.shift,
			.zero_point = rq->epilogue.zero_point,
			.low = rq->low,
			.high = rq->high,
		},
		&(struct npu_fixed16_sums){
			.first = strip->first,
			.count = strip->count,
			.rows = strip->rows,
			.sum = strip->sum32,
			.stride = strip->stride,
		},
		dst, dst_stride);
}

static void scale_any(const struct cpu_part *part, const struct npu_gemm_strip *strip, void *dst,
		      size_t dst_stride)
{
	const struct npu_matmul *mm = &part->matmul->base;
	const struct npu_tensor *residual = mm->residual;
	const struct npu_weights *w = mm->weights;
	const struct npu_strip in = {
		.first = strip->first,
		.count = strip->count,
		.rows = strip->rows,
		.sum32 = strip->sum32,
		.sum = strip->sum64,
		.stride = strip->stride,
		.w_sum = w->sum + (size_t)part->matrix * w->n * w->groups,
		.a_sum = strip->a_sum,
		.residual =
			residual ? element(residual, part->row + strip->row, strip->first) : NULL,
		.residual_stride = residual ? residual->layout.row_stride : 0,
	};

	npu_requant_group(&mm->requant, &in, strip->group, strip->partial, dst, dst_stride);
}

static void make_results(void *ctx, const struct npu_gemm_strip *strip)
{
	const struct cpu_part *part = ctx;
	const struct cpu_matmul *cm = part->matmul;
	const size_t stride = cm->base.c->layout.row_stride;
	uint8_t *dst = element(cm->base.c, part->row + strip->row, strip->first);

	if (cm->is_fast)
		scale_fast(part, strip, dst, stride);
	else
		scale_any(part, strip, dst, stride);
}

/* ---- Running --------------------------------------------------------------------------- */

static enum npu_gemm_type gemm_type(enum npu_type type)
{
	return type == NPU_TYPE_UINT8	? NPU_GEMM_UINT8
	       : type == NPU_TYPE_INT16 ? NPU_GEMM_INT16
					: NPU_GEMM_INT8;
}

/* Sums are the results, and each fits for sure. */
static bool is_plain(const struct npu_matmul *mm)
{
	const struct npu_requant *rq = &mm->requant;

	return rq->epilogue.scaling == NPU_SCALING_NONE && rq->output == NPU_TYPE_INT32 &&
	       is_8_bits(mm->a->type) && !rq->epilogue.bias && !rq->a_zero_point &&
	       !rq->w_zero_point && !rq->residual && rq->groups == 1 && rq->k <= NPU_GEMM_K_INT32 &&
	       rq->low == INT32_MIN && rq->high == INT32_MAX;
}

static void multiply(const struct cpu_matmul *cm, const int8_t *weights,
		     struct npu_gemm_scratch *scratch)
{
	const struct cpu_device *cpu = to_cpu(cm->base.dev);
	const struct npu_matmul *mm = &cm->base;
	const struct npu_weights *w = mm->weights;
	const uint32_t m = mm->a->rows / w->batch;

	for (uint32_t matrix = 0; matrix < w->batch; matrix++) {
		struct cpu_part part = { .matmul = cm, .matrix = matrix, .row = matrix * m };
		const struct npu_gemm gemm = {
			.kernel = cpu->kernel,
			.m = m,
			.n = w->n,
			.k = w->k,
			.group_size = w->group_size,
			.a_type = gemm_type(mm->a->type),
			.a_sums = w->zero_point,
			.a = element(mm->a, part.row, 0),
			.a_stride = mm->a->layout.row_stride,
			.w = weights + matrix * cpu_weights_matrix_bytes(w),
			.sink = make_results,
			.ctx = &part,
			.c = is_plain(mm) ? element(mm->c, part.row, 0) : NULL,
			.c_stride = mm->c->layout.row_stride / sizeof(int32_t),
		};

		npu_gemm_run(&gemm, scratch, cpu->pool);
	}
}

/* Any of the operands may be memory of a device, which has to be done with it first. */
static int begin_tensor(const struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	if (!tensor)
		return 0;
	return cpu_buffer_begin(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				NPU_NEVER, err);
}

/* After @ret, which goes before what may fail here. */
static int end_tensor(const struct npu_tensor *tensor, unsigned int access, int ret,
		      struct npu_error *err)
{
	int end = 0;

	if (tensor)
		end = cpu_buffer_end(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				     ret ? NULL : err);
	return ret ? ret : end;
}

static int run_with_weights(const struct cpu_matmul *cm, const int8_t *weights,
			    struct npu_gemm_scratch *scratch, struct npu_error *err)
{
	const struct npu_matmul *mm = &cm->base;
	int ret = begin_tensor(mm->a, NPU_ACCESS_READ, err);

	if (ret)
		return ret;
	ret = begin_tensor(mm->residual, NPU_ACCESS_READ, err);
	if (ret)
		return end_tensor(mm->a, NPU_ACCESS_READ, ret, err);
	ret = begin_tensor(mm->c, NPU_ACCESS_WRITE, err);
	if (!ret) {
		multiply(cm, weights, scratch);
		ret = end_tensor(mm->c, NPU_ACCESS_WRITE, ret, err);
	}
	ret = end_tensor(mm->residual, NPU_ACCESS_READ, ret, err);
	return end_tensor(mm->a, NPU_ACCESS_READ, ret, err);
}

int cpu_matmul_run(struct cpu_matmul *cm, struct npu_gemm_scratch *scratch, struct npu_error *err)
{
	const struct npu_weights *w = cm->base.weights;
	const void *image;
	int ret, end;

	ret = npu_slice_begin_read(&w->memory, &image, err);
	if (ret)
		return ret;
	ret = run_with_weights(cm, (const int8_t *)image + w->offset, scratch, err);
	end = npu_slice_end_read(&w->memory, ret ? NULL : err);
	return ret ? ret : end;
}
