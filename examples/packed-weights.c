// SPDX-License-Identifier: MIT
/*
 * Weights that are packed once and then mapped from a file: what an application does that starts
 * often. The file is a cache. It is made again when it is not there, was damaged, or is for another
 * device or version, and the application need not know which.
 *
 *	packed-weights FILE [DEVICE]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu.h>

#define M 4
#define N 256
#define K 512

/* What stands for a network that somebody trained. */
static int8_t weight(uint32_t row, uint32_t col)
{
	return (int8_t)(row * 31 + col * 17 + row * col);
}

static int8_t input(uint32_t row, uint32_t col)
{
	return (int8_t)(row * 7 + col * 3);
}

static int pack_and_save(struct npu_device *dev, const char *path, struct npu_weights **weights,
			 struct npu_error *err)
{
	static int8_t values[N][K];
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.k = K,
		.data = values,
	};

	for (uint32_t row = 0; row < N; row++)
		for (uint32_t col = 0; col < K; col++)
			values[row][col] = weight(row, col);
	if (npu_weights_create(dev, &desc, weights, err))
		return err->code;
	/* The application runs without a file, too. */
	if (npu_weights_save(*weights, path, err))
		fprintf(stderr, "packed-weights: not saved: %s\n", err->text);
	return 0;
}

static int get_weights(struct npu_device *dev, const char *path, struct npu_weights **weights,
		       struct npu_error *err)
{
	int ret = npu_weights_open(dev, path, weights, err);

	if (!ret && npu_weights_n(*weights) == N && npu_weights_k(*weights) == K) {
		printf("weights    mapped from %s\n", path);
		return 0;
	}
	if (ret && ret != -ENOENT && ret != -EBADMSG && ret != -ENOTSUP)
		return ret;
	printf("weights    packed, because of this: %s\n", ret ? err->text : "another shape");
	if (!ret)
		npu_weights_destroy(*weights);
	*weights = NULL;
	return pack_and_save(dev, path, weights, err);
}

/* Fills A, multiplies, and compares C with a plain loop. */
static int multiply(struct npu_queue *queue, struct npu_matmul *matmul, struct npu_tensor *a,
		    struct npu_tensor *c, struct npu_error *err)
{
	static int8_t in[M][K], out[M][N];

	for (uint32_t row = 0; row < M; row++)
		for (uint32_t col = 0; col < K; col++)
			in[row][col] = input(row, col);
	if (npu_tensor_write(a, 0, M, in[0], 0, err) || npu_queue_run(queue, &matmul, 1, err) ||
	    npu_tensor_read(c, 0, M, out[0], 0, err))
		return err->code;

	for (uint32_t row = 0; row < M; row++) {
		for (uint32_t n = 0; n < N; n++) {
			int32_t sum = 0;

			for (uint32_t k = 0; k < K; k++)
				sum += in[row][k] * weight(n, k);
			/* The epilogue below: divided by 2^13, halves away from zero. */
			sum = sum < 0 ? -((-sum + 4096) >> 13) : (sum + 4096) >> 13;
			sum = sum < -128 ? -128 : sum > 127 ? 127 : sum;
			if (out[row][n] != sum) {
				printf("result     wrong at (%u, %u)\n", row, n);
				return -EIO;
			}
		}
	}
	printf("result     right, %d x %d\n", M, N);
	return 0;
}

static int run(struct npu_device *dev, const char *path, struct npu_error *err)
{
	const struct npu_epilogue_desc stage = {
		.size = sizeof(stage),
		.n = N,
		.multiplier = (const int16_t[]){ 1 },
		.scale_count = 1,
		.shift = 13,
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul = NULL;
	struct npu_queue *queue = NULL;
	int ret = get_weights(dev, path, &desc.weights, err);

	if (!ret)
		ret = npu_epilogue_create(dev, &stage, &desc.epilogue, err);
	if (!ret)
		ret = npu_tensor_create(dev, NPU_TYPE_INT8, M, K, &desc.a, err);
	if (!ret)
		ret = npu_tensor_create(dev, NPU_TYPE_INT8, M, N, &desc.c, err);
	if (!ret)
		ret = npu_matmul_create(dev, &desc, &matmul, err);
	if (!ret)
		ret = npu_queue_create(dev, NULL, &queue, err);
	if (!ret)
		ret = multiply(queue, matmul, desc.a, desc.c, err);
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	return ret;
}

int main(int argc, char **argv)
{
	struct npu_error err = { .text = "the result is wrong" };
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	struct npu_device *dev;
	int ret;

	if (help || (argc != 2 && argc != 3)) {
		fputs("Usage: packed-weights FILE [DEVICE]\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	ret = npu_device_open(argc == 3 ? argv[2] : NULL, &dev, &err);
	if (!ret) {
		ret = run(dev, argv[1], &err);
		npu_device_close(dev);
	}
	if (ret)
		fprintf(stderr, "packed-weights: %s\n", err.text);
	return ret ? 1 : 0;
}
