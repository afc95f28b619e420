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

	SIZE(npu_epilogue_desc, 48),
	FIELD(npu_epilogue_desc, size, 0),
	FIELD(npu_epilogue_desc, n, 8),
	FIELD(npu_epilogue_desc, bias, 16),
	FIELD(npu_epilogue_desc, multiplier, 24),
	FIELD(npu_epilogue_desc, multiplier_count, 32),
	FIELD(npu_epilogue_desc, shift, 36),
	FIELD(npu_epilogue_desc, zero_point, 40),
	FIELD(npu_epilogue_desc, activation, 44),

	SIZE(npu_matmul_desc, 40),
	FIELD(npu_matmul_desc, size, 0),
	FIELD(npu_matmul_desc, a, 8),
	FIELD(npu_matmul_desc, weights, 16),
	FIELD(npu_matmul_desc, epilogue, 24),
	FIELD(npu_matmul_desc, c, 32),

	SIZE(npu_plan, 64),
	FIELD(npu_plan, size, 0),
	FIELD(npu_plan, m, 8),
	FIELD(npu_plan, k, 12),
	FIELD(npu_plan, n, 16),
	FIELD(npu_plan, jobs, 20),
	FIELD(npu_plan, macs, 24),
	FIELD(npu_plan, bytes, 32),
	FIELD(npu_plan, cycles, 40),
	FIELD(npu_plan, limit_cycles, 48),
	FIELD(npu_plan, host_steps, 56),

	SIZE(npu_queue_stats, 40),
	FIELD(npu_queue_stats, size, 0),
	FIELD(npu_queue_stats, matmuls, 8),
	FIELD(npu_queue_stats, jobs, 16),
	FIELD(npu_queue_stats, engine_ns, 24),
	FIELD(npu_queue_stats, host_steps, 32),
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
	assert_int_equal(NPU_ACTIVATION_NONE, 0);
	assert_int_equal(NPU_ACTIVATION_RELU, 1);
	assert_int_equal(NPU_BIAS_MAX, 1 << 30);
	assert_int_equal(NPU_SHIFT_MAX, 62);
	assert_int_equal(NPU_ERROR_TEXT, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_what_programs_know),
		cmocka_unit_test(values_are_what_programs_know),
	};

	return cmocka_run_group_tests_name("ABI", tests, NULL, NULL);
}
