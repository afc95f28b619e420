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
static void (*const calls[])(struct actor *) = {
	call_bo_create, call_bo_create, call_bo_close,	call_bo_info,	 call_bo_prep,
	call_bo_fini,	call_map,	call_touch,	call_export,	 call_import,
	call_foreign,	call_dma_buf,	call_ctx,	call_ctx,	 call_perfmon,
	call_submit,	call_submit,	call_submit,	call_submit,	 call_sync_make,
	call_sync_use,	call_sync_use,	call_sync_file, call_sync_later, call_query,
	call_file,	call_anything,
};

void call_ioctl(const struct world_file *f, unsigned long request, void *arg)
{
	/* Never repeated: an interrupted call is an outcome, too. */
	(void)!ioctl(f->fd, request, arg);
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
	for (; actor->in.at < actor->in.end; n++)
		calls[input_below(&actor->in, sizeof(calls) / sizeof(*calls))](actor);
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
}

void call_query(struct actor *a)
{
	struct drm_npu_dev_query query = {
		.type = input_below(&a->in, 4),
		.size = input_byte(&a->in),
	};

	if (!input_chance(&a->in, 4))
		query.pointer = call_room(a, query.size);
	input_damage(&a->in, &query, sizeof(query));
	call_ioctl(world_file(a->world, &a->in), DRM_IOCTL_NPU_DEV_QUERY, &query);
}

static void read_fdinfo(const struct world_file *f)
{
	char path[48], text[1024];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
	info = fopen(path, "r");
	if (!info)
		return;
	(void)!fread(text, 1, sizeof(text), info);
	fclose(info);
}

/* A file that ends takes much with it, so that is rare. */
void call_file(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);

	if (input_chance(&a->in, 8))
		world_reopen(a->world, f);
	else
		read_fdinfo(f);
}

/* Any of the driver's numbers and some beyond, any size, any direction, any content. */
void call_anything(struct actor *a)
{
	uint8_t arg[512];
	unsigned int size = input_below(&a->in, sizeof(arg)), i;
	unsigned long request =
		_IOC(input_byte(&a->in) & 3, 'd', 0x40 + input_below(&a->in, 0x20), size);

	memset(arg, 0, sizeof(arg));
	for (i = input_byte(&a->in); i; i--)
		arg[input_below(&a->in, sizeof(arg))] = input_byte(&a->in);
	call_ioctl(world_file(a->world, &a->in), request, arg);
}
