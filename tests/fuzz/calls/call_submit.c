// SPDX-License-Identifier: MIT
/*
 * Calls that lead to the engine.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"

enum {
	JOBS = 6,
	SYNCS = 4
};

enum outcome call_ctx(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_ctx_create create = { .priority = (int)input_below(&a->in, 3) - 1 };
	struct drm_npu_ctx_state state = { .id = world_name(f->ctxs, &a->in) };
	struct drm_npu_ctx_destroy destroy = { .id = state.id };
	enum outcome outcome;

	switch (input_below(&a->in, 4)) {
	case 0:
		input_damage(&a->in, &create, sizeof(create));
		outcome = call_ioctl(f, DRM_IOCTL_NPU_CTX_CREATE, &create);
		destroy.id = world_put(f->ctxs, &a->in, create.id);
		if (destroy.id)
			call_ioctl(f, DRM_IOCTL_NPU_CTX_DESTROY, &destroy);
		return outcome;
	case 1:
		destroy.id = world_take(f->ctxs, &a->in);
		input_damage(&a->in, &destroy, sizeof(destroy));
		return call_ioctl(f, DRM_IOCTL_NPU_CTX_DESTROY, &destroy);
	default:
		return call_ioctl(f, DRM_IOCTL_NPU_CTX_STATE, &state);
	}
}

enum outcome call_perfmon(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	const uint8_t counters = input_byte(&a->in);
	struct drm_npu_perfmon_create create = {
		.counters = input_chance(&a->in, 4) ? counters : counters & 15,
	};
	struct drm_npu_perfmon_destroy destroy = { .id = world_name(f->perfmons, &a->in) };
	struct drm_npu_perfmon_values read = {
		.id = destroy.id,
		.flags = input_byte(&a->in) & 1,
		.count = 64,
		.pointer = call_room(a, 64 * sizeof(uint64_t)),
	};
	enum outcome outcome;

	switch (input_below(&a->in, 4)) {
	case 0:
		input_damage(&a->in, &create, sizeof(create));
		outcome = call_ioctl(f, DRM_IOCTL_NPU_PERFMON_CREATE, &create);
		destroy.id = world_put(f->perfmons, &a->in, create.id);
		if (destroy.id)
			call_ioctl(f, DRM_IOCTL_NPU_PERFMON_DESTROY, &destroy);
		return outcome;
	case 1:
		destroy.id = world_take(f->perfmons, &a->in);
		return call_ioctl(f, DRM_IOCTL_NPU_PERFMON_DESTROY, &destroy);
	default:
		input_damage(&a->in, &read, sizeof(read));
		return call_ioctl(f, DRM_IOCTL_NPU_PERFMON_VALUES, &read);
	}
}

static struct drm_npu_tensor tensor(struct actor *a, const struct world_file *f,
				    uint32_t row_stride, uint32_t plane_stride)
{
	return (struct drm_npu_tensor){
		.handle = world_name(f->bos, &a->in),
		.offset = input_below(&a->in, 64) * (uint64_t)a->world->limits.atom_bytes,
		.row_stride = row_stride,
		.plane_stride = plane_stride,
	};
}

/* A stage that makes sense; an operand in memory only in some. */
static struct drm_npu_stage stage(struct actor *a, const struct world_file *f, uint32_t row_bytes,
				  uint32_t rows)
{
	struct drm_npu_stage s = {
		.alu_op = (uint8_t)input_below(&a->in, 4),
		.mul_src = (uint8_t)input_below(&a->in, 4),
		.mul_shift = input_byte(&a->in) & 63,
		.act = (uint8_t)input_below(&a->in, 3),
		.mul_imm = 3,
	};
	uint32_t line;

	if (s.alu_op)
		s.alu_src = (uint8_t)(1 + input_below(&a->in, 3));
	if (s.alu_src == DRM_NPU_OPERAND_IMM)
		s.alu_imm = input_byte(&a->in);
	if (s.mul_src != DRM_NPU_OPERAND_IMM)
		s.mul_imm = 0;
	if (s.alu_src < DRM_NPU_OPERAND_CHANNEL && s.mul_src < DRM_NPU_OPERAND_CHANNEL)
		return s;
	s.operand_bytes = (uint8_t)(1 + input_below(&a->in, 2));
	s.operand = tensor(a, f, 0, 0);
	if (s.alu_src != DRM_NPU_OPERAND_ELEMENT && s.mul_src != DRM_NPU_OPERAND_ELEMENT)
		return s;
	line = row_bytes * s.operand_bytes;
	if (s.alu_src == s.mul_src)
		line *= 2;
	s.operand.row_stride = line;
	s.operand.plane_stride = line * rows;
	return s;
}

/* A job that the engine would take if its BOs are large enough, and perhaps some damage to it. */
static struct drm_npu_job_matmul job(struct actor *a, const struct world_file *f)
{
	const uint32_t width = 1 + input_below(&a->in, 48), height = 1 + input_below(&a->in, 3);
	const uint32_t line = width * a->world->limits.atom_bytes;
	struct drm_npu_job_matmul j = {
		.op = DRM_NPU_OP_MATMUL,
		.m = width * height,
		.n = 1 + input_below(&a->in, 64),
		.k = 1 + input_below(&a->in, 128),
		.height = height,
		.acc_shift = input_byte(&a->in) & 31,
		.narrow = input_byte(&a->in) & 1,
		.cvt_scale = 1,
		.cvt_shift = input_byte(&a->in) & 63,
	};

	j.a = tensor(a, f, line, line * height);
	j.w = tensor(a, f, 0, 0);
	j.c = tensor(a, f, line, line * height);
	if (input_chance(&a->in, 16)) {
		j.data_banks = input_byte(&a->in) & 31;
		j.weight_banks = input_byte(&a->in) & 31;
	}
	if (input_chance(&a->in, 2))
		j.x1 = stage(a, f, line, height);
	if (input_chance(&a->in, 4))
		j.x2 = stage(a, f, line, height);
	input_damage(&a->in, &j, sizeof(j));
	return j;
}

enum outcome call_submit(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_job_matmul jobs[JOBS];
	struct drm_npu_sync syncs[SYNCS];
	struct drm_npu_submit args = {
		.ctx = input_chance(&a->in, 2) ? world_name(f->ctxs, &a->in) : 0,
		.jobs = { sizeof(*jobs), 1 + input_below(&a->in, JOBS), (uintptr_t)jobs },
		.syncs = { sizeof(*syncs), 0, (uintptr_t)syncs },
	};
	unsigned int i;

	if (input_chance(&a->in, 2))
		args.syncs.count = input_below(&a->in, SYNCS + 1);
	for (i = 0; i < args.jobs.count; i++)
		jobs[i] = i && input_chance(&a->in, 2) ? jobs[i - 1] : job(a, f);
	for (i = 0; i < args.syncs.count; i++) {
		syncs[i] = (struct drm_npu_sync){
			.handle = world_name(f->syncobjs, &a->in),
			.flags = 1 + input_below(&a->in, 2),
			.point = input_byte(&a->in) / 8,
		};
		input_damage(&a->in, &syncs[i], sizeof(syncs[i]));
	}
	if (input_chance(&a->in, 4))
		args.perfmon = world_name(f->perfmons, &a->in);
	input_damage(&a->in, &args, sizeof(args));
	return call_ioctl(f, DRM_IOCTL_NPU_SUBMIT, &args);
}
