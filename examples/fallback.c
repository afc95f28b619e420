// SPDX-License-Identifier: MIT
/*
 * An application that may run on the CPU where there is no NPU, if its user allows that. It says
 * which one runs, and in the end who did how much: nothing falls back without a word.
 *
 *	fallback [--allow-cpu] [DEVICE]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <npu.h>

#define M 8
#define K 256
#define N 64

/* The same product twice: as int8, which engines store, and in full, which not all of them do. */
enum {
	NARROW,
	EXACT,
	PRODUCTS
};

struct product {
	const char *name;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
	struct npu_matmul *matmul;
};

static int8_t input(uint32_t row, uint32_t col)
{
	return (int8_t)(row * 13 + col * 5);
}

static int8_t weight(uint32_t row, uint32_t col)
{
	return (int8_t)(row * 29 + col * 11 + row * col);
}

/*
 * Only where there is no NPU. One that may not be used, or has too old a driver, is for
 * somebody to put right, and no reason to be slow from then on.
 */
static int open_device(const char *name, bool allow_cpu, struct npu_device **dev,
		       struct npu_error *err)
{
	int ret = npu_device_open(name, dev, err);

	if (ret != -ENODEV || !allow_cpu)
		return ret;
	fprintf(stderr, "fallback: %s\n", err->text);
	return npu_device_open("cpu", dev, err);
}

static int say_device(const struct npu_device *dev, struct npu_device_info *info,
		      struct npu_error *err)
{
	*info = (struct npu_device_info){ .size = sizeof(*info) };
	if (npu_device_get_info(dev, info, err))
		return err->code;
	fprintf(stderr, "fallback: running on %s %s %s\n", info->backend, info->name, info->node);
	return 0;
}

static int create_product(struct npu_device *dev, const struct npu_epilogue_desc *stage,
			  enum npu_type type, struct npu_matmul_desc desc, struct product *product,
			  struct npu_error *err)
{
	if (npu_epilogue_create(dev, stage, &product->epilogue, err) ||
	    npu_tensor_create(dev, type, M, N, &product->c, err))
		return err->code;
	desc.epilogue = product->epilogue;
	desc.c = product->c;
	return npu_matmul_create(dev, &desc, &product->matmul, err);
}

static int create_weights(struct npu_device *dev, struct npu_weights **weights,
			  struct npu_error *err)
{
	static int8_t values[N][K];
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.k = K,
		.data = values,
	};

	for (uint32_t n = 0; n < N; n++)
		for (uint32_t k = 0; k < K; k++)
			values[n][k] = weight(n, k);
	return npu_weights_create(dev, &desc, weights, err);
}

static int fill(struct npu_tensor *a, struct npu_error *err)
{
	static int8_t values[M][K];

	for (uint32_t m = 0; m < M; m++)
		for (uint32_t k = 0; k < K; k++)
			values[m][k] = input(m, k);
	return npu_tensor_write(a, 0, M, values, 0, err);
}

/* Both results have to be those of a plain loop, whoever computed them. */
static int check(struct product *products, struct npu_error *err)
{
	static int8_t narrow[M][N];
	static int32_t exact[M][N];

	if (npu_tensor_read(products[NARROW].c, 0, M, narrow, 0, err) ||
	    npu_tensor_read(products[EXACT].c, 0, M, exact, 0, err))
		return err->code;
	for (uint32_t m = 0; m < M; m++) {
		for (uint32_t n = 0; n < N; n++) {
			int32_t sum = 0, q;

			for (uint32_t k = 0; k < K; k++)
				sum += input(m, k) * weight(n, k);
			/* The epilogue in run(): divided by 2^13, halves away from zero. */
			q = sum < 0 ? -((-sum + 4096) >> 13) : (sum + 4096) >> 13;
			q = q < -128 ? -128 : q > 127 ? 127 : q;
			if (exact[m][n] != sum || narrow[m][n] != q) {
				snprintf(err->text, sizeof(err->text), "wrong at (%u, %u)", m, n);
				return -EIO;
			}
		}
	}
	printf("result     right, %d x %d\n", M, N);
	return 0;
}

/* What an NPU leaves to the CPU in one matmul. */
static int say_plan(const struct product *product, struct npu_error *err)
{
	static const char *const stages[] = {
		"sums",	    "zero points", "bias",  "scaling",
		"residual", "activation",  "clamp", "output",
	};
	struct npu_plan plan = { .size = sizeof(plan) };

	if (npu_matmul_get_plan(product->matmul, &plan, err))
		return err->code;
	printf("%-10s %u jobs; host_steps %u, host_stages 0x%02x", product->name, plan.jobs,
	       plan.host_steps, plan.host_stages);
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (plan.host_stages & 1u << i)
			printf(" [%s]", stages[i]);
	putchar('\n');
	return 0;
}

static int say_stats(struct npu_queue *queue, const struct npu_device_info *info,
		     struct npu_error *err)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };

	if (npu_queue_get_stats(queue, &stats, err))
		return err->code;
	printf("queue      matmuls %llu, jobs %llu, host_steps %llu%s\n",
	       (unsigned long long)stats.matmuls, (unsigned long long)stats.jobs,
	       (unsigned long long)stats.host_steps,
	       strcmp(info->backend, "cpu") ? "" : "; all of it on the CPU");
	return 0;
}

static int compute(struct npu_device *dev, const struct npu_device_info *info, struct npu_tensor *a,
		   struct product *products, struct npu_error *err)
{
	struct npu_matmul *matmuls[PRODUCTS] = { products[NARROW].matmul, products[EXACT].matmul };
	struct npu_queue *queue;
	int ret = npu_queue_create(dev, NULL, &queue, err);

	if (ret)
		return ret;
	ret = fill(a, err);
	if (!ret)
		ret = npu_queue_run(queue, matmuls, PRODUCTS, err);
	if (!ret)
		ret = check(products, err);
	for (int i = 0; i < PRODUCTS && !ret; i++)
		ret = say_plan(&products[i], err);
	if (!ret)
		ret = say_stats(queue, info, err);
	npu_queue_destroy(queue);
	return ret;
}

static int run(struct npu_device *dev, struct npu_error *err)
{
	const struct npu_epilogue_desc narrow = {
		.size = sizeof(narrow),
		.n = N,
		.multiplier = (const int16_t[]){ 1 },
		.scale_count = 1,
		.shift = 13,
	};
	const struct npu_epilogue_desc exact = {
		.size = sizeof(exact),
		.n = N,
		.scaling = NPU_SCALING_NONE,
	};
	struct product products[PRODUCTS] = { { .name = "int8" }, { .name = "int32" } };
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_device_info info;
	int ret = say_device(dev, &info, err);

	if (!ret)
		ret = create_weights(dev, &desc.weights, err);
	if (!ret)
		ret = npu_tensor_create(dev, NPU_TYPE_INT8, M, K, &desc.a, err);
	if (!ret)
		ret = create_product(dev, &narrow, NPU_TYPE_INT8, desc, &products[NARROW], err);
	if (!ret)
		ret = create_product(dev, &exact, NPU_TYPE_INT32, desc, &products[EXACT], err);
	if (!ret)
		ret = compute(dev, &info, desc.a, products, err);
	for (int i = 0; i < PRODUCTS; i++) {
		npu_matmul_destroy(products[i].matmul);
		npu_tensor_destroy(products[i].c);
		npu_epilogue_destroy(products[i].epilogue);
	}
	npu_tensor_destroy(desc.a);
	npu_weights_destroy(desc.weights);
	return ret;
}

int main(int argc, char **argv)
{
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	bool allow_cpu = argc > 1 && !strcmp(argv[1], "--allow-cpu");
	struct npu_device *dev;
	struct npu_error err;
	int ret;

	argc -= allow_cpu;
	argv += allow_cpu;
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		fputs("Usage: fallback [--allow-cpu] [DEVICE]\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	ret = open_device(argc == 2 ? argv[1] : NULL, allow_cpu, &dev, &err);
	if (!ret) {
		ret = run(dev, &err);
		npu_device_close(dev);
	}
	if (ret)
		fprintf(stderr, "fallback: %s\n", err.text);
	return ret ? 1 : 0;
}
