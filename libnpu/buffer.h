/* SPDX-License-Identifier: MIT */
/*
 * Buffers as the rest of the library sees them.
 */
#ifndef LIBNPU_BUFFER_H
#define LIBNPU_BUFFER_H

#include "object.h"

/*
 * Makes a buffer of a mapping, which goes with it. Only for devices whose backend has
 * buffer_adopt().
 */
int npu_buffer_adopt(struct npu_device *dev, void *map, size_t bytes, struct npu_buffer **out,
		     struct npu_error *err);

/*
 * Accesses for what a backend does as part of a submission, which would otherwise wait for itself,
 * and for memory that no submission claims: they wait only for what the device has already been
 * given.
 */
int npu_buffer_begin_step(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  void **data, struct npu_error *err);
int npu_buffer_end_step(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			struct npu_error *err);

#endif /* LIBNPU_BUFFER_H */
