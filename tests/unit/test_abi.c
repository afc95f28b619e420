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
#include <npu_eval.h>
#include <npu_file.h>
#include <npu_quant.h>
#include <npu_tune.h>

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

	SIZE(npu_device_info, 200),
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
	FIELD(npu_device_info, max_pending, 168),
	FIELD(npu_device_info, max_buffer_bytes, 176),
	FIELD(npu_device_info, max_total_bytes, 184),
	FIELD(npu_device_info, max_queues, 192),
	FIELD(npu_device_info, threads, 196),

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

	SIZE(npu_plan_desc, 64),
	FIELD(npu_plan_desc, size, 0),
	FIELD(npu_plan_desc, m, 8),
	FIELD(npu_plan_desc, k, 12),
	FIELD(npu_plan_desc, n, 16),
	FIELD(npu_plan_desc, batch, 20),
	FIELD(npu_plan_desc, group_size, 24),
	FIELD(npu_plan_desc, a_type, 28),
	FIELD(npu_plan_desc, c_type, 32),
	FIELD(npu_plan_desc, exact, 36),
	FIELD(npu_plan_desc, w_zero_points, 37),
	FIELD(npu_plan_desc, w_type, 40),
	FIELD(npu_plan_desc, residual_type, 44),
	FIELD(npu_plan_desc, a_zero_point, 48),
	FIELD(npu_plan_desc, epilogue, 56),

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

	SIZE(npu_round_desc, 80),
	FIELD(npu_round_desc, size, 0),
	FIELD(npu_round_desc, n, 8),
	FIELD(npu_round_desc, k, 12),
	FIELD(npu_round_desc, w, 16),
	FIELD(npu_round_desc, bits, 24),
	FIELD(npu_round_desc, symmetric, 28),
	FIELD(npu_round_desc, group_size, 32),
	FIELD(npu_round_desc, scale, 40),
	FIELD(npu_round_desc, zero_point, 48),
	FIELD(npu_round_desc, range, 56),
	FIELD(npu_round_desc, order, 60),
	FIELD(npu_round_desc, damping, 64),
	FIELD(npu_round_desc, sweeps, 72),

	SIZE(npu_follower_desc, 32),
	FIELD(npu_follower_desc, size, 0),
	FIELD(npu_follower_desc, momentum, 8),
	FIELD(npu_follower_desc, max_step, 12),
	FIELD(npu_follower_desc, low_limit, 16),
	FIELD(npu_follower_desc, high_limit, 20),
	FIELD(npu_follower_desc, min_width, 24),

	SIZE(npu_fake_quant, 48),
	FIELD(npu_fake_quant, size, 0),
	FIELD(npu_fake_quant, rows, 8),
	FIELD(npu_fake_quant, cols, 12),
	FIELD(npu_fake_quant, bits, 16),
	FIELD(npu_fake_quant, symmetric, 20),
	FIELD(npu_fake_quant, group_size, 24),
	FIELD(npu_fake_quant, scale, 32),
	FIELD(npu_fake_quant, scale_count, 40),
	FIELD(npu_fake_quant, zero_point, 44),

	SIZE(npu_qat_desc, 48),
	FIELD(npu_qat_desc, size, 0),
	FIELD(npu_qat_desc, m, 8),
	FIELD(npu_qat_desc, k, 12),
	FIELD(npu_qat_desc, n, 16),
	FIELD(npu_qat_desc, w_bits, 20),
	FIELD(npu_qat_desc, group_size, 24),
	FIELD(npu_qat_desc, scaling, 28),
	FIELD(npu_qat_desc, c_type, 32),
	FIELD(npu_qat_desc, a_zero_point, 36),
	FIELD(npu_qat_desc, c_zero_point, 40),
	FIELD(npu_qat_desc, activation, 44),

	SIZE(npu_qat_params, 48),
	FIELD(npu_qat_params, size, 0),
	FIELD(npu_qat_params, w, 8),
	FIELD(npu_qat_params, bias, 16),
	FIELD(npu_qat_params, w_scale, 24),
	FIELD(npu_qat_params, w_scale_count, 32),
	FIELD(npu_qat_params, a_scale, 36),
	FIELD(npu_qat_params, c_scale, 40),

	SIZE(npu_qat_gradients, 56),
	FIELD(npu_qat_gradients, size, 0),
	FIELD(npu_qat_gradients, x, 8),
	FIELD(npu_qat_gradients, w, 16),
	FIELD(npu_qat_gradients, bias, 24),
	FIELD(npu_qat_gradients, w_scale, 32),
	FIELD(npu_qat_gradients, a_scale, 40),
	FIELD(npu_qat_gradients, c_scale, 48),

	SIZE(npu_candidate, 16),
	FIELD(npu_candidate, error, 0),
	FIELD(npu_candidate, bytes, 8),
	SIZE(npu_quant_scheme, 24),
	FIELD(npu_quant_scheme, size, 0),
	FIELD(npu_quant_scheme, bits, 8),
	FIELD(npu_quant_scheme, is_unsigned, 12),
	FIELD(npu_quant_scheme, asymmetric, 13),
	FIELD(npu_quant_scheme, granularity, 16),
	FIELD(npu_quant_scheme, group_size, 20),

	SIZE(npu_observer_desc, 40),
	FIELD(npu_observer_desc, size, 0),
	FIELD(npu_observer_desc, method, 8),
	FIELD(npu_observer_desc, channels, 12),
	FIELD(npu_observer_desc, columns, 16),
	FIELD(npu_observer_desc, bins, 20),
	FIELD(npu_observer_desc, percentile, 24),
	FIELD(npu_observer_desc, momentum, 32),

	SIZE(npu_quant_layer, 64),
	FIELD(npu_quant_layer, size, 0),
	FIELD(npu_quant_layer, n, 8),
	FIELD(npu_quant_layer, groups, 12),
	FIELD(npu_quant_layer, scale_a, 16),
	FIELD(npu_quant_layer, scale_w, 24),
	FIELD(npu_quant_layer, scale_count, 32),
	FIELD(npu_quant_layer, scale_c, 36),
	FIELD(npu_quant_layer, zero_c, 40),
	FIELD(npu_quant_layer, bias, 48),
	FIELD(npu_quant_layer, scaling, 56),

	SIZE(npu_quant_finish_desc, 72),
	FIELD(npu_quant_finish_desc, size, 0),
	FIELD(npu_quant_finish_desc, m, 8),
	FIELD(npu_quant_finish_desc, n, 12),
	FIELD(npu_quant_finish_desc, scale_a, 16),
	FIELD(npu_quant_finish_desc, zero_a, 24),
	FIELD(npu_quant_finish_desc, scale_a_count, 32),
	FIELD(npu_quant_finish_desc, scale_w, 40),
	FIELD(npu_quant_finish_desc, scale_w_count, 48),
	FIELD(npu_quant_finish_desc, row_sum, 56),
	FIELD(npu_quant_finish_desc, bias, 64),

	SIZE(npu_codebook_desc, 32),
	FIELD(npu_codebook_desc, size, 0),
	FIELD(npu_codebook_desc, method, 8),
	FIELD(npu_codebook_desc, n, 12),
	FIELD(npu_codebook_desc, k, 16),
	FIELD(npu_codebook_desc, index_bits, 20),
	FIELD(npu_codebook_desc, per_channel, 24),

	SIZE(npu_codebook_sizes, 48),
	FIELD(npu_codebook_sizes, size, 0),
	FIELD(npu_codebook_sizes, entries, 8),
	FIELD(npu_codebook_sizes, tables, 12),
	FIELD(npu_codebook_sizes, index_bytes, 16),
	FIELD(npu_codebook_sizes, disk_bytes, 24),
	FIELD(npu_codebook_sizes, memory_bytes, 32),
	FIELD(npu_codebook_sizes, float_bytes, 40),
	SIZE(npu_file_tensor, 112),
	FIELD(npu_file_tensor, name, 0),
	FIELD(npu_file_tensor, type, 8),
	FIELD(npu_file_tensor, rank, 16),
	FIELD(npu_file_tensor, shape, 24),
	FIELD(npu_file_tensor, elements, 88),
	FIELD(npu_file_tensor, bytes, 96),
	FIELD(npu_file_tensor, readable, 104),

	SIZE(npu_deviation, 72),
	FIELD(npu_deviation, size, 0),
	FIELD(npu_deviation, count, 8),
	FIELD(npu_deviation, signal, 16),
	FIELD(npu_deviation, energy, 24),
	FIELD(npu_deviation, product, 32),
	FIELD(npu_deviation, noise, 40),
	FIELD(npu_deviation, bias, 48),
	FIELD(npu_deviation, max_error, 56),
	FIELD(npu_deviation, max_index, 64),

	SIZE(npu_clipping, 416),
	FIELD(npu_clipping, size, 0),
	FIELD(npu_clipping, count, 8),
	FIELD(npu_clipping, below, 16),
	FIELD(npu_clipping, above, 24),
	FIELD(npu_clipping, bins, 32),

	SIZE(npu_scores, 88),
	FIELD(npu_scores, size, 0),
	FIELD(npu_scores, classes, 8),
	FIELD(npu_scores, k, 12),
	FIELD(npu_scores, rows, 16),
	FIELD(npu_scores, labelled, 24),
	FIELD(npu_scores, top1, 32),
	FIELD(npu_scores, topk, 40),
	FIELD(npu_scores, compared, 48),
	FIELD(npu_scores, agreed, 56),
	FIELD(npu_scores, reference_labelled, 64),
	FIELD(npu_scores, reference_top1, 72),
	FIELD(npu_scores, reference_topk, 80),

	SIZE(npu_safetensors_note, 16),
	FIELD(npu_safetensors_note, key, 0),
	FIELD(npu_safetensors_note, value, 8),

	SIZE(npu_safetensors_entry, 96),
	FIELD(npu_safetensors_entry, name, 0),
	FIELD(npu_safetensors_entry, type, 8),
	FIELD(npu_safetensors_entry, rank, 16),
	FIELD(npu_safetensors_entry, shape, 24),
	FIELD(npu_safetensors_entry, data, 88),
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
	assert_int_equal(NPU_ROUND_IN_ORDER, 0);
	assert_int_equal(NPU_ROUND_BY_ACTIVATION, 1);
	assert_int_equal(NPU_ROUND_RANGE_FULL, 0);
	assert_int_equal(NPU_ROUND_RANGE_SEARCH, 1);
	assert_int_equal(NPU_BUDGET_BYTES, 0);
	assert_int_equal(NPU_BUDGET_ERROR, 1);
	assert_int_equal(NPU_QUANT_PER_TENSOR, 0);
	assert_int_equal(NPU_QUANT_PER_ROW, 1);
	assert_int_equal(NPU_QUANT_PER_GROUP, 2);
	assert_int_equal(NPU_OBSERVER_MIN_MAX, 0);
	assert_int_equal(NPU_OBSERVER_MOVING_AVERAGE, 1);
	assert_int_equal(NPU_OBSERVER_PERCENTILE, 2);
	assert_int_equal(NPU_OBSERVER_MSE, 3);
	assert_int_equal(NPU_OBSERVER_ENTROPY, 4);
	assert_int_equal(NPU_OBSERVER_BINS, 4096);
	assert_int_equal(NPU_CODEBOOK_KMEANS, 0);
	assert_int_equal(NPU_CODEBOOK_POWER_OF_TWO, 1);
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
