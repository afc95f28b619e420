// SPDX-License-Identifier: MIT
/*
 * Epilogues in a matmul: what does not go together is refused, and a plan tells what the engine
 * does and what the CPU does. The engine is a fake one.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"
#include "fake_npu.h"

#define M 4
#define K 40
#define N 24

static struct npu_device *dev;

static int open_fake(void **state)
{
	(void)state;
	fake_reset();
	return npu_device_open("fake", &dev, NULL);
}

static int close_fake(void **state)
{
	(void)state;
	npu_device_close(dev);
	return fake.objects;
}

/* A matmul to be varied. */
struct set {
	enum npu_type a, c, residual; /* residual 0: none */
	struct npu_weights_desc weights;
	struct npu_epilogue_desc epilogue;
	int32_t a_zero_point;
};

static const int8_t some_weights[N * K] = { 1, -100, 3, 100, 5 };
static const int32_t small_bias[N] = { 1, 2, 3 };
static const int32_t large_bias[N] = { 1, 1 << 20 };
static const int32_t zero_points[N] = { 3, 100 };
static const int16_t multiplier = 20000;
static const int32_t multiplier_q31 = 1 << 30;
static const float scale = 0.01f;
static const int32_t exponents[] = { -4, 15 };

static struct set plain(void)
{
	return (struct set){
		.a = NPU_TYPE_INT8,
		.c = NPU_TYPE_INT8,
		.weights = {
			.size = sizeof(struct npu_weights_desc),
			.n = N,
			.k = K,
			.data = some_weights,
		},
		.epilogue = {
			.size = sizeof(struct npu_epilogue_desc),
			.n = N,
			.scale_count = 1,
			.multiplier = &multiplier,
			.shift = 20,
			.multiplier_q31 = &multiplier_q31,
			.exponent = exponents,
			.scale = &scale,
			.output_scale = 0.1f,
			.residual_multiplier = 1,
		},
	};
}

/* Plans a matmul, or tells why not. */
static int plan_set(const struct set *set, struct npu_plan *plan, struct npu_error *why)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul = NULL;
	int ret;

	expect_ok(npu_tensor_create(dev, set->a, M, K, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, set->c, M, N, &desc.c, &err));
	if (set->residual)
		expect_ok(npu_tensor_create(dev, set->residual, M, N, &desc.residual, &err));
	expect_ok(npu_weights_create(dev, &set->weights, &desc.weights, &err));
	expect_ok(npu_epilogue_create(dev, &set->epilogue, &desc.epilogue, &err));
	desc.a_zero_point = set->a_zero_point;
	ret = npu_matmul_create(dev, &desc, &matmul, why);
	if (!ret) {
		plan->size = sizeof(*plan);
		expect_ok(npu_matmul_get_plan(matmul, plan, &err));
	}
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.residual);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	return ret;
}

/* ---- Tensors --------------------------------------------------------------------------- */

/* However a device stores it. */
static void new_tensors_are_zero(void **state)
{
	const uint8_t zeros[3 * 11 * 4] = { 0 };

	(void)state;
	for (enum npu_type type = NPU_TYPE_INT8; type <= NPU_TYPE_FLOAT32; type++) {
		uint8_t back[3 * 11 * 4];
		struct npu_tensor *tensor;

		expect_ok(npu_tensor_create(dev, type, 3, 11, &tensor, &err));
		assert_int_equal(npu_tensor_type(tensor), type);
		expect_ok(npu_tensor_read(tensor, 0, 3, back, 0, &err));
		assert_memory_equal(back, zeros, 33 * npu_type_size(type));
		npu_tensor_destroy(tensor);
	}
	assert_int_equal(npu_type_size((enum npu_type)0), 0);
	assert_int_equal(npu_type_size((enum npu_type)7), 0);
}

/* Rows 2 to 5, columns 16 to 26 of a tensor. */
static void windows_of_every_type(void **state)
{
	struct rng rng = { 130 };

	(void)state;
	for (enum npu_type type = NPU_TYPE_INT8; type <= NPU_TYPE_FLOAT32; type++) {
		const size_t size = npu_type_size(type), row = 40 * size, some = 11 * size;
		uint8_t *bytes = (uint8_t *)rng_int8(&rng, 9 * row), *back = malloc(9 * row);
		struct npu_tensor *tensor, *outer, *window;

		expect_ok(npu_tensor_create(dev, type, 9, 40, &tensor, &err));
		expect_ok(npu_tensor_write(tensor, 0, 9, bytes, 0, &err));
		/* A window of a window. */
		expect_ok(npu_tensor_create_view(tensor, 1, 8, 8, 32, &outer, &err));
		expect_ok(npu_tensor_create_view(outer, 1, 4, 8, 11, &window, &err));
		npu_tensor_destroy(outer);
		expect_ok(npu_tensor_read(window, 0, 4, back, 0, &err));
		for (int r = 0; r < 4; r++) {
			uint8_t *at = bytes + (2 + r) * row + 16 * size;

			assert_memory_equal(back + r * some, at, some);
			for (size_t i = 0; i < some; i++)
				at[i] += 100;
		}
		expect_ok(npu_tensor_write(window, 0, 4, bytes + 2 * row + 16 * size, row, &err));
		expect_ok(npu_tensor_read(tensor, 0, 9, back, 0, &err));
		assert_memory_equal(back, bytes, 9 * row);
		npu_tensor_destroy(window);
		npu_tensor_destroy(tensor);
		free(bytes);
		free(back);
	}
}

static void wrong_windows_are_refused(void **state)
{
	struct npu_tensor *tensor, *none;

	(void)state;
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 9, 40, &tensor, &err));
	expect_error(npu_tensor_create_view(tensor, 0, 9, 4, 8, &none, &err), -EINVAL,
		     "from column 4 on: on this device it must be a multiple of 8");
	expect_error(npu_tensor_create_view(tensor, 5, 5, 0, 8, &none, &err), -EINVAL, "9 x 40");
	expect_error(npu_tensor_create_view(tensor, 0, 1, 32, 9, &none, &err), -EINVAL, "9 x 40");
	expect_error(npu_tensor_create_view(tensor, 0, 0, 0, 8, &none, &err), -EINVAL, "0 x 8");
	npu_tensor_destroy(tensor);
}

/* ---- Refusals -------------------------------------------------------------------------- */

static void wrong_types_are_refused(void **state)
{
	struct npu_plan plan;
	struct set set = plain();

	(void)state;
	set.a = NPU_TYPE_INT32;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "a is int32");
	set = plain();
	set.c = NPU_TYPE_FLOAT16;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "c is float16");
	set = plain();
	set.residual = NPU_TYPE_FLOAT32;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "residual is float32");
	set = plain();
	set.a = NPU_TYPE_INT16;
	set.epilogue.scaling = NPU_SCALING_TFLITE;
	set.epilogue.exponent = &exponents[1];
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "exponent[0] is 15");
}

static void wrong_zero_points_are_refused(void **state)
{
	struct npu_plan plan;
	struct set set = plain();

	(void)state;
	set.a_zero_point = 128;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "a_zero_point is 128");
	set.a = NPU_TYPE_UINT8;
	expect_ok(plan_set(&set, &plan, &err));
	set.a_zero_point = -1;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "a_zero_point is -1");
	set = plain();
	set.epilogue.zero_point = -129;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "zero_point is -129");
	set = plain();
	set.c = NPU_TYPE_INT32;
	set.epilogue.zero_point = 1;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "zero_point is 1, not in 0 to 0");
	set = plain();
	set.residual = NPU_TYPE_INT8;
	set.epilogue.residual_zero_point = 200;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "residual_zero_point is 200");
}

static void wrong_bounds_are_refused(void **state)
{
	struct npu_plan plan;
	struct set set = plain();

	(void)state;
	set.epilogue.clamp = true;
	set.epilogue.clamp_min = -129;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "clamp_min is -129");
	set.epilogue.clamp_min = 0;
	set.epilogue.clamp_max = 0.5;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "clamp_max 0.5");
	set = plain();
	set.epilogue.activation = NPU_ACTIVATION_RELU6;
	set.epilogue.output_scale = 0;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "output_scale is 0");
	set.epilogue.output_scale = NAN;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "output_scale is nan");
}

static void groups_must_agree(void **state)
{
	struct npu_plan plan;
	struct set set = plain();

	(void)state;
	set.weights.group_size = 32;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "weights have 2");
	set.epilogue.groups = 2;
	set.epilogue.scaling = NPU_SCALING_FLOAT;
	expect_ok(plan_set(&set, &plan, &err));
	set.weights.batch = 3;
	set.weights.n = N / 3;
	set.epilogue.n = N / 3;
	expect_error(plan_set(&set, &plan, &err), -EINVAL, "a has 4 rows");
}

/* ---- Places ---------------------------------------------------------------------------- */

#define ALL_BUT_SUMS                                                                       \
	(NPU_STAGE_ZERO_POINTS | NPU_STAGE_BIAS | NPU_STAGE_SCALING | NPU_STAGE_RESIDUAL | \
	 NPU_STAGE_ACTIVATION | NPU_STAGE_CLAMP | NPU_STAGE_OUTPUT)

static void expect_fused(const struct set *set, uint32_t stages)
{
	struct npu_plan plan = { 0 };

	expect_ok(plan_set(set, &plan, &err));
	assert_int_equal(plan.engine_stages, stages);
	assert_int_equal(plan.host_stages, 0);
	assert_int_equal(plan.host_steps, 0);
}

static void expect_on_host(const struct set *set)
{
	struct npu_plan plan = { 0 };

	expect_ok(plan_set(set, &plan, &err));
	assert_int_equal(plan.engine_stages, 0);
	assert_true(plan.host_stages & NPU_STAGE_SUMS && plan.host_stages & NPU_STAGE_OUTPUT);
	assert_int_equal(plan.host_stages & ~(ALL_BUT_SUMS | NPU_STAGE_SUMS), 0);
	assert_true(plan.host_steps >= 1);
}

static void engine_does_what_it_can(void **state)
{
	const uint32_t least = NPU_STAGE_OUTPUT | NPU_STAGE_SCALING;
	struct set set = plain();

	(void)state;
	expect_fused(&set, least);
	set.epilogue.bias = large_bias;
	set.epilogue.activation = NPU_ACTIVATION_RELU;
	expect_fused(&set, least | NPU_STAGE_BIAS | NPU_STAGE_ACTIVATION);
	set.a = NPU_TYPE_UINT8;
	set.c = NPU_TYPE_UINT8;
	set.a_zero_point = 120;
	set.epilogue.zero_point = 3;
	expect_fused(&set, least | NPU_STAGE_BIAS | NPU_STAGE_ACTIVATION | NPU_STAGE_ZERO_POINTS);

	set = plain();
	set.epilogue.bias = small_bias;
	set.epilogue.activation = NPU_ACTIVATION_RELU6;
	expect_fused(&set, least | NPU_STAGE_BIAS | NPU_STAGE_ACTIVATION);
	set.epilogue.activation = NPU_ACTIVATION_NONE;
	set.epilogue.clamp = true;
	set.epilogue.clamp_min = -30;
	set.epilogue.clamp_max = 127;
	expect_fused(&set, least | NPU_STAGE_BIAS | NPU_STAGE_CLAMP);
	set.epilogue.clamp = false;
	set.residual = NPU_TYPE_UINT8;
	set.epilogue.residual_zero_point = 100;
	expect_fused(&set, least | NPU_STAGE_BIAS | NPU_STAGE_RESIDUAL);
	set.epilogue.scaling = NPU_SCALING_NONE;
	expect_fused(&set, NPU_STAGE_OUTPUT | NPU_STAGE_BIAS | NPU_STAGE_RESIDUAL);

	/* Zero points of weights that can be taken off. */
	set = plain();
	set.weights.zero_point = zero_points;
	set.weights.zero_point_count = 1;
	expect_fused(&set, least);
}

static void cpu_does_the_rest(void **state)
{
	struct set set = plain();

	(void)state;
	set.c = NPU_TYPE_INT16;
	expect_on_host(&set);
	set = plain();
	set.a = NPU_TYPE_INT16;
	expect_on_host(&set);
	set = plain();
	set.epilogue.scaling = NPU_SCALING_TFLITE;
	expect_on_host(&set);
	set = plain();
	set.epilogue.scaling = NPU_SCALING_NONE;
	set.c = NPU_TYPE_INT32;
	expect_on_host(&set);
	set = plain();
	set.epilogue.bias = large_bias;
	set.epilogue.activation = NPU_ACTIVATION_RELU6;
	expect_on_host(&set);
	set = plain();
	set.residual = NPU_TYPE_INT8;
	set.epilogue.residual_shift = 1;
	expect_on_host(&set);
	/* 100 is not taken off a weight of -100. */
	set = plain();
	set.weights.zero_point = &zero_points[1];
	set.weights.zero_point_count = 1;
	expect_on_host(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_tensors_are_zero),
		cmocka_unit_test(windows_of_every_type),
		cmocka_unit_test(wrong_windows_are_refused),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(wrong_zero_points_are_refused),
		cmocka_unit_test(wrong_bounds_are_refused),
		cmocka_unit_test(groups_must_agree),
		cmocka_unit_test(engine_does_what_it_can),
		cmocka_unit_test(cpu_does_the_rest),
	};

	return cmocka_run_group_tests_name("output stages", tests, open_fake, close_fake);
}
