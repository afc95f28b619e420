/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C during long work. A command that can take long catches the signals that ask it to end, and
 * looks between two steps whether one has come; a second one ends the program at once.
 */
#ifndef NPU_RUN_INTERRUPT_H
#define NPU_RUN_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM and SIGHUP are remembered. */
void interrupt_catch(void);

/* The one that has come, or 0. */
int interrupted(void);

/* Sleeps until then, or for so long; returns interrupted(). */
bool interrupt_sleep(double seconds);

#endif
