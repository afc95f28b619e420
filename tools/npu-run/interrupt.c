// SPDX-License-Identifier: MIT
/* Ctrl-C during long work. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "interrupt.h"

static volatile sig_atomic_t caught;

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };

static void remember(int signal)
{
	caught = signal;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = remember, .sa_flags = SA_RESETHAND };

	struct sigaction before;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		/* Who ignores it for us, as nohup(1) does, knows why. */
		if (!sigaction(deadly[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	}
}

int interrupted(void)
{
	return caught;
}

bool interrupt_sleep(double seconds)
{
	struct timespec time = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	sigset_t blocked, before;

	/* A signal between the look and the sleep must not be slept over. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaddset(&blocked, deadly[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	if (!caught)
		ppoll(NULL, 0, &time, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return caught;
}
