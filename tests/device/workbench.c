// SPDX-License-Identifier: MIT
/*
 * A multiplication to play with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../expect.h"
#include "workbench.h"

struct npu_device *dev;
struct npu_device_info info = { .size = sizeof(info) };

int open_npu(void **state)
{
	(void)state;
	return bench_open(&dev, &info);
}

int close_npu(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}

struct npu_matmul *bench_bind(const struct bench *b, struct npu_tensor *a, struct npu_tensor *c)
{
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = a,
		.weights = b->weights,
		.epilogue = b->epilogue,
		.c = c,
	};
	struct npu_matmul *matmul = NULL;

	expect_ok(npu_matmul_create(b->dev, &desc, &matmul, &err));
	return matmul;
}

int bench_open(struct npu_device **own, struct npu_device_info *about)
{
	struct npu_error err = { 0 };

	if (npu_device_open(getenv("NPU_TEST_DEVICE"), own, &err) ||
	    npu_device_get_info(*own, about, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

void bench_init(struct bench *b, struct npu_device *on, uint32_t seed, uint32_t m, uint32_t k,
		uint32_t n)
{
	struct rng rng = { seed };

	*b = (struct bench){ .dev = on };
	case_init(&b->c, &rng, m, k, n, CASE_BIAS | CASE_PER_CHANNEL);
	b->expected = case_reference(&b->c);
	expect_ok(npu_tensor_create(on, NPU_TYPE_INT8, m, k, &b->a, &err));
	expect_ok(npu_tensor_create(on, NPU_TYPE_INT8, m, n, &b->result, &err));
	expect_ok(case_weights(on, n, k, b->c.w, &b->weights, &err));
	expect_ok(npu_epilogue_create(on, &b->c.epilogue, &b->epilogue, &err));
	expect_ok(npu_tensor_write(b->a, 0, m, b->c.a, 0, &err));
	b->matmul = bench_bind(b, b->a, b->result);
}

void bench_check(const struct bench *b, struct npu_tensor *result)
{
	int8_t *got = malloc((size_t)b->c.m * b->c.n);

	expect_ok(npu_tensor_read(result, 0, b->c.m, got, 0, &err));
	case_compare(&b->c, got, b->expected);
	free(got);
}

void bench_free(struct bench *b)
{
	npu_matmul_destroy(b->matmul);
	npu_epilogue_destroy(b->epilogue);
	npu_weights_destroy(b->weights);
	npu_tensor_destroy(b->a);
	npu_tensor_destroy(b->result);
	free(b->expected);
	case_free(&b->c);
}
