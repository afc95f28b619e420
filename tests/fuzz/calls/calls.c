// SPDX-License-Identifier: MIT
/*
 * From bytes to calls.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

/* Some stand here more than once: what leads far is tried more often. */
static const struct {
	const char *name;
	enum outcome (*make)(struct actor *a);
} calls[CALLS] = {
	{ "bo_create", call_bo_create },
	{ "bo_create", call_bo_create },
	{ "bo_close", call_bo_close },
	{ "bo_info", call_bo_info },
	{ "bo_prep", call_bo_prep },
	{ "bo_fini", call_bo_fini },
	{ "map", call_map },
	{ "touch", call_touch },
	{ "export", call_export },
	{ "import", call_import },
	{ "foreign", call_foreign },
	{ "dma_buf", call_dma_buf },
	{ "ctx", call_ctx },
	{ "ctx", call_ctx },
	{ "perfmon", call_perfmon },
	{ "submit", call_submit },
	{ "submit", call_submit },
	{ "submit", call_submit },
	{ "submit", call_submit },
	{ "sync_make", call_sync_make },
	{ "sync_use", call_sync_use },
	{ "sync_use", call_sync_use },
	{ "sync_file", call_sync_file },
	{ "sync_later", call_sync_later },
	{ "query", call_query },
	{ "file", call_file },
	{ "anything", call_anything },
};

static atomic_ullong all_made[CALLS], all_done[CALLS];

enum outcome outcome_of(int ret)
{
	return ret ? OUTCOME_REFUSED : OUTCOME_DONE;
}

enum outcome call_ioctl(const struct world_file *f, unsigned long request, void *arg)
{
	/* Never repeated: an interrupted call is an outcome, too. */
	return outcome_of(ioctl(f->fd, request, arg));
}

/*
 * Four gigabytes of addresses with nothing else in them, because the half of a pointer that is
 * damaged may be the lower one, and the kernel then writes somewhere else there.
 */
static uint8_t *map_room(void)
{
	static atomic_uint actors;
	const uint64_t at = 0x123400000000 + ((uint64_t)actors++ << 32);

	return mmap((void *)(uintptr_t)at, ACTOR_ROOM, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

int calls_begin(struct actor *actor, struct world *world)
{
	memset(actor, 0, sizeof(*actor));
	actor->world = world;
	actor->room = map_room();
	return actor->room == MAP_FAILED ? -1 : 0;
}

uint64_t call_room(const struct actor *actor, size_t size)
{
	return (uintptr_t)actor->room + ACTOR_ROOM - size;
}

unsigned int calls_run(struct actor *actor, const uint8_t *program, size_t size)
{
	unsigned int n = 0;

	actor->in = (struct input){ program, program + size };
	while (actor->in.at < actor->in.end) {
		const uint32_t kind = input_below(&actor->in, CALLS);
		const enum outcome outcome = calls[kind].make(actor);

		actor->made[kind] += outcome != OUTCOME_NONE;
		actor->done[kind] += outcome == OUTCOME_DONE;
		n += outcome != OUTCOME_NONE;
	}
	return n;
}

void calls_end(struct actor *actor)
{
	unsigned int i;

	for (i = 0; i < ACTOR_MAPS; i++)
		if (actor->maps[i].at)
			munmap(actor->maps[i].at, actor->maps[i].size);
	memset(actor->maps, 0, sizeof(actor->maps));
	munmap(actor->room, ACTOR_ROOM);
	for (i = 0; i < CALLS; i++) {
		all_made[i] += actor->made[i];
		all_done[i] += actor->done[i];
	}
}

void calls_report(void)
{
	unsigned long long made, done;
	unsigned int i = 0;

	printf("%-10s %10s %6s\n", "call", "made", "done");
	while (i < CALLS) {
		const char *name = calls[i].name;

		for (made = done = 0; i < CALLS && !strcmp(calls[i].name, name); i++) {
			made += all_made[i];
			done += all_done[i];
		}
		printf("%-10s %10llu %4llu %%\n", name, made, made ? 100 * done / made : 0);
	}
}

enum outcome call_query(struct actor *a)
{
	struct drm_npu_dev_query query = {
		.type = input_below(&a->in, 4),
		.size = input_byte(&a->in),
	};

	if (!input_chance(&a->in, 4))
		query.pointer = call_room(a, query.size);
	input_damage(&a->in, &query, sizeof(query));
	return call_ioctl(world_file(a->world, &a->in), DRM_IOCTL_NPU_DEV_QUERY, &query);
}

static enum outcome read_fdinfo(const struct world_file *f)
{
	char path[48], text[1024];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
	info = fopen(path, "r");
	if (!info)
		return OUTCOME_REFUSED;
	(void)!fread(text, 1, sizeof(text), info);
	fclose(info);
	return OUTCOME_DONE;
}

/* A file that ends takes much with it, so that is rare. */
enum outcome call_file(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);

	if (!input_chance(&a->in, 64))
		return read_fdinfo(f);
	world_reopen(a->world, f);
	return OUTCOME_DONE;
}

/* Any of the driver's numbers and some beyond, any size, any direction, any content. */
enum outcome call_anything(struct actor *a)
{
	uint8_t arg[512];
	unsigned int size = input_below(&a->in, sizeof(arg)), i;
	unsigned long request =
		_IOC(input_byte(&a->in) & 3, 'd', 0x40 + input_below(&a->in, 0x20), size);

	memset(arg, 0, sizeof(arg));
	for (i = input_byte(&a->in); i; i--)
		arg[input_below(&a->in, sizeof(arg))] = input_byte(&a->in);
	return call_ioctl(world_file(a->world, &a->in), request, arg);
}
