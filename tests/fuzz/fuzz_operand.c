// SPDX-License-Identifier: MIT
/*
 * libFuzzer: .npy files on npu-run's command line, by way of a real file: operands, samples and
 * labels.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/npu-run/network/samples.h"
#include "../../tools/npu-run/npy.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct npy *npy)
{
	const uint8_t *bytes = npy->data;
	size_t size = npy->count * npy_type_size(npy->type), count = 1;
	volatile uint8_t last = size ? bytes[size - 1] : 0;

	(void)last;
	must(npy->rank <= NPY_MAX_RANK);
	for (unsigned int i = 0; i < NPY_MAX_RANK; i++)
		count *= npy->dim[i];
	must(npy->count == count);
}

/* Samples of 3 values, of any number of rows. */
#define INPUTS 3
#define CLASSES 10

static void read_samples(const char *path)
{
	struct npu_error err = { 0 };
	struct samples *samples;
	float x[INPUTS] = { 0 };

	if (samples_open(path, 0.5, &samples, &err)) {
		must(err.code && err.text[0]);
		return;
	}
	if (!samples_check(samples, INPUTS, "a model", &err)) {
		uint32_t last = samples_rows(samples) - 1;

		must(samples_rows(samples));
		if (!samples_read(samples, last, 1, x, &err))
			must(isfinite(x[0]) && isfinite(x[INPUTS - 1]));
	}
	samples_close(samples);
}

static void read_labels(const char *path)
{
	struct npu_error err = { 0 };
	int32_t *labels;

	for (uint32_t count = 1; count <= 4; count++) {
		if (labels_read(path, count, CLASSES, &labels, &err)) {
			must(err.code && err.text[0]);
			continue;
		}
		for (uint32_t i = 0; i < count; i++)
			must(labels[i] >= 0 && labels[i] < CLASSES);
		free(labels);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_error err = { 0 };
	struct npy npy;
	char path[IMAGE_PATH];
	int fd = image_file(data, size, false, path);

	if (!npy_read(path, &npy, &err)) {
		check(&npy);
		npy_free(&npy);
	} else {
		must(err.code && err.text[0] && !strchr(err.text, '\n'));
	}
	read_samples(path);
	read_labels(path);
	close(fd);
	return 0;
}
