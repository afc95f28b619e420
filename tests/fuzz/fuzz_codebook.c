// SPDX-License-Identifier: MIT
/*
 * libFuzzer: weights with a codebook that somebody sends: any shape, any table, any indices. An
 * index that is beyond its table is refused wherever it is used, and nothing else is.
 */
#include <stdlib.h>
#include <string.h>

#include <npu_quant.h>

#include "image.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 64

struct input {
	uint8_t n, k, bits, entries, form;
	const uint8_t *data;
	size_t size;
};

static struct npu_device *dev;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!npu_device_open("cpu", &dev, NULL));
	return 0;
}

/* What an input has, over and over, to fill as much memory as is wanted. To be freed. */
static uint8_t *fill(const struct input *in, size_t bytes, size_t at)
{
	uint8_t *to = malloc(bytes + 1);

	must(to);
	for (size_t i = 0; i < bytes; i++)
		to[i] = in->size ? in->data[(at + i) % in->size] : 0;
	return to;
}

/* Bit by bit, as npu_weights.h describes indices. */
static bool indices_are_right(const struct input *in, const uint8_t *indices)
{
	size_t row = ((size_t)in->k * in->bits + 7) / 8;

	for (uint32_t n = 0; n < in->n; n++) {
		for (uint32_t k = 0; k < in->k; k++) {
			unsigned int index = 0;

			for (uint32_t b = 0; b < in->bits; b++) {
				size_t bit = (size_t)k * in->bits + b;

				index |= (indices[n * row + bit / 8] >> bit % 8 & 1u) << b;
			}
			if (index >= in->entries)
				return false;
		}
	}
	return true;
}

static void unpack(const struct input *in)
{
	bool per_channel = in->form & 1;
	uint8_t *indices = fill(in, (((size_t)in->k * in->bits + 7) / 8) * in->n, 0);
	uint8_t *codebook = fill(in, (size_t)in->entries * (per_channel ? in->n : 1), 1);
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.type = NPU_WEIGHTS_CODEBOOK,
		.n = in->n,
		.k = in->k,
		.data = indices,
		.index_bits = in->bits,
		.codebook = (const int8_t *)codebook,
		.codebook_entries = in->entries,
		.codebook_per_channel = per_channel,
	};
	bool right =
		in->entries >= 1 && in->entries <= 1u << in->bits && indices_are_right(in, indices);
	struct npu_weights *weights;
	struct npu_error err = { 0 };

	if (!npu_weights_create(dev, &desc, &weights, &err)) {
		must(right);
		npu_weights_destroy(weights);
	} else {
		must(!right && err.text[0]);
	}
	free(codebook);
	free(indices);
}

/* The library's own codebooks, of floats that are any bits. */
static void quantize(const struct input *in)
{
	const struct npu_codebook_desc desc = {
		.size = sizeof(desc),
		.method = in->form & 2 ? NPU_CODEBOOK_POWER_OF_TWO : NPU_CODEBOOK_KMEANS,
		.n = in->n,
		.k = in->k,
		.index_bits = in->bits,
		.per_channel = in->form & 1,
	};
	struct npu_codebook_sizes sizes = { .size = sizeof(sizes) };
	size_t count = (size_t)in->n * in->k;
	uint8_t *indices, *codebook, *bits;
	float *scale, *w;

	if (npu_codebook_get_sizes(&desc, &sizes, NULL))
		return;
	/* Copied, for alignment. */
	w = malloc(count * sizeof(*w));
	bits = fill(in, count * sizeof(*w), 2);
	indices = fill(in, sizes.index_bytes, 3);
	codebook = fill(in, (size_t)sizes.entries * sizes.tables, 4);
	scale = calloc(sizes.tables, sizeof(*scale));
	must(w && scale);
	memcpy(w, bits, count * sizeof(*w));
	if (!npu_codebook_quantize(&desc, w, indices, (int8_t *)codebook, scale, NULL))
		must(!npu_codebook_dequantize(&desc, indices, (int8_t *)codebook, scale, w, NULL));
	free(scale);
	free(codebook);
	free(indices);
	free(bits);
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	if (size < 5)
		return 0;
	in = (struct input){
		.n = 1 + data[0] % MOST,
		.k = 1 + data[1] % MOST,
		.bits = 1 + data[2] % 8,
		.entries = data[3],
		.form = data[4],
		.data = data + 5,
		.size = size - 5,
	};
	unpack(&in);
	quantize(&in);
	return 0;
}
