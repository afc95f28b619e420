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

static struct npu_plan_desc shape(uint32_t m, uint32_t k, uint32_t n, bool exact)
{
	return (struct npu_plan_desc){
		.size = sizeof(struct npu_plan_desc), .m = m, .k = k, .n = n, .exact = exact
	};
}

static struct npu_plan ask(const struct npu_plan_desc *desc)
{
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_plan_query(dev, desc, &plan, &err));
	return plan;
}

static struct npu_plan query(uint32_t m, uint32_t k, uint32_t n, bool exact)
{
	const struct npu_plan_desc desc = shape(m, k, n, exact);

	return ask(&desc);
}

static struct npu_plan query_config(const char *config, uint32_t m, uint32_t k, uint32_t n,
				    bool exact)
{
	const struct npu_plan_desc desc = shape(m, k, n, exact);
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_plan_query_config(config, &desc, &plan, &err));
	return plan;
}

/* What NULL stands for in a query. */
static struct npu_epilogue_desc usual_epilogue(const struct npu_plan_desc *shape)
{
	static const float scale = 1;

	return (struct npu_epilogue_desc){
		.size = sizeof(struct npu_epilogue_desc),
		.n = shape->n,
		.groups = shape->group_size ? (shape->k - 1) / shape->group_size + 1 : 1,
		.scaling = shape->exact ? NPU_SCALING_FLOAT : NPU_SCALING_NONE,
		.scale_count = 1,
		.scale = &scale,
	};
}

/* Weights that are as large as they can be, zero points taken off. */
static struct npu_weights *largest_weights(const struct npu_plan_desc *shape)
{
	const uint32_t batch = shape->batch ? shape->batch : 1;
	const bool is_int4 = shape->w_type == NPU_WEIGHTS_INT4;
	const int32_t zero_point = is_int4 ? 7 : 1;
	const size_t bytes = (size_t)batch * shape->n * shape->k;
	int8_t *w = malloc(bytes);
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.type = shape->w_type,
		.n = shape->n,
		.k = shape->k,
		.batch = batch,
		.group_size = shape->group_size,
		.data = w,
		.zero_point = &zero_point,
		.zero_point_count = shape->w_zero_points,
	};
	struct npu_weights *weights;

	memset(w, is_int4 ? 0x88 : -128, bytes);
	expect_ok(npu_weights_create(dev, &desc, &weights, &err));
	free(w);
	return weights;
}

static struct npu_tensor *tensor(enum npu_type type, uint32_t rows, uint32_t cols)
{
	struct npu_tensor *made;

	expect_ok(npu_tensor_create(dev, type ? type : NPU_TYPE_INT8, rows, cols, &made, &err));
	return made;
}

/* The plan of a matmul with such weights. */
static struct npu_plan plan_of_matmul(const struct npu_plan_desc *shape)
{
	const struct npu_epilogue_desc usual = usual_epilogue(shape);
	struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = tensor(shape->a_type, shape->m, shape->k),
		.c = tensor(shape->c_type, shape->m, shape->n),
		.residual = shape->residual_type ? tensor(shape->residual_type, shape->m, shape->n)
						 : NULL,
		.weights = largest_weights(shape),
		.a_zero_point = shape->a_zero_point,
	};
	struct npu_plan plan = { .size = sizeof(plan) };
	struct npu_matmul *matmul;

	expect_ok(npu_epilogue_create(dev, shape->epilogue ? shape->epilogue : &usual,
				      &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_matmul_get_plan(matmul, &plan, &err));
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.residual);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	return plan;
}

#define PLAN_END(member) (offsetof(struct npu_plan, member) + sizeof(uint32_t))

/* In two parts, behind each of which there may be bytes of nothing. */
static void same_plan(const struct npu_plan *x, const struct npu_plan *y)
{
	assert_memory_equal(x, y, PLAN_END(weight_fetches));
	assert_memory_equal(&x->macs, &y->macs,
			    PLAN_END(host_stages) - offsetof(struct npu_plan, macs));
}

/* Where things are done is told with the epilogue only. */
static void expect_made_as_asked(const struct npu_plan_desc *desc)
{
	struct npu_plan made = plan_of_matmul(desc), asked = ask(desc);

	if (!desc->epilogue)
		made.engine_stages = made.host_stages = 0;
	same_plan(&made, &asked);
}

static void a_query_is_what_a_matmul_gets(void **state)
{
	static const uint32_t shapes[][3] = {
		{ 1, 1, 1 },	   { 64, 256, 64 }, { 1, 1024, 512 }, { 100, 784, 128 },
		{ 128, 1024, 64 }, { 3, 8192, 70 }, { 20, 9000, 30 }, { 70, 20000, 500 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct npu_plan_desc desc =
			shape(shapes[i][0], shapes[i][1], shapes[i][2], false);

		expect_made_as_asked(&desc);
	}
}

static void types_groups_and_batches_are_planned(void **state)
{
	struct npu_plan_desc desc = shape(60, 1300, 40, false);
	struct npu_plan plain = ask(&desc);

	(void)state;
	desc.c_type = NPU_TYPE_UINT8;
	assert_int_equal(ask(&desc).cycles, plain.cycles);
	desc.c_type = NPU_TYPE_INT32;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).passes, 3);
	assert_int_equal(ask(&desc).bytes, plain.bytes + 3 * 60 * 40);

	/* Two digits; three matrices of 20 rows each. */
	desc = shape(60, 1300, 40, false);
	desc.a_type = NPU_TYPE_INT16;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).passes, 6);
	desc.batch = 3;
	expect_made_as_asked(&desc);
	desc.a_type = 0;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).jobs, 3 * query(20, 1300, 40, false).jobs);

	/* Groups of 640, 640 and 20, of which the long ones are cut in two. */
	desc = shape(60, 1300, 40, true);
	desc.group_size = 640;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).k_parts, 5);
	desc.batch = 2;
	expect_made_as_asked(&desc);
}

/* Whether it is on the engine is told by the query and by a matmul, which have to agree. */
static bool is_on_engine(const struct npu_plan_desc *desc)
{
	struct npu_plan plan = ask(desc);

	expect_made_as_asked(desc);
	assert_true(!plan.engine_stages == !!plan.host_stages);
	assert_true(!plan.host_steps == !!plan.engine_stages);
	return plan.engine_stages;
}

static void the_output_stage_decides(void **state)
{
	const int16_t multiplier = 3;
	const int32_t any_bias[] = { 70001, -1, 5 }, round_bias[] = { 70016, -16, 160 };
	struct npu_epilogue_desc e = {
		.size = sizeof(e),
		.n = 3,
		.multiplier = &multiplier,
		.scale_count = 1,
		.shift = 9,
		.bias = any_bias,
	};
	struct npu_plan_desc desc = shape(10, 64, 3, false);

	(void)state;
	desc.epilogue = &e;
	assert_true(is_on_engine(&desc));
	assert_int_equal(ask(&desc).engine_stages,
			 NPU_STAGE_BIAS | NPU_STAGE_SCALING | NPU_STAGE_OUTPUT);
	e.activation = NPU_ACTIVATION_RELU;
	desc.a_type = desc.c_type = NPU_TYPE_UINT8;
	desc.a_zero_point = 130;
	assert_true(is_on_engine(&desc));

	/* A residual leaves 16 bits for the bias. */
	desc = shape(10, 64, 3, false);
	desc.epilogue = &e;
	desc.residual_type = NPU_TYPE_INT8;
	e.residual_multiplier = 1;
	assert_false(is_on_engine(&desc));
	assert_int_equal(ask(&desc).host_stages, NPU_STAGE_SUMS | NPU_STAGE_BIAS |
							 NPU_STAGE_SCALING | NPU_STAGE_RESIDUAL |
							 NPU_STAGE_ACTIVATION | NPU_STAGE_OUTPUT);
	e.bias = round_bias;
	assert_true(is_on_engine(&desc));
	e.bias = NULL;
	assert_true(is_on_engine(&desc));

	/* With a zero point the bias is that of the weights too, which may be any. */
	desc.a_zero_point = 5;
	assert_int_equal(ask(&desc).engine_stages, 0);
	desc.k = 32;
	assert_int_equal(ask(&desc).host_stages, 0);
}

static void weights_decide(void **state)
{
	const int16_t multiplier = 3;
	const struct npu_epilogue_desc e = {
		.size = sizeof(e),
		.n = 30,
		.multiplier = &multiplier,
		.scale_count = 1,
		.shift = 9,
	};
	struct npu_plan_desc desc = shape(10, 2000, 30, false);

	(void)state;
	desc.epilogue = &e;
	desc.w_type = NPU_WEIGHTS_INT4;
	assert_true(is_on_engine(&desc));
	desc.w_zero_points = true;
	assert_true(is_on_engine(&desc));
	/* A row of ones goes with them. */
	desc.w_type = NPU_WEIGHTS_INT8;
	assert_false(is_on_engine(&desc));
	assert_int_equal(ask(&desc).k_parts, 4);

	/* Sums of 8128 products of up to 8 are exact, or 4335 of up to 15. */
	desc = shape(10, 4400, 256, true);
	desc.w_type = NPU_WEIGHTS_INT4;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).k_parts, 1);
	desc.w_zero_points = true;
	expect_made_as_asked(&desc);
	assert_int_equal(ask(&desc).k_parts, 2);
}

/* Where fewer parts of K would do, but more are faster. */
static void more_parts_can_be_faster(void **state)
{
	struct npu_plan_desc desc = shape(16, 8000, 64, true);

	(void)state;
	desc.w_type = NPU_WEIGHTS_INT4;
	expect_made_as_asked(&desc);
	assert_in_range(ask(&desc).k_parts, 2, 4);
	assert_true(ask(&desc).cycles < 3.1 * (double)ask(&desc).limit_cycles);
	desc.a_type = NPU_TYPE_INT16;
	desc.batch = 2;
	expect_made_as_asked(&desc);

	/* Beyond what a job can have; and in groups, whose last is short. */
	desc = shape(16, 20000, 64, true);
	desc.w_type = NPU_WEIGHTS_INT4;
	expect_made_as_asked(&desc);
	assert_in_range(ask(&desc).k_parts, 4, 12);
	desc.group_size = 8000;
	expect_made_as_asked(&desc);
	assert_true(ask(&desc).k_parts > 3);
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
	/* 2.8e11 of them, which once were told as what is left of that in 32 bits. */
	desc.m = desc.k = desc.n = 1u << 20;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "more jobs");
	desc.k = desc.n = 1;
	desc.m = 4;
	desc.batch = 3;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "3 matrices");
	desc.batch = 0;
	desc.group_size = 33;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "group_size is 33");
	desc.group_size = 0;
	desc.a_type = NPU_TYPE_INT32;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "a_type is 4");
	desc.a_type = 0;
	desc.c_type = 99;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "c_type is 99");
	desc.c_type = 0;
	desc.residual_type = 99;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "residual_type 99");
	desc.residual_type = 0;
	desc.w_type = 3;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "w_type is 3");
}

static void bad_output_stages_are_refused(void **state)
{
	struct npu_plan_desc desc = shape(1, 64, 2, false);
	struct npu_epilogue_desc e = usual_epilogue(&desc);
	struct npu_plan plan = { .size = sizeof(plan) };

	(void)state;
	desc.epilogue = &e;
	e.size = 1;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "npu_epilogue_desc.size");
	e.size = sizeof(e);
	e.n = 3;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "for 3 channels");
	e.n = 2;
	desc.group_size = 32;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "1 groups of K");
	desc.group_size = 0;
	desc.c_type = NPU_TYPE_FLOAT32;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "NPU_SCALING_FLOAT");
	desc.c_type = 0;
	desc.a_zero_point = 128;
	expect_error(npu_plan_query(dev, &desc, &plan, &err), -EINVAL, "a_zero_point is 128");
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
		cmocka_unit_test_setup_teardown(types_groups_and_batches_are_planned, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(the_output_stage_decides, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(weights_decide, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(more_parts_can_be_faster, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(a_configuration_is_what_its_driver_tells, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(limits_and_fetches_are_told, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(exact_sums_take_passes, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(the_largest_shapes_have_plans, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(bad_queries_are_refused, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(bad_output_stages_are_refused, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(the_cpu_has_no_plan, open_fake, close_fake),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
