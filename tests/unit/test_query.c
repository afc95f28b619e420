// SPDX-License-Identifier: MIT
/*
 * Plans without a matmul: the same as with one, the same with a device and without.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../../libnpu/backend/nvdla_plan.h"
#include "../expect.h"
#include "../matmul_case.h"
#include "fake_npu.h"

static struct npu_device *dev;

static int open_fake(void **state)
{
	(void)state;
	fake_reset();
	expect_ok(npu_device_open("fake", &dev, &err));
	return 0;
}

static int close_fake(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}

static struct npu_plan query(uint32_t m, uint32_t k, uint32_t n, bool exact)
{
	const struct npu_plan_desc desc = {
		.size = sizeof(desc), .m = m, .k = k, .n = n, .exact = exact
	};
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_plan_query(dev, &desc, &plan, &err));
	return plan;
}

static struct npu_plan query_config(const char *config, uint32_t m, uint32_t k, uint32_t n,
				    bool exact)
{
	const struct npu_plan_desc desc = {
		.size = sizeof(desc), .m = m, .k = k, .n = n, .exact = exact
	};
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_plan_query_config(config, &desc, &plan, &err));
	return plan;
}

/* The plan of a matmul whose weights are as large as they can be. */
static struct npu_plan plan_of_matmul(uint32_t m, uint32_t k, uint32_t n)
{
	int16_t multiplier = 1;
	const struct npu_epilogue_desc epilogue = {
		.size = sizeof(epilogue), .n = n, .multiplier = &multiplier, .multiplier_count = 1
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_plan plan = { .size = sizeof(plan) };
	struct npu_matmul *matmul;
	int8_t *w = malloc((size_t)n * k);

	memset(w, -128, (size_t)n * k);
	expect_ok(npu_tensor_create(dev, m, k, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, m, n, &desc.c, &err));
	expect_ok(npu_weights_create(dev, n, k, w, 0, &desc.weights, &err));
	expect_ok(npu_epilogue_create(dev, &epilogue, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_matmul_get_plan(matmul, &plan, &err));
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	free(w);
	return plan;
}

static void same_plan(const struct npu_plan *x, const struct npu_plan *y)
{
	assert_memory_equal(x, y, sizeof(*x));
}

static void a_query_is_what_a_matmul_gets(void **state)
{
	static const uint32_t shapes[][3] = {
		{ 1, 1, 1 },	   { 64, 256, 64 }, { 1, 1024, 512 }, { 100, 784, 128 },
		{ 128, 1024, 64 }, { 3, 8192, 70 }, { 20, 9000, 30 }, { 70, 20000, 500 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const uint32_t *s = shapes[i];
		struct npu_plan made = plan_of_matmul(s[0], s[1], s[2]);
		struct npu_plan asked = query(s[0], s[1], s[2], false);

		same_plan(&made, &asked);
	}
}

static void a_configuration_is_what_its_driver_tells(void **state)
{
	static const struct {
		const char *name;
		const struct drm_npu_matmul_limits *limits;
	} configs[] = { { "nv_small", &nvdla_small_limits }, { "nv_large", &nvdla_large_limits } };
	struct rng rng = { 3 };

	for (int i = 0; i < 2; i++) {
		assert_memory_equal(nvdla_config_find(configs[i].name), configs[i].limits,
				    sizeof(*configs[i].limits));
		fake_reset();
		fake.limits = *configs[i].limits;
		npu_device_close(dev);
		expect_ok(npu_device_open("fake", &dev, &err));
		for (int j = 0; j < 200; j++) {
			uint32_t m = rng_range(&rng, 1, 2000), k = rng_range(&rng, 1, 10000);
			uint32_t n = rng_range(&rng, 1, 2000);
			struct npu_plan there = query(m, k, n, j & 1);
			struct npu_plan named = query_config(configs[i].name, m, k, n, j & 1);

			same_plan(&there, &named);
		}
	}
	(void)state;
}

static void limits_and_fetches_are_told(void **state)
{
	struct npu_plan plan = query(64, 256, 64, false);

	(void)state;
	assert_int_equal(plan.mac_cycles, 64 * 256 * 64 / 64);
	assert_int_equal(plan.bus_cycles, (64 * 256 * 2 + 64 * 64) / 8);
	assert_int_equal(plan.limit_cycles, plan.mac_cycles);
	assert_int_equal(plan.data_banks + plan.weight_banks, 32);
	/* All of W stays in its 64 KiB while two tiles use it. */
	assert_int_equal(plan.m_tiles, 2);
	assert_int_equal(plan.a_fetches, 1);
	assert_int_equal(plan.weight_fetches, 1);
	assert_true(plan.cycles > plan.stream_cycles && plan.stream_cycles > plan.limit_cycles);

	plan = query(1, 1024, 1024, false);
	assert_int_equal(plan.limit_cycles, plan.bus_cycles);

	/* 1 MiB streams through them for each tile. */
	plan = query(128, 1024, 1024, false);
	assert_int_equal(plan.weight_fetches, plan.m_tiles);
	assert_int_equal(plan.jobs, plan.m_tiles * plan.n_tiles);
	assert_int_equal(plan.k_parts, 1);
	assert_int_equal(plan.passes, 1);
	assert_int_equal(plan.host_steps, 0);
}

static void exact_sums_take_passes(void **state)
{
	struct npu_plan plan = query(16, 500, 64, true);

	(void)state;
	assert_int_equal(plan.k_parts, 1);
	assert_int_equal(plan.passes, 3);
	assert_int_equal(plan.jobs, 3 * plan.m_tiles);
	assert_int_equal(plan.host_steps, 1);

	/* 508 products of 128 x 128 reach 127 x 2^16. */
	assert_int_equal(query(16, 504, 64, true).k_parts, 1);
	assert_int_equal(query(16, 1000, 64, true).k_parts, 2);
	assert_int_equal(query(16, 1009, 64, true).k_parts, 3);
	/* Nobody asks for it here. */
	assert_int_equal(query(16, 8193, 64, false).passes, 3);
	assert_int_equal(query(16, 8192, 64, false).passes, 1);
}

/* However large, a plan takes no longer to make. */
static void the_largest_shapes_have_plans(void **state)
{
	(void)state;
	assert_true(query(1u << 28, 4096, 1, false).cycles > 0);
	assert_true(query(1, 4096, 1u << 28, false).cycles > 0);
	assert_true(query(256, UINT32_MAX, 256, false).cycles > 0);
	assert_true(query(1u << 28, 4096, 4096, true).jobs > 0);
}

static void bad_queries_are_refused(void **state)
{
	struct npu_plan_desc desc = { .size = sizeof(desc), .m = 1, .k = 1, .n = 1 };
	struct npu_plan plan = { .size = sizeof(plan) };

	(void)state;
	expect_error(npu_plan_query(NULL, &desc, &plan, &err), -EINVAL, "no device");
	expect_error(npu_plan_query_config(NULL, &desc, &plan, &err), -EINVAL, "no config");
	expect_error(npu_plan_query_config("nv_tiny", &desc, &plan, &err), -ENOENT, "'nv_tiny'");
	plan.size = 1;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "npu_plan.size is 1");
	plan.size = sizeof(plan);
	desc.size = 2;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "npu_plan_desc.size is 2");
	desc.size = sizeof(desc);
	desc.k = 0;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "1 x 0 x 1");
	desc.k = desc.m = desc.n = UINT32_MAX;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "tebibyte");
	desc.m = 1;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "tebibyte");
	desc.k = 1;
	desc.m = desc.n;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "tebibyte");
	desc.n = 1;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "4294967295 rows");
}

static void the_cpu_has_no_plan(void **state)
{
	const struct npu_plan_desc desc = { .size = sizeof(desc), .m = 2, .k = 3, .n = 4 };
	struct npu_plan plan = { .size = sizeof(plan) };
	struct npu_device *cpu;

	(void)state;
	expect_ok(npu_device_open("cpu", &cpu, &err));
	expect_ok(npu_plan_query(cpu, &desc, &plan, &err));
	assert_int_equal(plan.macs, 24);
	assert_int_equal(plan.bytes, 26);
	assert_true(!plan.jobs && !plan.cycles && !plan.limit_cycles);
	npu_device_close(cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_query_is_what_a_matmul_gets, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(a_configuration_is_what_its_driver_tells, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(limits_and_fetches_are_told, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(exact_sums_take_passes, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(the_largest_shapes_have_plans, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(bad_queries_are_refused, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(the_cpu_has_no_plan, open_fake, close_fake),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
