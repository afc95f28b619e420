// SPDX-License-Identifier: MIT
/*
 * What a program compiled against the header relies on: sizes and places in the structures it
 * shares with the library, on machines of 64 bits. A released line of this table never changes;
 * fields that are added at the end of a structure add lines, and change its size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <npu.h>
#include <npu_file.h>

struct place {
	const char *name;
	size_t is;
	size_t must_be;
};

#define PLACE(...)          \
	{                   \
		__VA_ARGS__ \
	}
#define SIZE(type, bytes) PLACE("sizeof(struct " #type ")", sizeof(struct type), bytes)
#define FIELD(type, field, offset) PLACE(#type "." #field, offsetof(struct type, field), offset)

static const struct place places[] = {
	SIZE(npu_error, 260),
	FIELD(npu_error, code, 0),
	FIELD(npu_error, text, 4),

	SIZE(npu_device_info, 168),
	FIELD(npu_device_info, size, 0),
	FIELD(npu_device_info, backend, 8),
	FIELD(npu_device_info, name, 24),
	FIELD(npu_device_info, node, 56),
	FIELD(npu_device_info, driver, 120),
	FIELD(npu_device_info, clock_hz, 136),
	FIELD(npu_device_info, macs_per_cycle, 144),
	FIELD(npu_device_info, bus_bytes_per_cycle, 148),
	FIELD(npu_device_info, cbuf_bytes, 152),
	FIELD(npu_device_info, can_reset, 156),
	FIELD(npu_device_info, has_iommu, 160),
	FIELD(npu_device_info, column_align, 164),

	SIZE(npu_weights_desc, 96),
	FIELD(npu_weights_desc, size, 0),
	FIELD(npu_weights_desc, type, 8),
	FIELD(npu_weights_desc, n, 12),
	FIELD(npu_weights_desc, k, 16),
	FIELD(npu_weights_desc, batch, 20),
	FIELD(npu_weights_desc, group_size, 24),
	FIELD(npu_weights_desc, data, 32),
	FIELD(npu_weights_desc, row_stride, 40),
	FIELD(npu_weights_desc, matrix_stride, 48),
	FIELD(npu_weights_desc, index_bits, 56),
	FIELD(npu_weights_desc, codebook, 64),
	FIELD(npu_weights_desc, codebook_entries, 72),
	FIELD(npu_weights_desc, codebook_per_channel, 76),
	FIELD(npu_weights_desc, zero_point, 80),
	FIELD(npu_weights_desc, zero_point_count, 88),

	SIZE(npu_epilogue_desc, 136),
	FIELD(npu_epilogue_desc, size, 0),
	FIELD(npu_epilogue_desc, n, 8),
	FIELD(npu_epilogue_desc, groups, 12),
	FIELD(npu_epilogue_desc, bias, 16),
	FIELD(npu_epilogue_desc, float_bias, 24),
	FIELD(npu_epilogue_desc, scaling, 32),
	FIELD(npu_epilogue_desc, scale_count, 36),
	FIELD(npu_epilogue_desc, multiplier, 40),
	FIELD(npu_epilogue_desc, shift, 48),
	FIELD(npu_epilogue_desc, multiplier_q31, 56),
	FIELD(npu_epilogue_desc, exponent, 64),
	FIELD(npu_epilogue_desc, scale, 72),
	FIELD(npu_epilogue_desc, zero_point, 80),
	FIELD(npu_epilogue_desc, activation, 84),
	FIELD(npu_epilogue_desc, output_scale, 88),
	FIELD(npu_epilogue_desc, clamp, 92),
	FIELD(npu_epilogue_desc, clamp_min, 96),
	FIELD(npu_epilogue_desc, clamp_max, 104),
	FIELD(npu_epilogue_desc, residual_zero_point, 112),
	FIELD(npu_epilogue_desc, residual_multiplier, 116),
	FIELD(npu_epilogue_desc, residual_shift, 120),
	FIELD(npu_epilogue_desc, residual_multiplier_q31, 124),
	FIELD(npu_epilogue_desc, residual_exponent, 128),
	FIELD(npu_epilogue_desc, residual_scale, 132),

	SIZE(npu_matmul_desc, 56),
	FIELD(npu_matmul_desc, size, 0),
	FIELD(npu_matmul_desc, a, 8),
	FIELD(npu_matmul_desc, weights, 16),
	FIELD(npu_matmul_desc, epilogue, 24),
	FIELD(npu_matmul_desc, c, 32),
	FIELD(npu_matmul_desc, residual, 40),
	FIELD(npu_matmul_desc, a_zero_point, 48),

	SIZE(npu_plan, 136),
	FIELD(npu_plan, size, 0),
	FIELD(npu_plan, m, 8),
	FIELD(npu_plan, k, 12),
	FIELD(npu_plan, n, 16),
	FIELD(npu_plan, jobs, 20),
	FIELD(npu_plan, m_tiles, 24),
	FIELD(npu_plan, n_tiles, 28),
	FIELD(npu_plan, lead_rows, 32),
	FIELD(npu_plan, k_parts, 36),
	FIELD(npu_plan, passes, 40),
	FIELD(npu_plan, data_banks, 44),
	FIELD(npu_plan, weight_banks, 48),
	FIELD(npu_plan, a_fetches, 52),
	FIELD(npu_plan, weight_fetches, 56),
	FIELD(npu_plan, macs, 64),
	FIELD(npu_plan, bytes, 72),
	FIELD(npu_plan, cycles, 80),
	FIELD(npu_plan, stream_cycles, 88),
	FIELD(npu_plan, mac_cycles, 96),
	FIELD(npu_plan, bus_cycles, 104),
	FIELD(npu_plan, limit_cycles, 112),
	FIELD(npu_plan, host_steps, 120),
	FIELD(npu_plan, engine_stages, 124),
	FIELD(npu_plan, host_stages, 128),

	SIZE(npu_plan_desc, 40),
	FIELD(npu_plan_desc, size, 0),
	FIELD(npu_plan_desc, m, 8),
	FIELD(npu_plan_desc, k, 12),
	FIELD(npu_plan_desc, n, 16),
	FIELD(npu_plan_desc, batch, 20),
	FIELD(npu_plan_desc, group_size, 24),
	FIELD(npu_plan_desc, a_type, 28),
	FIELD(npu_plan_desc, c_type, 32),
	FIELD(npu_plan_desc, exact, 36),

	SIZE(npu_queue_desc, 16),
	FIELD(npu_queue_desc, size, 0),
	FIELD(npu_queue_desc, priority, 8),

	SIZE(npu_dependency, 16),
	FIELD(npu_dependency, queue, 0),
	FIELD(npu_dependency, ticket, 8),

	SIZE(npu_submit_desc, 64),
	FIELD(npu_submit_desc, size, 0),
	FIELD(npu_submit_desc, matmuls, 8),
	FIELD(npu_submit_desc, count, 16),
	FIELD(npu_submit_desc, wait_fds, 24),
	FIELD(npu_submit_desc, wait_fd_count, 32),
	FIELD(npu_submit_desc, after, 40),
	FIELD(npu_submit_desc, after_count, 48),
	FIELD(npu_submit_desc, fence_fd, 56),

	SIZE(npu_queue_stats, 40),
	FIELD(npu_queue_stats, size, 0),
	FIELD(npu_queue_stats, matmuls, 8),
	FIELD(npu_queue_stats, jobs, 16),
	FIELD(npu_queue_stats, engine_ns, 24),
	FIELD(npu_queue_stats, host_steps, 32),

	SIZE(npu_file_tensor, 112),
	FIELD(npu_file_tensor, name, 0),
	FIELD(npu_file_tensor, type, 8),
	FIELD(npu_file_tensor, rank, 16),
	FIELD(npu_file_tensor, shape, 24),
	FIELD(npu_file_tensor, elements, 88),
	FIELD(npu_file_tensor, bytes, 96),
	FIELD(npu_file_tensor, readable, 104),
};

static void structures_are_what_programs_know(void **state)
{
	(void)state;
	if (sizeof(void *) != 8)
		skip();
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (places[i].is != places[i].must_be)
			fail_msg("%s is %zu, programs know it as %zu", places[i].name, places[i].is,
				 places[i].must_be);
}

static void values_are_what_programs_know(void **state)
{
	(void)state;
	assert_int_equal(NPU_ACCESS_READ, 1);
	assert_int_equal(NPU_ACCESS_WRITE, 2);
	assert_int_equal(NPU_TYPE_INT8, 1);
	assert_int_equal(NPU_TYPE_UINT8, 2);
	assert_int_equal(NPU_TYPE_INT16, 3);
	assert_int_equal(NPU_TYPE_INT32, 4);
	assert_int_equal(NPU_TYPE_FLOAT16, 5);
	assert_int_equal(NPU_TYPE_FLOAT32, 6);
	assert_int_equal(NPU_WEIGHTS_INT8, 0);
	assert_int_equal(NPU_WEIGHTS_INT4, 1);
	assert_int_equal(NPU_WEIGHTS_CODEBOOK, 2);
	assert_int_equal(NPU_SCALING_FIXED16, 0);
	assert_int_equal(NPU_SCALING_TFLITE, 1);
	assert_int_equal(NPU_SCALING_TFLITE_DOUBLE, 2);
	assert_int_equal(NPU_SCALING_FLOAT, 3);
	assert_int_equal(NPU_SCALING_NONE, 4);
	assert_int_equal(NPU_ACTIVATION_NONE, 0);
	assert_int_equal(NPU_ACTIVATION_RELU, 1);
	assert_int_equal(NPU_ACTIVATION_RELU6, 2);
	assert_int_equal(NPU_PRIORITY_LOW, -1);
	assert_int_equal(NPU_PRIORITY_NORMAL, 0);
	assert_int_equal(NPU_PRIORITY_HIGH, 1);
	assert_int_equal(NPU_STAGE_SUMS, 1);
	assert_int_equal(NPU_STAGE_ZERO_POINTS, 2);
	assert_int_equal(NPU_STAGE_BIAS, 4);
	assert_int_equal(NPU_STAGE_SCALING, 8);
	assert_int_equal(NPU_STAGE_RESIDUAL, 16);
	assert_int_equal(NPU_STAGE_ACTIVATION, 32);
	assert_int_equal(NPU_STAGE_CLAMP, 64);
	assert_int_equal(NPU_STAGE_OUTPUT, 128);
	assert_int_equal(NPU_BIAS_MAX, 1 << 30);
	assert_int_equal(NPU_SHIFT_MAX, 62);
	assert_int_equal(NPU_EXPONENT_MIN, -31);
	assert_int_equal(NPU_EXPONENT_MAX, 30);
	assert_int_equal(NPU_GROUP_UNIT, 32);
	assert_int_equal(NPU_MAX_WAITS, 16);
	assert_int_equal(NPU_ERROR_TEXT, 256);
	assert_int_equal(NPU_FILE_MAX_RANK, 8);
	assert_int_equal(NPU_FILE_MAX_NAME, 511);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_what_programs_know),
		cmocka_unit_test(values_are_what_programs_know),
	};

	return cmocka_run_group_tests_name("ABI", tests, NULL, NULL);
}
