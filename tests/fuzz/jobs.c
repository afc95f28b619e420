// SPDX-License-Identifier: MIT
/* Jobs by chance; see the header. */
#include <stdbool.h>
#include <string.h>

#include "jobs.h"

uint32_t dice_roll(struct dice *d, uint32_t sides)
{
	/* An LCG of 64 bits, of which the upper half is good. */
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((d->state >> 32) % sides);
}

static uint32_t div_up(uint32_t value, uint32_t by)
{
	return value / by + (value % by != 0);
}

/* 1 to @max, as many small numbers as large ones, and often one beside a multiple of @unit. */
static uint32_t roll_size(struct dice *d, uint32_t max, uint32_t unit)
{
	uint32_t bits = 1, size;

	while (max >> bits)
		bits++;
	size = 1 + dice_roll(d, 1u << dice_roll(d, bits));
	if (!dice_roll(d, 3))
		size = div_up(size, unit) * unit + dice_roll(d, 3) - 1;
	if (!dice_roll(d, 32))
		size = max;
	return size < 1 ? 1 : size > max ? max : size;
}

/* ---- shape ------------------------------------------------------------------------------- */

static uint32_t element_bytes(const struct drm_npu_stage *st)
{
	bool both =
		st->alu_src >= DRM_NPU_OPERAND_CHANNEL && st->mul_src >= DRM_NPU_OPERAND_CHANNEL;

	return st->operand_bytes << both;
}

static bool per_element(const struct drm_npu_stage *st)
{
	return st->alu_src == DRM_NPU_OPERAND_ELEMENT || st->mul_src == DRM_NPU_OPERAND_ELEMENT;
}

static void pack(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		 struct drm_npu_tensor *t, uint32_t size)
{
	t->row_stride = (job->height ? job->m / job->height : 0) * lim->atom_bytes * size;
	t->plane_stride = job->m * lim->atom_bytes * size;
}

void job_pack(const struct drm_npu_matmul_limits *lim, struct drm_npu_job_matmul *job)
{
	pack(lim, job, &job->a, 1);
	pack(lim, job, &job->c, 1);
	if (per_element(&job->x1))
		pack(lim, job, &job->x1.operand, element_bytes(&job->x1));
	if (per_element(&job->x2))
		pack(lim, job, &job->x2.operand, element_bytes(&job->x2));
}

struct drm_npu_job_matmul job_plain(const struct drm_npu_matmul_limits *lim, uint32_t m, uint32_t n,
				    uint32_t k, uint32_t height)
{
	struct drm_npu_job_matmul job = {
		.op = DRM_NPU_OP_MATMUL,
		.m = m,
		.n = n,
		.k = k,
		.height = height,
		.a.handle = 1,
		.w.handle = 2,
		.c.handle = 3,
		.cvt_scale = 1,
	};

	job_pack(lim, &job);
	return job;
}

static void roll_shape(struct dice *d, const struct drm_npu_matmul_limits *lim, uint64_t max_macs,
		       struct drm_npu_job_matmul *job)
{
	do {
		job->height = dice_roll(d, 2) ? 1 : roll_size(d, lim->max_height, 2);
		job->m = job->height * roll_size(d, lim->max_width, 16);
		job->n = roll_size(d, lim->max_n, lim->mac_kernels);
		job->k = roll_size(d, lim->max_k, lim->mac_channels);
	} while ((uint64_t)job->m * job->n * job->k > max_macs);
}

/* ---- tensors ----------------------------------------------------------------------------- */

/* A stride other than the packed one: with gaps, over itself, or anything. */
static uint32_t roll_stride(struct dice *d, uint32_t atom, uint32_t packed)
{
	switch (dice_roll(d, 5)) {
	case 0:
		return packed + atom * (1 + dice_roll(d, 8));
	case 1:
		return packed * dice_roll(d, 4);
	case 2:
		return atom * dice_roll(d, 64);
	case 3:
		return 0;
	default:
		return dice_roll(d, ~0u) / atom * atom;
	}
}

static void roll_tensor(struct dice *d, const struct drm_npu_matmul_limits *lim,
			const struct drm_npu_job_matmul *job, struct drm_npu_tensor *t)
{
	if (!dice_roll(d, 4))
		t->row_stride = roll_stride(d, lim->atom_bytes, t->row_stride);
	if (!dice_roll(d, 4) && job->m > 1)
		t->plane_stride = roll_stride(d, lim->atom_bytes, t->plane_stride);
	if (!dice_roll(d, 4))
		t->offset = (uint64_t)dice_roll(d, ~0u) * lim->atom_bytes;
}

/* ---- arithmetic -------------------------------------------------------------------------- */

static void roll_stage(struct dice *d, struct drm_npu_stage *st)
{
	uint8_t memory = dice_roll(d, 2) ? DRM_NPU_OPERAND_CHANNEL : DRM_NPU_OPERAND_ELEMENT;

	*st = (struct drm_npu_stage){ 0 };
	if (!dice_roll(d, 3))
		return;
	st->alu_op = dice_roll(d, 4);
	if (st->alu_op != DRM_NPU_ALU_NONE) {
		st->alu_src = dice_roll(d, 3) ? memory : DRM_NPU_OPERAND_IMM;
		st->alu_shift = dice_roll(d, 4) ? dice_roll(d, 20) : dice_roll(d, 64);
	}
	if (dice_roll(d, 2))
		st->mul_src = dice_roll(d, 3) ? memory : DRM_NPU_OPERAND_IMM;
	st->mul_shift = dice_roll(d, 4) ? dice_roll(d, 16) : dice_roll(d, 64);
	st->act = dice_roll(d, st->mul_src ? 3 : 2);
	if (st->alu_src == DRM_NPU_OPERAND_IMM)
		st->alu_imm = dice_roll(d, 1 << 16);
	if (st->mul_src == DRM_NPU_OPERAND_IMM)
		st->mul_imm = dice_roll(d, 1 << 16);
	if (st->alu_src < DRM_NPU_OPERAND_CHANNEL && st->mul_src < DRM_NPU_OPERAND_CHANNEL)
		return;
	st->operand_bytes = 1 + dice_roll(d, 2);
	st->operand.handle = 4;
}

static void roll_converter(struct dice *d, const struct drm_npu_matmul_limits *lim,
			   struct drm_npu_job_matmul *job)
{
	job->acc_shift = dice_roll(d, 3) ? 0 : dice_roll(d, 32);
	job->narrow =
		lim->narrows >> DRM_NPU_NARROW_LOW8 & 1 ? dice_roll(d, 2) : DRM_NPU_NARROW_SAT8;
	job->cvt_offset = dice_roll(d, 3) ? dice_roll(d, 512) - 256 : dice_roll(d, ~0u);
	job->cvt_scale = dice_roll(d, 3) ? 1 + dice_roll(d, 64) : dice_roll(d, 1 << 16);
	job->cvt_shift = dice_roll(d, 3) ? dice_roll(d, 16) : dice_roll(d, 64);
}

/* ---- banks ------------------------------------------------------------------------------- */

/* What the job needs of @lim's CBUF, give or take one; 0 and 0 half of the time. */
static void roll_banks(struct dice *d, const struct drm_npu_matmul_limits *lim,
		       struct drm_npu_job_matmul *job)
{
	const uint64_t bank = lim->cbuf_bank_entries * lim->cbuf_entry_bytes;
	uint64_t a = (uint64_t)job->m * div_up(job->k, lim->atom_bytes) * lim->atom_bytes;
	uint64_t w = (uint64_t)(job->n < lim->mac_kernels ? job->n : lim->mac_kernels) * job->k;

	job->data_banks = 0;
	job->weight_banks = 0;
	if (dice_roll(d, 2))
		return;
	job->data_banks = (a + bank - 1) / bank + (dice_roll(d, 6) ? 0 : dice_roll(d, 3) - 1);
	job->weight_banks = (w + bank - 1) / bank + (dice_roll(d, 6) ? 0 : dice_roll(d, 3) - 1);
	if (!dice_roll(d, 3))
		job->weight_banks = lim->cbuf_banks - job->data_banks;
}

/* ---- jobs -------------------------------------------------------------------------------- */

void job_random(struct dice *d, const struct drm_npu_matmul_limits *lim, uint64_t max_macs,
		struct drm_npu_job_matmul *job)
{
	*job = job_plain(lim, 1, 1, 1, 1);
	roll_shape(d, lim, max_macs, job);
	roll_stage(d, &job->x1);
	roll_stage(d, &job->x2);
	roll_converter(d, lim, job);
	job_pack(lim, job);
	roll_tensor(d, lim, job, &job->a);
	roll_tensor(d, lim, job, &job->c);
	if (per_element(&job->x1))
		roll_tensor(d, lim, job, &job->x1.operand);
	if (per_element(&job->x2))
		roll_tensor(d, lim, job, &job->x2.operand);
	roll_banks(d, lim, job);
}

/* A size at the edge of something. */
static uint32_t edge(struct dice *d, uint32_t old, uint32_t max)
{
	const uint32_t edges[] = { 0,	     1,	       old + 1, old - 1,   old * 2,
				   old / 2,  max,      max + 1, max - 1,   ~0u,
				   1u << 16, 1u << 31, old + 8, max / old, 512 };

	return edges[dice_roll(d, sizeof(edges) / sizeof(*edges))];
}

static void mutate_tensor(struct dice *d, const struct drm_npu_matmul_limits *lim,
			  struct drm_npu_tensor *t)
{
	const uint32_t atom = lim->atom_bytes;

	switch (dice_roll(d, 4)) {
	case 0:
		t->row_stride = roll_stride(d, atom, t->row_stride);
		break;
	case 1:
		t->plane_stride = roll_stride(d, atom, t->plane_stride);
		break;
	case 2:
		t->offset = (uint64_t)dice_roll(d, ~0u) << dice_roll(d, 33) & -(uint64_t)atom;
		break;
	default:
		t->offset = -(uint64_t)atom * (1 + dice_roll(d, 1u << 20));
	}
}

static void mutate_size(struct dice *d, const struct drm_npu_matmul_limits *lim,
			struct drm_npu_job_matmul *job)
{
	uint32_t width = job->height ? job->m / job->height : 1;

	switch (dice_roll(d, 5)) {
	case 0:
		job->m = job->height * edge(d, width | !width, lim->max_width);
		break;
	case 1:
		job->height = edge(d, job->height | !job->height, lim->max_height);
		job->m = job->height * width;
		break;
	case 2:
		job->n = edge(d, job->n | !job->n, lim->max_n);
		break;
	case 3:
		job->k = edge(d, job->k | !job->k, lim->max_k);
		break;
	default:
		job->m = edge(d, job->m | !job->m, lim->max_width);
	}
	/* Strides that fit again, most of the time. */
	if (dice_roll(d, 4))
		job_pack(lim, job);
}

void job_mutate(struct dice *d, const struct drm_npu_matmul_limits *lim, uint64_t max_macs,
		struct drm_npu_job_matmul *job)
{
	struct drm_npu_tensor *const tensors[] = { &job->a, &job->w, &job->c, &job->x1.operand,
						   &job->x2.operand };
	struct drm_npu_stage *st = dice_roll(d, 2) ? &job->x1 : &job->x2;

	switch (dice_roll(d, 8)) {
	case 0:
		job_random(d, lim, max_macs, job);
		break;
	case 1:
	case 2:
		mutate_size(d, lim, job);
		break;
	case 3:
		mutate_tensor(d, lim, tensors[dice_roll(d, 5)]);
		break;
	case 4:
		roll_stage(d, st);
		if (per_element(st))
			pack(lim, job, &st->operand, element_bytes(st));
		break;
	case 5:
		roll_banks(d, lim, job);
		break;
	case 6:
		roll_converter(d, lim, job);
		break;
	default:
		((uint8_t *)job)[dice_roll(d, sizeof(*job))] ^= 1u << dice_roll(d, 8);
	}
}

/* ---- print ------------------------------------------------------------------------------- */

static void print_tensor(FILE *out, const char *name, const struct drm_npu_tensor *t)
{
	if (t->handle || t->pad || t->offset || t->row_stride || t->plane_stride)
		fprintf(out, "\t.%s = { %u, %#x, %#llx, %u, %u },\n", name, t->handle, t->pad,
			(unsigned long long)t->offset, t->row_stride, t->plane_stride);
}

static void print_stage(FILE *out, const char *name, const struct drm_npu_stage *st)
{
	static const struct drm_npu_stage empty;

	if (!memcmp(st, &empty, sizeof(empty)))
		return;
	fprintf(out, "\t.%s = { %u, %u, %u, %u, %u, %u, %u, %u, %d, %d, %#x,\n", name, st->alu_op,
		st->alu_src, st->alu_shift, st->mul_src, st->mul_shift, st->act, st->operand_bytes,
		st->pad, st->alu_imm, st->mul_imm, st->pad2);
	fprintf(out, "\t\t{ %u, %#x, %#llx, %u, %u } },\n", st->operand.handle, st->operand.pad,
		(unsigned long long)st->operand.offset, st->operand.row_stride,
		st->operand.plane_stride);
}

void job_print(FILE *out, const struct drm_npu_job_matmul *job)
{
	fprintf(out, "{\n\t.op = %u, .flags = %#x, .pad = %#x, .pad2 = %u,\n", job->op, job->flags,
		job->pad, job->pad2);
	fprintf(out, "\t.m = %u, .n = %u, .k = %u, .height = %u,\n", job->m, job->n, job->k,
		job->height);
	fprintf(out, "\t.data_banks = %u, .weight_banks = %u,\n", job->data_banks,
		job->weight_banks);
	print_tensor(out, "a", &job->a);
	print_tensor(out, "w", &job->w);
	print_tensor(out, "c", &job->c);
	print_stage(out, "x1", &job->x1);
	print_stage(out, "x2", &job->x2);
	fprintf(out, "\t.acc_shift = %u, .narrow = %u,\n", job->acc_shift, job->narrow);
	fprintf(out, "\t.cvt_offset = %d, .cvt_scale = %d, .cvt_shift = %u,\n},\n", job->cvt_offset,
		job->cvt_scale, job->cvt_shift);
}
