// SPDX-License-Identifier: MIT
/*
 * The corpus and its descendants.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "corpus.h"

enum {
	CORPUS_MAX = 16384
};

static struct program programs[CORPUS_MAX];
static atomic_bool useful[CORPUS_MAX];
static size_t n_programs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* xorshift64 of Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t below(uint64_t *seed, size_t n)
{
	return next(seed) % n;
}

static void add(const struct program *program, int is_useful)
{
	pthread_mutex_lock(&lock);
	if (n_programs < CORPUS_MAX && program->size) {
		useful[n_programs] = is_useful;
		programs[n_programs++] = *program;
	}
	pthread_mutex_unlock(&lock);
}

int corpus_load(const char *path)
{
	char line[2 * PROGRAM_MAX + 2];
	FILE *f = fopen(path, "r");
	struct program p;
	unsigned int byte;

	if (!f)
		return 0;
	/* What does not begin with a digit is a program of no bytes, which is not added. */
	while (fgets(line, sizeof(line), f)) {
		for (p.size = 0; p.size < PROGRAM_MAX; p.size++) {
			if (sscanf(line + 2 * p.size, "%2x", &byte) != 1)
				break;
			p.bytes[p.size] = (uint8_t)byte;
		}
		add(&p, 0);
	}
	fclose(f);
	return 0;
}

int corpus_save(const char *path)
{
	FILE *f = fopen(path, "w");
	size_t i, j;

	if (!f) {
		perror(path);
		return -1;
	}
	fprintf(f, "# SPDX-License-Identifier: MIT\n");
	for (i = 0; i < n_programs; i++) {
		if (!useful[i])
			continue;
		for (j = 0; j < programs[i].size; j++)
			fprintf(f, "%02x", programs[i].bytes[j]);
		fprintf(f, "\n");
	}
	if (!fclose(f))
		return 0;
	perror(path);
	return -1;
}

void corpus_add(const struct program *program)
{
	add(program, 1);
}

void corpus_keep(size_t n)
{
	useful[n] = 1;
}

size_t corpus_count(void)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = n_programs;
	pthread_mutex_unlock(&lock);
	return n;
}

struct program corpus_get(size_t n)
{
	struct program p;

	pthread_mutex_lock(&lock);
	p = programs[n];
	pthread_mutex_unlock(&lock);
	return p;
}

static void from_chance(struct program *p, uint64_t *seed)
{
	size_t i;

	p->size = 1 + below(seed, PROGRAM_MAX);
	for (i = 0; i < p->size; i++)
		p->bytes[i] = (uint8_t)(next(seed) >> 32);
}

/* Puts a piece of another program, or of this one, in the place of some bytes or between them. */
static void splice(struct program *p, const struct program *other, uint64_t *seed, int insert)
{
	const size_t from = below(seed, other->size), to = below(seed, p->size);
	size_t n = 1 + below(seed, other->size - from);

	if (n > PROGRAM_MAX - to)
		n = PROGRAM_MAX - to;
	if (insert && p->size + n <= PROGRAM_MAX) {
		memmove(p->bytes + to + n, p->bytes + to, p->size - to);
		p->size += n;
	}
	memmove(p->bytes + to, other->bytes + from, n);
	if (p->size < to + n)
		p->size = to + n;
}

static void change(struct program *p, uint64_t *seed)
{
	const size_t at = below(seed, p->size);
	struct program other;

	switch (below(seed, 6)) {
	case 0:
		p->bytes[at] ^= (uint8_t)(1U << below(seed, 8));
		break;
	case 1:
		p->bytes[at] = (uint8_t)(next(seed) >> 32);
		break;
	case 2:
		p->bytes[at] = (uint8_t)(p->bytes[at] + below(seed, 9) - 4);
		break;
	case 3:
		memmove(p->bytes + at, p->bytes + at + 1, p->size - at - 1);
		p->size -= p->size > 1;
		break;
	case 4:
		other = corpus_get(below(seed, corpus_count()));
		splice(p, &other, seed, 1);
		break;
	default:
		other = corpus_get(below(seed, corpus_count()));
		splice(p, &other, seed, 0);
	}
}

void corpus_next(struct program *program, uint64_t *seed)
{
	size_t n = corpus_count(), changes;

	if (!n || !below(seed, 8)) {
		from_chance(program, seed);
		return;
	}
	*program = corpus_get(below(seed, n));
	for (changes = 1 + below(seed, 6); changes; changes--)
		change(program, seed);
}
