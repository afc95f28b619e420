/* SPDX-License-Identifier: MIT */
/*
 * What programs act on: files, the objects in them, dma-bufs. All threads share it without
 * a lock: a file that one closes while another one uses it is part of the game.
 */
#ifndef TESTS_FUZZ_CALLS_WORLD_H
#define TESTS_FUZZ_CALLS_WORLD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/npu_accel.h>

#include "input.h"

enum {
	WORLD_FILES = 4,
	WORLD_OBJECTS = 16,
	WORLD_FDS = 8
};

/**
 * struct world_file - an open node and the names of what it has
 * @fd: The file; -1 while there is none.
 * @bos: Handles. The others are ids and handles in the same way; 0 for none.
 * @offsets: Offsets for mmap() of @bos.
 * @ctxs: Contexts.
 * @perfmons: Perfmons.
 * @syncobjs: Syncobjs.
 */
struct world_file {
	atomic_int fd;
	atomic_uint bos[WORLD_OBJECTS];
	atomic_ullong offsets[WORLD_OBJECTS];
	atomic_uint ctxs[WORLD_OBJECTS];
	atomic_uint perfmons[WORLD_OBJECTS];
	atomic_uint syncobjs[WORLD_OBJECTS];
};

/**
 * struct world - all of it
 * @node: Path of the NPU's node.
 * @vgem: A driver whose buffers can be imported; -1 if it is not loaded.
 * @timeline: Of sw_sync, whose fences signal when somebody says so; -1 if there is none.
 * @limits: Of the NPU.
 * @files: Files.
 * @fds: dma-bufs and sync_files.
 */
struct world {
	const char *node;
	int vgem;
	int timeline;
	struct drm_npu_matmul_limits limits;
	struct world_file files[WORLD_FILES];
	atomic_int fds[WORLD_FDS];
};

/** Opens the NPU and all files. 0, or -1 and why on standard error. */
int world_open(struct world *w);
/** Closes all there is. */
void world_close(struct world *w);

/** Opens a file anew; what it had goes with it. */
void world_reopen(struct world *w, struct world_file *f);

/** One of the files; one of the names in a list, 0 if it has none, or any number. */
struct world_file *world_file(struct world *w, struct input *in);
uint32_t world_name(const atomic_uint *list, struct input *in);
/** One to be destroyed. In most cases it is in the list no more. */
uint32_t world_take(atomic_uint *list, struct input *in);
/** Puts a name into the list, in place of the one that was there, which is returned. */
uint32_t world_put(atomic_uint *list, struct input *in, uint32_t name);

/** A dma-buf or sync_file, which may be closed at the moment. */
int world_fd(struct world *w, struct input *in);
/** Puts one, or -1, in place of another; whether that one was open. */
int world_put_fd(struct world *w, struct input *in, int fd);

#endif /* TESTS_FUZZ_CALLS_WORLD_H */
