// SPDX-License-Identifier: MIT
/* Who used the NPUs between two moments, by process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "usage.h"

/* What had been counted for an open file before; nothing for one that is new. */
static uint64_t engine_before(const struct clients *before, const struct client *client)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct client *old = before->client + i;

		if (old->id == client->id && !strcmp(old->node, client->node))
			return old->engine_ns < client->engine_ns ? old->engine_ns
								  : client->engine_ns;
	}
	return 0;
}

/* Files of a process follow each other. */
static void add(struct usage *usage, const struct client *client, uint64_t worked_ns)
{
	struct user *user = NULL;

	for (size_t i = 0; i < usage->count && !user; i++)
		if (usage->user[i].client.pid == client->pid &&
		    !strcmp(usage->user[i].client.node, client->node))
			user = usage->user + i;
	if (!user) {
		usage->user[usage->count++] = (struct user){
			.client = *client,
			.files = 1,
			.worked_ns = worked_ns,
		};
		return;
	}
	user->files++;
	user->worked_ns += worked_ns;
	user->client.engine_ns += client->engine_ns;
	user->client.total += client->total;
	user->client.shared += client->shared;
	user->client.active += client->active;
}

static int larger(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int by_pid(const void *a, const void *b)
{
	const struct client *x = &((const struct user *)a)->client;
	const struct client *y = &((const struct user *)b)->client;

	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) : strcmp(x->node, y->node);
}

static int by_memory(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	int order = larger(x->client.total, y->client.total);

	return order ? order : by_pid(a, b);
}

static int by_engine(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	int order = larger(x->worked_ns, y->worked_ns);

	if (!order)
		order = larger(x->client.engine_ns, y->client.engine_ns);
	return order ? order : by_pid(a, b);
}

int usage_between(const struct clients *before, const struct clients *after, enum usage_order order,
		  struct usage *usage)
{
	static int (*const compare[])(const void *, const void *) = {
		[USAGE_BY_ENGINE] = by_engine,
		[USAGE_BY_MEMORY] = by_memory,
		[USAGE_BY_PID] = by_pid,
	};

	usage_free(usage);
	usage->seconds = (double)(after->time_ns - before->time_ns) * 1e-9;
	usage->user = calloc(after->count + 1, sizeof(*usage->user));
	if (!usage->user)
		return -ENOMEM;
	for (size_t i = 0; i < after->count; i++) {
		const struct client *client = after->client + i;

		add(usage, client, client->engine_ns - engine_before(before, client));
	}
	qsort(usage->user, usage->count, sizeof(*usage->user), compare[order]);
	return 0;
}

void usage_free(struct usage *usage)
{
	free(usage->user);
	memset(usage, 0, sizeof(*usage));
}

double usage_busy(const struct usage *usage, const char *node)
{
	uint64_t worked_ns = 0;

	for (size_t i = 0; i < usage->count; i++)
		if (!strcmp(usage->user[i].client.node, node))
			worked_ns += usage->user[i].worked_ns;
	return usage->seconds > 0 ? (double)worked_ns * 1e-9 / usage->seconds : 0;
}
