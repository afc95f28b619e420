// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything a job must satisfy before it may reach the engine, apart from what needs the buffers
 * themselves. There is no IOMMU to catch a mistake here: an accepted job touches the extents in its
 * plan and nothing else, and does not hang the engine.
 */
#include <linux/errno.h>
#include <linux/types.h>

#include "npu_validate.h"

static __u32 div_up(__u32 value, __u32 by)
{
	return value / by + (value % by != 0);
}

static int check_shape(const struct drm_npu_matmul_limits *lim,
		       const struct drm_npu_job_matmul *job, struct npu_matmul_plan *plan)
{
	if (!job->m || !job->n || !job->k || !job->height || job->m % job->height)
		return -EINVAL;

	plan->width = job->m / job->height;
	if (plan->width > lim->max_width || job->height > lim->max_height || job->n > lim->max_n ||
	    job->k > lim->max_k)
		return -EINVAL;

	/* The limits are register fields of 13 bits and less: no product below can overflow. */
	plan->macs = (__u64)job->m * job->n * job->k;
	if (plan->macs > lim->max_job_macs)
		return -EINVAL;
	return 0;
}

/*
 * The engine starts to compute when all lines of A are in the CBUF and at least one whole group of
 * kernels is: with fewer banks it waits for ever.
 */
static int check_banks(const struct drm_npu_matmul_limits *lim, __u32 need_data, __u32 need_weight,
		       const struct npu_matmul_plan *plan)
{
	if (plan->data_banks < need_data || plan->weight_banks < need_weight)
		return -EINVAL;
	if (plan->data_banks + plan->weight_banks > lim->cbuf_banks)
		return -EINVAL;
	return 0;
}

/*
 * The engine fetches A of the next job while it computes this one, if the data banks have room for
 * both. Changing the split drains it, so the halves are kept for as long as A fits them twice, and
 * a larger A moves the border in steps.
 */
static void choose_banks(const struct drm_npu_matmul_limits *lim, __u32 need_data,
			 __u32 need_weight, struct npu_matmul_plan *plan)
{
	const __u32 step = lim->cbuf_banks / 8;
	__u32 data = lim->cbuf_banks / 2;
	/* One group in use, one on its way in. */
	__u32 most = lim->cbuf_banks - 2 * need_weight;

	if (2 * need_weight >= lim->cbuf_banks)
		most = 0;
	while (data < 2 * need_data && data + step <= most)
		data += step;
	if (data < need_data || data > most)
		data = need_data;

	plan->data_banks = data;
	plan->weight_banks = lim->cbuf_banks - data;
}

static int plan_cbuf(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		     struct npu_matmul_plan *plan)
{
	const __u32 group = job->n < lim->mac_kernels ? job->n : lim->mac_kernels;
	__u32 atoms = div_up(job->k, lim->atom_bytes);
	__u32 need_data, need_weight;
	__u64 entries;

	plan->weight_bytes = div_up(job->n * job->k, lim->cbuf_entry_bytes) * lim->cbuf_entry_bytes;
	plan->slice_entries = div_up(plan->width * atoms * lim->atom_bytes, lim->cbuf_entry_bytes);

	entries = (__u64)plan->slice_entries * job->height;
	if (entries >= (__u64)lim->cbuf_banks * lim->cbuf_bank_entries)
		return -EINVAL;
	need_data = div_up(entries, lim->cbuf_bank_entries);
	/* A group that begins within an entry ends within one, too, and takes no more of them. */
	need_weight = div_up(div_up(group * job->k, lim->cbuf_entry_bytes), lim->cbuf_bank_entries);
	if (need_data + need_weight > lim->cbuf_banks)
		return -EINVAL;

	if (!job->data_banks != !job->weight_banks)
		return -EINVAL;
	if (!job->data_banks) {
		choose_banks(lim, need_data, need_weight, plan);
		return 0;
	}
	plan->data_banks = job->data_banks;
	plan->weight_banks = job->weight_banks;
	return check_banks(lim, need_data, need_weight, plan);
}

static int check_tensor(const struct drm_npu_matmul_limits *lim, const struct drm_npu_tensor *t)
{
	/* A power of two. A remainder of 64 bits is a division that 32-bit kernels do not have. */
	const __u32 below_atom = lim->atom_bytes - 1;

	if (t->pad || ((t->offset | t->row_stride | t->plane_stride) & below_atom))
		return -EINVAL;
	return 0;
}

/*
 * @span: From the first byte to the last.
 * @moved: What goes over the bus: less where lines have gaps, more where they overlap.
 */
static int add_operand(struct npu_matmul_plan *plan, enum npu_operand operand, __u64 offset,
		       __u64 span, __u64 moved)
{
	__u64 end;

	if (__builtin_add_overflow(offset, span, &end))
		return -EINVAL;
	plan->extent[operand].offset = offset;
	plan->extent[operand].bytes = span;
	plan->bytes += moved;
	return 0;
}

/* An array: W and per-channel operands. */
static int plan_flat(const struct drm_npu_matmul_limits *lim, const struct drm_npu_tensor *t,
		     __u64 bytes, struct npu_matmul_plan *plan, enum npu_operand operand)
{
	if (check_tensor(lim, t) || t->row_stride || t->plane_stride)
		return -EINVAL;
	return add_operand(plan, operand, t->offset, bytes, bytes);
}

/* Planes of lines of atoms: A, C and per-element operands. @size: bytes of one element. */
static int plan_cube(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		     const struct drm_npu_tensor *t, __u32 channels, __u32 size,
		     struct npu_matmul_plan *plan, enum npu_operand operand)
{
	const __u64 line = (__u64)plan->width * lim->atom_bytes * size;
	const __u32 planes = div_up(channels, lim->atom_bytes);

	if (check_tensor(lim, t))
		return -EINVAL;
	/* The engine takes the planes of a single row as one run and ignores the stride. */
	if (job->m == 1 && planes > 1 && t->plane_stride != lim->atom_bytes * size)
		return -EINVAL;
	return add_operand(plan, operand, t->offset,
			   (__u64)(planes - 1) * t->plane_stride +
				   (__u64)(job->height - 1) * t->row_stride + line,
			   line * job->height * planes);
}

static int in_memory(__u8 src)
{
	return src == DRM_NPU_OPERAND_CHANNEL || src == DRM_NPU_OPERAND_ELEMENT;
}

static int check_stage(const struct drm_npu_stage *st)
{
	if (st->pad || st->pad2)
		return -EINVAL;
	if (st->alu_op > DRM_NPU_ALU_ADD || st->alu_src > DRM_NPU_OPERAND_ELEMENT ||
	    st->mul_src > DRM_NPU_OPERAND_ELEMENT || st->act > DRM_NPU_ACT_PRELU)
		return -EINVAL;
	if (!st->alu_op != !st->alu_src)
		return -EINVAL;
	if (st->alu_shift > 63 || (st->alu_shift && st->alu_op == DRM_NPU_ALU_NONE))
		return -EINVAL;
	/* The register field has 8 bits, the shifter 6. */
	if (st->mul_shift > 63)
		return -EINVAL;
	if ((st->alu_imm && st->alu_src != DRM_NPU_OPERAND_IMM) ||
	    (st->mul_imm && st->mul_src != DRM_NPU_OPERAND_IMM))
		return -EINVAL;
	if (st->act == DRM_NPU_ACT_PRELU && st->mul_src == DRM_NPU_OPERAND_NONE)
		return -EINVAL;
	return 0;
}

static int plan_stage(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		      const struct drm_npu_stage *st, struct npu_matmul_plan *plan,
		      enum npu_operand operand)
{
	const struct drm_npu_tensor *t = &st->operand;
	int alu = in_memory(st->alu_src);
	int mul = in_memory(st->mul_src);
	__u32 size = st->operand_bytes << (alu && mul);
	int err = check_stage(st);

	if (err)
		return err;
	if (!alu && !mul) {
		if (st->operand_bytes || t->handle || t->pad || t->offset || t->row_stride ||
		    t->plane_stride)
			return -EINVAL;
		return 0;
	}
	if (alu && mul && st->alu_src != st->mul_src)
		return -EINVAL;
	if (st->operand_bytes != 1 && st->operand_bytes != 2)
		return -EINVAL;

	if ((alu ? st->alu_src : st->mul_src) == DRM_NPU_OPERAND_CHANNEL)
		return plan_flat(lim, t,
				 (__u64)div_up(job->n, lim->atom_bytes) * lim->atom_bytes * size,
				 plan, operand);
	return plan_cube(lim, job, t, job->n, size, plan, operand);
}

/**
 * npu_validate_matmul - decide whether the engine may run a job
 * @lim: Limits of the engine.
 * @job: The job, a copy that nobody else can change.
 * @plan: Out: what the job will touch and how it uses the CBUF.
 *
 * The caller resolves handles and checks that every extent lies inside its BO and that C overlaps
 * nothing that is read.
 *
 * Return: 0 or -EINVAL.
 */
int npu_validate_matmul(const struct drm_npu_matmul_limits *lim,
			const struct drm_npu_job_matmul *job, struct npu_matmul_plan *plan)
{
	int err;

	*plan = (struct npu_matmul_plan){};
	if (job->op != DRM_NPU_OP_MATMUL || job->flags || job->pad || job->pad2)
		return -EINVAL;
	if (job->acc_shift > 31 || job->cvt_shift > 63)
		return -EINVAL;
	if (job->narrow > DRM_NPU_NARROW_LOW8 || !(lim->narrows >> job->narrow & 1))
		return -EINVAL;

	err = check_shape(lim, job, plan);
	if (err)
		return err;
	err = plan_cbuf(lim, job, plan);
	if (err)
		return err;
	err = plan_cube(lim, job, &job->a, job->k, 1, plan, NPU_OPERAND_A);
	if (err)
		return err;
	err = plan_flat(lim, &job->w, plan->weight_bytes, plan, NPU_OPERAND_W);
	if (err)
		return err;
	err = plan_cube(lim, job, &job->c, job->n, 1, plan, NPU_OPERAND_C);
	if (err)
		return err;
	err = plan_stage(lim, job, &job->x1, plan, NPU_OPERAND_X1);
	if (err)
		return err;
	return plan_stage(lim, job, &job->x2, plan, NPU_OPERAND_X2);
}
