/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name when it is complete and on the disk, or not at all. It is
 * written beside its place, and renamed. A file that was there keeps its mode, a link to it stays.
 *
 *	npu_save_begin(&save, "weights", path, err);
 *	npu_save_write(&save, data, bytes, err);	as often as needed, each until one fails
 *	npu_save_end(&save, ret, err);			ret is the first failure, or 0
 */
#ifndef LIBNPU_SAVE_H
#define LIBNPU_SAVE_H

#include <stddef.h>

struct npu_error;

/*
 * struct npu_save - a file that is being written
 * @what: What is in it, for errors: "cannot save WHAT to PATH".
 * @path: Where it will be; the caller's.
 * @target: What @path leads to, which is replaced.
 * @temporary: Where it is.
 */
struct npu_save {
	const char *what;
	const char *path;
	char *target;
	char *temporary;
	int fd;
};

/* Creates the file. After a failure there is nothing to end. */
int npu_save_begin(struct npu_save *save, const char *what, const char *path,
		   struct npu_error *err);

int npu_save_write(struct npu_save *save, const void *data, size_t bytes, struct npu_error *err);

/* Gives the file its name if @ret is 0, and removes it otherwise. Returns @ret or a new failure. */
int npu_save_end(struct npu_save *save, int ret, struct npu_error *err);

#endif /* LIBNPU_SAVE_H */
