// SPDX-License-Identifier: MIT
/* libFuzzer: .npy files that somebody sends. */
#include "tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return tensors_fuzz(data, size, "\x93NUMPY", 0);
}
