// SPDX-License-Identifier: MIT
/*
 * libFuzzer: IDX files, plain or compressed, that somebody sends to the example. The first byte
 * says how many dimensions are wanted.
 */
#include <unistd.h>

#include "../../examples/fashion-mnist/idx.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_error err = { 0 };
	char path[IMAGE_PATH];
	struct idx idx;
	int fd;

	if (!size)
		return 0;
	fd = image_file(data + 1, size - 1, false, path);
	if (!idx_read(path, 1 + data[0] % IDX_MAX_RANK, &idx, &err)) {
		volatile uint8_t last = idx.bytes ? idx.data[idx.bytes - 1] : 0;

		(void)last;
		must(idx.bytes == (size_t)idx.dim[0] * idx.dim[1] * idx.dim[2]);
		idx_free(&idx);
	} else {
		must(err.code && err.text[0] && !idx.data);
	}
	close(fd);
	return 0;
}
