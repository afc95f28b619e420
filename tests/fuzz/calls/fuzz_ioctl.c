// SPDX-License-Identifier: MIT
/*
 * A fuzzer of the whole kernel interface, led by the coverage of npu.ko. It runs where the NPU is,
 * in a kernel with KCOV, and judges nothing itself: that is for the kernel's detectors, and for the
 * device tests that run after it.
 *
 *   fuzz_ioctl [--seconds N] [--threads N] [--seed N] [--corpus FILE] [--save FILE]
 *              [--coverage FILE]
 *   fuzz_ioctl --replay N [--threads N] --corpus FILE
 *
 * What is saved are the programs that reached something new, those of the corpus included. With
 * --replay all of the corpus runs N times and nothing else, in a kernel that need not have KCOV.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../device/user.h"
#include "calls.h"
#include "corpus.h"
#include "cover.h"

enum {
	THREADS_MAX = 16
};

struct options {
	unsigned int seconds, threads, rounds;
	uint64_t seed;
	const char *corpus, *save, *coverage;
};

static struct world world;
static atomic_ullong n_calls;
static atomic_size_t n_begun;
static atomic_bool ended;
static size_t known, rounds;

/* What the corpus has comes first, then what is made of it. */
static void *explore(void *arg)
{
	struct cover *cover = cover_thread_begin();
	struct actor actor;
	uint64_t seed = (uintptr_t)arg;
	struct program program;
	size_t n;

	if (!cover || calls_begin(&actor, &world))
		return "cannot begin";
	while (!ended) {
		n = n_begun++;
		if (n < known)
			program = corpus_get(n);
		else
			corpus_next(&program, &seed);
		cover_clear(cover);
		n_calls += calls_run(&actor, program.bytes, program.size);
		if (!cover_collect(cover))
			continue;
		if (n < known)
			corpus_keep(n);
		else
			corpus_add(&program);
	}
	calls_end(&actor);
	cover_thread_end(cover);
	return NULL;
}

/* From a place of its own in the corpus, so that threads meet in many ways. */
static void *replay(void *arg)
{
	struct actor actor;
	size_t n = (uintptr_t)arg * 7;
	const size_t end = n + rounds * known;
	struct program program;

	if (calls_begin(&actor, &world))
		return "cannot begin";
	for (; n < end; n++) {
		program = corpus_get(n % known);
		n_calls += calls_run(&actor, program.bytes, program.size);
	}
	calls_end(&actor);
	return NULL;
}

static void report(unsigned int second)
{
	printf("%6u s: %llu calls, %zu places, %zu programs\n", second, (unsigned long long)n_calls,
	       cover_count(), corpus_count());
	fflush(stdout);
}

static void wait_for_end(unsigned int seconds)
{
	struct timespec begin, now;
	unsigned int passed = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (passed < seconds) {
		sleep(seconds - passed < 30 ? seconds - passed : 30);
		clock_gettime(CLOCK_MONOTONIC, &now);
		passed = (unsigned int)(now.tv_sec - begin.tv_sec);
		report(passed);
	}
}

static int run(const struct options *o)
{
	pthread_t threads[THREADS_MAX];
	void *why = NULL, *why_not;
	unsigned int i;

	known = corpus_count();
	rounds = o->rounds;
	if (rounds && !known) {
		fprintf(stderr, "--replay: %s has no program\n",
			o->corpus ? o->corpus : "no --corpus");
		return -1;
	}
	for (i = 0; i < o->threads; i++)
		if (pthread_create(&threads[i], NULL, rounds ? replay : explore,
				   (void *)(uintptr_t)(o->seed + i)))
			return -1;
	if (!rounds)
		wait_for_end(o->seconds);
	ended = 1;
	for (i = 0; i < o->threads; i++) {
		pthread_join(threads[i], &why_not);
		why = why_not ? why_not : why;
	}
	return why ? -1 : 0;
}

static int write_coverage(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f)
		cover_write(f);
	if (f && !fclose(f))
		return 0;
	perror(path);
	return -1;
}

static struct options options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'r' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "save", required_argument, NULL, 'o' },
		{ "coverage", required_argument, NULL, 'v' },
		{ "replay", required_argument, NULL, 'n' },
		{ 0 },
	};
	struct options o = { .seconds = 60, .threads = 8, .seed = 1 };
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 's':
			o.seconds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 't':
			o.threads = (unsigned int)strtoul(optarg, NULL, 10) % (THREADS_MAX + 1);
			break;
		case 'r':
			o.seed = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			o.corpus = optarg;
			break;
		case 'o':
			o.save = optarg;
			break;
		case 'n':
			o.rounds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			o.coverage = optarg;
			break;
		default:
			exit(2);
		}
	}
	return o;
}

int main(int argc, char **argv)
{
	const struct options o = options(argc, argv);

	/* A page of a device that is gone, a pipe without reader: outcomes like others. */
	signal(SIGPIPE, SIG_IGN);
	/* With the quotas of a user, which root does not have. */
	if (user_become(1001)) {
		perror("cannot be a user");
		return 1;
	}
	if ((!o.rounds && cover_open()) || world_open(&world) ||
	    (o.corpus && corpus_load(o.corpus)) || run(&o))
		return 1;
	world_close(&world);
	if ((o.save && corpus_save(o.save)) || (o.coverage && write_coverage(o.coverage)))
		return 1;
	calls_report();
	printf("fuzz_ioctl: %llu calls, %zu places reached\n", (unsigned long long)n_calls,
	       cover_count());
	return 0;
}
