// SPDX-License-Identifier: MIT
/*
 * Arenas. A chunk is a buffer and a list of its free ranges in order of their offsets. The note
 * of a range is allocated with the slice that it will be when it is given back, so that giving
 * back cannot fail. A chunk that is all free goes back to the kernel.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "arena.h"
#include "arith.h"
#include "backend/backend.h"
#include "buffer.h"

/* The longest cache line of any machine this runs on. */
#define ALIGN 128

/* Chunks grow with the arena, up to a size that fragmented memory still has in one piece. */
#define FIRST_CHUNK ((size_t)256 << 10)
#define LAST_CHUNK ((size_t)4 << 20)

/* Slices from here on are not worth sharing a chunk: rounding to pages costs them little. */
#define OWN_BUFFER ((size_t)1 << 20)

struct arena_range {
	struct arena_chunk *chunk;
	struct arena_range *next;
	size_t offset;
	size_t bytes;
	bool recycled;
};

struct arena_chunk {
	struct arena_chunk *next;
	struct npu_buffer *buf;
	struct arena_range *free;
	size_t slices;
};

void npu_arena_init(struct npu_arena *arena)
{
	pthread_mutex_init(&arena->lock, NULL);
	arena->next_bytes = FIRST_CHUNK;
}

void npu_arena_fini(struct npu_arena *arena)
{
	pthread_mutex_destroy(&arena->lock);
}

static int no_memory(size_t bytes, struct npu_error *err)
{
	return npu_fail(err, -ENOMEM, "no memory to keep account of %zu bytes", bytes);
}

/* A chunk with room for @bytes, smaller than it should be if the device is short of memory. */
static int add_chunk(struct npu_device *dev, size_t bytes, struct npu_error *err)
{
	struct npu_arena *arena = &dev->arena;
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk));
	struct arena_range *range = calloc(1, sizeof(*range));
	size_t size = arena->next_bytes > bytes ? arena->next_bytes : bytes;
	int ret;

	if (!chunk || !range) {
		ret = no_memory(bytes, err);
		goto fail;
	}
	ret = npu_buffer_create(dev, size, &chunk->buf, err);
	if (ret && size > bytes)
		ret = npu_buffer_create(dev, bytes, &chunk->buf, err);
	if (ret)
		goto fail;
	*range = (struct arena_range){ .chunk = chunk, .bytes = chunk->buf->bytes };
	chunk->free = range;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	if (arena->next_bytes < LAST_CHUNK)
		arena->next_bytes *= 2;
	return 0;

fail:
	free(range);
	free(chunk);
	return ret;
}

/* The place in the list of the first range that is large enough. */
static struct arena_range **find_range(struct arena_chunk *chunk, size_t bytes, bool recycled)
{
	for (; chunk; chunk = chunk->next)
		for (struct arena_range **at = &chunk->free; *at; at = &(*at)->next)
			if ((*at)->bytes >= bytes && (*at)->recycled == recycled)
				return at;
	return NULL;
}

/* Cuts @bytes off a free range, which @note describes from now on. */
static struct arena_range *take(struct arena_range **at, size_t bytes, struct arena_range *note)
{
	struct arena_range *range = *at;

	range->chunk->slices++;
	if (range->bytes == bytes) {
		*at = range->next;
		free(note);
		return range;
	}
	*note = *range;
	note->bytes = bytes;
	range->offset += bytes;
	range->bytes -= bytes;
	return note;
}

/* Memory that was never used is taken first: there is nothing to wait for. */
static int alloc_shared(struct npu_device *dev, size_t bytes, struct npu_slice *slice,
			struct npu_error *err)
{
	struct npu_arena *arena = &dev->arena;
	struct arena_range *note = malloc(sizeof(*note)), **at;
	int ret = 0;

	if (!note)
		return no_memory(bytes, err);
	pthread_mutex_lock(&arena->lock);
	at = find_range(arena->chunks, bytes, false);
	if (!at)
		at = find_range(arena->chunks, bytes, true);
	if (!at) {
		ret = add_chunk(dev, bytes, err);
		at = ret ? NULL : &arena->chunks->free;
	}
	if (at) {
		note = take(at, bytes, note);
		slice->buf = note->chunk->buf;
		slice->offset = note->offset;
		slice->recycled = note->recycled;
		slice->range = note;
	}
	pthread_mutex_unlock(&arena->lock);
	if (ret)
		free(note);
	return ret;
}

int npu_slice_alloc(struct npu_device *dev, size_t bytes, struct npu_slice *slice,
		    struct npu_error *err)
{
	*slice = (struct npu_slice){ .bytes = bytes };
	if (bytes >= OWN_BUFFER)
		return npu_buffer_create(dev, bytes, &slice->buf, err);
	return alloc_shared(dev, npu_round_up(bytes, ALIGN), slice, err);
}

/* Joins @range and the one behind it where that makes one piece of one kind. */
static void join(struct arena_range *range)
{
	struct arena_range *next = range->next;

	if (!next || range->offset + range->bytes != next->offset ||
	    range->recycled != next->recycled)
		return;
	range->bytes += next->bytes;
	range->next = next->next;
	free(next);
}

static void put_back(struct arena_range *range)
{
	struct arena_range **at = &range->chunk->free, *before = NULL;

	for (; *at && (*at)->offset < range->offset; at = &(*at)->next)
		before = *at;
	range->recycled = true;
	range->next = *at;
	*at = range;
	join(range);
	if (before)
		join(before);
}

/* Takes a chunk out of the arena and returns its buffer. */
static struct npu_buffer *remove_chunk(struct npu_arena *arena, struct arena_chunk *chunk)
{
	struct arena_chunk **at = &arena->chunks;
	struct npu_buffer *buf = chunk->buf;

	while (*at != chunk)
		at = &(*at)->next;
	*at = chunk->next;
	for (struct arena_range *range = chunk->free, *next; range; range = next) {
		next = range->next;
		free(range);
	}
	free(chunk);
	return buf;
}

void npu_slice_free(struct npu_device *dev, struct npu_slice *slice)
{
	struct npu_buffer *unused = NULL;

	if (slice->range) {
		struct arena_chunk *chunk = slice->range->chunk;

		pthread_mutex_lock(&dev->arena.lock);
		put_back(slice->range);
		if (!--chunk->slices)
			unused = remove_chunk(&dev->arena, chunk);
		pthread_mutex_unlock(&dev->arena.lock);
	} else {
		unused = slice->buf;
	}
	npu_buffer_destroy(unused);
	*slice = (struct npu_slice){ 0 };
}

/*
 * The engine never writes here, so what the CPU sees is right without a bracket. It would wait for
 * all jobs that read any slice of the chunk; only those that may read this one are worth that.
 */
int npu_slice_begin_fill(const struct npu_slice *slice, void **data, struct npu_error *err)
{
	if (slice->recycled)
		return npu_buffer_begin_step(slice->buf, NPU_ACCESS_WRITE, slice->offset,
					     slice->bytes, data, err);
	*data = slice->buf->map + slice->offset;
	return 0;
}

int npu_slice_end_fill(const struct npu_slice *slice, struct npu_error *err)
{
	return npu_buffer_end_step(slice->buf, NPU_ACCESS_WRITE, slice->offset, slice->bytes, err);
}

int npu_slice_begin_read(const struct npu_slice *slice, const void **data, struct npu_error *err)
{
	void *map = slice->buf->map + slice->offset;
	int ret = 0;

	if (slice->shared)
		ret = npu_buffer_begin_access(slice->buf, NPU_ACCESS_READ, slice->offset,
					      slice->bytes, -1, &map, err);
	*data = map;
	return ret;
}

int npu_slice_end_read(const struct npu_slice *slice, struct npu_error *err)
{
	if (!slice->shared)
		return 0;
	return npu_buffer_end_access(slice->buf, NPU_ACCESS_READ, slice->offset, slice->bytes, err);
}
