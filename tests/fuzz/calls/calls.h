/* SPDX-License-Identifier: MIT */
/*
 * The calls that a program consists of.
 */
#ifndef TESTS_FUZZ_CALLS_CALLS_H
#define TESTS_FUZZ_CALLS_CALLS_H

#include "world.h"

enum {
	ACTOR_MAPS = 8,
	ACTOR_ROOM = 65536,
	CALLS = 27
};

/**
 * enum outcome - what came of a call
 * @OUTCOME_NONE: None was made: what it would have been about was not there.
 * @OUTCOME_REFUSED: The kernel refused it.
 * @OUTCOME_DONE: The kernel did it.
 */
enum outcome {
	OUTCOME_NONE,
	OUTCOME_REFUSED,
	OUTCOME_DONE
};

/**
 * struct actor - one thread that carries programs out
 * @world: What it acts on.
 * @in: What it does.
 * @maps: Its mappings, which no other thread may take from under it.
 * @room: Where the kernel may write, ACTOR_ROOM bytes, and nothing behind it: what a call says
 *	about the size of its answer is not always true.
 * @made: Calls that were made, of each kind.
 * @done: Of these, those that the kernel did.
 */
struct actor {
	struct world *world;
	struct input in;
	struct {
		void *at;
		size_t size;
	} maps[ACTOR_MAPS];
	void *room;
	unsigned long long made[CALLS], done[CALLS];
};

/** Prepares an actor; 0 or -1. */
int calls_begin(struct actor *actor, struct world *world);
/** Carries a program out; how many calls it was. */
unsigned int calls_run(struct actor *actor, const uint8_t *program, size_t size);
/** Removes all mappings, and adds what was counted to what all actors have done. */
void calls_end(struct actor *actor);

/** Prints what all actors have done, by kind of call. Call after the last calls_end(). */
void calls_report(void);

/** The last @size bytes of the actor's room. */
uint64_t call_room(const struct actor *actor, size_t size);

/** One ioctl on a file, of which no outcome is a surprise. */
enum outcome call_ioctl(const struct world_file *f, unsigned long request, void *arg);
/** Of a system call that returns 0 or -1. */
enum outcome outcome_of(int ret);

/* Buffers: create, close, info, prep, fini, map, use a mapping. */
enum outcome call_bo_create(struct actor *a);
enum outcome call_bo_close(struct actor *a);
enum outcome call_bo_info(struct actor *a);
enum outcome call_bo_prep(struct actor *a);
enum outcome call_bo_fini(struct actor *a);
enum outcome call_map(struct actor *a);
enum outcome call_touch(struct actor *a);

/* Sharing: export, import, memory of another driver, what a dma-buf can do. */
enum outcome call_export(struct actor *a);
enum outcome call_import(struct actor *a);
enum outcome call_foreign(struct actor *a);
enum outcome call_dma_buf(struct actor *a);

/* Submissions: contexts, perfmons, jobs. */
enum outcome call_ctx(struct actor *a);
enum outcome call_perfmon(struct actor *a);
enum outcome call_submit(struct actor *a);

/* Syncobjs: of DRM, but the driver's fences are in them. */
enum outcome call_sync_make(struct actor *a);
enum outcome call_sync_use(struct actor *a);
enum outcome call_sync_file(struct actor *a);
enum outcome call_sync_later(struct actor *a);

/* Files: queries, opening anew, fdinfo, ioctls that nobody defined. */
enum outcome call_query(struct actor *a);
enum outcome call_file(struct actor *a);
enum outcome call_anything(struct actor *a);

#endif /* TESTS_FUZZ_CALLS_CALLS_H */
