// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "match.h"

/* A turn lasts as many runs as fill this. */
#define TURN_US 3000.0

/* A run that takes this long gets fewer turns. */
#define LONG_US 20000.0

/* Threads of the one before look out for work before they sleep, pthreadpool's for 20 ms. */
#define REST_US 40000

/* Elements of a result that are computed one product at a time. */
#define SAMPLES 500

struct entry {
	const struct contender *contender;
	void *self;
	bool exact;
	unsigned int runs; /* of a turn */
	unsigned int turns;
	double us[MATCH_ROUNDS];
};

/* One thread's own time has nothing of what others do on its processor. */
static double now_us(const struct problem *p)
{
	struct timespec now;

	clock_gettime(p->threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- Results ----------------------------------------------------------------------------- */

static int64_t element(const struct problem *p, const void *c, size_t at)
{
	return p->result == RESULT_SUMS ? ((const int32_t *)c)[at] : ((const int8_t *)c)[at];
}

static bool agree(const struct problem *p, int64_t x, int64_t y)
{
	return llabs(x - y) <= (p->result == RESULT_INT8);
}

static int64_t reference(const struct problem *p, size_t at)
{
	const int8_t *a = p->a + at / p->n * p->k, *w = p->w + at % p->n * p->k;
	int64_t sum = 0;

	for (uint32_t k = 0; k < p->k; k++)
		sum += a[k] * w[k];
	if (p->result == RESULT_SUMS)
		return sum;
	sum >>= p->shift;
	return sum < INT8_MIN ? INT8_MIN : sum > INT8_MAX ? INT8_MAX : sum;
}

/* Whether the last run's result is that of the definition, at samples, and @first everywhere. */
static bool is_exact(const struct problem *p, const struct entry *entry, const void *first)
{
	const size_t elements = (size_t)p->m * p->n;
	const void *c = entry->contender->output(entry->self);

	if (!c)
		return true;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t at = i * 7919 % elements;

		if (!agree(p, element(p, c, at), reference(p, at)))
			return false;
	}
	for (size_t i = 0; first && i < elements; i++)
		if (!agree(p, element(p, c, i), element(p, first, i)))
			return false;
	return true;
}

/* ---- Time -------------------------------------------------------------------------------- */

static double turn(const struct problem *p, const struct entry *entry, unsigned int runs)
{
	double begin;

	if (p->threads > 1)
		usleep(REST_US);
	/* Back into the caches, threads awake. */
	entry->contender->run(entry->self);
	begin = now_us(p);
	for (unsigned int i = 0; i < runs; i++)
		entry->contender->run(entry->self);
	return (now_us(p) - begin) / runs;
}

static unsigned int rounds_for(const struct problem *p, struct entry *entries, size_t count)
{
	unsigned int rounds = MATCH_ROUNDS;

	for (size_t i = 0; i < count; i++) {
		double us = turn(p, &entries[i], 1);

		entries[i].runs = us < TURN_US ? (unsigned int)(TURN_US / us) + 1 : 1;
		if (us > LONG_US)
			rounds = MATCH_ROUNDS_LONG;
	}
	return rounds;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void play(const struct problem *p, struct entry *entries, size_t count)
{
	const unsigned int rounds = rounds_for(p, entries, count);

	for (unsigned int round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++)
			entries[i].us[entries[i].turns++] = turn(p, &entries[i], entries[i].runs);
	for (size_t i = 0; i < count; i++)
		qsort(entries[i].us, rounds, sizeof(double), compare);
}

void match_run(const struct problem *problem, const struct contender *const *contenders,
	       size_t count, struct timing *timing)
{
	struct entry entries[MATCH_CONTENDERS] = { 0 };
	size_t place[MATCH_CONTENDERS], players = 0;

	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &entries[players];

		timing[i] = (struct timing){ 0 };
		entry->contender = contenders[i];
		entry->self = contenders[i]->create(problem);
		if (entry->self)
			place[players++] = i;
	}
	for (size_t i = 0; i < players; i++)
		entries[i].contender->run(entries[i].self);
	for (size_t i = 0; i < players; i++)
		entries[i].exact =
			is_exact(problem, &entries[i],
				 i ? entries[0].contender->output(entries[0].self) : NULL);
	must(entries[0].exact, entries[0].contender->name);
	play(problem, entries, players);
	for (size_t i = 0; i < players; i++) {
		timing[place[i]] = (struct timing){ true, entries[i].exact, entries[i].us[0],
						    entries[i].us[entries[i].turns / 2] };
		entries[i].contender->destroy(entries[i].self);
	}
}
