/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name when it is complete and on the disk, or not at all. The data
 * goes to a temporary beside it, which is renamed. A file that was there keeps its mode, a link to
 * it stays.
 */
#ifndef NPU_RUN_SAVE_H
#define NPU_RUN_SAVE_H

#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "npu.h"

struct save {
	FILE *file;	       /* to write to */
	char target[PATH_MAX]; /* what is replaced */
	char temporary[PATH_MAX];
	sigset_t before;
};

/*
 * Fails early if save_begin() to this path could not work, so that nothing is computed in vain. The
 * text of an error goes after the path, here and below: "is not a regular file".
 */
int save_check(const char *path, struct npu_error *err);

/*
 * The signals that would end the program wait from the one to the other, so that neither an error
 * nor Ctrl-C leaves half a file or a temporary; nothing slow may happen in between. It is for files
 * that the library writes: those below have it.
 */
void save_guard(sigset_t *before);
void save_unguard(const sigset_t *before);

/* Opens the temporary, under guard until save_end(). */
int save_begin(struct save *save, const char *path, struct npu_error *err);

/* Renames it, or removes it if anything that was written to it failed. */
int save_end(struct save *save, struct npu_error *err);

#endif
