// SPDX-License-Identifier: MIT
/*
 * The layout of the kernel interface is frozen: a change here breaks programs that exist. New
 * fields go to the end of a structure, and then this test gets a line more.
 */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <drm/npu_accel.h>

#define SIZE(type, bytes) assert_int_equal(sizeof(struct type), bytes)
#define FIELD(type, field, at) assert_int_equal(offsetof(struct type, field), at)

static void queries(void **state)
{
	(void)state;
	SIZE(drm_npu_array, 16);
	FIELD(drm_npu_array, stride, 0);
	FIELD(drm_npu_array, count, 4);
	FIELD(drm_npu_array, pointer, 8);

	SIZE(drm_npu_dev_query, 16);
	FIELD(drm_npu_dev_query, type, 0);
	FIELD(drm_npu_dev_query, size, 4);
	FIELD(drm_npu_dev_query, pointer, 8);

	SIZE(drm_npu_device_info, 96);
	FIELD(drm_npu_device_info, name, 0);
	FIELD(drm_npu_device_info, family, 32);
	FIELD(drm_npu_device_info, cores, 36);
	FIELD(drm_npu_device_info, clock_hz, 40);
	FIELD(drm_npu_device_info, caps, 48);
	FIELD(drm_npu_device_info, max_bo_bytes, 56);
	FIELD(drm_npu_device_info, max_jobs, 64);
	FIELD(drm_npu_device_info, max_syncs, 68);
	FIELD(drm_npu_device_info, max_pending, 72);
	FIELD(drm_npu_device_info, max_contexts, 76);
	FIELD(drm_npu_device_info, max_file_bytes, 80);
	FIELD(drm_npu_device_info, max_user_bytes, 88);

	SIZE(drm_npu_matmul_limits, 64);
	FIELD(drm_npu_matmul_limits, atom_bytes, 0);
	FIELD(drm_npu_matmul_limits, mac_channels, 4);
	FIELD(drm_npu_matmul_limits, mac_kernels, 8);
	FIELD(drm_npu_matmul_limits, cbuf_banks, 12);
	FIELD(drm_npu_matmul_limits, cbuf_bank_entries, 16);
	FIELD(drm_npu_matmul_limits, cbuf_entry_bytes, 20);
	FIELD(drm_npu_matmul_limits, bus_bytes, 24);
	FIELD(drm_npu_matmul_limits, max_width, 28);
	FIELD(drm_npu_matmul_limits, max_height, 32);
	FIELD(drm_npu_matmul_limits, max_k, 36);
	FIELD(drm_npu_matmul_limits, max_n, 40);
	FIELD(drm_npu_matmul_limits, epilogue_cycles, 44);
	FIELD(drm_npu_matmul_limits, max_job_macs, 48);
	FIELD(drm_npu_matmul_limits, narrows, 56);

	SIZE(drm_npu_counter, 48);
	FIELD(drm_npu_counter, name, 0);
	FIELD(drm_npu_counter, unit, 32);
}

static void buffers(void **state)
{
	(void)state;
	SIZE(drm_npu_bo_create, 24);
	FIELD(drm_npu_bo_create, size, 0);
	FIELD(drm_npu_bo_create, flags, 8);
	FIELD(drm_npu_bo_create, handle, 12);
	FIELD(drm_npu_bo_create, mmap_offset, 16);

	SIZE(drm_npu_bo_info, 24);
	FIELD(drm_npu_bo_info, handle, 0);
	FIELD(drm_npu_bo_info, flags, 4);
	FIELD(drm_npu_bo_info, size, 8);
	FIELD(drm_npu_bo_info, mmap_offset, 16);

	SIZE(drm_npu_bo_prep, 32);
	FIELD(drm_npu_bo_prep, handle, 0);
	FIELD(drm_npu_bo_prep, flags, 4);
	FIELD(drm_npu_bo_prep, offset, 8);
	FIELD(drm_npu_bo_prep, size, 16);
	FIELD(drm_npu_bo_prep, deadline_ns, 24);

	SIZE(drm_npu_bo_fini, 24);
	FIELD(drm_npu_bo_fini, handle, 0);
	FIELD(drm_npu_bo_fini, flags, 4);
	FIELD(drm_npu_bo_fini, offset, 8);
	FIELD(drm_npu_bo_fini, size, 16);
}

static void contexts(void **state)
{
	(void)state;
	SIZE(drm_npu_ctx_create, 16);
	FIELD(drm_npu_ctx_create, flags, 0);
	FIELD(drm_npu_ctx_create, priority, 4);
	FIELD(drm_npu_ctx_create, id, 8);
	SIZE(drm_npu_ctx_destroy, 8);
	FIELD(drm_npu_ctx_destroy, id, 0);
	SIZE(drm_npu_ctx_state, 40);
	FIELD(drm_npu_ctx_state, id, 0);
	FIELD(drm_npu_ctx_state, last_error, 4);
	FIELD(drm_npu_ctx_state, submits_done, 8);
	FIELD(drm_npu_ctx_state, submits_failed, 16);
	FIELD(drm_npu_ctx_state, jobs_done, 24);
	FIELD(drm_npu_ctx_state, engine_ns, 32);
}

static void jobs(void **state)
{
	(void)state;
	SIZE(drm_npu_tensor, 24);
	FIELD(drm_npu_tensor, handle, 0);
	FIELD(drm_npu_tensor, offset, 8);
	FIELD(drm_npu_tensor, row_stride, 16);
	FIELD(drm_npu_tensor, plane_stride, 20);

	SIZE(drm_npu_stage, 40);
	FIELD(drm_npu_stage, alu_op, 0);
	FIELD(drm_npu_stage, alu_src, 1);
	FIELD(drm_npu_stage, alu_shift, 2);
	FIELD(drm_npu_stage, mul_src, 3);
	FIELD(drm_npu_stage, mul_shift, 4);
	FIELD(drm_npu_stage, act, 5);
	FIELD(drm_npu_stage, operand_bytes, 6);
	FIELD(drm_npu_stage, alu_imm, 8);
	FIELD(drm_npu_stage, mul_imm, 10);
	FIELD(drm_npu_stage, operand, 16);

	SIZE(drm_npu_job_matmul, 192);
	FIELD(drm_npu_job_matmul, op, 0);
	FIELD(drm_npu_job_matmul, flags, 4);
	FIELD(drm_npu_job_matmul, m, 8);
	FIELD(drm_npu_job_matmul, n, 12);
	FIELD(drm_npu_job_matmul, k, 16);
	FIELD(drm_npu_job_matmul, height, 20);
	FIELD(drm_npu_job_matmul, data_banks, 24);
	FIELD(drm_npu_job_matmul, weight_banks, 25);
	FIELD(drm_npu_job_matmul, acc_shift, 26);
	FIELD(drm_npu_job_matmul, narrow, 27);
	FIELD(drm_npu_job_matmul, a, 32);
	FIELD(drm_npu_job_matmul, w, 56);
	FIELD(drm_npu_job_matmul, c, 80);
	FIELD(drm_npu_job_matmul, x1, 104);
	FIELD(drm_npu_job_matmul, x2, 144);
	FIELD(drm_npu_job_matmul, cvt_offset, 184);
	FIELD(drm_npu_job_matmul, cvt_scale, 188);
	FIELD(drm_npu_job_matmul, cvt_shift, 190);
}

static void submission(void **state)
{
	(void)state;
	SIZE(drm_npu_sync, 16);
	FIELD(drm_npu_sync, handle, 0);
	FIELD(drm_npu_sync, flags, 4);
	FIELD(drm_npu_sync, point, 8);

	SIZE(drm_npu_submit, 48);
	FIELD(drm_npu_submit, ctx, 0);
	FIELD(drm_npu_submit, flags, 4);
	FIELD(drm_npu_submit, jobs, 8);
	FIELD(drm_npu_submit, syncs, 24);
	FIELD(drm_npu_submit, fail_index, 40);
	FIELD(drm_npu_submit, perfmon, 44);
}

static void perfmons(void **state)
{
	(void)state;
	SIZE(drm_npu_perfmon_create, 16);
	FIELD(drm_npu_perfmon_create, flags, 0);
	FIELD(drm_npu_perfmon_create, id, 4);
	FIELD(drm_npu_perfmon_create, counters, 8);
	SIZE(drm_npu_perfmon_destroy, 8);
	FIELD(drm_npu_perfmon_destroy, id, 0);
	SIZE(drm_npu_perfmon_values, 32);
	FIELD(drm_npu_perfmon_values, id, 0);
	FIELD(drm_npu_perfmon_values, flags, 4);
	FIELD(drm_npu_perfmon_values, count, 8);
	FIELD(drm_npu_perfmon_values, pointer, 16);
	FIELD(drm_npu_perfmon_values, jobs, 24);
}

static void ioctl_numbers(void **state)
{
	(void)state;
	assert_int_equal(DRM_IOCTL_NPU_DEV_QUERY, 0xc0106440);
	assert_int_equal(DRM_IOCTL_NPU_BO_CREATE, 0xc0186441);
	assert_int_equal(DRM_IOCTL_NPU_BO_INFO, 0xc0186442);
	assert_int_equal(DRM_IOCTL_NPU_BO_PREP, 0x40206443);
	assert_int_equal(DRM_IOCTL_NPU_BO_FINI, 0x40186444);
	assert_int_equal(DRM_IOCTL_NPU_CTX_CREATE, 0xc0106445);
	assert_int_equal(DRM_IOCTL_NPU_CTX_DESTROY, 0x40086446);
	assert_int_equal(DRM_IOCTL_NPU_CTX_STATE, 0xc0286447);
	assert_int_equal(DRM_IOCTL_NPU_SUBMIT, 0xc0306448);
	assert_int_equal(DRM_IOCTL_NPU_PERFMON_CREATE, 0xc0106449);
	assert_int_equal(DRM_IOCTL_NPU_PERFMON_DESTROY, 0x4008644a);
	assert_int_equal(DRM_IOCTL_NPU_PERFMON_VALUES, 0xc020644b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries),	 cmocka_unit_test(buffers),
		cmocka_unit_test(contexts),	 cmocka_unit_test(jobs),
		cmocka_unit_test(submission),	 cmocka_unit_test(perfmons),
		cmocka_unit_test(ioctl_numbers),
	};

	return cmocka_run_group_tests_name("uapi", tests, NULL, NULL);
}
