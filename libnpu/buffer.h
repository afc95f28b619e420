/* SPDX-License-Identifier: MIT */
/*
 * Buffers, for the rest of the library.
 */
#ifndef LIBNPU_BUFFER_H
#define LIBNPU_BUFFER_H

#include <stddef.h>

struct npu_buffer;
struct npu_device;
struct npu_error;

/*
 * Makes a buffer of a mapping, which goes with it. Only for devices whose backend has
 * buffer_adopt().
 */
int npu_buffer_adopt(struct npu_device *dev, void *map, size_t bytes, struct npu_buffer **out,
		     struct npu_error *err);

#endif /* LIBNPU_BUFFER_H */
