// SPDX-License-Identifier: MIT
/*
 * The arithmetic of a job, one element at a time.
 */
#include <string.h>

#include "reference.h"

/* Clamps to @bits bits, signed. */
static int64_t sat(int64_t x, int bits)
{
	const int64_t max = ((int64_t)1 << (bits - 1)) - 1;

	return x > max ? max : x < -max - 1 ? -max - 1 : x;
}

/* x / 2^shift, to nearest, halves away from zero. |x| is below 2^61. */
static int64_t rsh(int64_t x, int shift)
{
	int64_t half = shift ? (int64_t)1 << (shift - 1) : 0;

	if (shift > 61)
		return 0;
	return x < 0 ? -((-x + half) >> shift) : (x + half) >> shift;
}

static int64_t lsh_sat32(int64_t x, int shift)
{
	while (shift-- > 0 && x)
		x = sat(x * 2, 32);
	return x;
}

uint64_t reference_offset(const struct drm_npu_matmul_limits *lim,
			  const struct drm_npu_job_matmul *job, const struct drm_npu_tensor *t,
			  uint32_t row, uint32_t channel, uint32_t size)
{
	const uint32_t width = job->m / job->height;
	const uint32_t atom = lim->atom_bytes;

	return (uint64_t)(channel / atom) * t->plane_stride +
	       (uint64_t)(row / width) * t->row_stride + (uint64_t)(row % width) * atom * size +
	       channel % atom * size;
}

/* Groups of kernels, in them blocks of channels, in them kernel by kernel; tails tight. */
static int64_t weight(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		      const uint8_t *w, uint32_t n, uint32_t k)
{
	const uint32_t group = n - n % lim->mac_kernels;
	const uint32_t block = k - k % lim->mac_channels;
	const uint32_t group_size =
		job->n - group < lim->mac_kernels ? job->n - group : lim->mac_kernels;
	const uint32_t block_size =
		job->k - block < lim->mac_channels ? job->k - block : lim->mac_channels;

	return (int8_t)w[(uint64_t)group * job->k + (uint64_t)block * group_size +
			 (n - group) * block_size + (k - block)];
}

static int64_t operand(const struct drm_npu_matmul_limits *lim,
		       const struct drm_npu_job_matmul *job, const struct drm_npu_stage *st,
		       const uint8_t *mem, bool is_mul, uint32_t row, uint32_t n)
{
	const uint8_t src = is_mul ? st->mul_src : st->alu_src;
	const bool both =
		st->alu_src >= DRM_NPU_OPERAND_CHANNEL && st->mul_src >= DRM_NPU_OPERAND_CHANNEL;
	const uint32_t size = st->operand_bytes << both;
	int16_t wide;

	if (src == DRM_NPU_OPERAND_IMM)
		return is_mul ? st->mul_imm : st->alu_imm;
	mem += src == DRM_NPU_OPERAND_CHANNEL
		       ? (uint64_t)n * size
		       : reference_offset(lim, job, &st->operand, row, n, size);
	if (both && is_mul)
		mem += st->operand_bytes;
	if (st->operand_bytes == 1)
		return (int8_t)*mem;
	memcpy(&wide, mem, sizeof(wide));
	return wide;
}

static int64_t stage(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		     const struct drm_npu_stage *st, const uint8_t *mem, uint32_t row, uint32_t n,
		     int64_t x)
{
	static const struct drm_npu_stage empty;
	int64_t alu;

	if (!memcmp(st, &empty, sizeof(empty)))
		return x;
	if (st->alu_op != DRM_NPU_ALU_NONE) {
		alu = lsh_sat32(operand(lim, job, st, mem, false, row, n), st->alu_shift);
		if (st->alu_op == DRM_NPU_ALU_MAX)
			x = x > alu ? x : alu;
		else if (st->alu_op == DRM_NPU_ALU_MIN)
			x = x < alu ? x : alu;
		else
			x += alu;
	}
	if (st->act == DRM_NPU_ACT_PRELU && x >= 0)
		return (int32_t)(uint32_t)x;
	if (st->mul_src != DRM_NPU_OPERAND_NONE)
		x *= operand(lim, job, st, mem, true, row, n);
	x = sat(rsh(x, st->mul_shift), 32);
	return st->act == DRM_NPU_ACT_RELU && x < 0 ? 0 : x;
}

/* What the converter shifts. */
static int64_t scaled(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		      const struct reference_memory *mem, uint32_t row, uint32_t n)
{
	int64_t x = 0;
	uint32_t k;

	for (k = 0; k < job->k; k++)
		x += (int8_t)mem->a[reference_offset(lim, job, &job->a, row, k, 1)] *
		     weight(lim, job, mem->w, n, k);
	x = sat(rsh(sat(x, 34), job->acc_shift), 32);
	x = stage(lim, job, &job->x1, mem->x1, row, n, x);
	x = stage(lim, job, &job->x2, mem->x2, row, n, x);
	return (x - job->cvt_offset) * job->cvt_scale;
}

/* Halves above the largest value count, and all below the smallest, even what rounds to it. */
bool reference_clips(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		     const struct reference_memory *mem, uint32_t row, uint32_t n)
{
	const int64_t x = scaled(lim, job, mem, row, n);

	if (job->cvt_shift > 48)
		return false;
	return x < 0 ? x < -((int64_t)65536 << job->cvt_shift) : rsh(x, job->cvt_shift) > 65535;
}

int8_t reference_element(const struct drm_npu_matmul_limits *lim,
			 const struct drm_npu_job_matmul *job, const struct reference_memory *mem,
			 uint32_t row, uint32_t n)
{
	const int64_t x = sat(rsh(scaled(lim, job, mem, row, n), job->cvt_shift), 17);

	return job->narrow == DRM_NPU_NARROW_LOW8 ? (int8_t)(sat(x, 16) & 0xff) : sat(x, 8);
}
