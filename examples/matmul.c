// SPDX-License-Identifier: MIT
/*
 * The shortest way from numbers to their product: one matmul, submitted and waited for.
 *
 *	matmul [DEVICE]
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <npu.h>

#define M 2
#define K 3
#define N 4

/* One row for each row of the result. */
static const int8_t input[M][K] = { { 1, 2, 3 }, { -4, 5, -6 } };

/* One row for each column of the result. */
static const int8_t weight[N][K] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 7, -8, 9 } };

static void print(int8_t output[M][N])
{
	for (int m = 0; m < M; m++)
		for (int n = 0; n < N; n++)
			printf("%4d%s", output[m][n], n == N - 1 ? "\n" : " ");
}

int main(int argc, char **argv)
{
	const struct npu_weights_desc w = { .size = sizeof(w), .n = N, .k = K, .data = weight };
	/* The sums as they are, but clamped to int8. */
	const struct npu_epilogue_desc e = {
		.size = sizeof(e),
		.n = N,
		.multiplier = (const int16_t[]){ 1 },
		.scale_count = 1,
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul = NULL;
	struct npu_queue *queue = NULL;
	struct npu_device *dev = NULL;
	struct npu_error err;
	int8_t output[M][N];
	int ret;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		puts("Usage: matmul [DEVICE]");
		return 0;
	}
	ret = npu_device_open(argc > 1 ? argv[1] : NULL, &dev, &err);
	ret = ret ? ret : npu_weights_create(dev, &w, &desc.weights, &err);
	ret = ret ? ret : npu_epilogue_create(dev, &e, &desc.epilogue, &err);
	ret = ret ? ret : npu_tensor_create(dev, NPU_TYPE_INT8, M, K, &desc.a, &err);
	ret = ret ? ret : npu_tensor_create(dev, NPU_TYPE_INT8, M, N, &desc.c, &err);
	ret = ret ? ret : npu_matmul_create(dev, &desc, &matmul, &err);
	ret = ret ? ret : npu_queue_create(dev, NULL, &queue, &err);

	ret = ret ? ret : npu_tensor_write(desc.a, 0, M, input, 0, &err);
	ret = ret ? ret : npu_queue_run(queue, &matmul, 1, &err);
	ret = ret ? ret : npu_tensor_read(desc.c, 0, M, output, 0, &err);

	if (ret)
		fprintf(stderr, "matmul: %s\n", err.text);
	else
		print(output);

	/* In any order, and NULL is no object. */
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_device_close(dev);
	return ret ? 1 : 0;
}
