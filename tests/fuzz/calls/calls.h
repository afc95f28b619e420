/* SPDX-License-Identifier: MIT */
/*
 * The calls that a program consists of.
 */
#ifndef TESTS_FUZZ_CALLS_CALLS_H
#define TESTS_FUZZ_CALLS_CALLS_H

#include "world.h"

enum {
	ACTOR_MAPS = 8,
	ACTOR_ROOM = 65536
};

/**
 * struct actor - one thread that carries programs out
 * @world: What it acts on.
 * @in: What it does.
 * @maps: Its mappings, which no other thread may take from under it.
 * @room: Where the kernel may write, ACTOR_ROOM bytes, and nothing behind it: what a call says
 *about the size of its answer is not always true.
 */
struct actor {
	struct world *world;
	struct input in;
	struct {
		void *at;
		size_t size;
	} maps[ACTOR_MAPS];
	void *room;
};

/** Prepares an actor; 0 or -1. */
int calls_begin(struct actor *actor, struct world *world);
/** Carries a program out; how many calls it was. */
unsigned int calls_run(struct actor *actor, const uint8_t *program, size_t size);
/** Removes all mappings. */
void calls_end(struct actor *actor);

/** The last @size bytes of the actor's room. */
uint64_t call_room(const struct actor *actor, size_t size);

/** One ioctl on a file, of which no outcome is a surprise. */
void call_ioctl(const struct world_file *f, unsigned long request, void *arg);

/* Buffers: create, close, info, prep, fini, map, use a mapping. */
void call_bo_create(struct actor *a);
void call_bo_close(struct actor *a);
void call_bo_info(struct actor *a);
void call_bo_prep(struct actor *a);
void call_bo_fini(struct actor *a);
void call_map(struct actor *a);
void call_touch(struct actor *a);

/* Sharing: export, import, memory of another driver, what a dma-buf can do. */
void call_export(struct actor *a);
void call_import(struct actor *a);
void call_foreign(struct actor *a);
void call_dma_buf(struct actor *a);

/* Submissions: contexts, perfmons, jobs. */
void call_ctx(struct actor *a);
void call_perfmon(struct actor *a);
void call_submit(struct actor *a);

/* Syncobjs: of DRM, but the driver's fences are in them. */
void call_sync_make(struct actor *a);
void call_sync_use(struct actor *a);
void call_sync_file(struct actor *a);
void call_sync_later(struct actor *a);

/* Files: queries, opening anew, fdinfo, ioctls that nobody defined. */
void call_query(struct actor *a);
void call_file(struct actor *a);
void call_anything(struct actor *a);

#endif /* TESTS_FUZZ_CALLS_CALLS_H */
