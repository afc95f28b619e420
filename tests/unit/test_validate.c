// SPDX-License-Identifier: MIT
/*
 * The validator alone, built from the driver's own source: what it must refuse, and an oracle that
 * walks every atom the engine touches and holds it against the extents.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../kmod/npu_validate.h"
#include "../../kmod/nvdla/nvdla_limits.h"

static const struct drm_npu_matmul_limits *const limits = &nvdla_small_limits;

static struct drm_npu_job_matmul job_of(uint32_t m, uint32_t n, uint32_t k, uint32_t height)
{
	return (struct drm_npu_job_matmul){
		.op = DRM_NPU_OP_MATMUL,
		.m = m,
		.n = n,
		.k = k,
		.height = height,
		.a = { .handle = 1, .row_stride = m / height * 8, .plane_stride = m * 8 },
		.w = { .handle = 2 },
		.c = { .handle = 3, .row_stride = m / height * 8, .plane_stride = m * 8 },
		.cvt_scale = 1,
	};
}

static int check(const struct drm_npu_job_matmul *job)
{
	struct npu_matmul_plan plan;

	return npu_validate_matmul(limits, job, &plan);
}

static void plain_job(void **state)
{
	struct drm_npu_job_matmul job = job_of(33, 27, 100, 3);
	struct npu_matmul_plan plan;

	(void)state;
	job.a.offset = 64;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.width, 11);
	assert_int_equal(plan.slice_entries, 143);
	assert_int_equal(plan.weight_bytes, 2704);
	assert_int_equal(plan.macs, 33 * 27 * 100);
	assert_int_equal(plan.extent[NPU_OPERAND_A].offset, 64);
	assert_int_equal(plan.extent[NPU_OPERAND_A].bytes, 13 * 33 * 8);
	assert_int_equal(plan.extent[NPU_OPERAND_W].bytes, 2704);
	assert_int_equal(plan.extent[NPU_OPERAND_C].bytes, 4 * 33 * 8);
	assert_int_equal(plan.extent[NPU_OPERAND_X1].bytes, 0);
	assert_int_equal(plan.extent[NPU_OPERAND_X2].bytes, 0);
}

/* A field of a valid job, set to what makes it invalid. */
#define REFUSES(job, field, value)                         \
	do {                                               \
		struct drm_npu_job_matmul broken = job;    \
		assert_int_equal(check(&broken), 0);       \
		broken.field = value;                      \
		assert_int_equal(check(&broken), -EINVAL); \
	} while (0)

static void shapes(void **state)
{
	const struct drm_npu_job_matmul job = job_of(16, 16, 16, 2);
	struct drm_npu_job_matmul edge;

	(void)state;
	REFUSES(job, op, 0);
	REFUSES(job, op, 2);
	REFUSES(job, flags, 1);
	REFUSES(job, pad, 1);
	REFUSES(job, pad2, 1);
	REFUSES(job, m, 0);
	REFUSES(job, n, 0);
	REFUSES(job, k, 0);
	REFUSES(job, height, 0);
	REFUSES(job, height, 3);
	REFUSES(job, height, 32);
	REFUSES(job, m, UINT32_MAX);
	REFUSES(job, n, UINT32_MAX);
	REFUSES(job, k, UINT32_MAX);
	REFUSES(job, n, 8193);
	REFUSES(job, k, 8193);
	REFUSES(job, acc_shift, 32);
	REFUSES(job, narrow, 2);
	REFUSES(job, cvt_shift, 64);

	edge = job_of(4096, 8, 8, 4096);
	assert_int_equal(check(&edge), 0);
	edge = job_of(4097, 8, 8, 4097);
	assert_int_equal(check(&edge), -EINVAL);
	edge = job_of(8192, 8, 8, 1);
	assert_int_equal(check(&edge), 0);
	edge = job_of(8193, 8, 8, 1);
	assert_int_equal(check(&edge), -EINVAL);
	edge = job_of(8192, 8192, 8, 1);
	assert_int_equal(check(&edge), 0);
	edge = job_of(15000, 8192, 9, 2);
	assert_int_equal(check(&edge), -EINVAL); /* macs */
}

static void tensors(void **state)
{
	struct drm_npu_job_matmul job = job_of(16, 16, 16, 2);
	const struct drm_npu_job_matmul row = job_of(1, 16, 16, 1);

	(void)state;
	REFUSES(job, a.pad, 1);
	REFUSES(job, a.offset, 4);
	REFUSES(job, a.row_stride, 68);
	REFUSES(job, a.plane_stride, 1);
	REFUSES(job, w.pad, 1);
	REFUSES(job, w.offset, 1);
	REFUSES(job, w.row_stride, 8);
	REFUSES(job, w.plane_stride, 8);
	REFUSES(job, c.pad, 1);
	REFUSES(job, c.offset, 2);
	REFUSES(job, c.row_stride, 1);
	REFUSES(job, c.plane_stride, 4);
	REFUSES(job, a.offset, UINT64_MAX - 7);
	REFUSES(job, w.offset, UINT64_MAX - 7);
	REFUSES(job, c.offset, UINT64_MAX - 7);
	REFUSES(row, a.plane_stride, 16);
	REFUSES(row, c.plane_stride, 0);

	job.a.plane_stride = UINT32_MAX - 7;
	job.a.row_stride = UINT32_MAX - 7;
	assert_int_equal(check(&job), 0); /* that the BO is too small is for the caller to see */
}

static void banks(void **state)
{
	struct drm_npu_job_matmul job = job_of(64, 64, 256, 1); /* 2048 + 2048 / 8 entries */
	struct npu_matmul_plan plan;

	(void)state;
	job.data_banks = 4;
	job.weight_banks = 1;
	REFUSES(job, data_banks, 3);
	REFUSES(job, data_banks, 32);
	REFUSES(job, weight_banks, 0);
	REFUSES(job, weight_banks, 29);
	REFUSES(job, data_banks, 0);

	job = job_of(1, 8, 8192, 1); /* one group of kernels fills 16 banks */
	job.data_banks = 2;
	job.weight_banks = 16;
	REFUSES(job, weight_banks, 15);
	REFUSES(job, data_banks, 1);

	/* Nothing fits: A alone takes all there is. */
	job = job_of(2048, 8, 64, 1);
	assert_int_equal(check(&job), -EINVAL);
	job = job_of(1984, 8, 64, 1);
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.data_banks, 31);
	assert_int_equal(plan.weight_banks, 1);

	/* Room for the next A where there is some. */
	job = job_of(64, 64, 256, 1);
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.data_banks, 16);
	job = job_of(160, 64, 256, 1);
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.data_banks, 20);
}

static struct drm_npu_job_matmul job_with_stage(void)
{
	struct drm_npu_job_matmul job = job_of(16, 20, 16, 2);

	job.x1 = (struct drm_npu_stage){
		.alu_op = DRM_NPU_ALU_ADD,
		.alu_src = DRM_NPU_OPERAND_CHANNEL,
		.mul_src = DRM_NPU_OPERAND_IMM,
		.mul_imm = 3,
		.act = DRM_NPU_ACT_PRELU,
		.operand_bytes = 2,
		.operand = { .handle = 4 },
	};
	return job;
}

static void stages(void **state)
{
	struct drm_npu_job_matmul job = job_with_stage();

	(void)state;
	REFUSES(job, x1.pad, 1);
	REFUSES(job, x1.pad2, 1);
	REFUSES(job, x1.alu_op, 4);
	REFUSES(job, x1.alu_op, DRM_NPU_ALU_NONE);
	REFUSES(job, x1.alu_src, DRM_NPU_OPERAND_NONE);
	REFUSES(job, x1.alu_src, 4);
	REFUSES(job, x1.mul_src, 4);
	REFUSES(job, x1.mul_src, DRM_NPU_OPERAND_NONE); /* PRELU without, and an immediate unused */
	REFUSES(job, x1.mul_src, DRM_NPU_OPERAND_ELEMENT); /* kinds mixed */
	REFUSES(job, x1.alu_shift, 64);
	REFUSES(job, x1.mul_shift, 64);
	REFUSES(job, x1.act, 3);
	REFUSES(job, x1.operand_bytes, 0);
	REFUSES(job, x1.operand_bytes, 3);
	REFUSES(job, x1.alu_imm, 1);
	REFUSES(job, x1.operand.row_stride, 8);
	REFUSES(job, x1.operand.plane_stride, 8);
	REFUSES(job, x1.operand.offset, 4);
	REFUSES(job, x2.alu_shift, 1);
	REFUSES(job, x2.operand_bytes, 1);
	REFUSES(job, x2.operand.handle, 1);
	REFUSES(job, x2.operand.offset, 8);
}

static void operand_extents(void **state)
{
	struct drm_npu_job_matmul job = job_with_stage();
	struct npu_matmul_plan plan;

	(void)state;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.extent[NPU_OPERAND_X1].bytes, 24 * 2);

	job.x1.mul_src = DRM_NPU_OPERAND_CHANNEL;
	job.x1.mul_imm = 0;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.extent[NPU_OPERAND_X1].bytes, 24 * 4);

	job.x1.alu_src = DRM_NPU_OPERAND_ELEMENT;
	job.x1.mul_src = DRM_NPU_OPERAND_ELEMENT;
	job.x1.operand.row_stride = 8 * 32;
	job.x1.operand.plane_stride = 16 * 32;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.extent[NPU_OPERAND_X1].bytes, 3 * 16 * 32);
}

/* The time a job may take follows from what it moves, wherever its strides put that. */
static void bytes_on_the_bus(void **state)
{
	struct drm_npu_job_matmul job = job_with_stage();
	const uint64_t bytes = 2 * 16 * 8 + 20 * 16 + 3 * 16 * 8 + 24 * 2;
	struct npu_matmul_plan plan;

	(void)state;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.bytes, bytes);
	job.a.plane_stride = 1 << 20;
	job.c.row_stride = 0;
	job.c.plane_stride = 0;
	assert_int_equal(npu_validate_matmul(limits, &job, &plan), 0);
	assert_int_equal(plan.extent[NPU_OPERAND_C].bytes, 8 * 8);
	assert_int_equal(plan.bytes, bytes);
}

static uint32_t up_to(uint32_t max)
{
	return 1 + (uint32_t)random() % max;
}

/* The last byte of a cube, found by visiting every atom. */
static uint64_t walk_cube(const struct drm_npu_job_matmul *job, const struct drm_npu_tensor *t,
			  uint32_t channels, uint32_t size)
{
	uint64_t end = 0, at;
	uint32_t p, h, w;

	for (p = 0; p < (channels + 7) / 8; p++)
		for (h = 0; h < job->height; h++)
			for (w = 0; w < job->m / job->height; w++) {
				at = t->offset + (uint64_t)p * t->plane_stride +
				     (uint64_t)h * t->row_stride + w * 8 * size + 8 * size;
				end = at > end ? at : end;
			}
	return end;
}

static void extents_against_walk(void **state)
{
	unsigned int i, accepted = 0;

	(void)state;
	srandom(1);
	for (i = 0; i < 20000; i++) {
		uint32_t height = up_to(8);
		struct drm_npu_job_matmul job =
			job_of(height * up_to(16), up_to(70), up_to(70), height);
		struct npu_matmul_plan plan;

		job.a.offset = random() % 64 * 8;
		job.c.offset = random() % 64 * 8;
		if (random() % 2 && job.m > 1) {
			job.a.row_stride = random() % 64 * 8;
			job.a.plane_stride = random() % 256 * 8;
			job.c.row_stride = random() % 64 * 8;
			job.c.plane_stride = random() % 256 * 8;
		}
		job.x2 = (struct drm_npu_stage){
			.alu_op = DRM_NPU_ALU_MIN,
			.alu_src = DRM_NPU_OPERAND_ELEMENT,
			.operand_bytes = up_to(2),
			.operand = { .handle = 5, .offset = 8, .row_stride = 256 },
		};
		job.x2.operand.plane_stride =
			job.m == 1 ? 8 * job.x2.operand_bytes : random() % 256 * 8;
		if (npu_validate_matmul(limits, &job, &plan))
			continue;
		accepted++;
		assert_int_equal(plan.extent[NPU_OPERAND_A].offset +
					 plan.extent[NPU_OPERAND_A].bytes,
				 walk_cube(&job, &job.a, job.k, 1));
		assert_int_equal(plan.extent[NPU_OPERAND_C].offset +
					 plan.extent[NPU_OPERAND_C].bytes,
				 walk_cube(&job, &job.c, job.n, 1));
		assert_int_equal(plan.extent[NPU_OPERAND_X2].offset +
					 plan.extent[NPU_OPERAND_X2].bytes,
				 walk_cube(&job, &job.x2.operand, job.n, job.x2.operand_bytes));
	}
	assert_int_equal(accepted, 20000);
}

/* Whatever is accepted fits the CBUF, by the kernel's choice or by the caller's. */
static void accepted_jobs_do_not_hang(void **state)
{
	unsigned int i, accepted = 0;

	(void)state;
	srandom(2);
	for (i = 0; i < 100000; i++) {
		struct drm_npu_job_matmul job =
			job_of(up_to(2000), up_to(200), up_to(8192) >> random() % 12, 1);
		struct npu_matmul_plan plan;
		uint64_t group, entries;

		if (!job.k)
			job.k = 1;
		if (random() % 2) {
			job.data_banks = (uint8_t)up_to(32);
			job.weight_banks = (uint8_t)up_to(32);
		}
		if (npu_validate_matmul(limits, &job, &plan))
			continue;
		accepted++;
		entries = (uint64_t)job.m * ((job.k + 7) / 8);
		group = job.n < 8 ? job.n : 8;
		assert_true(entries <= plan.data_banks * 512u);
		assert_true((group * job.k + 7) / 8 <= plan.weight_banks * 512u);
		assert_true(plan.data_banks + plan.weight_banks <= 32);
		assert_true(plan.data_banks && plan.weight_banks);
	}
	assert_true(accepted > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_job),
		cmocka_unit_test(shapes),
		cmocka_unit_test(tensors),
		cmocka_unit_test(banks),
		cmocka_unit_test(stages),
		cmocka_unit_test(operand_extents),
		cmocka_unit_test(bytes_on_the_bus),
		cmocka_unit_test(extents_against_walk),
		cmocka_unit_test(accepted_jobs_do_not_hang),
	};

	return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
