/* SPDX-License-Identifier: MIT */
/*
 * Arenas: many small things that engines only read, in few buffers.
 *
 * A buffer costs the kernel a handle, a mapping and whole pages, so weights and operands share
 * them. Tensors do not: the kernel orders jobs by the buffers they write, and two tensors in one
 * buffer would make queues wait for each other that have nothing to do with each other. Jobs that
 * read a buffer do not wait for one another.
 */
#ifndef LIBNPU_ARENA_H
#define LIBNPU_ARENA_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct npu_buffer;
struct npu_device;
struct npu_error;
struct arena_chunk;
struct arena_range;

/* All functions may be called by any number of threads. */
struct npu_arena {
	pthread_mutex_t lock;
	struct arena_chunk *chunks;
	size_t next_bytes; /* of the next chunk */
};

/**
 * struct npu_slice - part of a buffer, or all of one, that engines only read
 * @buf: The buffer; NULL in a slice that has no memory.
 * @offset: First byte, a multiple of 128, so that slices have cache lines of their own.
 * @bytes: Size, as asked for.
 * @range: The arena's note of it; NULL where the slice owns all of the buffer.
 * @recycled: Jobs that were submitted before may still read what was here.
 * @shared: Others may write to the memory: it was imported.
 */
struct npu_slice {
	struct npu_buffer *buf;
	size_t offset;
	size_t bytes;
	struct arena_range *range;
	bool recycled;
	bool shared;
};

void npu_arena_init(struct npu_arena *arena);
/* When no slice is left. */
void npu_arena_fini(struct npu_arena *arena);

/* Takes memory from @dev's arena; large slices get a buffer of their own. */
int npu_slice_alloc(struct npu_device *dev, size_t bytes, struct npu_slice *slice,
		    struct npu_error *err);

/* Gives the memory back; nothing to do for a slice that has none. */
void npu_slice_free(struct npu_device *dev, struct npu_slice *slice);

/* Brackets around filling a slice, which nobody may use yet. */
int npu_slice_begin_fill(const struct npu_slice *slice, void **data, struct npu_error *err);
int npu_slice_end_fill(const struct npu_slice *slice, struct npu_error *err);

/* Brackets around reading a slice that may be in use. */
int npu_slice_begin_read(const struct npu_slice *slice, const void **data, struct npu_error *err);
int npu_slice_end_read(const struct npu_slice *slice, struct npu_error *err);

#endif /* LIBNPU_ARENA_H */
