// SPDX-License-Identifier: MIT
/*
 * libFuzzer: packed weights that somebody sends, as an application uses them: opened from a file
 * and imported from memory, on the CPU, and multiplied with. Both ways take the same ones, and what
 * they take gives the same results.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../libnpu/backend/backend.h"
#include "../../libnpu/packed.h"
#include "image.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 3
#define MOST ((size_t)1 << 16)

static struct npu_device *dev;
static struct npu_queue *queue;
static char form[NPU_PACKED_FORM];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!npu_device_open("cpu", &dev, NULL));
	must(!npu_queue_create(dev, NULL, &queue, NULL));
	dev->ops->weights_form(dev, form);
	return 0;
}

static struct npu_tensor *input(uint32_t rows, uint32_t cols)
{
	struct npu_tensor *a;
	int8_t *x = malloc((size_t)rows * cols);

	must(x);
	for (size_t i = 0; i < (size_t)rows * cols; i++)
		x[i] = (int8_t)(i * 29 + 3);
	must(!npu_tensor_create(dev, NPU_TYPE_INT8, rows, cols, &a, NULL));
	must(!npu_tensor_write(a, 0, rows, x, 0, NULL));
	free(x);
	return a;
}

/* Exact sums, rows x n of them, or NULL where the weights are too large for a test. To be freed. */
static int32_t *multiply(struct npu_weights *weights)
{
	uint32_t n = npu_weights_n(weights), k = npu_weights_k(weights);
	uint32_t rows = ROWS * npu_weights_batch(weights);
	struct npu_epilogue_desc epilogue = {
		.size = sizeof(epilogue),
		.n = n,
		.scaling = NPU_SCALING_NONE,
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc), .weights = weights };
	struct npu_matmul *matmul;
	int32_t *sum = NULL;

	if ((size_t)rows * n > MOST || (size_t)rows * k > MOST)
		return NULL;
	desc.a = input(rows, k);
	must(!npu_tensor_create(dev, NPU_TYPE_INT32, rows, n, &desc.c, NULL));
	must(!npu_epilogue_create(dev, &epilogue, &desc.epilogue, NULL));
	/* Groups of K go with other epilogues than this one. */
	if (!npu_matmul_create(dev, &desc, &matmul, NULL)) {
		sum = malloc((size_t)rows * n * sizeof(*sum));
		must(sum && !npu_queue_run(queue, &matmul, 1, NULL));
		must(!npu_tensor_read(desc.c, 0, rows, sum, 0, NULL));
		npu_matmul_destroy(matmul);
	}
	npu_epilogue_destroy(desc.epilogue);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_weights *opened = NULL, *imported = NULL;
	struct npu_error err = { 0 };
	char path[IMAGE_PATH];
	uint8_t *image = image_of_weights(data, size, form);
	int fd = image_file(image, size, true, path);

	if (!npu_weights_open(dev, path, &opened, &err)) {
		int32_t *one = multiply(opened), *other;

		/* Memory may have more behind its end than a file, never less. */
		must(!npu_weights_import(dev, fd, &imported, NULL));
		other = multiply(imported);
		must(!one == !other);
		if (one)
			must(!memcmp(one, other,
				     sizeof(*one) * ROWS * npu_weights_batch(opened) *
					     npu_weights_n(opened)));
		free(one);
		free(other);
	} else {
		must(err.code && err.text[0]);
		if (!npu_weights_import(dev, fd, &imported, NULL))
			free(multiply(imported));
	}
	npu_weights_destroy(opened);
	npu_weights_destroy(imported);
	close(fd);
	free(image);
	return 0;
}
