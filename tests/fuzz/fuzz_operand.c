// SPDX-License-Identifier: MIT
/* libFuzzer: .npy files on npu-run's command line, by way of a real file. */
#include <string.h>
#include <unistd.h>

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
	close(fd);
	return 0;
}
