// SPDX-License-Identifier: MIT
/*
 * The corpus, as source: jobs for nv_small at the corners of the interface, and every job that a
 * fuzzer ever found fault with. An engine of another kind refuses some of them, which is as good.
 */
#include "jobs.h"

#define SHAPE(rows, cols, depth, lines) \
	.op = DRM_NPU_OP_MATMUL, .m = rows, .n = cols, .k = depth, .height = lines, .cvt_scale = 1

/* Where A and C begin, and their strides. */
#define TENSORS(at, a_row, a_plane, c_row, c_plane) \
	.a = { 1, 0, at, a_row, a_plane }, .w = { .handle = 2 }, .c = { 3, 0, at, c_row, c_plane }

#define PACKED(width, rows) TENSORS(0, width * 8, rows * 8, width * 8, rows * 8)

/* Releases of clang-format differ on braces in a macro. */
/* clang-format off */
#define STAGE(op, shift, kind, act, bytes, plane) \
	{ \
		DRM_NPU_ALU_##op, DRM_NPU_OPERAND_##kind, shift, DRM_NPU_OPERAND_##kind, 3, \
		DRM_NPU_ACT_##act, bytes, .operand = { 4, 0, 0, 0, plane }, \
	}
/* clang-format on */

const struct drm_npu_job_matmul job_seeds[] = {
	{ SHAPE(1, 1, 1, 1), PACKED(1, 1) },
	{ SHAPE(33, 27, 100, 3), PACKED(11, 33) },

	/* Limits of each size. */
	{ SHAPE(8192, 8, 8, 1), PACKED(8192, 8192) },
	{ SHAPE(4096, 8, 8, 4096), PACKED(1, 4096) },
	{ SHAPE(1, 8192, 8, 1), PACKED(1, 1) },
	{ SHAPE(1, 8, 8192, 1), PACKED(1, 1) },
	{ SHAPE(2, 8192, 8192, 1), PACKED(2, 2) },
	{ SHAPE(15872, 8, 8, 31), PACKED(512, 15872) },

	/* Banks that just fit, with weights streaming through. */
	{ SHAPE(64, 64, 256, 1), PACKED(64, 64), .data_banks = 4, .weight_banks = 1 },
	{ SHAPE(1, 64, 8192, 1), PACKED(1, 1), .data_banks = 2, .weight_banks = 16 },
	{ SHAPE(512, 24, 8, 2), PACKED(256, 512), .data_banks = 1, .weight_banks = 31 },

	/* Lines with gaps, lines on top of each other, planes further apart than memory is large.
	 */
	{ SHAPE(16, 16, 16, 4), TENSORS(0, 64, 320, 48, 256) },
	{ SHAPE(16, 16, 16, 4), TENSORS(8, 0, 0, 0, 8) },
	{ SHAPE(16, 16, 16, 4), TENSORS(0, 32, 128, 48, 0xfffffff8) },

	/* The last byte that can be named. */
	{ SHAPE(1, 8, 8, 1), TENSORS(~15ull, 0, 0, 0, 0) },

	/* Operands of each kind. */
	{ SHAPE(6, 20, 9, 2), PACKED(3, 6), .x1 = STAGE(ADD, 4, CHANNEL, PRELU, 2, 0) },
	{ SHAPE(6, 20, 9, 2), PACKED(3, 6), .x1 = STAGE(MAX, 4, ELEMENT, RELU, 1, 96) },
	{ SHAPE(1, 20, 9, 1), PACKED(1, 1), .x2 = STAGE(MIN, 63, ELEMENT, NONE, 2, 32) },

	/* Took longer than the driver waits while the budget was by extents. */
	{ SHAPE(28, 8192, 2, 1), TENSORS(0, 224, 224, 224, 0) },
};

const size_t job_seed_count = sizeof(job_seeds) / sizeof(job_seeds[0]);
