/* SPDX-License-Identifier: MIT */
/*
 * Load: many processes on one NPU, and everything that can happen to them while they work.
 */
#ifndef TESTS_LOAD_LOAD_H
#define TESTS_LOAD_LOAD_H

#include <stdint.h>
#include <sys/types.h>

/**
 * struct tally - what all workers together have seen, in memory that they share
 * @submissions: Submissions whose fence signalled.
 * @right: Of these, those without an error whose result was compared and right.
 * @wrong: Those without an error whose result was wrong.
 * @failed: Those with an error that a fault or the end of the device explains.
 * @lost: Fences that did not signal, and errors that nothing explains.
 * @reopened: Times that a worker found its device gone, and opened it again.
 */
struct tally {
	_Atomic uint64_t submissions, right, wrong, failed, lost, reopened;
};

/** Works until it is told to end by SIGTERM. Does not return. */
void worker_run(struct tally *tally, unsigned int contexts, uint32_t seed)
	__attribute__((noreturn));

/** What is disturbed, and how often: bits for disturb_open(). */
enum {
	DISTURB_KILL = 1 << 0,
	DISTURB_FAULT = 1 << 1,
	DISTURB_UNBIND = 1 << 2,
	DISTURB_SLEEP = 1 << 3
};

struct disturb;

/** Finds what it needs: NULL and why on standard error if something is not there. */
struct disturb *disturb_open(unsigned int kinds);
void disturb_close(struct disturb *d);
/** Does what is due in this tenth of a second; the process that may be killed, or 0. */
void disturb_tick(struct disturb *d, unsigned int tick, pid_t victim);
/** Prints how often each kind happened. */
void disturb_report(const struct disturb *d);

/** struct census - what the system has given away */
struct census {
	long available_kb, slab_kb, files;
};

struct census census_take(void);
/** Whether no more is given away at the end than at the start, but for what moves anyway. */
int census_compare(const struct census *start, const struct census *end);

#endif /* TESTS_LOAD_LOAD_H */
