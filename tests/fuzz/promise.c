// SPDX-License-Identifier: MIT
/* The promises of the validator; see the header. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "promise.h"

typedef unsigned __int128 wide;

/* A job under examination */
struct trial {
	const struct drm_npu_matmul_limits *lim;
	const struct drm_npu_job_matmul *job;
	struct npu_matmul_plan plan;
	wide bytes; /* on the bus, of the operands seen so far */
};

static wide div_up(wide value, wide by)
{
	return (value + by - 1) / by;
}

static const char *check_shape(const struct trial *t)
{
	const struct drm_npu_job_matmul *job = t->job;
	const struct drm_npu_matmul_limits *lim = t->lim;

	if (job->op != DRM_NPU_OP_MATMUL || job->flags || job->pad || job->pad2)
		return "an unknown op or flag, or padding that is not zero";
	if (!job->m || !job->n || !job->k || !job->height)
		return "an empty matrix";
	if ((wide)t->plan.width * job->height != job->m)
		return "width x height is not M";
	if (t->plan.width > lim->max_width || job->height > lim->max_height ||
	    job->n > lim->max_n || job->k > lim->max_k)
		return "a size beyond its limit";
	if ((wide)job->m * job->n * job->k != t->plan.macs || t->plan.macs > lim->max_job_macs)
		return "macs is not M x N x K, or beyond its limit";
	if (job->acc_shift > 31 || job->cvt_shift > 63 ||
	    !(lim->narrows & 1ull << (job->narrow & 63)) || job->narrow > DRM_NPU_NARROW_LOW8)
		return "a shift or a way to narrow that does not exist";
	return NULL;
}

/* With less the engine waits for ever; with other WEIGHT_BYTES the ops after it go wrong. */
static const char *check_cbuf(const struct trial *t)
{
	const struct drm_npu_matmul_limits *lim = t->lim;
	const struct drm_npu_job_matmul *job = t->job;
	const struct npu_matmul_plan *plan = &t->plan;
	wide line = (wide)plan->width * div_up(job->k, lim->atom_bytes) * lim->atom_bytes;
	wide bank = (wide)lim->cbuf_bank_entries * lim->cbuf_entry_bytes;
	uint32_t group = job->n < lim->mac_kernels ? job->n : lim->mac_kernels;

	if (plan->slice_entries != div_up(line, lim->cbuf_entry_bytes))
		return "slice_entries is not one line of A";
	if (plan->slice_entries > 1 << 14)
		return "slice_entries does not fit its register";
	if (plan->weight_bytes !=
	    div_up((wide)job->n * job->k, lim->cbuf_entry_bytes) * lim->cbuf_entry_bytes)
		return "weight_bytes is not N x K in whole entries";
	if (!plan->data_banks || !plan->weight_banks ||
	    plan->data_banks + plan->weight_banks > lim->cbuf_banks)
		return "banks that the CBUF does not have";
	if ((wide)plan->slice_entries * job->height >
	    (wide)plan->data_banks * lim->cbuf_bank_entries)
		return "A does not fit its banks";
	if ((wide)group * job->k > plan->weight_banks * bank)
		return "a group of kernels does not fit its banks";
	if (job->data_banks &&
	    (job->data_banks != plan->data_banks || job->weight_banks != plan->weight_banks))
		return "other banks than the job asked for";
	return NULL;
}

/* An operand is what lies between its first byte and the end of the atom that ends last. */
static const char *check_extent(const struct trial *t, enum npu_operand operand,
				const struct drm_npu_tensor *tensor, wide bytes)
{
	const struct npu_extent *extent = &t->plan.extent[operand];
	const uint32_t atom = t->lim->atom_bytes;

	if (tensor->pad)
		return "padding of a tensor that is not zero";
	if (tensor->offset % atom || tensor->row_stride % atom || tensor->plane_stride % atom)
		return "an offset or a stride that is no multiple of an atom";
	if (extent->offset != tensor->offset)
		return "an extent that does not start where its tensor does";
	if (extent->bytes < bytes)
		return "an extent that ends before the engine does";
	if (extent->bytes > bytes)
		return "an extent longer than what the engine touches";
	if ((wide)extent->offset + extent->bytes > UINT64_MAX)
		return "an extent that overflows";
	return NULL;
}

static const char *check_flat(struct trial *t, enum npu_operand operand,
			      const struct drm_npu_tensor *tensor, wide bytes)
{
	if (tensor->row_stride || tensor->plane_stride)
		return "strides of an array";
	t->bytes += bytes;
	return check_extent(t, operand, tensor, bytes);
}

static const char *check_cube(struct trial *t, enum npu_operand operand,
			      const struct drm_npu_tensor *tensor, uint32_t channels, uint32_t size)
{
	const uint32_t atom = t->lim->atom_bytes;
	const wide planes = div_up(channels, atom);
	wide last = (planes - 1) * tensor->plane_stride;

	/* What the engine does with a single row, whatever the stride says. */
	if (t->job->m == 1)
		last = (planes - 1) * atom * size;
	last += (wide)(t->job->height - 1) * tensor->row_stride;
	last += (wide)(t->plan.width - 1) * atom * size;
	t->bytes += planes * t->job->m * atom * size;
	return check_extent(t, operand, tensor, last + atom * size);
}

static bool in_memory(uint8_t src)
{
	return src == DRM_NPU_OPERAND_CHANNEL || src == DRM_NPU_OPERAND_ELEMENT;
}

static const char *check_stage(struct trial *t, enum npu_operand operand,
			       const struct drm_npu_stage *st)
{
	static const struct drm_npu_tensor none;
	bool alu = in_memory(st->alu_src), mul = in_memory(st->mul_src);
	uint32_t size = st->operand_bytes * (alu && mul ? 2 : 1);

	if (st->pad || st->pad2 || st->alu_op > DRM_NPU_ALU_ADD || st->act > DRM_NPU_ACT_PRELU ||
	    st->alu_src > DRM_NPU_OPERAND_ELEMENT || st->mul_src > DRM_NPU_OPERAND_ELEMENT)
		return "a stage that does not exist";
	if (st->alu_shift > 63 || st->mul_shift > 63)
		return "a shift of a stage that does not exist";
	if ((st->alu_op == DRM_NPU_ALU_NONE) != (st->alu_src == DRM_NPU_OPERAND_NONE))
		return "an ALU without an operand, or the reverse";
	if (!alu && !mul) {
		if (st->operand_bytes || memcmp(&st->operand, &none, sizeof(none)) ||
		    t->plan.extent[operand].bytes)
			return "an operand in memory that nobody reads";
		return NULL;
	}
	if (st->operand_bytes != 1 && st->operand_bytes != 2)
		return "operands of another size than 1 or 2 bytes";
	if (alu && mul && st->alu_src != st->mul_src)
		return "operands of two kinds";
	if (st->alu_src == DRM_NPU_OPERAND_ELEMENT || st->mul_src == DRM_NPU_OPERAND_ELEMENT)
		return check_cube(t, operand, &st->operand, t->job->n, size);
	return check_flat(t, operand, &st->operand,
			  div_up(t->job->n, t->lim->atom_bytes) * t->lim->atom_bytes * size);
}

const char *promise_check(const struct drm_npu_matmul_limits *lim,
			  const struct drm_npu_job_matmul *job, bool *accepted)
{
	struct trial t = { .lim = lim, .job = job };
	const char *why;
	int err;

	/* What the caller left in the plan must not show. */
	memset(&t.plan, 0xa5, sizeof(t.plan));
	err = npu_validate_matmul(lim, job, &t.plan);
	*accepted = !err;
	if (err)
		return err == -EINVAL ? NULL : "an errno that is not documented";
	why = check_shape(&t);
	if (!why)
		why = check_cbuf(&t);
	if (!why)
		why = check_cube(&t, NPU_OPERAND_A, &job->a, job->k, 1);
	if (!why)
		why = check_flat(&t, NPU_OPERAND_W, &job->w, t.plan.weight_bytes);
	if (!why)
		why = check_cube(&t, NPU_OPERAND_C, &job->c, job->n, 1);
	if (!why)
		why = check_stage(&t, NPU_OPERAND_X1, &job->x1);
	if (!why)
		why = check_stage(&t, NPU_OPERAND_X2, &job->x2);
	if (!why && t.plan.bytes != t.bytes)
		why = "bytes is not what goes over the bus";
	return why;
}
