// SPDX-License-Identifier: MIT
/*
 * Many processes with several contexts each on one NPU, for as long as wanted, while things happen
 * to them. At the end everybody has got right results or an explained error, and the system has
 * back what it gave.
 *
 *   npu-load [--processes N] [--contexts N] [--seconds N] [--with LIST]
 *
 * LIST: kill, fault, unbind, sleep, separated by commas.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../device/user.h"
#include "load.h"

enum {
	PROCESSES_MAX = 256,
	USERS = 4,
	TICK_US = 100000
};

struct options {
	unsigned int processes, contexts, seconds, kinds;
};

static pid_t workers[PROCESSES_MAX];
static unsigned int generation;
static unsigned int n_passed, n_failed;

static void verdict(const char *what, int good)
{
	printf("%s: %s\n", good ? "ok" : "FAILED", what);
	n_passed += !!good;
	n_failed += !good;
}

static void start(unsigned int i, struct tally *tally, const struct options *o)
{
	fflush(stdout);
	workers[i] = fork();
	generation++;
	if (workers[i])
		return;
	/* Not root, who has no quotas. */
	if (!geteuid() && user_become(1001 + i % USERS))
		_exit(1);
	worker_run(tally, o->contexts, generation);
}

/* Who was killed has a successor; who ended by himself should not have. */
static unsigned int replace_dead(struct tally *tally, const struct options *o)
{
	unsigned int i, strange = 0;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		strange += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
		for (i = 0; i < o->processes && workers[i] != pid; i++)
			;
		if (i < o->processes)
			start(i, tally, o);
	}
	return strange;
}

/* He may have been killed just before, or told to end before he listened. */
static int ended_well(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static unsigned int end_all(const struct options *o)
{
	unsigned int i, strange = 0;
	int status;

	for (i = 0; i < o->processes; i++)
		kill(workers[i], SIGTERM);
	for (i = 0; i < o->processes; i++)
		if (waitpid(workers[i], &status, 0) == workers[i])
			strange += !ended_well(status);
	return strange;
}

static void progress(const struct tally *t, time_t second)
{
	printf("%6ld s: %llu submissions, %llu right, %llu wrong, %llu failed, %llu lost\n",
	       (long)second, (unsigned long long)t->submissions, (unsigned long long)t->right,
	       (unsigned long long)t->wrong, (unsigned long long)t->failed,
	       (unsigned long long)t->lost);
	fflush(stdout);
}

static unsigned int load(struct tally *tally, const struct options *o, struct disturb *disturb)
{
	const time_t begin = time(NULL);
	unsigned int i, tick, strange = 0;
	time_t said = begin, now;

	for (i = 0; i < o->processes; i++)
		start(i, tally, o);
	for (tick = 1; (now = time(NULL)) < begin + (time_t)o->seconds; tick++) {
		usleep(TICK_US);
		disturb_tick(disturb, tick, workers[(unsigned int)random() % o->processes]);
		strange += replace_dead(tally, o);
		if (now >= said + 30) {
			progress(tally, now - begin);
			said = now;
		}
	}
	strange += end_all(o);
	progress(tally, time(NULL) - begin);
	return strange;
}

static unsigned int kinds(char *list)
{
	static const char *const names[] = { "kill", "fault", "unbind", "sleep" };
	unsigned int i, all = 0;
	char *name;

	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < 4 && strcmp(name, names[i]) != 0; i++)
			;
		if (i == 4) {
			fprintf(stderr, "--with knows kill, fault, unbind and sleep, not %s\n",
				name);
			exit(2);
		}
		all |= 1U << i;
	}
	return all;
}

static unsigned int number(const char *text, unsigned int max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > max) {
		fprintf(stderr, "'%s' is not a number from 1 to %u\n", text, max);
		exit(2);
	}
	return (unsigned int)n;
}

static struct options options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "processes", required_argument, NULL, 'p' },
		{ "contexts", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "with", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct options o = { .processes = 64, .contexts = 4, .seconds = 60 };
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'p':
			o.processes = number(optarg, PROCESSES_MAX);
			break;
		case 'c':
			o.contexts = number(optarg, 16);
			break;
		case 's':
			o.seconds = number(optarg, 86400);
			break;
		case 'w':
			o.kinds = kinds(optarg);
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
	struct disturb *disturb = disturb_open(o.kinds);
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct census before = census_take(), after;
	unsigned int strange;

	if (!disturb || tally == MAP_FAILED)
		return 1;
	strange = load(tally, &o, disturb);
	after = census_take();
	disturb_report(disturb);
	verdict("work was done", tally->right > 0);
	verdict("no result is wrong", !tally->wrong);
	verdict("each fence signalled, each error has a reason", !tally->lost);
	verdict("nothing fails without a fault",
		o.kinds & (DISTURB_FAULT | DISTURB_UNBIND) || !tally->failed);
	verdict("no worker ended by itself", !strange);
	verdict("the system has back what it gave", census_compare(&before, &after));
	disturb_close(disturb);
	printf("load: %u passed, %u failed\n", n_passed, n_failed);
	return n_failed ? 1 : 0;
}
